import type { Service } from '../kube/types.ts';
import { isRecord } from './records.ts';

interface Port {
  name: string;
  port: number;
  protocol: string;
}

interface Reachable {
  name: string;
  host: string;
  ports: Port[];
}

/** Where the API server is for programs in Pods, when not at its Service. */
export interface ApiServerAddress {
  host?: string | undefined;
  port?: number | undefined;
}

const apiServerName = 'kubernetes';
const apiServerNamespace = 'default';

function readService(service: Service): Reachable | undefined {
  const name: unknown = service.metadata?.name;
  const host: unknown = service.spec?.clusterIP;
  if (typeof name !== 'string' || typeof host !== 'string' || host === '' || host === 'None') return undefined;
  const listed: unknown = service.spec?.ports;
  const ports = (Array.isArray(listed) ? listed : []).flatMap((port: unknown): Port[] => {
    if (!isRecord(port) || typeof port['port'] !== 'number') return [];
    const portName = typeof port['name'] === 'string' ? port['name'] : '';
    const protocol = typeof port['protocol'] === 'string' && port['protocol'] !== '' ? port['protocol'] : 'TCP';
    return [{ name: portName, port: port['port'], protocol }];
  });
  return ports.length === 0 ? undefined : { name, host, ports };
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function variablesOf({ name, host, ports }: Reachable): [string, string][] {
  const prefix = variableName(name);
  const out: [string, string][] = [[`${prefix}_SERVICE_HOST`, host]];
  ports.forEach(({ name: portName, port }, index) => {
    if (index === 0) out.push([`${prefix}_SERVICE_PORT`, String(port)]);
    if (portName !== '') out.push([`${prefix}_SERVICE_PORT_${variableName(portName)}`, String(port)]);
  });
  ports.forEach(({ port, protocol }, index) => {
    const lower = protocol.toLowerCase();
    const url = `${lower}://${joinHostPort(host, port)}`;
    const portPrefix = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    if (index === 0) out.push([`${prefix}_PORT`, url]);
    out.push([portPrefix, url], [`${portPrefix}_PROTO`, lower], [`${portPrefix}_PORT`, String(port)]);
    out.push([`${portPrefix}_ADDR`, host]);
  });
  return out;
}

function withAddress(service: Reachable | undefined, address: ApiServerAddress): Reachable | undefined {
  if (address.host === undefined && address.port === undefined) return service;
  const host = address.host ?? service?.host;
  if (host === undefined) return undefined;
  const ports =
    address.port === undefined && service
      ? service.ports
      : [{ name: 'https', port: address.port ?? 443, protocol: 'TCP' }];
  return { name: apiServerName, host, ports };
}

/**
 * Makes the environment variables of Services: the API server's always, those of the Pod's namespace when `links` says so.
 * Headless and external Services give none. Sorted by Service name, so that the result does not depend on the order of a list.
 * Source: k8s.io/kubernetes/pkg/kubelet/envvars/envvars.go.
 */
export function serviceVariables(
  services: readonly Service[],
  pod: { namespace: string; links: boolean },
  apiServer: ApiServerAddress = {},
): Record<string, string> {
  const visible = new Map<string, Reachable>();
  const master = services.find(
    ({ metadata }) => metadata?.name === apiServerName && metadata.namespace === apiServerNamespace,
  );
  const apiService = withAddress(master && readService(master), apiServer);
  if (apiService) visible.set(apiServerName, apiService);
  for (const service of services) {
    if (!pod.links || service.metadata?.namespace !== pod.namespace) continue;
    if (pod.namespace === apiServerNamespace && service.metadata.name === apiServerName) continue;
    const reachable = readService(service);
    if (reachable) visible.set(reachable.name, reachable);
  }
  const sorted = [...visible.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  return Object.fromEntries(sorted.flatMap(variablesOf));
}
