import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Pool } from 'undici';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { conversations } from './conversations.ts';
import { converse, disagreements } from './replay.ts';

let emulator: KubeEmulator;
let pool: Pool;
let agreeing = 0;

before(async () => {
  emulator = await createKubeEmulator({ controllers: [] });
  pool = new Pool(emulator.url, { connections: 16 });
});
after(async () => {
  await pool.close();
  await emulator.close();
});

test('kube emulator: recorded conversations with a real API server: the same answers', {
  concurrency: 8,
}, async (context) => {
  const tests = conversations.map((conversation) =>
    context.test(conversation.name, async () => {
      const answers = await converse({ pool, passTime: (ms) => emulator.control.advance(ms) }, conversation, 'run');
      assert.deepEqual(disagreements(conversation, answers), []);
      agreeing += answers.length;
    }),
  );
  await Promise.all(tests);
  context.diagnostic(`${agreeing} answers agree with those of a real API server`);
});
