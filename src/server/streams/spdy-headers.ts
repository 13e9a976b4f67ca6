import { constants, inflateRawSync } from 'node:zlib';
import { spdyDictionary } from './spdy-dictionary.ts';
import { protocolError } from './spdy-frames.ts';

/** Limits of one header block. */
export interface HeaderLimits {
  /** Bytes after inflating. */
  maxBytes: number;
  maxHeaders: number;
}

/** Reads the header blocks of one direction of one connection, in order: they share one zlib stream. */
export interface HeaderReader {
  /** Errors: `spdy.protocol`; after it the reader must not be used again. */
  read(block: Buffer): ReadonlyMap<string, string>;
}

const windowBytes = 32 * 1024;

/**
 * Makes a reader. Each block ends at a sync flush, so it can be inflated alone with the last 32 KiB of output as its
 * dictionary; this keeps the frame loop synchronous (node:zlib cannot carry one synchronous stream over calls).
 */
export function createHeaderReader(limits: HeaderLimits): HeaderReader {
  let window = spdyDictionary();
  let isFirst = true;
  return {
    read(block) {
      const deflated = isFirst ? withoutZlibHeader(block) : block;
      isFirst = false;
      const plain = inflate(deflated, window, limits.maxBytes);
      window = plain.length >= windowBytes ? plain : Buffer.concat([window, plain]);
      if (window.length > windowBytes) window = window.subarray(window.length - windowBytes);
      return parseHeaders(plain, limits.maxHeaders);
    },
  };
}

/** Checks RFC 1950's two bytes and the preset dictionary's id. */
function withoutZlibHeader(block: Buffer): Buffer {
  if (block.length < 2) throw protocolError('header block without zlib header');
  const word = block.readUInt16BE(0);
  if (word % 31 !== 0 || ((word >>> 8) & 0x0f) !== 8) throw protocolError('header block is not zlib');
  const hasDictionary = (word & 0x20) !== 0;
  if (!hasDictionary) return block.subarray(2);
  if (block.length < 6 || block.readUInt32BE(2) !== 0xe3c6a7c2)
    throw protocolError('header block of another dictionary');
  return block.subarray(6);
}

function inflate(block: Buffer, dictionary: Buffer, maxOutputLength: number): Buffer {
  try {
    return inflateRawSync(block, { dictionary, finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength });
  } catch {
    throw protocolError('header block that does not inflate within its limit');
  }
}

/**
 * Parses an inflated header block: a count, then names and values with their lengths. Several values of one name are
 * joined by NUL. Errors: `spdy.protocol` (a length that leaves the block, upper case, an empty or repeated name).
 */
export function parseHeaders(plain: Buffer, maxHeaders: number): ReadonlyMap<string, string> {
  let offset = 0;
  const word = (): number => {
    if (plain.length - offset < 4) throw protocolError('header block that ends early');
    offset += 4;
    return plain.readUInt32BE(offset - 4);
  };
  const text = (): string => {
    const bytes = word();
    if (bytes > plain.length - offset) throw protocolError('header that leaves its block');
    offset += bytes;
    return plain.toString('utf8', offset - bytes, offset);
  };
  const headers = new Map<string, string>();
  const count = word();
  if (count > maxHeaders) throw protocolError(`${count} headers`);
  for (let index = 0; index < count; index++) {
    const name = text();
    if (name === '' || name !== name.toLowerCase()) throw protocolError('header name that is empty or not lower case');
    if (headers.has(name)) throw protocolError('header that comes twice');
    headers.set(name, text());
  }
  return headers;
}

/**
 * Makes the header blocks of SYN_REPLY for one connection. Ours hold no headers, so no compressor is needed: a stored
 * deflate block with the count zero, then an empty one, since Go's inflater hands data out only at that mark.
 */
export function createEmptyHeaderWriter(): () => Buffer {
  let isFirst = true;
  const stored = Buffer.from('000400fbff00000000000000ffff', 'hex');
  const first = Buffer.concat([Buffer.from('78f9e3c6a7c2', 'hex'), stored]);
  return () => {
    const block = isFirst ? first : stored;
    isFirst = false;
    return block;
  };
}
