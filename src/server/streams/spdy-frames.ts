import { AppError } from '../../base/errors.ts';

/**
 * SPDY/3.1 frames as moby/spdystream speaks them. Pure: bytes in, frames out, and back.
 * Source: SPDY protocol draft 3.1, sections 2.2 and 2.6; github.com/moby/spdystream/spdy.
 */
export type Frame =
  /** A piece of a data frame, handed out as it arrives; `fin` stands on the last piece only. */
  | { type: 'data'; streamId: number; payload: Buffer; fin: boolean }
  | { type: 'syn-stream'; streamId: number; headerBlock: Buffer; fin: boolean }
  | { type: 'syn-reply'; streamId: number; headerBlock: Buffer; fin: boolean }
  | { type: 'rst-stream'; streamId: number; status: number }
  | { type: 'settings' }
  | { type: 'ping'; id: number }
  | { type: 'goaway'; lastStreamId: number; status: number }
  | { type: 'headers'; streamId: number; headerBlock: Buffer; fin: boolean }
  | { type: 'window-update'; streamId: number; delta: number };

/** Reasons of RST_STREAM. */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
  streamAlreadyClosed: 9,
} as const;

/** Reasons of GOAWAY. */
export const goAwayStatus = { ok: 0, protocolError: 1, internalError: 2 } as const;

/** The largest data frame that is sent; any size is accepted. */
export const maxSentPayloadBytes = 32 * 1024;

const headerBytes = 8;
const finFlag = 1;
const controlType = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goaway: 7, headers: 8, window: 9 };

/** Cuts a byte stream into frames. */
export interface FrameReader {
  /**
   * Takes the next bytes, split anywhere, and hands out each frame as soon as it is complete.
   * Errors: `spdy.protocol` (a version or type that does not exist, a length that does not fit, a control frame over the
   * limit); after it the reader must not be used again.
   */
  push(chunk: Buffer, onFrame: (frame: Frame) => void): void;
}

interface ReaderState {
  header: Buffer;
  headerFill: number;
  /** Payload bytes of the current frame that have not arrived. */
  missing: number;
  /** Set while inside a control frame. */
  control: Buffer | undefined;
  streamId: number;
  fin: boolean;
}

/** Makes a reader. Control frames longer than `maxControlBytes` are refused; data frames are never collected, so their size needs no limit. */
export function createFrameReader(maxControlBytes: number): FrameReader {
  const state: ReaderState = {
    header: Buffer.alloc(headerBytes),
    headerFill: 0,
    missing: 0,
    control: undefined,
    streamId: 0,
    fin: false,
  };
  return {
    push(chunk, onFrame) {
      let offset = 0;
      while (offset < chunk.length) {
        if (state.headerFill < headerBytes) {
          const taken = chunk.copy(state.header, state.headerFill, offset);
          state.headerFill += taken;
          offset += taken;
          if (state.headerFill === headerBytes) beginFrame(state, maxControlBytes, onFrame);
        } else {
          const end = Math.min(chunk.length, offset + state.missing);
          takePayload(state, chunk.subarray(offset, end), onFrame);
          offset = end;
        }
      }
    },
  };
}

function beginFrame(state: ReaderState, maxControlBytes: number, onFrame: (frame: Frame) => void): void {
  const isControl = (state.header.readUInt8(0) & 0x80) !== 0;
  state.missing = state.header.readUIntBE(5, 3);
  if (isControl) {
    const version = state.header.readUInt16BE(0) & 0x7fff;
    if (version !== 3) throw protocolError(`control frame of version ${version}`);
    if (state.missing > maxControlBytes) throw protocolError(`control frame of ${state.missing} bytes`);
    state.control = Buffer.alloc(state.missing);
  } else {
    state.control = undefined;
    state.streamId = state.header.readUInt32BE(0);
    state.fin = (state.header.readUInt8(4) & finFlag) !== 0;
  }
  if (state.missing === 0) takePayload(state, Buffer.alloc(0), onFrame);
}

function takePayload(state: ReaderState, bytes: Buffer, onFrame: (frame: Frame) => void): void {
  if (state.control) {
    bytes.copy(state.control, state.control.length - state.missing);
    state.missing -= bytes.length;
    if (state.missing > 0) return;
    state.headerFill = 0;
    onFrame(controlFrame(state.header, state.control));
    return;
  }
  state.missing -= bytes.length;
  const isLast = state.missing === 0;
  if (isLast) state.headerFill = 0;
  onFrame({ type: 'data', streamId: state.streamId, payload: bytes, fin: isLast && state.fin });
}

function controlFrame(header: Buffer, payload: Buffer): Frame {
  const type = header.readUInt16BE(2);
  const fin = (header.readUInt8(4) & finFlag) !== 0;
  switch (type) {
    case controlType.synStream:
      atLeast(payload, 10, 'SYN_STREAM');
      return { type: 'syn-stream', streamId: streamIdAt(payload, 0), headerBlock: payload.subarray(10), fin };
    case controlType.synReply:
      atLeast(payload, 4, 'SYN_REPLY');
      return { type: 'syn-reply', streamId: streamIdAt(payload, 0), headerBlock: payload.subarray(4), fin };
    case controlType.rstStream:
      exactly(payload, 8, 'RST_STREAM');
      return { type: 'rst-stream', streamId: streamIdAt(payload, 0), status: payload.readUInt32BE(4) };
    case controlType.settings:
      atLeast(payload, 4, 'SETTINGS');
      exactly(payload, 4 + 8 * payload.readUInt32BE(0), 'SETTINGS');
      return { type: 'settings' };
    case controlType.ping:
      exactly(payload, 4, 'PING');
      return { type: 'ping', id: payload.readUInt32BE(0) };
    case controlType.goaway:
      exactly(payload, 8, 'GOAWAY');
      return { type: 'goaway', lastStreamId: streamIdAt(payload, 0), status: payload.readUInt32BE(4) };
    case controlType.headers:
      atLeast(payload, 4, 'HEADERS');
      return { type: 'headers', streamId: streamIdAt(payload, 0), headerBlock: payload.subarray(4), fin };
    case controlType.window:
      exactly(payload, 8, 'WINDOW_UPDATE');
      return { type: 'window-update', streamId: streamIdAt(payload, 0), delta: payload.readUInt32BE(4) & 0x7fffffff };
    default:
      throw protocolError(`control frame of type ${type}`);
  }
}

function streamIdAt(payload: Buffer, offset: number): number {
  return payload.readUInt32BE(offset) & 0x7fffffff;
}

function atLeast(payload: Buffer, bytes: number, name: string): void {
  if (payload.length < bytes) throw protocolError(`${name} of ${payload.length} bytes`);
}

function exactly(payload: Buffer, bytes: number, name: string): void {
  if (payload.length !== bytes) throw protocolError(`${name} of ${payload.length} bytes`);
}

/** Makes the error for bytes that are not SPDY/3.1. */
export function protocolError(what: string): AppError {
  return new AppError({ kind: 'invalid', code: 'spdy.protocol', message: `reading SPDY frames: ${what}` });
}

/** Encodes the head of a data frame; `payloadBytes` of payload must follow it. Range 0 to 2^24 - 1. */
export function dataHeader(streamId: number, payloadBytes: number, fin: boolean): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32BE(streamId & 0x7fffffff, 0);
  header.writeUInt8(fin ? finFlag : 0, 4);
  header.writeUIntBE(payloadBytes, 5, 3);
  return header;
}

/** Encodes SYN_REPLY around a compressed header block. */
export function synReplyFrame(streamId: number, headerBlock: Buffer): Buffer {
  return Buffer.concat([control(controlType.synReply, [streamId], headerBlock.length), headerBlock]);
}

/** Encodes RST_STREAM. */
export function rstStreamFrame(streamId: number, status: number): Buffer {
  return control(controlType.rstStream, [streamId, status]);
}

/** Encodes PING. */
export function pingFrame(id: number): Buffer {
  return control(controlType.ping, [id]);
}

/** Encodes GOAWAY. */
export function goAwayFrame(lastStreamId: number, status: number): Buffer {
  return control(controlType.goaway, [lastStreamId, status]);
}

function control(type: number, words: number[], bytesAfter = 0): Buffer {
  const frame = Buffer.alloc(headerBytes + 4 * words.length);
  frame.writeUInt16BE(0x8003, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUIntBE(4 * words.length + bytesAfter, 5, 3);
  words.forEach((word, index) => {
    frame.writeUInt32BE(word >>> 0, headerBytes + 4 * index);
  });
  return frame;
}
