import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { constants, createInflate, deflateRawSync } from 'node:zlib';
import { spdyDictionary } from '../../src/server/streams/spdy-dictionary.ts';

/** A stream as the test's client sees it. */
export interface ClientStream {
  id: number;
  /** Settles at SYN_REPLY; rejects when the stream is reset before. */
  opened: Promise<void>;
  send(data: Buffer | string): Promise<void>;
  fin(): Promise<void>;
  reset(status?: number): void;
  /** What has arrived so far. */
  received(): Buffer;
  /** Settles with everything at the peer's FIN; rejects on a reset. */
  ended: Promise<Buffer>;
  onData?: (chunk: Buffer) => void;
}

export interface SpdyClient {
  open(headers: Record<string, string>, fin?: boolean): Promise<ClientStream>;
  ping(id: number): Promise<void>;
  /** Kinds of all frames received, in order: `reply 1`, `data 1`, `fin 1`, `reset 1 5`, `ping 1`, `goaway 0`. */
  frames: string[];
  /** Sends bytes as they are. */
  raw(bytes: Buffer): void;
  closed: Promise<void>;
  transport: Duplex;
}

/**
 * Speaks SPDY/3.1 as client-go does, over an upgraded connection: with a real compressor and a real inflater, so that it
 * shares nothing with the server but the dictionary.
 */
export function createSpdyClient(transport: Duplex, keepData = true): SpdyClient {
  let window = spdyDictionary();
  const dictionaryBytes = window.length;
  const inflate = createInflate({ dictionary: spdyDictionary() });
  inflate.on('error', (error) => transport.destroy(error));
  const streams = new Map<number, { view: ClientStream; take(kind: string, payload?: Buffer): void }>();
  const pings = new Map<number, () => void>();
  const frames: string[] = [];
  let nextId = 1;
  let pending: Buffer = Buffer.alloc(0);

  function note(kind: string, id: number, extra = ''): void {
    const line = `${kind} ${id}${extra}`;
    if (kind !== 'data' || frames.at(-1) !== line) frames.push(line);
  }
  function take(first: number, flags: number, payload: Buffer): void {
    if (first < 0x80000000) {
      const stream = streams.get(first);
      if (payload.length > 0) {
        note('data', first);
        stream?.take('data', payload);
      }
      if (flags & 1) {
        note('fin', first);
        stream?.take('fin');
      }
      return;
    }
    const type = first & 0xffff;
    const id = payload.readUInt32BE(0);
    if (type === 2) {
      inflate.write(payload.subarray(4));
      note('reply', id);
      streams.get(id)?.take('reply');
    } else if (type === 3) {
      note('reset', id, ` ${payload.readUInt32BE(4)}`);
      streams.get(id)?.take('reset');
    } else if (type === 6) {
      note('ping', id);
      pings.get(id)?.();
    } else if (type === 7) {
      note('goaway', payload.readUInt32BE(4));
    }
  }
  transport.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let offset = 0;
    while (pending.length - offset >= 8) {
      const length = pending.readUIntBE(offset + 5, 3);
      if (pending.length - offset - 8 < length) break;
      take(
        pending.readUInt32BE(offset),
        pending.readUInt8(offset + 4),
        pending.subarray(offset + 8, offset + 8 + length),
      );
      offset += 8 + length;
    }
    pending = pending.subarray(offset);
  });
  transport.on('error', () => {});
  const closed = once(transport, 'close').then(() => {
    for (const stream of streams.values()) stream.take('closed');
  });
  transport.on('end', () => transport.end());

  function headerBlock(headers: Record<string, string>): Buffer {
    const words: Buffer[] = [word(Object.keys(headers).length)];
    for (const [name, value] of Object.entries(headers)) {
      words.push(word(Buffer.byteLength(name)), Buffer.from(name), word(Buffer.byteLength(value)), Buffer.from(value));
    }
    const plain = Buffer.concat(words);
    // A block that may refer to all before it is what a compressor that runs on would write.
    const block = deflateRawSync(plain, { dictionary: window, finishFlush: constants.Z_SYNC_FLUSH });
    const start = window.length === dictionaryBytes ? Buffer.from('78f9e3c6a7c2', 'hex') : Buffer.alloc(0);
    window = Buffer.concat([window, plain]).subarray(-32768);
    return Buffer.concat([start, block]);
  }
  function write(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => transport.write(bytes, () => resolve()));
  }
  return {
    frames,
    closed,
    transport,
    raw: (bytes) => transport.write(bytes),
    async open(headers, fin = false) {
      const block = headerBlock(headers);
      const id = nextId;
      nextId += 2;
      const stream = clientStream(id, write, keepData);
      streams.set(id, stream);
      const head = [controlHead(1, fin ? 1 : 0, 10 + block.length), word(id), word(0), Buffer.alloc(2)];
      await write(Buffer.concat([...head, block]));
      return stream.view;
    },
    ping(id) {
      return new Promise((resolve) => {
        pings.set(id, resolve);
        transport.write(Buffer.concat([controlHead(6, 0, 4), word(id)]));
      });
    },
  };
}

function clientStream(id: number, write: (bytes: Buffer) => Promise<void>, keepData: boolean) {
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Buffer>();
  opened.promise.catch(() => {});
  ended.promise.catch(() => {});
  const chunks: Buffer[] = [];
  const view: ClientStream = {
    id,
    opened: opened.promise,
    ended: ended.promise,
    received: () => Buffer.concat(chunks),
    async send(data) {
      const bytes = Buffer.from(data);
      for (let offset = 0; offset < bytes.length; offset += 32768) {
        const piece = bytes.subarray(offset, offset + 32768);
        await write(Buffer.concat([dataHead(id, 0, piece.length), piece]));
      }
    },
    fin: () => write(dataHead(id, 1, 0)),
    reset: (status = 5) => void write(Buffer.concat([controlHead(3, 0, 8), word(id), word(status)])),
  };
  return {
    view,
    take(kind: string, payload?: Buffer) {
      if (kind === 'reply') opened.resolve();
      if (kind === 'data' && payload) {
        if (keepData) chunks.push(Buffer.from(payload));
        view.onData?.(payload);
      }
      if (kind === 'fin') ended.resolve(Buffer.concat(chunks));
      if (kind === 'reset' || kind === 'closed') {
        opened.reject(new Error(kind));
        ended.reject(new Error(kind));
      }
    },
  };
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function controlHead(type: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(0x80030000 + type);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

function dataHead(id: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}
