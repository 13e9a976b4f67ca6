import type { Duplex } from 'node:stream';
import { dataHeader, maxSentPayloadBytes } from './spdy-frames.ts';

/** The sending half of a SPDY connection: bounded memory, and no stream starves another. */
export interface SpdyOutput {
  /** Sends a control frame at once, before data that waits. */
  control(frame: Buffer): void;
  /** Sends data in frames of bounded size; `done` is called when the transport takes more. */
  data(streamId: number, chunk: Buffer, done: (error?: Error) => void): void;
  fin(streamId: number, done: (error?: Error) => void): void;
  /** Fails what waits; later calls fail at once. */
  close(cause: Error): void;
}

/** Unsent bytes past which a client that keeps asking but never reads is cut off. */
const maxUnsentBytes = 4 * 1024 * 1024;

/** Makes the sending half over a transport. `onOverrun` is called when control frames pile up. */
export function createSpdyOutput(transport: Duplex, onOverrun: (cause: Error) => void): SpdyOutput {
  const waiting: ((cause?: Error) => void)[] = [];
  let closedBy: Error | undefined;

  function whenWritable(fail: (error: Error) => void, write: () => void): void {
    if (closedBy) fail(closedBy);
    else if (waiting.length === 0 && !transport.writableNeedDrain) write();
    else waiting.push((cause) => (cause ? fail(cause) : write()));
  }
  function serve(): void {
    while (!transport.writableNeedDrain || closedBy) {
      const next = waiting.shift();
      if (!next) return;
      next(closedBy);
    }
  }
  transport.on('drain', serve);
  return {
    control(frame) {
      if (closedBy || transport.destroyed || transport.writableEnded) return;
      if (transport.writableLength > maxUnsentBytes) onOverrun(new Error('the client does not read'));
      else transport.write(frame);
    },
    data(streamId, chunk, done) {
      whenWritable(done, () => {
        transport.cork();
        for (let offset = 0; offset < chunk.length; offset += maxSentPayloadBytes) {
          const piece = chunk.subarray(offset, offset + maxSentPayloadBytes);
          transport.write(dataHeader(streamId, piece.length, false));
          transport.write(piece);
        }
        transport.uncork();
        whenWritable(done, () => done());
      });
    },
    fin(streamId, done) {
      whenWritable(done, () => {
        transport.write(dataHeader(streamId, 0, true));
        done();
      });
    },
    close(cause) {
      closedBy ??= cause;
      serve();
    },
  };
}
