import type { ErrorKind } from '../../src/base/errors.ts';

/** What follows from each kind; `Record` keeps the page complete. */
const kinds: Record<ErrorKind, { meaning: string; pod: string; retry: string }> = {
  retryable: {
    meaning: 'No route, no answer in time, 5xx, 429.',
    pod: 'Stays as it is; one Event.',
    retry: '1 s, doubling to 5 min; a Retry-After wins.',
  },
  invalid: {
    meaning: 'The other side refused what was sent, or an input cannot be understood.',
    pod: 'Failed if it can never work, else Pending with the reason.',
    retry: '10 s, doubling to 5 min; at once when a missing object appears.',
  },
  unauthorized: {
    meaning: 'Credentials were refused, after one new login.',
    pod: 'Stays as it is.',
    retry: 'Everything pauses, then slowly again; the Node says why it is not Ready.',
  },
  forbidden: {
    meaning: 'Credentials are good, the right is missing.',
    pod: 'Pending with the message.',
    retry: '5 min.',
  },
  quota: { meaning: 'A limit of the project is reached.', pod: 'Pending, OutOfQuota.', retry: '1 min.' },
  'not-found': { meaning: 'It is not there.', pod: 'For a read or a deletion that is an observation.', retry: 'None.' },
  conflict: {
    meaning: 'Somebody else changed it first.',
    pod: 'Stays as it is.',
    retry: 'At once, then with back-off.',
  },
  unsupported: {
    meaning: 'This cloud or this backend cannot do it.',
    pod: 'Refused, or HTTP 501 from the kubelet API.',
    retry: 'None.',
  },
  bug: {
    meaning: 'A mistake of zunlet; the log has the stack.',
    pod: 'Stays as it is.',
    retry: 'With back-off; the process stays up.',
  },
};

/** The first part of a code says who speaks. A test holds this table to the source. */
export const errorFamilies: Readonly<Record<string, string>> = {
  admission:
    'What a kubelet checks before it accepts a Pod: resources, node selector, operating system. The Pod is Failed with the reason.',
  agent: 'The start of the process. The message says which right or option is missing.',
  auth: 'The kubeconfig, its token, certificate or plugin. The message names file and field.',
  bug: 'A mistake of zunlet.',
  certificate: 'The CertificateSigningRequest of the kubelet API.',
  cinder: 'Cinder answered, or did not.',
  cloud: 'clouds.yaml, secure.yaml or OS_* variables. The message names file, line and key.',
  command: 'The command and arguments of a container.',
  config: 'An option: unknown, or with a bad value. Exit code 2.',
  container: 'A container of a Pod.',
  demo: 'zunlet demo.',
  env: 'An environment variable of a container.',
  exec: 'kubectl exec, attach or a probe by command.',
  health: 'The page of health and metrics: option healthAddress.',
  http: 'The connection itself: unreachable, silent, cut.',
  keystone: 'Keystone answered, or did not: login, catalog.',
  kube: 'The API server answered, or did not. zunlet check lists missing rights.',
  mount: 'A mount of a volume in a container.',
  network: 'Networks and security groups that a Pod asks for.',
  neutron: 'Neutron answered, or did not.',
  node: 'The Node object: its name belongs to another machine.',
  openstack: 'A value that OpenStack cannot take.',
  pod: 'A field of a Pod that this node cannot honour. zunlet translate --explain shows all.',
  quantity: 'An amount of CPU or memory that is none.',
  resources: 'CPU and memory of a container.',
  self: 'This machine, as zunlet check sees it.',
  server: 'The kubelet API: port, address.',
  serving: 'The serving certificate of the kubelet API.',
  spdy: 'A stream of kubectl with the older protocol.',
  template: 'A capsule template given by hand.',
  text: 'Text that Zun cannot carry.',
  usage: 'The command line. Exit code 2.',
  volume: 'A volume of a Pod.',
  zun: 'Zun answered, or did not. Messages end with the request id, which Zun has in its log.',
};

/** Renders docs/reference/errors.md. */
export function errorsPage(): string {
  const kindRows = Object.entries(kinds).map(
    ([kind, { meaning, pod, retry }]) => `| \`${kind}\` | ${meaning} | ${pod} | ${retry} |\n`,
  );
  const familyRows = Object.entries(errorFamilies).map(([family, text]) => `| \`${family}\` | ${text} |\n`);
  return `<!-- Generated from scripts/docs/errors-page.ts by: node scripts/generate-docs.ts errors -->

# Errors

A message says what was attempted, on what, what came back, and, where somebody must act, what to do:
\`creating capsule for pod web/api-0: zun answered 403: quota exceeded for containers\`. Log lines have it in the field \`err\`, with a
stable name in \`code\`. Commands end with 0 when done, 1 when something failed, 2 for a wrong command line or option.

## Kinds

The kind decides what follows. \`zunlet_run_retries_total\` counts by it.

| Kind | Meaning | Pod | Next try |
| --- | --- | --- | --- |
${kindRows.join('')}
## Codes

A code is two words with a dot: who speaks, and what it is. Those of OpenStack services end with the service's own error
code where there is one, for example \`zun.quota-exceeded\`.

| First word | What it is about, and where to look |
| --- | --- |
${familyRows.join('')}`;
}
