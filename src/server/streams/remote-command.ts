import type { Readable, Writable } from 'node:stream';
import type { CommandStatus } from './command-status.ts';
import type { TerminalSize } from './terminal-size.ts';

/** Which streams a client asks for. With a terminal there is no stderr of its own. */
export interface WantedStreams {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** The client's side of exec or attach, over SPDY or WebSocket. */
export interface RemoteStreams {
  /** Ends at the client's half-close, where its protocol has one. */
  stdin: Readable | undefined;
  stdout: Writable | undefined;
  stderr: Writable | undefined;
  /** Calls back for each terminal size from now on, and at once with the newest one that came before. */
  onResize(listener: (size: TerminalSize) => void): void;
  /** Aborts when the client has gone before `finish`. */
  gone: AbortSignal;
  /**
   * Ends the output streams, then sends the status, then closes the connection; in this order, since clients read
   * the status only after the output. Resolves when the connection is closed; never rejects.
   */
  finish(status: CommandStatus): Promise<void>;
}

/** Holds the newest size until somebody listens. */
export function createResizeRelay(): {
  push(size: TerminalSize): void;
  onResize(listener: (size: TerminalSize) => void): void;
} {
  let newest: TerminalSize | undefined;
  let send: ((size: TerminalSize) => void) | undefined;
  return {
    push(size) {
      newest = size;
      send?.(size);
    },
    onResize(listener) {
      send = listener;
      if (newest) listener(newest);
    },
  };
}

/** Ends a stream and waits until what was written is out, or the stream has failed. */
export function endStream(stream: Writable | undefined, last?: string): Promise<void> {
  return new Promise((resolve) => {
    if (!stream || stream.destroyed) return resolve();
    stream.once('close', () => resolve());
    stream.once('error', () => resolve());
    stream.end(last ?? '', () => resolve());
  });
}
