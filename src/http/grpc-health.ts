import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { HealthAnswer, HealthRequest } from '../base/one-shot.ts';
import { hostPort } from './one-shot.ts';

const maxAnswerBytes = 64 * 1024;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** Writes a HealthCheckRequest (field 1: service) in gRPC's length-prefixed frame. */
export function encodeHealthRequest(service: string): Buffer {
  const text = Buffer.from(service, 'utf8');
  const message = text.length === 0 ? text : Buffer.concat([Buffer.from([0x0a, ...varint(text.length)]), text]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function readVarint(bytes: Buffer, offset: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[offset + index];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 128 ** index;
    if (byte < 128) return { value, next: offset + index + 1 };
  }
  return undefined;
}

/** Skips a field of a protobuf message; undefined when the message is cut short or malformed. */
function skipField(bytes: Buffer, wireType: number, offset: number): number | undefined {
  if (wireType === 0) return readVarint(bytes, offset)?.next;
  if (wireType === 1) return offset + 8;
  if (wireType === 5) return offset + 4;
  const length = wireType === 2 ? readVarint(bytes, offset) : undefined;
  return length ? length.next + length.value : undefined;
}

/** Reads the serving status (field 1) out of a framed HealthCheckResponse; undefined when it is malformed or compressed. */
export function decodeHealthResponse(framed: Buffer): number | undefined {
  if (framed.length < 5 || framed[0] !== 0) return undefined;
  const length = framed.readUInt32BE(1);
  const message = framed.subarray(5, 5 + length);
  if (message.length < length) return undefined;
  let status = 0;
  let offset = 0;
  while (offset < message.length) {
    const key = readVarint(message, offset);
    if (!key) return undefined;
    if (key.value === 0x08) status = readVarint(message, key.next)?.value ?? 0;
    const next = skipField(message, key.value & 7, key.next);
    if (next === undefined) return undefined;
    offset = next;
  }
  return status;
}

function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Percent-decodes gRPC's message header; text that is not well formed stays as it is. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function ask(session: ClientHttp2Session, request: HealthRequest, settle: (answer: HealthAnswer) => void): void {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
    [constants.HTTP2_HEADER_USER_AGENT]: request.userAgent,
    'grpc-timeout': `${Math.max(1, Math.round(request.timeoutMs))}m`,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  let known: IncomingHttpHeaders = {};
  stream.on('response', (headers) => {
    known = { ...headers };
  });
  stream.on('trailers', (trailers) => {
    known = { ...known, ...trailers };
  });
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxAnswerBytes) chunks.push(chunk);
  });
  stream.on('error', (error) => settle({ kind: 'failed', message: error.message }));
  stream.on('end', () => {
    const httpStatus = headerText(known, ':status');
    const grpcStatus = headerText(known, 'grpc-status');
    if (grpcStatus === undefined) {
      settle({ kind: 'failed', message: `answered HTTP ${httpStatus ?? '?'} without a gRPC status` });
      return;
    }
    settle({
      kind: 'answer',
      grpcStatus: Number(grpcStatus),
      grpcMessage: decodeMessage(headerText(known, 'grpc-message') ?? ''),
      serving: decodeHealthResponse(Buffer.concat(chunks)),
    });
  });
  stream.end(encodeHealthRequest(request.service));
}

/**
 * Asks a server for its health over HTTP/2 without TLS, on a connection of its own.
 * Source: grpc doc/health-checking.md, doc/PROTOCOL-HTTP2.md.
 */
export function grpcHealth(request: HealthRequest): Promise<HealthAnswer> {
  return new Promise((resolve) => {
    const session = connect(`http://${hostPort(request.host, request.port)}`);
    const settle = (answer: HealthAnswer) => {
      clearTimeout(timer);
      resolve(answer);
      session.destroy();
    };
    const timer = setTimeout(() => settle({ kind: 'timeout' }), request.timeoutMs);
    session.on('error', (error) => settle({ kind: 'failed', message: error.message }));
    session.on('close', () => settle({ kind: 'failed', message: 'the connection was closed' }));
    ask(session, request, settle);
  });
}
