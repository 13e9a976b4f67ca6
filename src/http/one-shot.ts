import { type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect, isIP } from 'node:net';
import type { OneShotAnswer, OneShotRequest } from '../base/one-shot.ts';

/** The words for a failed connection that people know from the kubelet. */
const connectWords: Record<string, string> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** OpenSSL's word for a first record that is none of TLS; the kubelet calls it by what it most likely is. */
function isPlain(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPROTO' && error.message.includes('wrong version number');
}

function failure(host: string, port: number, error: NodeJS.ErrnoException): OneShotAnswer {
  if (!isPlain(error)) return { kind: 'failed', message: failureText(host, port, error) };
  return { kind: 'failed', message: 'http: server gave HTTP response to HTTPS client', isPlain: true };
}

function failureText(host: string, port: number, error: NodeJS.ErrnoException): string {
  const words = connectWords[error.code ?? ''];
  if (words !== undefined) return `dial tcp ${hostPort(host, port)}: ${words}`;
  if (error.code === 'ECONNRESET') return error.message === 'socket hang up' ? 'EOF' : 'connection reset by peer';
  return error.message;
}

/** Joins host and port, an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** Sends one GET and reads the start of the answer. Throws only for what cannot be sent at all (a malformed header). */
export function oneShotGet(request: OneShotRequest): Promise<OneShotAnswer> {
  const { scheme, host, port, path, headers, timeoutMs, maxBodyBytes } = request;
  return new Promise((resolve) => {
    const options: RequestOptions = {
      host,
      port,
      path,
      agent: false,
      headers: headers.flat(),
      ...(scheme === 'https' ? { rejectUnauthorized: false, ...(isIP(host) ? {} : { servername: host }) } : {}),
    };
    const outgoing = scheme === 'https' ? requestTls(options) : requestPlain(options);
    const settle = (answer: OneShotAnswer) => {
      clearTimeout(timer);
      resolve(answer);
      outgoing.destroy();
    };
    const expire = () => settle({ kind: 'failed', message: `no answer within ${timeoutMs} ms` });
    const timer = timeoutMs > 0 ? setTimeout(expire, timeoutMs) : undefined;
    outgoing.on('error', (error) => settle(failure(host, port, error)));
    outgoing.on('upgrade', (response) => {
      settle({ kind: 'answer', status: response.statusCode ?? 0, location: undefined, body: '' });
    });
    outgoing.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const chunks: Buffer[] = [];
      let size = 0;
      const finish = () => {
        const body = Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8');
        settle({ kind: 'answer', status, location: response.headers.location, body });
      };
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= maxBodyBytes) finish();
      });
      response.on('end', finish);
      response.on('error', (error) => settle({ kind: 'failed', message: failureText(host, port, error) }));
    });
    outgoing.end();
  });
}

/** Opens a TCP connection and closes it. Undefined when it came up, else why it did not. */
export function tcpDial(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (failure: string | undefined) => {
      clearTimeout(timer);
      resolve(failure);
      socket.destroy();
    };
    const timer = setTimeout(() => settle(`dial tcp ${hostPort(host, port)}: i/o timeout`), timeoutMs);
    socket.on('connect', () => settle(undefined));
    socket.on('error', (error) => settle(failureText(host, port, error)));
  });
}
