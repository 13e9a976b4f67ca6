import { deletionConversations } from './deletion-conversations.ts';
import { podConversations } from './pod-conversations.ts';
import { readingConversations } from './reading-conversations.ts';
import type { Conversation } from './replay.ts';
import { writingConversations } from './writing-conversations.ts';

/** Everything that the emulated API server and the real one are asked alike. */
export const conversations: Conversation[] = [
  ...podConversations,
  ...deletionConversations,
  ...writingConversations,
  ...readingConversations,
];
