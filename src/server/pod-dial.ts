import { connect, type Socket } from 'node:net';
import { createWebSocketStream } from 'ws';
import type { Pod } from '../kube/types.ts';
import type { KubeletServerOptions } from './server-options.ts';
import type { Prepared, StreamingRequest, StreamingTools } from './streaming.ts';
import { type DialPod, portForwardProtocol, servePortForward } from './streams/port-forward.ts';
import {
  queryPorts,
  servePortForwardChannels,
  tunnelProtocol,
  webSocketPortForwardProtocols,
} from './streams/port-forward-websocket.ts';
import type { SpdyLimits } from './streams/spdy-session.ts';
import { answerSpdyUpgrade, chooseProtocol, isWebSocketRequest, type UpgradeRefusal } from './upgrade-protocol.ts';

/** Opens a connection; one direction may end before the other. Rejects with the network's words. */
export function dialAddress(address: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true, timeout: timeoutMs });
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('timeout', () =>
      socket.destroy(new Error(`no connection to ${address}:${port} within ${timeoutMs} ms`)),
    );
  });
}

/**
 * Checks a port-forward and says how it is served: SPDY, the SPDY tunnel, or WebSocket channels. Connections go to the
 * Pod's address, so a program that listens on the Pod's loopback only is out of reach: there is no agent inside.
 */
export function portForwarder(
  options: KubeletServerOptions,
  asked: StreamingRequest & { target: Pod },
  tools: StreamingTools,
): Prepared | UpgradeRefusal {
  const addresses = podAddresses(asked.target);
  const isWebSocket = isWebSocketRequest(asked.request);
  const known = isWebSocket ? [tunnelProtocol, ...webSocketPortForwardProtocols] : [portForwardProtocol];
  const protocol = chooseProtocol(asked.request, known, isWebSocket);
  if (typeof protocol === 'object') return protocol;
  const ports = queryPorts(asked.query.getAll('port'));
  const needsPorts = isWebSocket && protocol !== tunnelProtocol;
  if (ports === undefined) return { status: 400, text: 'invalid value for query parameter "port"' };
  if (needsPorts && ports.length === 0) return { status: 400, text: 'query parameter "port" is required' };
  if (addresses.length === 0) {
    return { status: 500, text: `unable to forward ports: pod "${asked.pod}" has no address yet` };
  }
  const { name, uid } = asked.target.metadata;
  const shared = { clock: options.clock, dial: podDial(options, addresses), subject: `pod ${name}, uid ${uid}` };
  const limits = { ...options.limits.spdy, maxStreams: options.limits.maxForwardStreams };
  const spdy: SpdyLimits = { ...limits, idleMs: options.limits.streamIdleMs };
  return {
    isWebSocket,
    async serve(socket, head) {
      const session = { ...shared, limits: spdy, creationMs: options.limits.streamCreationMs };
      if (!isWebSocket) {
        answerSpdyUpgrade(socket, portForwardProtocol);
        await serveSpdy({ ...session, transport: socket, head }, tools.stopping);
        return;
      }
      const webSocket = await tools.webSockets.accept(asked.request, socket, head, protocol);
      if (protocol === tunnelProtocol) {
        const transport = createWebSocketStream(webSocket, { allowHalfOpen: true });
        await serveSpdy({ ...session, transport, head: Buffer.alloc(0) }, tools.stopping);
        return;
      }
      const { streamIdleMs: idleMs, streamGraceMs: graceMs } = options.limits;
      await servePortForwardChannels({ ...shared, webSocket, protocol, ports, idleMs, graceMs });
    },
  };
}

function serveSpdy(
  session: Omit<Parameters<typeof servePortForward>[0], 'onClose'>,
  stopping: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => running.destroy(new Error('the server stops'));
    const running = servePortForward({
      ...session,
      onClose() {
        stopping.removeEventListener('abort', stop);
        resolve();
      },
    });
    stopping.addEventListener('abort', stop, { once: true });
  });
}

function podAddresses(pod: Pod): string[] {
  const { status } = pod;
  const all = [status?.podIP, ...(status?.podIPs ?? []).map((entry) => entry.ip)];
  return [...new Set(all)].filter((address): address is string => address !== undefined && address !== '');
}

/** Tries the Pod's addresses in their order. */
function podDial(options: KubeletServerOptions, addresses: string[]): DialPod {
  return async (port) => {
    let last: unknown = new Error('the pod has no address');
    for (const address of addresses) {
      try {
        return await options.dial(address, port, options.limits.dialMs);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  };
}
