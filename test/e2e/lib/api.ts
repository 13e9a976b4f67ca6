import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';

/** What a client needs of a kubeconfig with certificates. PEM texts. */
export interface ApiAccess {
  server: string;
  ca: string;
  cert: string;
  key: string;
}

/** An answer that is not 2xx. */
export class ApiError extends Error {
  readonly status: number;
  constructor(call: string, status: number, body: string) {
    super(`${call} answered ${status}: ${body.slice(0, 500)}`);
    this.status = status;
  }
}

/** One line of a watch. */
export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: T;
}

/**
 * A small Kubernetes client for tests: an outside judge, so it shares no code with ours. Every call but `isOk` throws
 * `ApiError` when the answer is not 2xx; the caller says what the JSON looks like.
 */
export interface Api {
  isOk(path: string): Promise<boolean>;
  get<T>(path: string): Promise<T>;
  /** Like `get`; undefined when the object is not there. */
  find<T>(path: string): Promise<T | undefined>;
  post<T>(path: string, body: object): Promise<T>;
  put<T>(path: string, body: object): Promise<T>;
  /** A JSON merge patch. */
  patch<T>(path: string, body: object): Promise<T>;
  delete(path: string, options?: object): Promise<void>;
  /** Yields the events of a watch until the signal aborts or the server ends it. */
  watch<T>(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>>;
  close(): Promise<void>;
}

/** Reads a kubeconfig as `writeKubeconfig` makes them. */
export function readKubeconfig(file: string): ApiAccess {
  const config = JSON.parse(readFileSync(file, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
  };
  const text = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  return {
    server: cluster.server,
    ca: text(cluster['certificate-authority-data']),
    cert: text(user['client-certificate-data']),
    key: text(user['client-key-data']),
  };
}

/** Makes a client with up to `connections` calls at once. */
export function createApi({ server, ca, cert, key }: ApiAccess, connections = 16): Api {
  const pool = new Pool(server, { connections, connect: { ca, cert, key } });

  async function call(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<string> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await pool.request({
      method,
      path,
      headers: { accept: 'application/json', 'content-type': type, 'user-agent': 'zunlet-e2e' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new ApiError(`${method} ${path}`, answer.statusCode, text);
    return text;
  }
  // The caller names the type: these objects come from the real API server, whose word is taken in tests.
  const json = async <T>(text: Promise<string>) => JSON.parse(await text) as T;

  return {
    isOk: (path) =>
      call('GET', path).then(
        () => true,
        () => false,
      ),
    get: (path) => json(call('GET', path)),
    async find<T>(path: string) {
      try {
        return await json<T>(call('GET', path));
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },
    post: (path, body) => json(call('POST', path, body)),
    put: (path, body) => json(call('PUT', path, body)),
    patch: (path, body) => json(call('PATCH', path, body)),
    async delete(path, options) {
      await call('DELETE', path, options);
    },
    async *watch<T>(path: string, signal: AbortSignal) {
      const query = path.includes('?') ? '&' : '?';
      try {
        const answer = await pool.request({ method: 'GET', path: `${path}${query}watch=true`, signal, bodyTimeout: 0 });
        for await (const line of createInterface({ input: answer.body })) yield JSON.parse(line) as WatchEvent<T>;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    close: () => pool.destroy(),
  };
}
