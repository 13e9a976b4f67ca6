import type { HttpStream, TlsIdentity } from '../http/transport.ts';
import type { KubeList } from './types.ts';

/** Who zunlet is towards the API server, and where that is. */
export interface KubeAuth {
  /** `https://host:port`, perhaps with a path prefix. */
  readonly server: string;
  /** Where it was found, for people: `in-cluster` or the path of a kubeconfig. */
  readonly source: string;
  /** Name of the kubeconfig context; undefined in a cluster. */
  readonly context: string | undefined;
  /** The HTTP proxy of the kubeconfig's cluster entry. */
  readonly proxy: string | undefined;
  /** The identity as of now. */
  tls(): TlsIdentity;
  /**
   * Answers the Authorization header, renewed where it is due; undefined where the certificate says it all. Also notices
   * that certificate files changed. Errors: `unauthorized` (`auth.…`) when no credentials can be had.
   */
  authorization(): Promise<string | undefined>;
  /** Further headers of each call: impersonation. */
  readonly headers: Record<string, string>;
  /** Forgets what is cached, because the API server refused it: the next call reads files and runs plugins again. */
  forget(): void;
  /** Tells when the TLS identity changed. */
  onTlsChange(listener: (tls: TlsIdentity) => void): void;
}

/** What one call may say about itself. */
export interface KubeCall {
  /** For error messages: `writing the status of pod web/api-0`. Default: verb and path. */
  attempt?: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** Limit of one try; default is the client's. */
  timeoutMs?: number;
  /** How often a call that is safe to repeat is repeated; default 3. */
  retries?: number;
  /** True: not held back by the client's rate limit. For leases and watches, which are few and must be in time. */
  urgent?: boolean;
  signal?: AbortSignal;
}

interface KubeCreateCall extends KubeCall {
  /** True when making it twice does no harm. */
  repeatable?: boolean;
}

export interface KubePatchCall extends KubeCall {
  /** Default `strategic`. */
  type?: 'strategic' | 'merge' | 'json';
}

interface KubeDeleteCall extends KubeCall {
  gracePeriodSeconds?: number;
  /** Precondition: 409 when the object has another one. */
  uid?: string;
}

/** One HTTP exchange with the API server, for metrics. */
export interface KubeCallRecord {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  /** Plural, with its subresource: `pods/status`. */
  resource: string;
  /** The HTTP status; 0 when there was no answer. */
  code: number;
  /** Until the last byte; for a watch until its headers. */
  durationMs: number;
}

/**
 * Calls on the Kubernetes API over raw JSON: the caller names the path and the type. Objects are never checked against a
 * schema, so that fields of newer Kubernetes versions survive.
 *
 * Errors, of every call: `retryable` (`http.…`, `kube.server-error`, `kube.too-many-requests`, `kube.garbage`), `unauthorized`,
 * `forbidden` (`kube.namespace-terminating` among them), `not-found`, `conflict` (`kube.conflict`, `kube.already-exists`), `invalid`
 * (`kube.invalid`, `kube.bad-request`, `kube.expired`), `quota`, `unsupported`.
 *
 * Repeated by themselves, on `retryable` errors and with Retry-After obeyed: reads; calls that certainly had no effect; `replace` with
 * a resourceVersion, `patch` (not of type `json`) and `delete` with a UID.
 */
export interface KubeClient {
  get<T>(path: string, call?: KubeCall): Promise<T>;
  /** One page: the caller sets `limit` and `continue`. */
  list<T>(path: string, call?: KubeCall): Promise<KubeList<T>>;
  create<T>(path: string, body: object, call?: KubeCreateCall): Promise<T>;
  replace<T>(path: string, body: object, call?: KubeCall): Promise<T>;
  patch<T>(path: string, body: object, call?: KubePatchCall): Promise<T>;
  delete(path: string, call?: KubeDeleteCall): Promise<void>;
  /** Opens a watch; the caller reads and ends the body. Never repeated. `timeoutMs` limits the time to the headers. */
  watch(path: string, call?: KubeCall): Promise<HttpStream>;
  /** Breaks every call and closes all connections. */
  close(): Promise<void>;
}
