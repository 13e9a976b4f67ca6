import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocket } from 'ws';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { TlsIdentity } from '../http/transport.ts';

/** Opens a terminal at an address that Zun gave: raw bytes both ways. Errors: `zun.proxy`. */
export type ConnectTerminal = (url: string, signal: AbortSignal) => Promise<Duplex>;

const handshakeMs = 15_000;
const pingMs = 30_000;
const maxMessageBytes = 16 * 1024 * 1024;

/**
 * Makes the client of Zun's WebSocket proxy. Source: zun/websocket/websocketproxy.py: the token in the address is the
 * only proof it wants; frames are the terminal's bytes.
 */
export function createTerminalConnector(options: { tls?: TlsIdentity; clock: Clock }): ConnectTerminal {
  const { tls, clock } = options;
  return (url, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(proxyError(url, 'the client has gone'));
        return;
      }
      const socket = new WebSocket(url, ['binary'], {
        perMessageDeflate: false,
        handshakeTimeout: handshakeMs,
        maxPayload: maxMessageBytes,
        skipUTF8Validation: true,
        followRedirects: false,
        ...(tls?.ca !== undefined && { ca: tls.ca }),
        ...(tls?.insecure === true && { rejectUnauthorized: false }),
      });
      const leave = (): void => socket.terminate();
      signal.addEventListener('abort', leave, { once: true });
      const settle = (): void => signal.removeEventListener('abort', leave);
      socket.once('error', (error) => {
        settle();
        reject(proxyError(url, error.message, error));
      });
      socket.once('open', () => {
        settle();
        keepAlive(socket, clock);
        const io = createWebSocketStream(socket, { allowHalfOpen: false });
        io.on('error', () => {});
        resolve(io);
      });
    });
}

/** Things between here and the proxy forget silent connections. */
function keepAlive(socket: WebSocket, clock: Clock): void {
  let cancel = clock.after(pingMs, tick);
  function tick(): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.ping(() => {});
    cancel = clock.after(pingMs, tick);
  }
  socket.once('close', () => cancel());
}

function proxyError(url: string, reason: string, cause?: unknown): AppError {
  return new AppError({
    kind: 'retryable',
    code: 'zun.proxy',
    message: `connecting to zun's websocket proxy at ${new URL(url).host}: ${reason}`,
    cause,
  });
}
