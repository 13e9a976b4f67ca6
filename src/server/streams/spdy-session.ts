import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import {
  createFrameReader,
  type Frame,
  goAwayFrame,
  goAwayStatus,
  pingFrame,
  protocolError,
  resetStatus,
  rstStreamFrame,
  synReplyFrame,
} from './spdy-frames.ts';
import { createEmptyHeaderWriter, createHeaderReader, type HeaderReader } from './spdy-headers.ts';
import { createSpdyOutput, type SpdyOutput } from './spdy-output.ts';
import { createSpdyStream, type SpdyStream, type StreamEnd, type StreamOwner } from './spdy-stream.ts';

/** Bounds of one SPDY connection. */
export interface SpdyLimits {
  /** Streams open at once; more are refused. */
  maxStreams: number;
  /** Unread bytes of one stream at which the connection stops reading. */
  maxStreamBytes: number;
  /** The same for all its streams together. */
  maxSessionBytes: number;
  /** Of one header block, inflated; also of one control frame. */
  maxHeaderBytes: number;
  /** No frame in either direction for this long ends the connection. */
  idleMs: number;
  /** A stream that holds up its neighbours without being read for this long is reset; 0 never. */
  stallMs: number;
}

export interface SpdySessionOptions {
  /** A TLS socket after its 101, or a WebSocket tunnel. */
  transport: Duplex;
  /** Bytes that came together with the request. */
  head: Buffer;
  limits: SpdyLimits;
  clock: Clock;
  /** Called after the stream's SYN_REPLY was sent. */
  onStream(stream: SpdyStream): void;
  /** Called once, with the cause when it did not end in order. */
  onClose(cause: Error | undefined): void;
}

/** A SPDY/3.1 server connection. */
export interface SpdySession {
  /** Takes no more streams, says so, and ends the connection when the client does or after `graceMs`. */
  finish(graceMs: number): void;
  /** Ends it now; every stream fails with the cause. */
  destroy(cause: Error): void;
}

interface SessionState {
  options: SpdySessionOptions;
  output: SpdyOutput;
  headers: HeaderReader;
  emptyHeaders: () => Buffer;
  streams: Map<number, StreamEnd>;
  lastStreamId: number;
  queuedCost: number;
  overfull: Set<StreamEnd>;
  isEnding: boolean;
  isClosed: boolean;
  activeMs: number;
  pingId: number;
  timers: Set<() => void>;
}

const maxHeaderCount = 64;
const lingerMs = 5_000;
const pausedPingMs = 30_000;

/**
 * Serves SPDY/3.1 on an open connection. There is no SPDY flow control, as in the other implementations of the field:
 * back-pressure is the transport's, so a stream that is not read stops its connection once it is past its limit.
 * Source: github.com/moby/spdystream/connection.go.
 */
export function createSpdySession(options: SpdySessionOptions): SpdySession {
  const { transport, limits, clock } = options;
  const session: SessionState = {
    options,
    output: createSpdyOutput(transport, (cause) => close(session, cause)),
    headers: createHeaderReader({ maxBytes: limits.maxHeaderBytes, maxHeaders: maxHeaderCount }),
    emptyHeaders: createEmptyHeaderWriter(),
    streams: new Map(),
    lastStreamId: 0,
    queuedCost: 0,
    overfull: new Set(),
    isEnding: false,
    isClosed: false,
    activeMs: clock.monotonic(),
    pingId: 0,
    timers: new Set(),
  };
  const owner = streamOwner(session);
  const reader = createFrameReader(limits.maxHeaderBytes);
  transport.on('error', (error: Error) => close(session, error));
  transport.on('close', () => close(session, session.isEnding ? undefined : clientGone()));
  transport.on('end', () => close(session, session.isEnding ? undefined : clientGone()));
  if (options.head.length > 0) transport.unshift(options.head);
  transport.on('data', (chunk: Buffer) => {
    if (session.isClosed) return;
    session.activeMs = clock.monotonic();
    try {
      reader.push(chunk, (frame) => takeFrame(session, owner, frame));
    } catch (error) {
      session.output.control(goAwayFrame(session.lastStreamId, goAwayStatus.protocolError));
      close(session, error instanceof Error ? error : protocolError(String(error)));
    }
  });
  watchIdle(session);
  watchPaused(session);
  return {
    finish(graceMs) {
      if (session.isEnding || session.isClosed) return;
      session.isEnding = true;
      session.output.control(goAwayFrame(session.lastStreamId, goAwayStatus.ok));
      later(session, graceMs, () => close(session, undefined));
    },
    destroy: (cause) => close(session, cause),
  };
}

function clientGone(): Error {
  return new Error('the client closed the connection');
}

function takeFrame(session: SessionState, owner: StreamOwner, frame: Frame): void {
  if (session.isClosed) return;
  switch (frame.type) {
    case 'data':
      takeData(session, frame);
      return;
    case 'syn-stream':
      openStream(session, owner, frame);
      return;
    case 'rst-stream':
      session.streams.get(frame.streamId)?.abandon();
      return;
    case 'ping':
      if (frame.id % 2 === 1) session.output.control(pingFrame(frame.id));
      return;
    case 'syn-reply':
    case 'headers':
      // Not for us, but their blocks are part of the one compressed stream.
      session.headers.read(frame.headerBlock);
      return;
    case 'goaway':
      session.isEnding = true;
      return;
    case 'settings':
    case 'window-update':
      return;
    default:
      frame satisfies never;
  }
}

function openStream(session: SessionState, owner: StreamOwner, frame: Frame & { type: 'syn-stream' }): void {
  const { streamId } = frame;
  const headers = session.headers.read(frame.headerBlock);
  if (streamId % 2 === 0 || streamId <= session.lastStreamId) {
    throw protocolError(`stream ${streamId} opened out of order`);
  }
  session.lastStreamId = streamId;
  if (session.isEnding || session.streams.size >= session.options.limits.maxStreams) {
    session.output.control(rstStreamFrame(streamId, resetStatus.refusedStream));
    return;
  }
  const stream = createSpdyStream(streamId, headers, owner);
  session.streams.set(streamId, stream);
  // The client drops data of any stream that comes before this reply.
  session.output.control(synReplyFrame(streamId, session.emptyHeaders()));
  if (frame.fin) stream.receiveFin();
  session.options.onStream(stream);
}

function takeData(session: SessionState, frame: Frame & { type: 'data' }): void {
  const stream = session.streams.get(frame.streamId);
  if (!stream) {
    // Data of a stream that was ended here may still be on its way; data of one that never was is a mistake.
    if (frame.streamId > session.lastStreamId || frame.streamId % 2 === 0) {
      session.output.control(rstStreamFrame(frame.streamId, resetStatus.invalidStream));
    }
    return;
  }
  if (stream.hasRemoteFin()) {
    session.output.control(rstStreamFrame(frame.streamId, resetStatus.streamAlreadyClosed));
    stream.abandon(protocolError(`data after the end of stream ${frame.streamId}`));
    return;
  }
  if (frame.payload.length > 0) {
    const before = stream.queuedCost();
    stream.receive(frame.payload);
    session.queuedCost += stream.queuedCost() - before;
    if (stream.queuedCost() > session.options.limits.maxStreamBytes) holdUp(session, stream);
    if (session.queuedCost > session.options.limits.maxSessionBytes) session.options.transport.pause();
  }
  if (frame.fin) stream.receiveFin();
}

/** Stops reading the connection until the stream is read; resets the stream when that takes too long and others wait. */
function holdUp(session: SessionState, stream: StreamEnd): void {
  session.options.transport.pause();
  if (session.overfull.has(stream)) return;
  session.overfull.add(stream);
  const { stallMs } = session.options.limits;
  if (stallMs > 0) later(session, stallMs, () => checkStalled(session, stream, stream.queuedCost()));
}

function checkStalled(session: SessionState, stream: StreamEnd, costBefore: number): void {
  if (!session.overfull.has(stream)) return;
  const cost = stream.queuedCost();
  if (cost < costBefore || session.streams.size <= 2) {
    later(session, session.options.limits.stallMs, () => checkStalled(session, stream, cost));
    return;
  }
  session.output.control(rstStreamFrame(stream.id, resetStatus.flowControlError));
  stream.abandon(new Error('the stream was not read and held up its neighbours'));
}

function streamOwner(session: SessionState): StreamOwner {
  const { transport, limits, clock } = session.options;
  const flowAgain = (): void => {
    const isFree = session.overfull.size === 0 && session.queuedCost <= limits.maxSessionBytes / 2;
    if (isFree && !session.isClosed) transport.resume();
  };
  return {
    send(id, chunk, done) {
      session.activeMs = clock.monotonic();
      session.output.data(id, chunk, done);
    },
    sendFin: (id, done) => session.output.fin(id, done),
    sendReset(id, status) {
      if (session.streams.has(id)) session.output.control(rstStreamFrame(id, status));
    },
    consumed(stream, cost) {
      session.queuedCost -= cost;
      if (stream.queuedCost() <= limits.maxStreamBytes / 2) session.overfull.delete(stream);
      flowAgain();
    },
    closed(stream) {
      session.streams.delete(stream.id);
      session.overfull.delete(stream);
      flowAgain();
    },
  };
}

function later(session: SessionState, ms: number, run: () => void): void {
  const cancel = session.options.clock.after(ms, () => {
    session.timers.delete(cancel);
    if (!session.isClosed) run();
  });
  session.timers.add(cancel);
}

function watchIdle(session: SessionState): void {
  const { limits, clock } = session.options;
  const left = session.activeMs + limits.idleMs - clock.monotonic();
  if (left <= 0) close(session, new Error('the connection was idle'));
  else later(session, left, () => watchIdle(session));
}

/** A connection that is not read does not notice that its client has gone; a write does. */
function watchPaused(session: SessionState): void {
  later(session, pausedPingMs, () => {
    if (session.options.transport.isPaused()) {
      session.pingId = (session.pingId + 2) % 0x7ffffffe;
      session.output.control(pingFrame(session.pingId));
    }
    watchPaused(session);
  });
}

function close(session: SessionState, cause: Error | undefined): void {
  if (session.isClosed) return;
  session.isClosed = true;
  for (const cancel of session.timers) cancel();
  session.output.close(cause ?? clientGone());
  for (const stream of [...session.streams.values()]) stream.abandon(cause ?? clientGone());
  session.streams.clear();
  const { transport, clock, onClose } = session.options;
  // FIN rather than RST, so that what was written still arrives; what the client still sends is thrown away.
  transport.resume();
  if (!transport.destroyed) {
    transport.end();
    const cancel = clock.after(lingerMs, () => transport.destroy());
    transport.once('close', cancel);
  }
  onClose(cause);
}
