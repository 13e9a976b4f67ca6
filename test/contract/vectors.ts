import { readdirSync, readFileSync } from 'node:fs';

/** A request of a recorded conversation, or a step that sets the scene. See test/data/zun-vectors/README.md. */
export interface VectorRequest {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  role?: string;
  body?: unknown;
  raw_body?: string;
  save?: Record<string, string>;
  poll_until?: string;
  large?: { name: string; field: string; bytes: number };
  pseudo?: string;
  seconds?: number;
  ctl?: Record<string, unknown>;
}

export interface VectorResponse {
  status: number;
  headers: Record<string, string>;
  body?: unknown;
  text?: string;
  cut?: boolean;
  /** How long the real service took. */
  ms?: number;
}

export interface Vector {
  id: string;
  ref: string;
  claim: string;
  needs: string[];
  steps: { request: VectorRequest; response?: VectorResponse; normalized?: Normalized }[];
}

/** An answer with everything replaced that differs from run to run. */
export interface Normalized {
  status: number;
  headers: Record<string, string>;
  json?: unknown;
}

const folder = new URL('../data/zun-vectors/', import.meta.url);

/** Reads all recorded conversations with Zun. */
export function readVectors(): Vector[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Vector);
}

/** Makes the body that was too long to store. */
export function largeTemplate(large: { name: string; field: string; bytes: number }): unknown {
  const text = 'x'.repeat(large.bytes);
  const container: Record<string, unknown> = { image: 'nginx' };
  const metadata: Record<string, unknown> = { name: large.name };
  if (large.field === 'annotations') metadata['annotations'] = { big: text };
  if (large.field === 'labels') metadata['labels'] = { big: text };
  if (large.field === 'env') container['env'] = { BIG: text };
  if (large.field === 'command') container['command'] = [text];
  return { template: { kind: 'capsule', metadata, spec: { containers: [container] } } };
}
