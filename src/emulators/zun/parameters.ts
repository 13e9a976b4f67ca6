import type { Call } from '../service.ts';
import { BareError, ZunError } from './errors.ts';
import { parsePythonJson } from './python-text.ts';
import type { ZunState } from './state.ts';

/**
 * pecan takes a known file extension for the type that the caller wants: `.json` is cut off, others are not found
 * (docs/zun.md §8 B21).
 */
export function withoutExtension(ident: string): string | undefined {
  const match = /^(.+)\.([a-z0-9]{2,4})$/i.exec(ident);
  const extension = match?.[2]?.toLowerCase() ?? '';
  if (extension === 'json') return match?.[1];
  return knownExtensions.has(extension) ? undefined : ident;
}

const knownExtensions = new Set(
  'txt html htm png jpg jpeg gif svg css js xml csv pdf zip tar gz sh py c h mp3 mp4 ico bmp'.split(' '),
);

/**
 * Body and query as one object (docs/zun.md §1.5): what is not a JSON object counts as no body. Errors: a bare 500 for another
 * content type (§8 B19).
 */
export function readParameters(zun: ZunState, call: Call): Record<string, unknown> {
  const type = headerOf(call, 'content-type') ?? '';
  if (call.body !== '' && !/^application\/json\b/i.test(type)) {
    if (zun.isFaithful) throw new BareError("'str' object has no attribute 'decode'");
    throw new ZunError(415, 'unsupported-content-type', `Content type ${type} is not supported`);
  }
  return { ...parseObject(call.body), ...Object.fromEntries(call.query) };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const body = parsePythonJson(text);
    // Any object that is not null or a list can be read by key.
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A request header that has one value. */
export function headerOf(call: Call, name: string): string | undefined {
  const value = call.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
