import type { MarkLetter } from './exec-script.ts';

/** What comes out of a terminal with a script on it. */
export type OutputPart = { kind: 'bytes'; bytes: Buffer } | { kind: 'mark'; letter: MarkLetter; text: Buffer };

/** Marks are short; what looks like the beginning of one for longer is output after all. */
const maxMarkBytes = 4096;
const letters = 'rpkenodx';

/**
 * Makes a function that takes output as it comes and separates the script's marks from the command's bytes. Bytes that
 * could be the beginning of a mark are held back until it is clear; `flush` hands them out at the end.
 */
export function createMarkScanner(token: string): { push(chunk: Buffer): OutputPart[]; flush(): Buffer } {
  const start = Buffer.from(`\u001b_${token}`, 'latin1');
  const end = Buffer.from(`${token}\u001b\\`, 'latin1');
  let held: Buffer = Buffer.alloc(0);

  function takeMark(bytes: Buffer): { part: OutputPart; used: number } | 'incomplete' | 'none' {
    if (bytes.length <= start.length) return 'incomplete';
    const letter = String.fromCharCode(bytes[start.length] ?? 0);
    if (!isLetter(letter)) return 'none';
    const endAt = bytes.indexOf(end, start.length + 1);
    if (endAt < 0) return bytes.length > maxMarkBytes ? 'none' : 'incomplete';
    const text = Buffer.from(bytes.subarray(start.length + 1, endAt));
    return { part: { kind: 'mark', letter, text }, used: endAt + end.length };
  }
  return {
    push(chunk) {
      let bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      held = Buffer.alloc(0);
      const parts: OutputPart[] = [];
      while (bytes.length > 0) {
        const startAt = bytes.indexOf(start);
        const plainEnd = startAt >= 0 ? startAt : bytes.length - heldBack(bytes, start);
        if (plainEnd > 0) parts.push({ kind: 'bytes', bytes: bytes.subarray(0, plainEnd) });
        bytes = bytes.subarray(plainEnd);
        if (startAt < 0) break;
        const mark = takeMark(bytes);
        if (mark === 'incomplete') break;
        if (mark === 'none') {
          parts.push({ kind: 'bytes', bytes: bytes.subarray(0, start.length) });
          bytes = bytes.subarray(start.length);
        } else {
          parts.push(mark.part);
          bytes = bytes.subarray(mark.used);
        }
      }
      held = Buffer.from(bytes);
      return parts;
    },
    flush() {
      const rest = held;
      held = Buffer.alloc(0);
      return rest;
    },
  };
}

function isLetter(letter: string): letter is MarkLetter {
  return letters.includes(letter);
}

/** How many bytes at the end could be the beginning of `start`. */
function heldBack(bytes: Buffer, start: Buffer): number {
  const most = Math.min(bytes.length, start.length - 1);
  const from = bytes.indexOf(start.subarray(0, 1), bytes.length - most);
  for (let at = from; at >= 0; at = bytes.indexOf(start.subarray(0, 1), at + 1)) {
    if (start.subarray(0, bytes.length - at).equals(bytes.subarray(at))) return bytes.length - at;
  }
  return 0;
}
