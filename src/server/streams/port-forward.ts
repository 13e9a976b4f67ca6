import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import { endStream } from './remote-command.ts';
import { createSpdySession, type SpdyLimits } from './spdy-session.ts';
import type { SpdyStream } from './spdy-stream.ts';

/** The sub-protocol of port-forward over SPDY. */
export const portForwardProtocol = 'portforward.k8s.io';

/** Opens a connection to a port of the Pod. Rejects with what the network said. */
export type DialPod = (port: number) => Promise<Socket>;

export interface PortForwardOptions {
  transport: Duplex;
  head: Buffer;
  limits: SpdyLimits;
  clock: Clock;
  /** How long a stream may wait for the other of its pair. */
  creationMs: number;
  dial: DialPod;
  /** How error texts name the Pod: `pod <id>, uid <uid>`. */
  subject: string;
  onClose(cause: Error | undefined): void;
}

interface Pair {
  error?: SpdyStream;
  data?: SpdyStream;
  cancelTimer: () => void;
}

/**
 * Serves port-forward over SPDY: each forwarded connection is a pair of streams, `error` and `data`, with one request id.
 * The error stream carries a text only when dialling failed: any byte on it, and any reset of it, makes kubectl give up
 * the whole session. Source: k8s.io/kubelet/pkg/cri/streaming/portforward/httpstream.go.
 */
export function servePortForward(options: PortForwardOptions): { destroy(cause: Error): void } {
  const pairs = new Map<string, Pair>();

  function pairOf(key: string): Pair {
    const known = pairs.get(key);
    if (known) return known;
    const pair: Pair = {
      cancelTimer: options.clock.after(options.creationMs, () => {
        pairs.delete(key);
        pair.error?.io.destroy();
        pair.data?.io.destroy();
      }),
    };
    pairs.set(key, pair);
    return pair;
  }
  function takeStream(stream: SpdyStream): void {
    const type = stream.headers.get('streamtype');
    const port = portNumber(stream.headers.get('port'));
    if ((type !== 'error' && type !== 'data') || port === undefined) {
      stream.io.destroy();
      return;
    }
    const key = pairKey(stream, type);
    const pair = pairOf(key);
    if (pair[type]) {
      stream.io.destroy();
      return;
    }
    pair[type] = stream;
    const { error, data } = pair;
    if (!error || !data) return;
    pairs.delete(key);
    pair.cancelTimer();
    forward({ data: data.io, error: error.io, wasReset: data.wasReset }, port, options).catch(() => data.io.destroy());
  }
  return createSpdySession({
    transport: options.transport,
    head: options.head,
    limits: options.limits,
    clock: options.clock,
    onStream: takeStream,
    onClose(cause) {
      for (const pair of pairs.values()) pair.cancelTimer();
      pairs.clear();
      options.onClose(cause);
    },
  });
}

/** Old clients send no request id: their error stream comes right before its data stream. */
function pairKey(stream: SpdyStream, type: 'error' | 'data'): string {
  const requestId = stream.headers.get('requestid');
  if (requestId !== undefined) return `request ${requestId}`;
  return `stream ${type === 'error' ? stream.id : stream.id - 2}`;
}

/** Reads a port number. Range 1 to 65535. */
export function portNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port >= 1 && port <= 65535 ? port : undefined;
}

interface ForwardStreams {
  data: Duplex;
  error: Duplex;
  wasReset(): boolean;
}

async function forward(streams: ForwardStreams, port: number, options: PortForwardOptions): Promise<void> {
  const { data, error } = streams;
  error.resume();
  let socket: Socket;
  try {
    socket = await options.dial(port);
  } catch (failure) {
    const cause = failure instanceof Error ? failure.message : String(failure);
    await endStream(error, `error forwarding port ${port} to ${options.subject}: ${cause}`);
    data.destroy();
    return;
  }
  if (data.destroyed) {
    socket.destroy();
  } else {
    await copyBothWays(data, socket);
  }
  await endStream(error);
}

/** Copies until both directions are done; each half is closed on its own, and a failure of one side ends both. */
export function copyBothWays(client: Duplex, pod: Socket): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const settle = (): void => {
      open -= 1;
      if (open === 0) resolve();
    };
    client.on('error', () => pod.destroy());
    pod.on('error', () => {});
    client.on('close', () => {
      // After a reset the Pod must not wait for more; in order, both halves are closed already.
      if (!pod.writableFinished || !pod.readableEnded) pod.destroy();
      settle();
    });
    pod.on('close', () => {
      // Broken or done: for the client both are a plain end.
      client.resume();
      if (!client.destroyed && !client.writableEnded) client.end();
      if (!client.readableEnded) client.once('finish', () => client.destroy());
      settle();
    });
    client.pipe(pod);
    pod.pipe(client);
    if (client.destroyed) pod.destroy();
  });
}
