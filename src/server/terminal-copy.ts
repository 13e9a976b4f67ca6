import { once } from 'node:events';
import type { Duplex, Writable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { TerminalSession } from './runtime.ts';
import type { CommandStatus } from './streams/command-status.ts';
import type { RemoteStreams } from './streams/remote-command.ts';

/** Copies between a client and a raw terminal until the terminal ends or the client goes. */
export async function pumpTerminal(terminal: TerminalSession, streams: RemoteStreams): Promise<CommandStatus> {
  const { io } = terminal;
  const leave = (): void => void io.destroy();
  streams.gone.addEventListener('abort', leave, { once: true });
  streams.onResize((size) => void terminal.resize(size).catch(() => {}));
  streams.stdin?.pipe(io);
  streams.stdin?.on('error', leave);
  try {
    for await (const chunk of io) await writeAll(streams.stdout, toBuffer(chunk));
    return { kind: 'success' };
  } catch (error) {
    return { kind: 'failure', cause: error instanceof Error ? error.message : String(error) };
  } finally {
    streams.gone.removeEventListener('abort', leave);
    io.destroy();
  }
}

/** Writes and waits until the stream takes more; what nobody asked for is thrown away. */
export async function writeAll(stream: Writable | undefined, bytes: Buffer): Promise<void> {
  if (!stream || stream.destroyed || stream.writableEnded || bytes.length === 0) return;
  if (stream.write(bytes)) return;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } finally {
    settled.abort();
  }
}

/** Chunks of a byte stream are Buffers; its type does not say so. */
export function toBuffer(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

/** Ends a connection in order, so that what was written still arrives, and cuts it when that takes too long. */
export function endSoon(io: Duplex, clock: Clock): void {
  io.on('error', () => {});
  io.resume();
  io.end();
  const cancel = clock.after(5_000, () => io.destroy());
  io.once('close', cancel);
}
