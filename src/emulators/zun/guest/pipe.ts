/** Where bytes come from. */
export interface ByteSource {
  /** The next piece; undefined at the end. */
  read(): Promise<Buffer | undefined>;
  /** Gives back what was read too much of; the next read yields it. */
  unread(bytes: Buffer): void;
}

/** Where bytes go. */
export interface ByteSink {
  /** Settles when there is room for more. */
  write(bytes: Buffer): Promise<void>;
}

/** A pipe in memory: a writer that is ahead by `limit` bytes waits for the reader. */
export interface Pipe extends ByteSource, ByteSink {
  /** No more will be written. */
  end(): void;
  /** Nobody will read: writers go on and their bytes are dropped. */
  abandon(): void;
}

/** Makes an empty pipe. */
export function createPipe(limit = 256 * 1024): Pipe {
  const queue: Buffer[] = [];
  let size = 0;
  let isEnded = false;
  let isAbandoned = false;
  let readers: (() => void)[] = [];
  let writers: (() => void)[] = [];
  const wake = (waiting: (() => void)[]) => {
    for (const resume of waiting.splice(0)) resume();
  };
  return {
    async read() {
      for (;;) {
        const bytes = queue.shift();
        if (bytes) {
          size -= bytes.length;
          if (size < limit) wake(writers);
          return bytes;
        }
        if (isEnded) return undefined;
        await new Promise<void>((resolve) => readers.push(resolve));
      }
    },
    unread(bytes) {
      if (bytes.length === 0) return;
      queue.unshift(bytes);
      size += bytes.length;
    },
    async write(bytes) {
      if (isEnded || isAbandoned || bytes.length === 0) return;
      queue.push(bytes);
      size += bytes.length;
      wake(readers);
      if (size >= limit) await new Promise<void>((resolve) => writers.push(resolve));
    },
    end() {
      isEnded = true;
      wake(readers);
      wake(writers);
    },
    abandon() {
      isAbandoned = true;
      queue.length = 0;
      size = 0;
      wake(writers);
      readers = [];
      writers = [];
    },
  };
}

/** A source that is at its end. */
export const emptySource: ByteSource = bytesSource(Buffer.alloc(0));

/** A sink that forgets. */
export const nullSink: ByteSink = { write: () => Promise.resolve() };

/** Reads a source to its end. */
export async function readAll(source: ByteSource): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let bytes = await source.read(); bytes; bytes = await source.read()) pieces.push(bytes);
  return Buffer.concat(pieces);
}

/** A source that holds these bytes. */
export function bytesSource(content: Buffer): ByteSource {
  let rest = content;
  return {
    read() {
      const all = rest;
      rest = Buffer.alloc(0);
      return Promise.resolve(all.length > 0 ? all : undefined);
    },
    unread(bytes) {
      rest = rest.length > 0 ? Buffer.concat([bytes, rest]) : bytes;
    },
  };
}

/** Reads one line, without its end, and no more; undefined at the end of the source. */
export async function readLine(source: ByteSource): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  for (;;) {
    const bytes = await source.read();
    if (!bytes) return pieces.length > 0 ? Buffer.concat(pieces).toString() : undefined;
    const end = bytes.indexOf(10);
    if (end < 0) {
      pieces.push(bytes);
      continue;
    }
    source.unread(bytes.subarray(end + 1));
    return Buffer.concat([...pieces, bytes.subarray(0, end)]).toString();
  }
}
