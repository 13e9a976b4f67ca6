import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from './log-options.ts';
import { offeredProtocols } from './streams/websocket.ts';

/** A refusal with headers of its own. */
export type UpgradeRefusal = Refusal & { headers?: Record<string, string[]> };

/** The sub-protocol by which browsers send a bearer token; never selected. */
const tokenProtocol = 'base64url.bearer.authorization.k8s.io.';

/** Tells whether a request asks for a WebSocket; otherwise it can only mean SPDY. */
export function isWebSocketRequest(request: IncomingMessage): boolean {
  return request.method === 'GET' && hasToken(request.headers.upgrade, 'websocket') && asksForUpgrade(request);
}

function asksForUpgrade(request: IncomingMessage): boolean {
  return hasToken(request.headers.connection, 'upgrade');
}

function hasToken(header: string | undefined, token: string): boolean {
  return (header ?? '').split(',').some((part) => part.trim().toLowerCase() === token);
}

/**
 * Chooses the first protocol of the client's list that is known. A WebSocket client that names none speaks the oldest;
 * a SPDY client must name one. Source: k8s.io/streaming/pkg/httpstream (Handshake, spdy/upgrade.go), wsstream.
 */
export function chooseProtocol(
  request: IncomingMessage,
  known: readonly string[],
  isWebSocket: boolean,
): string | undefined | UpgradeRefusal {
  if (isWebSocket) {
    const offered = offeredProtocols(request).filter((name) => !name.startsWith(tokenProtocol));
    if (offered.length === 0) return undefined;
    const chosen = offered.find((name) => known.includes(name));
    return chosen ?? { status: 403, text: `unable to upgrade: none of the offered sub-protocols is known` };
  }
  if (!hasToken(request.headers.upgrade, 'spdy/3.1') || !asksForUpgrade(request)) {
    return { status: 400, text: 'unable to upgrade: missing upgrade headers in request' };
  }
  const header = request.headers['x-stream-protocol-version'];
  const offered = (Array.isArray(header) ? header : [header ?? ''])
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (offered.length === 0) {
    const text = 'unable to upgrade: header X-Stream-Protocol-Version does not exist in request';
    return { status: 400, text };
  }
  const chosen = offered.find((name) => known.includes(name));
  if (chosen !== undefined) return chosen;
  const text = `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${known.join(' ')}]`;
  return { status: 403, text, headers: { 'X-Accepted-Stream-Protocol-Versions': [...known] } };
}

/** Sends the 101 of SPDY. */
export function answerSpdyUpgrade(socket: Duplex, protocol: string): void {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: SPDY/3.1',
    `X-Stream-Protocol-Version: ${protocol}`,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
}
