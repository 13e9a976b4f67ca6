/** Generators of Pods: ones that mostly translate, and ones of any shape. */
import fc from 'fast-check';
import type { FieldType, Rows } from '../../src/translate/fields.ts';
import { podSpecRows } from '../../src/translate/support.ts';

const words = fc.constantFrom(
  'app',
  'a',
  'web',
  'nginx:1.27',
  'busybox',
  `x@sha256:${'a'.repeat(64)}`,
  'Always',
  'Never',
  'OnFailure',
  'IfNotPresent',
  '$(A)',
  '1Gi',
  '100m',
  'data',
  '/data',
  'status.podIP',
  'metadata.name',
  "metadata.labels['x']",
  'limits.cpu',
  '',
  'ClusterFirst',
  'None',
  'Memory',
  '9f81cbb2-10f9-4bab-938d-92fe33c57a24',
  'constructor',
  '__proto__',
);
const anyText = fc.oneof(
  { weight: 4, arbitrary: words },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
);
const numbers = fc.oneof(
  fc.integer({ min: -2, max: 70_000 }),
  fc.constantFrom(0, 1, 420, 493, 30, Number.MAX_SAFE_INTEGER),
);

function leaf(type: FieldType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'integer':
      return numbers;
    case 'flag':
      return fc.boolean();
    case 'text-or-integer':
      return fc.oneof(anyText, numbers);
    case 'texts':
      return fc.array(anyText, { maxLength: 3 });
    case 'integers':
      return fc.array(numbers, { maxLength: 3 });
    case 'map':
    case 'quantities':
      return fc.dictionary(fc.oneof(fc.constantFrom('cpu', 'memory', 'storage', 'example.com/gpu'), anyText), anyText, {
        maxKeys: 3,
      });
    default:
      return anyText;
  }
}

/** Values of a type of the support table; `share` per cent of the optional fields are there. */
function fieldValue(type: FieldType, share: number): fc.Arbitrary<unknown> {
  if (type.kind === 'object') return recordOf(type.rows, share);
  if (type.kind === 'list') return fc.array(recordOf(type.rows, share), { maxLength: 2 });
  return leaf(type);
}

function recordOf(rows: Rows, share: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(rows).map(([name, { type, required }]) => {
    const value = fc.constant(null).chain(() => fieldValue(type, share));
    const present = required
      ? value
      : fc.oneof({ weight: 100 - share, arbitrary: fc.constant(undefined) }, { weight: share, arbitrary: value });
    return [name, present] as const;
  });
  return fc.record(Object.fromEntries(fields)).map((made) => {
    return Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));
  });
}

/** A specification with the right types and any values. */
export const typedSpec: fc.Arbitrary<unknown> = fc
  .constantFrom(3, 12, 40)
  .chain((share) => recordOf(podSpecRows, share))
  .map((spec) => {
    const isEmpty = Array.isArray(spec['containers']) && spec['containers'].length === 0;
    return isEmpty ? { ...spec, containers: [{ name: 'app', image: 'nginx', command: ['sleep', '1'] }] } : spec;
  });

/** A specification of which some parts were replaced by values of any type. */
export const brokenSpec: fc.Arbitrary<unknown> = fc
  .tuple(typedSpec, fc.array(fc.tuple(fc.nat(), fc.anything({ maxDepth: 2 })), { minLength: 1, maxLength: 4 }))
  .map(([spec, breaks]) => {
    const broken: unknown = structuredClone(spec);
    for (const [at, value] of breaks) replaceOne(broken, at, value);
    return broken;
  });

function replaceOne(root: unknown, at: number, value: unknown): void {
  const places: [object, string][] = [];
  const collect = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, inner] of Object.entries(node)) {
      places.push([node, key]);
      collect(inner);
    }
  };
  collect(root);
  const place = places[at % Math.max(1, places.length)];
  if (place) Object.defineProperty(place[0], place[1], { value, enumerable: true, writable: true, configurable: true });
}

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !value.includes('\0'));
const cores = fc.constantFrom('1', '100m', '0.3', '2.5', '16', '1m', '0');
const bytes = fc.constantFrom('64Mi', '100M', '3Gi', '1', '5Ki', '0');
const resources = fc.record(
  {
    requests: fc.record({ cpu: cores, memory: bytes }, { requiredKeys: [] }),
    limits: fc.record({ cpu: cores, memory: bytes }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const variable = fc.oneof(
  fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: text }),
  fc.record({ name: fc.constantFrom('A', 'D'), valueFrom: fc.constant({ fieldRef: { fieldPath: 'metadata.name' } }) }),
  fc.record({
    name: fc.constant('E'),
    valueFrom: fc.constant({ configMapKeyRef: { name: 'settings', key: 'level' } }),
  }),
);
const image = fc.constantFrom('nginx', 'busybox:1.36', 'ghcr.io/a/b:v1', 'registry:5000/x/y');
const container = fc.record(
  {
    name,
    image,
    command: fc.array(text, { minLength: 2, maxLength: 4 }),
    args: fc.array(text, { maxLength: 3 }),
    env: fc.array(variable, { maxLength: 4 }),
    resources,
    workingDir: fc.constantFrom('/', '/srv/app'),
    imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never'),
    stdin: fc.boolean(),
    tty: fc.boolean(),
    volumeMounts: fc.uniqueArray(fc.constantFrom('disk', 'scratch', 'x'), { maxLength: 3 }).map((names) => {
      return names.map((one) => ({ name: one, mountPath: `/${one}` }));
    }),
    securityContext: fc.constantFrom({}, { privileged: false }, { seccompProfile: { type: 'RuntimeDefault' } }),
  },
  { requiredKeys: ['name', 'image', 'command'] },
);
const volumes = fc.constant([
  { name: 'disk', cinder: { volumeID: '9f81cbb2-10f9-4bab-938d-92fe33c57a24' } },
  { name: 'scratch', emptyDir: { sizeLimit: '1500Mi' } },
  { name: 'x', ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '3G' } } } } } },
  { name: 'unused', emptyDir: {} },
]);

/** A specification that a node would mostly take. */
export const plausibleSpec: fc.Arbitrary<unknown> = fc.record(
  {
    containers: fc.array(container, { minLength: 1, maxLength: 4 }),
    initContainers: fc.array(container, { maxLength: 2 }),
    restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
    volumes,
    hostname: name,
    enableServiceLinks: fc.boolean(),
  },
  { requiredKeys: ['containers', 'volumes'] },
);

/** Metadata as an API server lets it through. */
export const metadata: fc.Arbitrary<{ name: string; namespace: string; uid: string; labels: Record<string, string> }> =
  fc.record({
    name: fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$/),
    namespace: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?$/),
    uid: fc.uuid(),
    labels: fc.dictionary(fc.stringMatching(/^[a-z]{1,10}(\/[a-z]{1,10})?$/), fc.stringMatching(/^[a-z0-9]{0,20}$/), {
      maxKeys: 4,
    }),
  });
