import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A tree of functions that take and return JSON. */
type ControlTree = { [name: string]: unknown };

export interface ControlServer {
  url: string;
  close(): Promise<void>;
}

/**
 * Offers a control over HTTP for other processes: `POST /zun/faults/add` with a JSON list of arguments answers the result as
 * JSON, or 500 with what was thrown. Only for loopback: nobody is asked who they are.
 */
export async function startControlServer(tree: object, port = 0): Promise<ControlServer> {
  const server = createServer((request, response) => {
    void answer(tree, request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? null));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  // An IP listener's address is never a string or null.
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(tree: object, request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const found = find(
    tree,
    (request.url ?? '/').split('/').filter((part) => part !== ''),
  );
  if (request.method !== 'POST' || !found) return { status: 404, body: 'no such control' };
  try {
    const given: unknown = text === '' ? [] : JSON.parse(text);
    return { status: 200, body: await found(...(Array.isArray(given) ? given : [given])) };
  } catch (error) {
    return { status: 500, body: String(error) };
  }
}

function find(tree: object, path: string[]): ((...given: unknown[]) => unknown) | undefined {
  let at: unknown = tree;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as ControlTree)[name];
  }
  // Checked to be a function; what it takes is the caller's business, as in any untyped remote call.
  return typeof at === 'function' ? (at as (...given: unknown[]) => unknown) : undefined;
}

/** A control tree as another process sees it: every function is asynchronous. */
export type Remote<T> = {
  [K in keyof T]: T[K] extends (...given: infer A) => infer R ? (...given: A) => Promise<Awaited<R>> : Remote<T[K]>;
};

/** Makes a control of an emulator in another process, with the types of the local one. */
export function remoteControl<T extends object>(url: string): Remote<T> {
  // A proxy stands for every path of the tree; that the tree has it is what the type parameter says.
  return remoteNode(url) as Remote<T>;
}

function remoteNode(url: string): unknown {
  const call = async (...given: unknown[]) => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify(given) });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`calling ${url}: ${String(body)}`);
    return body;
  };
  return new Proxy(call, {
    // `then` must be absent, or awaiting the tree would call it.
    get: (_target, name) => (typeof name === 'string' && name !== 'then' ? remoteNode(`${url}/${name}`) : undefined),
  });
}
