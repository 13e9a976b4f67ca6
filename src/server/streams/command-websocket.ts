import type { WebSocket } from 'ws';
import type { Clock } from '../../base/clock.ts';
import { type CommandStatus, statusMessage } from './command-status.ts';
import { createResizeRelay, endStream, type RemoteStreams, type WantedStreams } from './remote-command.ts';
import { createTerminalSizeDecoder } from './terminal-size.ts';
import { createChannelSocket, sendEmpty } from './websocket.ts';

/** Sub-protocols of exec and attach over WebSocket; none offered means the first, binary, version. */
export const webSocketCommandProtocols = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'base64.channel.k8s.io',
  'channel.k8s.io',
] as const;

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 };

export interface WebSocketCommandOptions {
  webSocket: WebSocket;
  protocol: string | undefined;
  wanted: WantedStreams;
  clock: Clock;
  idleMs: number;
  /** How long the client may take to answer the closing handshake. */
  graceMs: number;
}

/**
 * Serves a client's exec or attach over WebSocket. Only version 5 has a half-close: with the others stdin never ends
 * before the connection does. Source: k8s.io/streaming/pkg/httpstream/wsstream.
 */
export function acceptWebSocketCommand(options: WebSocketCommandOptions): RemoteStreams {
  const { webSocket, wanted } = options;
  const protocol = options.protocol ?? '';
  const isBase64 = protocol.includes('base64');
  const gone = new AbortController();
  const channels = createChannelSocket(webSocket, {
    isBase64,
    canCloseChannels: protocol.startsWith('v5.'),
    clock: options.clock,
    idleMs: options.idleMs,
    onClose: () => gone.abort(new Error('the client closed the connection')),
  });
  const relay = createResizeRelay();
  const decode = createTerminalSizeDecoder();
  if (wanted.tty) channels.readable(channel.resize).on('data', (chunk: Buffer) => decode(chunk).forEach(relay.push));
  const stdin = wanted.stdin ? channels.readable(channel.stdin) : undefined;
  const stdout = wanted.stdout ? channels.writable(channel.stdout) : undefined;
  const stderr = wanted.stderr && !wanted.tty ? channels.writable(channel.stderr) : undefined;
  const error = channels.writable(channel.error);
  sendEmpty(webSocket, stdout ? channel.stdout : stderr ? channel.stderr : channel.error, isBase64);
  return {
    stdin,
    stdout,
    stderr,
    onResize: relay.onResize,
    gone: gone.signal,
    async finish(status: CommandStatus) {
      stdin?.resume();
      await Promise.all([endStream(stdout), endStream(stderr)]);
      const isJson = protocol.startsWith('v5.') || protocol.startsWith('v4.');
      await endStream(error, statusMessage(status, isJson ? 'json' : 'text'));
      await channels.close(options.graceMs);
    },
  };
}
