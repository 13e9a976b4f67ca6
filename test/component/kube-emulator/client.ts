import { Pool } from 'undici';

interface Condition {
  type: string;
  status: string;
  message: string;
}

/** What tests look at in an answer, be it an object, a list or a failure; each answer has a part of it. */
export interface Seen {
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    continue?: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    ownerReferences?: object[];
  };
  spec: {
    nodeName?: string;
    containers: { image: string }[];
    taints?: { effect: string }[];
    claimRef?: { name: string };
  };
  status: {
    phase: string;
    conditions: Condition[];
    availableReplicas?: number;
    failed?: number;
    succeeded?: number;
    token: string;
    authenticated?: boolean;
    user: { username: string };
    userInfo?: { username: string };
  };
  items: Seen[];
  reason: string;
  message: string;
  code: number;
}

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Seen;
}

export interface WatchLine {
  type: string;
  object: Seen;
}

/** An open watch. */
export interface OpenWatch {
  lines: WatchLine[];
  /** Resolves when this many lines have come. */
  count(lines: number): Promise<WatchLine[]>;
  /** Resolves when the server has ended it: true when in good order. */
  ended: Promise<boolean>;
  close(): void;
}

/** A bare client for one API server. */
export interface Client {
  get(path: string): Promise<Reply>;
  post(path: string, body: object): Promise<Reply>;
  put(path: string, body: object): Promise<Reply>;
  /** A strategic merge patch. */
  patch(path: string, body: object): Promise<Reply>;
  delete(path: string, body?: object): Promise<Reply>;
  watch(path: string): Promise<OpenWatch>;
  close(): Promise<void>;
}

/** Makes a client; `headers` go with every call. */
export function createClient(url: string, headers: Record<string, string> = {}, connect: object = {}): Client {
  const pool = new Pool(url, { connections: 8, connect });

  async function ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<Reply> {
    const type = method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';
    const answer = await pool.request({
      method,
      path,
      headers: { ...headers, 'content-type': type },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: (text.startsWith('{') ? JSON.parse(text) : {}) as Seen,
    };
  }

  async function watch(path: string): Promise<OpenWatch> {
    const abort = new AbortController();
    const answer = await pool.request({ method: 'GET', path, headers, signal: abort.signal });
    if (answer.statusCode !== 200) throw new Error(`watch answered ${answer.statusCode}`);
    const lines: WatchLine[] = [];
    const waiting: { lines: number; done: (lines: WatchLine[]) => void }[] = [];
    const serve = () => {
      for (const one of waiting) if (lines.length >= one.lines) one.done(lines);
    };
    const ended = (async () => {
      let rest = '';
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          const parts = (rest + chunk.toString()).split('\n');
          rest = parts.pop() ?? '';
          lines.push(...parts.map((line) => JSON.parse(line) as WatchLine));
          serve();
        }
        return true;
      } catch {
        return false;
      }
    })();
    return {
      lines,
      count: (wanted) =>
        new Promise((done) => {
          waiting.push({ lines: wanted, done });
          serve();
        }),
      ended,
      close: () => abort.abort(),
    };
  }

  return {
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, body),
    put: (path, body) => ask('PUT', path, body),
    patch: (path, body) => ask('PATCH', path, body),
    delete: (path, body) => ask('DELETE', path, body),
    watch,
    close: () => pool.destroy(),
  };
}

/** A Pod with one container on a node. */
export function podBody(name: string, spec: object = {}): object {
  return { metadata: { name }, spec: { nodeName: 'n', containers: [{ name: 'a', image: 'i:1' }], ...spec } };
}

/** A node that is ready. */
export function nodeBody(
  name: string,
  more: { taints?: object[]; labels?: object; allocatable?: object } = {},
): object {
  return {
    metadata: { name, ...(more.labels && { labels: more.labels }) },
    spec: { ...(more.taints && { taints: more.taints }) },
    status: {
      capacity: { cpu: '4', memory: '8Gi', pods: '10', ...more.allocatable },
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
    },
  };
}
