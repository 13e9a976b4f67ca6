import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { ApiFailure, badRequest, unsupportedMediaType } from './failures.ts';
import type { Json } from './objects.ts';
import { decodeProtobuf } from './protobuf.ts';

/** What came with a request. */
export interface Body {
  /** The media type without parameters; empty when there was no body. */
  contentType: string;
  text: string;
  /** Errors: 400, 415. */
  json(): Json;
}

const maxBytes = 3 * 1024 * 1024;

/** Reads a request's body. Errors: 413. */
export async function readBody(incoming: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new ApiFailure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBytes}`);
    }
    chunks.push(chunk);
  }
  const contentType = (incoming.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const content = Buffer.concat(chunks);
  const text = content.toString('utf8');
  return { contentType, text, json: () => decode(content, text, contentType) };
}

function decode(content: Buffer, text: string, contentType: string): Json {
  if (contentType.endsWith('protobuf')) return decodeProtobuf(content);
  if (contentType.endsWith('cbor')) {
    throw unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  }
  try {
    return contentType.includes('yaml') ? (parse(text) as Json) : (JSON.parse(text) as Json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw badRequest(`couldn't get version/kind; json parse error: ${why}`);
  }
}
