import { encodeUtf8 } from '../base/base64.ts';
import type { Pod } from '../kube/types.ts';
import type { Findings } from './findings.ts';
import type { PlacedFile } from './mounts.ts';
import { podReason } from './reasons.ts';
import type { TranslateOptions } from './types.ts';

const maximumLength = 63;
const maximumNameservers = 3;

function shortName(pod: Pod): string {
  const { hostname, hostnameOverride } = pod.spec;
  const name = hostnameOverride ?? hostname ?? pod.metadata.name;
  return name.slice(0, maximumLength).replace(/[-.]+$/, '');
}

function fullName(pod: Pod, clusterDomain: string): string | undefined {
  const { subdomain, hostnameOverride } = pod.spec;
  if (!subdomain || hostnameOverride) return undefined;
  return `${shortName(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
}

/**
 * Works out the host name of a Pod's container: the override, the given one or the Pod's name, cut to 63 characters; the full
 * name where `setHostnameAsFQDN` asks for it, which is a problem when it is longer.
 * Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/.
 */
export function podHostname(pod: Pod, options: TranslateOptions, findings: Findings): string {
  const full = pod.spec.setHostnameAsFQDN === true ? fullName(pod, options.clusterDomain) : undefined;
  const name = full ?? shortName(pod);
  if (name.length > maximumLength || !/^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/.test(name)) {
    findings.problem({
      path: full === undefined ? 'spec.hostname' : 'spec.setHostnameAsFQDN',
      code: 'pod.hostname',
      message: `${name} is not a host name of at most ${maximumLength} characters`,
      heals: false,
      reason: podReason.unsupported,
    });
  }
  return name;
}

function plainFile(destination: string, lines: string[]): PlacedFile {
  return { path: destination, destination, mode: 0o644, content: encodeUtf8(`${lines.join('\n')}\n`) };
}

/** Writes /etc/hosts where the Pod has host aliases. The Pod's own address is not known, so its name points to itself. */
export function hostsFile(pod: Pod, options: TranslateOptions): PlacedFile[] {
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length === 0) return [];
  const names = [fullName(pod, options.clusterDomain), shortName(pod)].filter((name) => name !== undefined);
  return [
    plainFile('/etc/hosts', [
      '# Kubernetes-managed hosts file.',
      '127.0.0.1\tlocalhost',
      '::1\tlocalhost ip6-localhost ip6-loopback',
      `127.0.1.1\t${names.join('\t')}`,
      '',
      '# Entries added by HostAliases.',
      ...aliases.map(({ ip, hostnames }) => [ip, ...(hostnames ?? [])].join('\t')),
    ]),
  ];
}

interface Resolver {
  nameservers: string[];
  searches: string[];
  options: Map<string, string | undefined>;
}

function baseResolver(pod: Pod, options: TranslateOptions): Resolver | undefined {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { nameservers: [], searches: [], options: new Map() };
  const clusterDns = options.clusterDns ?? [];
  if (policy === 'Default' || clusterDns.length === 0) return undefined;
  const { clusterDomain } = options;
  return {
    nameservers: [...clusterDns],
    searches: [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain],
    options: new Map([['ndots', '5']]),
  };
}

/**
 * Writes /etc/resolv.conf where the Pod's DNS policy and the option `clusterDns` say what belongs into it; otherwise the
 * container keeps the resolver of its network, and the table has refused a `dnsConfig`.
 */
export function resolverFile(pod: Pod, options: TranslateOptions): PlacedFile[] {
  const config = pod.spec.dnsConfig;
  const resolver = baseResolver(pod, options);
  if (!resolver) return [];
  for (const { name, value } of config?.options ?? []) resolver.options.set(name ?? '', value);
  const nameservers = [...new Set([...resolver.nameservers, ...(config?.nameservers ?? [])])];
  const searches = [...new Set([...resolver.searches, ...(config?.searches ?? [])])];
  const flags = [...resolver.options].map(([name, value]) => (value === undefined ? name : `${name}:${value}`));
  return [
    plainFile('/etc/resolv.conf', [
      ...nameservers.slice(0, maximumNameservers).map((server) => `nameserver ${server}`),
      ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
      ...(flags.length > 0 ? [`options ${flags.join(' ')}`] : []),
    ]),
  ];
}
