/** What tests of translation share: inputs, options, and Zun's own schema as the judge. */
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { ConfigMap, Container, Pod, Secret } from '../../src/kube/types.ts';
import type { CreateRequest } from '../../src/openstack/types.ts';
import type { ContainerContext } from '../../src/translate/env.ts';
import { createFindings, type Findings } from '../../src/translate/findings.ts';
import type { PodInputs, TranslateOptions } from '../../src/translate/types.ts';
import { pod, testCluster, testNode } from './builders.ts';

/** Options of an ordinary node; each test states what differs. */
export function translateOptions(parts: Partial<TranslateOptions> = {}): TranslateOptions {
  return {
    cluster: testCluster,
    node: testNode,
    backend: 'capsule',
    driver: 'docker',
    unsupported: 'reject',
    initContainers: false,
    emptyDir: 'volume',
    clusterDomain: 'cluster.local',
    limits: { minimumCpu: 0.1, maximumCpu: 16, minimumMemoryMiB: 4, maximumMemoryMiB: 8192 },
    ...parts,
  };
}

/** Inputs with nothing in them. */
export function podInputs(parts: Partial<PodInputs> = {}): PodInputs {
  return {
    configMaps: {},
    secrets: {},
    services: [],
    persistentVolumeClaims: {},
    persistentVolumes: {},
    tokens: {},
    registries: {},
    node: { name: testNode, hostIPs: ['192.0.2.1', '2001:db8::1'], allocatable: { cpu: '32', memory: '128Gi' } },
    ...parts,
  };
}

/** A ConfigMap of the Pod's namespace. */
export function configMap(name: string, data: Record<string, string>): ConfigMap {
  return { metadata: { name, namespace: 'default', uid: name }, data };
}

/** A Secret of the Pod's namespace; the values are given in clear. */
export function secret(name: string, data: Record<string, string | Uint8Array>): Secret {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return { metadata: { name, namespace: 'default', uid: name }, data: Object.fromEntries(encoded) };
}

/** A container in its Pod, ready to be translated. */
export function containerContext(
  container: Partial<Container>,
  parts: {
    spec?: Partial<Pod['spec']>;
    inputs?: Partial<PodInputs>;
    options?: Partial<TranslateOptions>;
    pod?: Pod;
  } = {},
): ContainerContext & { findings: Findings } {
  const whole: Container = { name: 'app', image: 'nginx:1.27', ...container };
  return {
    container: whole,
    path: 'spec.containers[0]',
    pod: parts.pod ?? pod({ containers: [whole], ...(parts.spec && { spec: parts.spec }) }),
    inputs: podInputs(parts.inputs),
    options: translateOptions(parts.options),
    findings: createFindings({ unsupported: 'reject', accepted: [] }),
  };
}

// The file is ours; its shape is that of a JSON schema.
const schema = JSON.parse(readFileSync(new URL('../data/zun-capsule-schema.json', import.meta.url), 'utf8')) as {
  definitions: Record<string, object>;
};
const ajv = new Ajv({ allErrors: true, strict: false });
ajv.addSchema(schema, 'zun');

function judge(definition: string, value: unknown): string[] {
  const validate = ajv.getSchema(`zun#/definitions/${definition}`);
  if (!validate) throw new Error(`there is no definition ${definition}`);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function judgeVolumes(template: Extract<CreateRequest, { backend: 'capsule' }>['template']): string[] {
  const { containers, initContainers = [], volumes = [] } = template.spec;
  const mounted = new Set(
    [...containers, ...initContainers].flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)),
  );
  const declared = new Set(volumes.map(({ name }) => name));
  return [
    ...[...declared].filter((name) => !mounted.has(name)).map((name) => `volume ${name} is not mounted`),
    ...[...mounted].filter((name) => !declared.has(name)).map((name) => `volume ${name} is not declared`),
  ];
}

/** What Zun would find wrong with a request, in its schema or later in its code; empty when nothing. */
export function zunObjections(request: CreateRequest): string[] {
  if (request.backend === 'container') return judge('safeContainerRequest', request.container);
  return [...judge('safeCapsule', request.template), ...judgeVolumes(request.template)];
}

/** Zun's own schema alone, for tests of the schema itself. */
export function zunSchemaErrors(definition: 'capsule' | 'container', value: unknown): string[] {
  return judge(definition, value);
}
