import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { AppError } from '../../base/errors.ts';
import { type CommandStatus, statusMessage } from './command-status.ts';
import { createResizeRelay, endStream, type RemoteStreams, type WantedStreams } from './remote-command.ts';
import { createSpdySession, type SpdyLimits, type SpdySession } from './spdy-session.ts';
import type { SpdyStream } from './spdy-stream.ts';
import { createTerminalSizeDecoder } from './terminal-size.ts';

/** Sub-protocols of exec and attach over SPDY. Version 5 exists for WebSocket only. */
export const spdyCommandProtocols = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
] as const;

export interface SpdyCommandOptions {
  transport: Duplex;
  head: Buffer;
  protocol: string;
  wanted: WantedStreams;
  limits: SpdyLimits;
  clock: Clock;
  /** How long the client may take to open its streams. */
  creationMs: number;
  /** How long it may take to close after the status. */
  graceMs: number;
}

/**
 * Accepts a client's exec or attach over SPDY: waits for its streams. Errors: `retryable`/`stream.creation-timeout` and
 * `stream.client-gone`; the connection is closed then.
 */
export function acceptSpdyCommand(options: SpdyCommandOptions): Promise<RemoteStreams> {
  const { wanted, protocol, clock } = options;
  const expected = expectedTypes(wanted, protocol);
  const streams = new Map<string, SpdyStream>();
  const gone = new AbortController();
  const closed = Promise.withResolvers<void>();
  return new Promise((resolve, reject) => {
    const cancelTimer = clock.after(options.creationMs, () => {
      const missing = expected.filter((type) => !streams.has(type)).join(', ');
      session.destroy(new Error(`no ${missing} stream in time`));
      reject(failure('stream.creation-timeout', `waiting for the client's streams: no ${missing} stream in time`));
    });
    const session = createSpdySession({
      transport: options.transport,
      head: options.head,
      limits: { ...options.limits, maxStreams: 8, stallMs: 0 },
      clock,
      onStream(stream) {
        const type = stream.headers.get('streamtype') ?? '';
        if (!expected.includes(type) || streams.has(type)) {
          stream.io.destroy();
          return;
        }
        streams.set(type, stream);
        if (streams.size < expected.length) return;
        cancelTimer();
        resolve(remoteStreams(streams, session, { options, gone: gone.signal, closed: closed.promise }));
      },
      onClose(cause) {
        cancelTimer();
        gone.abort(cause);
        closed.resolve();
        reject(failure('stream.client-gone', `waiting for the client's streams: ${cause?.message ?? 'closed'}`));
      },
    });
  });
}

function expectedTypes(wanted: WantedStreams, protocol: string): string[] {
  const types = ['error'];
  if (wanted.stdin) types.push('stdin');
  if (wanted.stdout) types.push('stdout');
  if (wanted.stderr && !wanted.tty) types.push('stderr');
  const canResize = protocol === 'v4.channel.k8s.io' || protocol === 'v3.channel.k8s.io';
  if (wanted.tty && canResize) types.push('resize');
  return types;
}

function remoteStreams(
  streams: Map<string, SpdyStream>,
  session: SpdySession,
  rest: { options: SpdyCommandOptions; gone: AbortSignal; closed: Promise<void> },
): RemoteStreams {
  const relay = createResizeRelay();
  const decode = createTerminalSizeDecoder();
  streams.get('resize')?.io.on('data', (chunk: Buffer) => decode(chunk).forEach(relay.push));
  const io = (type: string): Duplex | undefined => streams.get(type)?.io;
  const format = rest.options.protocol === 'v4.channel.k8s.io' ? 'json' : 'text';
  return {
    stdin: io('stdin'),
    stdout: io('stdout'),
    stderr: io('stderr'),
    onResize: relay.onResize,
    gone: rest.gone,
    async finish(status: CommandStatus) {
      // What the client still sends would hold up its goodbye.
      io('stdin')?.resume();
      await Promise.all([endStream(io('stdout')), endStream(io('stderr'))]);
      await endStream(io('error'), statusMessage(status, format));
      session.finish(rest.options.graceMs);
      await rest.closed;
    },
  };
}

function failure(code: string, message: string): AppError {
  return new AppError({ kind: 'retryable', code, message });
}
