import type { Clock } from '../../base/clock.ts';

interface LogRead {
  stdout: boolean;
  stderr: boolean;
  timestamps: boolean;
  /** The last so many lines. */
  tail?: number;
  /** Only lines at or after this wall time in milliseconds. */
  sinceMs?: number;
}

/** What a container wrote. */
export interface ProcessLog {
  write(stream: 'stdout' | 'stderr', bytes: string | Buffer): void;
  read(options: LogRead): string;
  /** Tells a listener what is written from now on; the returned function ends it. */
  follow(listener: (bytes: Buffer) => void): () => void;
}

interface Line {
  stream: 'stdout' | 'stderr';
  /** Nanoseconds since 1970: lines of one millisecond stay apart. */
  at: bigint;
  text: string;
  ended: boolean;
}

const maxLines = 20_000;

/** Makes an empty log. */
export function createProcessLog(clock: Clock): ProcessLog {
  const lines: Line[] = [];
  const listeners = new Set<(bytes: Buffer) => void>();
  let lastAt = 0n;

  function append(stream: Line['stream'], text: string): void {
    const open = lines.findLast((line) => line.stream === stream);
    if (open && !open.ended) {
      open.text += text;
      open.ended = text.endsWith('\n');
      return;
    }
    const now = BigInt(Math.floor(clock.now())) * 1_000_000n;
    lastAt = now > lastAt ? now : lastAt + 1n;
    lines.push({ stream, at: lastAt, text, ended: text.endsWith('\n') });
    if (lines.length > maxLines) lines.splice(0, lines.length - maxLines);
  }

  return {
    write(stream, bytes) {
      const text = bytes.toString();
      for (const piece of text.split(/(?<=\n)/)) if (piece !== '') append(stream, piece);
      for (const listener of listeners) listener(Buffer.from(bytes));
    },
    read(options) {
      const since = BigInt(Math.floor((options.sinceMs ?? 0) * 1000)) * 1000n;
      let chosen = lines.filter((line) => line.at >= since && options[line.stream]);
      if (options.tail !== undefined) chosen = options.tail > 0 ? chosen.slice(-options.tail) : [];
      return chosen
        .map((line) => (options.timestamps ? `${nanosecondTime(line.at)} ${line.text}` : line.text))
        .join('');
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function nanosecondTime(at: bigint): string {
  const second = new Date(Number(at / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${second}.${(at % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}
