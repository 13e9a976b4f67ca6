import { decodeBase64, decodeUtf8 } from '../base/base64.ts';
import { containerNameVariable } from '../base/identity.ts';
import type { ConfigMap, Container, EnvVar, Pod, Secret } from '../kube/types.ts';
import { resourceField, variableField } from './downward.ts';
import { expand } from './expansion.ts';
import type { Findings } from './findings.ts';
import { podReason } from './reasons.ts';
import { isRecord, own } from './records.ts';
import { serviceVariables } from './service-variables.ts';
import type { PodInputs, TranslateOptions } from './types.ts';

/** One container in its Pod, with all that its translation may read. */
export interface ContainerContext {
  container: Container;
  /** `spec.containers[0]`. */
  path: string;
  pod: Pod;
  inputs: PodInputs;
  options: TranslateOptions;
  findings: Findings;
}

/** Text values of a ConfigMap; `binaryData` cannot be a variable. */
function configMapValues(configMap: ConfigMap): Record<string, string> {
  const data: unknown = configMap.data;
  if (!isRecord(data)) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  );
}

/** Text values of a Secret, decoded; undefined where a value is not text. */
function secretValues(secret: Secret): Record<string, string | undefined> {
  const data: unknown = secret.data;
  const plain: unknown = secret.stringData;
  const decoded = isRecord(data)
    ? Object.entries(data).map(([key, value]): [string, string | undefined] => {
        const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
        return [key, bytes && decodeUtf8(bytes)];
      })
    : [];
  // Only a file on the command line still has `stringData`; the API server moves it into `data`.
  const written = isRecord(plain) ? Object.entries(plain).map(([key, value]) => [key, String(value)] as const) : [];
  return Object.fromEntries([...decoded, ...written]);
}

function missing(context: ContainerContext, path: string, message: string): void {
  context.findings.problem({
    path,
    code: 'env.missing-reference',
    message,
    heals: true,
    reason: podReason.config,
    container: context.container.name,
  });
}

interface Named {
  name?: string;
  optional?: boolean;
}

type SourceKind = 'configmap' | 'secret';

function valuesOf(
  kind: SourceKind,
  ref: Named,
  path: string,
  context: ContainerContext,
): Record<string, string | undefined> | undefined {
  const name = ref.name ?? '';
  const { configMaps, secrets } = context.inputs;
  const found = kind === 'configmap' ? own(configMaps, name) : own(secrets, name);
  if (found) return kind === 'configmap' ? configMapValues(found as ConfigMap) : secretValues(found as Secret);
  if (ref.optional !== true) missing(context, path, `${kind} "${name}" not found`);
  return undefined;
}

function keyValue(
  kind: SourceKind,
  ref: Named & { key: string },
  path: string,
  context: ContainerContext,
): string | undefined {
  const values = valuesOf(kind, ref, path, context);
  if (!values) return undefined;
  if (!Object.hasOwn(values, ref.key)) {
    const words = kind === 'configmap' ? 'ConfigMap' : 'Secret';
    if (ref.optional !== true) {
      missing(
        context,
        path,
        `couldn't find key ${ref.key} in ${words} ${context.pod.metadata.namespace}/${ref.name ?? ''}`,
      );
    }
    return undefined;
  }
  return textOr(values[ref.key], `key ${ref.key} of ${kind} "${ref.name ?? ''}"`, path, context);
}

function textOr(value: string | undefined, what: string, path: string, context: ContainerContext): string | undefined {
  if (value === undefined) missing(context, path, `${what} is not UTF-8 text, which a variable must be here`);
  return value;
}

function fieldValue(fieldPath: string, path: string, context: ContainerContext): string | undefined {
  const result = variableField(context.pod, context.inputs.node, fieldPath);
  if ('value' in result) return result.value;
  context.findings.refuse({
    path,
    code: 'env.field-ref',
    message: result.wrong,
    concern: fieldPath.startsWith('status.podIP') ? 'correctness' : 'impossible',
    container: context.container.name,
  });
  return undefined;
}

function resourceValue(
  ref: NonNullable<NonNullable<EnvVar['valueFrom']>['resourceFieldRef']>,
  path: string,
  context: ContainerContext,
) {
  const { pod, inputs } = context;
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const container = ref.containerName ? all.find(({ name }) => name === ref.containerName) : context.container;
  const result = container
    ? resourceField(ref.resource, ref.divisor, { container, pod, allocatable: inputs.node.allocatable })
    : { wrong: `there is no container ${ref.containerName}` };
  if ('value' in result) return result.value;
  context.findings.problem({
    path,
    code: 'env.resource-field-ref',
    message: result.wrong,
    heals: false,
    reason: podReason.unsupported,
    container: context.container.name,
  });
  return undefined;
}

function valueFrom(
  source: NonNullable<EnvVar['valueFrom']>,
  path: string,
  context: ContainerContext,
): string | undefined {
  if (source.configMapKeyRef) return keyValue('configmap', source.configMapKeyRef, `${path}.configMapKeyRef`, context);
  if (source.secretKeyRef) return keyValue('secret', source.secretKeyRef, `${path}.secretKeyRef`, context);
  if (source.fieldRef) return fieldValue(source.fieldRef.fieldPath, `${path}.fieldRef.fieldPath`, context);
  if (source.resourceFieldRef) return resourceValue(source.resourceFieldRef, `${path}.resourceFieldRef`, context);
  if (source.fileKeyRef?.optional === true) return undefined;
  context.findings.refuse({
    path: source.fileKeyRef ? `${path}.fileKeyRef` : path,
    code: 'env.value-from',
    message: source.fileKeyRef
      ? 'no file of a volume can be read; use a ConfigMap or a Secret'
      : 'names no source that zunlet knows',
    concern: 'impossible',
    container: context.container.name,
  });
  return undefined;
}

function fromSources(context: ContainerContext, result: Map<string, string>): void {
  (context.container.envFrom ?? []).forEach((source, index) => {
    const path = `${context.path}.envFrom[${index}]`;
    const pairs: [SourceKind, Named | undefined, string][] = [
      ['configmap', source.configMapRef, `${path}.configMapRef`],
      ['secret', source.secretRef, `${path}.secretRef`],
    ];
    for (const [kind, ref, refPath] of pairs) {
      if (!ref) continue;
      for (const [key, value] of Object.entries(valuesOf(kind, ref, refPath, context) ?? {})) {
        const kept = textOr(value, `key ${key} of ${kind} "${ref.name ?? ''}"`, refPath, context);
        if (kept !== undefined) result.set(`${source.prefix ?? ''}${key}`, kept);
      }
    }
  });
}

function checkName(name: string, path: string, context: ContainerContext): boolean {
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(name)) return true;
  context.findings.problem({
    path: `${path}.name`,
    code: 'env.name',
    message: 'the name of a variable must be printable ASCII without `=`',
    heals: false,
    reason: podReason.unsupported,
    container: context.container.name,
  });
  return false;
}

/**
 * Makes the whole environment of a container: `envFrom`, then `env` in order with `$(NAME)` expanded from what came before,
 * then Service variables that nobody overrode, then the marker with the container's name.
 * Problems: missing references (`heals`), values that cannot be carried.
 * Source: k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables).
 */
export function containerEnvironment(context: ContainerContext): Record<string, string> {
  const { container, pod, inputs, options } = context;
  const services = serviceVariables(
    inputs.services,
    { namespace: pod.metadata.namespace, links: pod.spec.enableServiceLinks !== false },
    { host: options.kubernetesServiceHost, port: options.kubernetesServicePort },
  );
  const service = (name: string) => own(services, name);
  const result = new Map<string, string>();
  fromSources(context, result);
  (container.env ?? []).forEach((variable, index) => {
    const path = `${context.path}.env[${index}]`;
    if (!checkName(variable.name, path, context)) return;
    const value = variable.valueFrom
      ? valueFrom(variable.valueFrom, `${path}.valueFrom`, context)
      : expand(variable.value ?? '', (name) => result.get(name) ?? service(name));
    if (value !== undefined) result.set(variable.name, value);
  });
  for (const [name, value] of Object.entries(services)) if (!result.has(name)) result.set(name, value);
  result.set(containerNameVariable, container.name);
  return Object.fromEntries(result);
}
