import { Duplex } from 'node:stream';
import { resetStatus } from './spdy-frames.ts';

/** One stream of a SPDY session, as its consumer sees it. */
export interface SpdyStream {
  readonly id: number;
  /** The headers that opened it; names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /**
   * The bytes. `end()` sends FIN, `destroy()` resets the stream unless both sides are done. Errors end up in its `error`
   * event, which is already handled, so a consumer that does not care need not listen.
   */
  readonly io: Duplex;
  /** True when the client ended it with RST_STREAM. */
  wasReset(): boolean;
}

/** The session's side of a stream. */
export interface StreamEnd extends SpdyStream {
  receive(payload: Buffer): void;
  receiveFin(): void;
  /** The client's RST_STREAM, or the end of the connection with its cause. Sends nothing. */
  abandon(cause?: Error): void;
  /** What waits to be read, in bytes with a share for each piece, so that many small pieces count too. */
  queuedCost(): number;
  /** True when the client has sent FIN. */
  hasRemoteFin(): boolean;
}

/** What a stream asks of its session. */
export interface StreamOwner {
  send(id: number, chunk: Buffer, done: (error?: Error) => void): void;
  sendFin(id: number, done: (error?: Error) => void): void;
  sendReset(id: number, status: number): void;
  /** The queue got shorter by this cost. */
  consumed(stream: StreamEnd, cost: number): void;
  /** Both sides are done. */
  closed(stream: StreamEnd): void;
}

interface StreamState {
  queue: Buffer[];
  cost: number;
  isWanted: boolean;
  remoteFin: boolean;
  endPushed: boolean;
  localFin: boolean;
  reset: boolean;
}

const pieceCost = 256;
/** Small pieces are copied, so that they do not hold on to the large chunk that they were cut from. */
const copyBelowBytes = 4096;
const readBytes = 64 * 1024;

/** Makes a stream. Its readable side holds one piece at a time; everything else waits in its own queue, where the session can see and limit it. */
export function createSpdyStream(id: number, headers: ReadonlyMap<string, string>, owner: StreamOwner): StreamEnd {
  const state: StreamState = {
    queue: [],
    cost: 0,
    isWanted: false,
    remoteFin: false,
    endPushed: false,
    localFin: false,
    reset: false,
  };
  const io = createIo(id, state, { owner, stream: () => stream });
  const stream: StreamEnd = {
    id,
    headers,
    io,
    wasReset: () => state.reset,
    queuedCost: () => state.cost,
    hasRemoteFin: () => state.remoteFin,
    receive(payload) {
      if (io.destroyed) return;
      if (state.isWanted && state.queue.length === 0) {
        state.isWanted = io.push(payload);
        return;
      }
      state.queue.push(payload.length < copyBelowBytes ? Buffer.from(payload) : payload);
      state.cost += payload.length + pieceCost;
    },
    receiveFin() {
      state.remoteFin = true;
      if (!io.destroyed) flow(state, io, (cost) => owner.consumed(stream, cost));
      if (state.localFin) owner.closed(stream);
    },
    abandon(cause) {
      state.reset = cause === undefined;
      state.localFin = true;
      state.remoteFin = true;
      io.destroy(cause);
    },
  };
  return stream;
}

function createIo(id: number, state: StreamState, side: { owner: StreamOwner; stream: () => StreamEnd }): Duplex {
  const { owner } = side;
  const io = new Duplex({
    allowHalfOpen: true,
    readableHighWaterMark: 1,
    writableHighWaterMark: readBytes,
    read() {
      state.isWanted = true;
      flow(state, io, (cost) => owner.consumed(side.stream(), cost));
    },
    write(chunk: Buffer, _encoding, done) {
      owner.send(id, chunk, done);
    },
    final(done) {
      state.localFin = true;
      owner.sendFin(id, done);
      if (state.remoteFin) owner.closed(side.stream());
    },
    destroy(error, done) {
      if (!(state.localFin && state.remoteFin)) owner.sendReset(id, resetStatus.cancel);
      const { cost } = state;
      state.queue = [];
      state.cost = 0;
      if (cost > 0) owner.consumed(side.stream(), cost);
      owner.closed(side.stream());
      done(error);
    },
  });
  io.on('error', () => {});
  return io;
}

/** Hands out what waits, as far as it is wanted, and the end after it. */
function flow(state: StreamState, io: Duplex, consumed: (cost: number) => void): void {
  while (state.isWanted && state.queue.length > 0) {
    const pieces = takePieces(state);
    state.isWanted = io.push(pieces.bytes);
    consumed(pieces.cost);
  }
  if (state.queue.length === 0 && state.remoteFin && !state.endPushed) {
    state.endPushed = true;
    io.push(null);
  }
}

/** Takes waiting pieces, joined up to a size that is worth a call. */
function takePieces(state: StreamState): { bytes: Buffer; cost: number } {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (
    let piece = state.queue[0];
    piece && (bytes === 0 || bytes + piece.length <= readBytes);
    piece = state.queue[0]
  ) {
    state.queue.shift();
    pieces.push(piece);
    bytes += piece.length;
  }
  const cost = bytes + pieceCost * pieces.length;
  state.cost -= cost;
  return { bytes: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces, bytes), cost };
}
