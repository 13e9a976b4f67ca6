import type { Readable, Writable } from 'node:stream';
import { inputEnd, inputPiece, inputPieceBytes, inputStart } from './exec-script.ts';

/** Sends a client's stdin to the script on the terminal. */
export interface InputSender {
  /** The script has taken one piece. */
  taken(): void;
  /** Sends the end, unless it was sent; the command does not want more. */
  stop(): void;
}

/** Pieces under way; more would pile up in Zun's proxy, which has no back-pressure. */
const windowPieces = 3;

/**
 * Makes the sender and starts it. What comes while pieces are under way is sent together: each piece costs the container
 * two processes, so larger ones are cheaper, while a single keystroke still goes at once.
 */
export function createInputSender(stdin: Readable, terminal: Writable): InputSender {
  let queue: Buffer[] = [];
  let queuedBytes = 0;
  let underWay = 0;
  let isEnded = false;
  let isStopped = false;

  function send(): void {
    while (!isStopped && underWay < windowPieces && queuedBytes > 0) {
      const all = Buffer.concat(queue, queuedBytes);
      const { frame, used } = inputPiece(all);
      queue = used < all.length ? [all.subarray(used)] : [];
      queuedBytes -= used;
      underWay += 1;
      if (!terminal.destroyed) terminal.write(frame);
    }
    if (isEnded && queuedBytes === 0) stop();
    if (!isStopped && queuedBytes < inputPieceBytes) stdin.resume();
  }
  function stop(): void {
    if (isStopped) return;
    isStopped = true;
    queue = [];
    stdin.resume();
    if (!terminal.destroyed && !terminal.writableEnded) terminal.write(inputEnd);
  }
  terminal.write(inputStart);
  stdin.on('data', (chunk: Buffer) => {
    if (isStopped) return;
    queue.push(chunk);
    queuedBytes += chunk.length;
    if (queuedBytes >= inputPieceBytes) stdin.pause();
    send();
  });
  stdin.on('end', () => {
    isEnded = true;
    send();
  });
  return {
    taken() {
      underWay -= 1;
      send();
    },
    stop,
  };
}
