import type { IncomingMessage } from 'node:http';
import { type Duplex, Readable, Writable } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../base/clock.ts';

/** Takes WebSocket upgrades. */
export interface WebSocketAcceptor {
  /**
   * Completes the handshake with the chosen sub-protocol, or without one. A malformed handshake is answered with 400
   * and the promise never settles; the socket is closed then.
   */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string | undefined): Promise<WebSocket>;
}

/** Clients send pieces of 32 KiB; the port-forward tunnel somewhat more. */
const maxMessageBytes = 4 * 1024 * 1024;
const readAheadBytes = 16 * 1024;

/**
 * Makes an acceptor. The sub-protocol goes around `ws`, which refuses names with a slash
 * (`SPDY/3.1+portforward.k8s.io`), and so that a bearer token offered as a sub-protocol is never echoed.
 */
export function createWebSocketAcceptor(): WebSocketAcceptor {
  const chosen = new WeakMap<IncomingMessage, string>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    skipUTF8Validation: true,
  });
  server.on('headers', (headers, request) => {
    const protocol = chosen.get(request);
    if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  return {
    accept(request, socket, head, protocol) {
      delete request.headers['sec-websocket-protocol'];
      if (protocol !== undefined) chosen.set(request, protocol);
      return new Promise((resolve) => {
        server.handleUpgrade(request, socket, head, (webSocket) => {
          webSocket.on('error', () => {});
          resolve(webSocket);
        });
      });
    },
  };
}

/** Reads the sub-protocols that a client offers, in its order. */
export function offeredProtocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'];
  return (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** Channels over one WebSocket: each message's first byte (in base64 form its first digit) says which one it is of. */
export interface ChannelSocket {
  /** Messages of other channels are thrown away. Back-pressure reaches the client. */
  readable(channel: number): Readable;
  writable(channel: number): Writable;
  /** Sends the closing handshake and waits until the connection is gone, at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface ChannelOptions {
  isBase64: boolean;
  /** True where `[255, channel]` closes a channel (version 5). */
  canCloseChannels: boolean;
  clock: Clock;
  /** No message in either direction for this long ends the connection. */
  idleMs: number;
  onClose(): void;
}

const pingMs = 20_000;
const closeChannelByte = 255;

/**
 * Divides a WebSocket into channels. Source: k8s.io/streaming/pkg/httpstream/wsstream (channel, base64 and v5 forms).
 */
export function createChannelSocket(webSocket: WebSocket, options: ChannelOptions): ChannelSocket {
  const readers = new Map<number, Readable>();
  const closed = Promise.withResolvers<void>();
  const watch = watchActivity(webSocket, options);
  webSocket.on('message', (data) => {
    watch.active();
    const message = decodeMessage(data, options.isBase64);
    if (!message) return;
    if (options.canCloseChannels && message.channel === closeChannelByte) {
      readers.get(message.payload[0] ?? closeChannelByte)?.push(null);
      if (message.payload[0] !== undefined) readers.delete(message.payload[0]);
      return;
    }
    const reader = readers.get(message.channel);
    if (!reader || reader.destroyed || message.payload.length === 0) return;
    if (!reader.push(message.payload)) webSocket.pause();
  });
  webSocket.on('close', () => {
    watch.stop();
    for (const reader of readers.values()) reader.destroy(new Error('the client closed the connection'));
    closed.resolve();
    options.onClose();
  });
  return {
    readable(channel) {
      const reader = new Readable({ highWaterMark: readAheadBytes, read: () => webSocket.resume() });
      reader.on('error', () => {});
      reader.on('close', () => webSocket.resume());
      readers.set(channel, reader);
      return reader;
    },
    writable(channel) {
      const writer = new Writable({
        write(chunk: Buffer, _encoding, done) {
          watch.active();
          webSocket.send(encodeMessage(channel, chunk, options.isBase64), (error) => done(error ?? null));
        },
      });
      writer.on('error', () => {});
      return writer;
    },
    async close(graceMs) {
      webSocket.resume();
      webSocket.close(1000);
      const cancel = options.clock.after(graceMs, () => webSocket.terminate());
      await closed.promise;
      cancel();
    },
  };
}

function watchActivity(webSocket: WebSocket, options: ChannelOptions): { active(): void; stop(): void } {
  let activeMs = options.clock.monotonic();
  let cancel = options.clock.after(pingMs, tick);
  function tick(): void {
    if (options.clock.monotonic() - activeMs >= options.idleMs) {
      webSocket.terminate();
      return;
    }
    webSocket.ping(() => {});
    cancel = options.clock.after(pingMs, tick);
  }
  return {
    active() {
      activeMs = options.clock.monotonic();
    },
    stop: () => cancel(),
  };
}

/** Splits a message into channel and payload; undefined when it is empty. */
export function decodeMessage(data: RawData, isBase64: boolean): { channel: number; payload: Buffer } | undefined {
  const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);
  const first = bytes[0];
  if (first === undefined) return undefined;
  if (!isBase64) return { channel: first, payload: bytes.subarray(1) };
  return { channel: first - 0x30, payload: Buffer.from(bytes.toString('latin1', 1), 'base64') };
}

function encodeMessage(channel: number, payload: Buffer, isBase64: boolean): Buffer | string {
  if (isBase64) return String.fromCharCode(0x30 + channel) + payload.toString('base64');
  const message = Buffer.allocUnsafe(payload.length + 1);
  message[0] = channel;
  payload.copy(message, 1);
  return message;
}

/** Sends an empty message on a channel: clients take the first one as the sign that the command runs. */
export function sendEmpty(webSocket: WebSocket, channel: number, isBase64: boolean): void {
  webSocket.send(encodeMessage(channel, Buffer.alloc(0), isBase64), () => {});
}
