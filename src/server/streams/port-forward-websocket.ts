import type { WebSocket } from 'ws';
import type { Clock } from '../../base/clock.ts';
import { type DialPod, portNumber } from './port-forward.ts';
import { endStream } from './remote-command.ts';
import { createChannelSocket } from './websocket.ts';

/** Sub-protocols of port-forward over WebSocket channels; none offered means the binary one. */
export const webSocketPortForwardProtocols = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io'] as const;

/** The sub-protocol that carries a whole SPDY connection in WebSocket messages. */
export const tunnelProtocol = 'SPDY/3.1+portforward.k8s.io';

/** Two channels a port, one byte a channel. */
const maxPorts = 127;

/** Reads the `port` parameters: repeated, or several in one with commas. Undefined when one is not a port. */
export function queryPorts(values: string[]): number[] | undefined {
  const ports = values.flatMap((value) => value.split(',')).map((text) => portNumber(text.trim()));
  const valid = ports.filter((port) => port !== undefined);
  return valid.length === ports.length && valid.length <= maxPorts ? valid : undefined;
}

export interface WebSocketPortForwardOptions {
  webSocket: WebSocket;
  protocol: string | undefined;
  ports: number[];
  clock: Clock;
  idleMs: number;
  graceMs: number;
  dial: DialPod;
  subject: string;
}

/**
 * Serves port-forward over WebSocket channels: port i has channel 2i for data and 2i+1 for its error, one connection a
 * port; the first message on each is the port, little-endian. Resolves when the connection is closed.
 * Source: k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
 */
export async function servePortForwardChannels(options: WebSocketPortForwardOptions): Promise<void> {
  const closed = Promise.withResolvers<void>();
  const channels = createChannelSocket(options.webSocket, {
    isBase64: (options.protocol ?? '').includes('base64'),
    canCloseChannels: false,
    clock: options.clock,
    idleMs: options.idleMs,
    onClose: () => closed.resolve(),
  });
  const forwardPort = async (port: number, index: number): Promise<void> => {
    const fromClient = channels.readable(2 * index);
    const toClient = channels.writable(2 * index);
    const error = channels.writable(2 * index + 1);
    const portBytes = Buffer.alloc(2);
    portBytes.writeUInt16LE(port);
    toClient.write(portBytes);
    error.write(portBytes);
    try {
      const pod = await options.dial(port);
      pod.on('error', () => {});
      fromClient.pipe(pod);
      fromClient.on('close', () => pod.destroy());
      pod.pipe(toClient, { end: false });
      // These clients cannot close one half, so the pod's end is the end of both.
      pod.once('end', () => pod.end());
      await new Promise((resolve) => pod.once('close', resolve));
      fromClient.resume();
      await endStream(toClient);
    } catch (failure) {
      const cause = failure instanceof Error ? failure.message : String(failure);
      await endStream(error, `error forwarding port ${port} to ${options.subject}: ${cause}`);
    }
  };
  await Promise.race([Promise.all(options.ports.map(forwardPort)), closed.promise]);
  await channels.close(options.graceMs);
}
