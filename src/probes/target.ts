import type { OneShotRequest } from '../base/one-shot.ts';
import type { Container, LifecycleHandler, Pod } from '../kube/types.ts';

type HttpGet = NonNullable<LifecycleHandler['httpGet']>;
type PortRef = HttpGet['port'];

/** The longest part of an answer's body that is read. Source: Kubernetes pkg/probe/http/http.go. */
const maxBodyBytes = 10 * 1024;

/** A probe that cannot be run as it is written: an error, not a failure, in the kubelet's words. */
export class ProbeError extends Error {}

/** Finds the port's number: as written, or the container's port of that name. */
export function resolvePort(port: PortRef, container: Container): number {
  const named =
    typeof port === 'string' ? container.ports?.find(({ name }) => name === port)?.containerPort : undefined;
  const number = named ?? Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new ProbeError(
    typeof port === 'string' && Number.isNaN(number) ? `couldn't find port: ${port}` : `invalid port number: ${port}`,
  );
}

/** The address that probes go to unless they name a host. */
export function podHost(pod: Pod, host: string | undefined): string {
  const chosen = host ?? pod.status?.podIP;
  if (!chosen) throw new ProbeError('the pod has no address yet');
  return chosen;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Writes the request's URL as messages show it. */
export function requestUrl({ scheme, host, port, path }: OneShotRequest): string {
  return `${scheme}://${bracketed(host)}:${port}${path}`;
}

/**
 * Makes the request's headers: those of the spec in order; Host, User-Agent and Accept added where the spec has none. An
 * empty value in the spec keeps Accept or User-Agent out altogether.
 * Source: Kubernetes pkg/probe/http/request.go.
 */
function requestHeaders(httpGet: HttpGet, host: string, port: number, userAgent: string): [string, string][] {
  const given = (httpGet.httpHeaders ?? []).map(({ name, value }): [string, string] => [name, value]);
  const has = (wanted: string) => given.some(([name]) => name.toLowerCase() === wanted);
  const kept = given.filter(([name, value]) => value !== '' || !['accept', 'user-agent'].includes(name.toLowerCase()));
  const isDefaultPort = port === (httpGet.scheme === 'HTTPS' ? 443 : 80);
  return [
    ...(has('host')
      ? []
      : [['Host', isDefaultPort ? bracketed(host) : `${bracketed(host)}:${port}`] as [string, string]]),
    ...(has('user-agent') ? [] : [['User-Agent', userAgent] as [string, string]]),
    ...(has('accept') ? [] : [['Accept', '*/*'] as [string, string]]),
    ...kept,
    ['Connection', 'close'],
  ];
}

/** Makes the request of an `httpGet` handler. Throws `ProbeError` when host or port cannot be told. */
export function httpGetRequest(
  pod: Pod,
  container: Container,
  httpGet: HttpGet,
  userAgent: string,
  timeoutMs: number,
): OneShotRequest {
  const host = podHost(pod, httpGet.host || undefined);
  const port = resolvePort(httpGet.port, container);
  return {
    scheme: httpGet.scheme === 'HTTPS' ? 'https' : 'http',
    host,
    port,
    path: requestPath(httpGet.path ?? '/'),
    headers: requestHeaders(httpGet, host, port, userAgent),
    timeoutMs,
    maxBodyBytes,
  };
}

/** Writes a path so that it can stand in a request line: what cannot is escaped, a fragment is left out. */
function requestPath(path: string): string {
  const [sent = ''] = path.split('#');
  const escaped = sent.replaceAll(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));
  return escaped.startsWith('/') ? escaped : `/${escaped}`;
}

/** The request that follows a redirect, or undefined where it leads to another host and is not followed. */
export function redirected(request: OneShotRequest, location: string): OneShotRequest | undefined {
  const current = URL.parse(requestUrl(request));
  const next = URL.parse(location, current?.href);
  if (!next || next.hostname !== current?.hostname || !/^https?:$/.test(next.protocol)) return undefined;
  const scheme = next.protocol === 'https:' ? 'https' : 'http';
  const port = Number(next.port || (scheme === 'https' ? 443 : 80));
  const isRelative = !/^[a-z][a-z0-9+.-]*:/i.test(location) && !location.startsWith('//');
  const headers = isRelative
    ? request.headers
    : request.headers.map(([name, value]): [string, string] => [
        name,
        name.toLowerCase() === 'host' ? next.host : value,
      ]);
  return { ...request, scheme, port, path: `${next.pathname}${next.search}`, headers };
}
