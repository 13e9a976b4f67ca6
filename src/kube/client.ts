import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { createRateLimiter } from '../http/rate-limiter.ts';
import { createTransport } from '../http/transport.ts';
import type { KubeAuth, KubeCallRecord, KubeClient, KubePatchCall } from './client-types.ts';
import { createExchanger, type Exchanger } from './exchange.ts';
import type { KubeList } from './types.ts';

export interface KubeClientOptions {
  auth: KubeAuth;
  clock: Clock;
  random: Random;
  log: Log;
  /** zunlet's own version, for the user agent. */
  version: string;
  /** Calls a second and at once; 50 and 100 as the kubelet has them. 0 a second switches the limit off. */
  qps?: number;
  burst?: number;
  /** Limit of one try; default 30 s. */
  timeoutMs?: number;
  /** Upper bound of connections, watches included; default 32. */
  connections?: number;
  /** Hears of every exchange. Must not throw. */
  onCall?: (record: KubeCallRecord) => void;
}

const json = 'application/json';
const patchTypes: Record<NonNullable<KubePatchCall['type']>, string> = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};
const maxBodyBytes = 128 * 1024 * 1024;

/** Makes the client. One a process: its connections and its rate limit are shared. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { auth, clock, random, log } = options;
  const server = new URL(auth.server);
  const transport = createTransport({
    origin: server.origin,
    tls: auth.tls(),
    connections: options.connections ?? 32,
    maxBodyBytes,
    ...(auth.proxy !== undefined && { proxy: auth.proxy }),
  });
  auth.onTlsChange((tls) => {
    log.info('kubernetes client certificate changed');
    transport.setTls(tls);
  });
  const exchanger = createExchanger({
    transport,
    limiter: createRateLimiter(options.qps ?? 50, options.burst ?? 100, clock),
    auth,
    prefix: server.pathname.replace(/\/+$/, ''),
    userAgent: `zunlet/${options.version}`,
    timeoutMs: options.timeoutMs ?? 30_000,
    clock,
    random,
    log,
    onCall: options.onCall ?? (() => {}),
  });
  return { ...reads(exchanger), ...writes(exchanger), close: () => transport.close() };
}

// Answers are typed by the caller, who knows what stands at the path; hence the casts.

function reads({ send, stream }: Exchanger): Pick<KubeClient, 'get' | 'list' | 'watch'> {
  return {
    get: async <T>(path: string, call = {}) =>
      (await send({ verb: 'get', method: 'GET', path, call, repeatable: true })) as T,
    list: async <T>(path: string, call = {}) =>
      (await send({ verb: 'list', method: 'GET', path, call, repeatable: true })) as KubeList<T>,
    watch: (path, call = {}) =>
      stream({
        verb: 'watch',
        method: 'GET',
        path,
        call: { ...call, query: { ...call.query, watch: 1 } },
        repeatable: false,
      }),
  };
}

function writes({ send }: Exchanger): Pick<KubeClient, 'create' | 'replace' | 'patch' | 'delete'> {
  return {
    async create<T>(path: string, body: object, call: Parameters<KubeClient['create']>[2] = {}) {
      const repeatable = call.repeatable === true;
      return (await send({ verb: 'create', method: 'POST', path, call, body, contentType: json, repeatable })) as T;
    },
    async replace<T>(path: string, body: object, call = {}) {
      const repeatable = hasMetadata(body, 'resourceVersion');
      return (await send({ verb: 'update', method: 'PUT', path, call, body, contentType: json, repeatable })) as T;
    },
    async patch<T>(path: string, body: object, call: KubePatchCall = {}) {
      const contentType = patchTypes[call.type ?? 'strategic'];
      const repeatable = call.type !== 'json' && hasMetadata(body, 'uid');
      return (await send({ verb: 'patch', method: 'PATCH', path, call, body, contentType, repeatable })) as T;
    },
    async delete(path, call = {}) {
      const body = {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        ...(call.gracePeriodSeconds !== undefined && { gracePeriodSeconds: call.gracePeriodSeconds }),
        ...(call.uid !== undefined && { preconditions: { uid: call.uid } }),
      };
      const repeatable = call.uid !== undefined;
      await send({ verb: 'delete', method: 'DELETE', path, call, body, contentType: json, repeatable });
    },
  };
}

function hasMetadata(object: object, field: 'resourceVersion' | 'uid'): boolean {
  if (!('metadata' in object) || typeof object.metadata !== 'object' || object.metadata === null) return false;
  return field in object.metadata;
}
