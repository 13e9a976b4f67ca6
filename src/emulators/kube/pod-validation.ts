import { parseQuantity } from '../../base/quantity.ts';
import type { Container, Pod, PodSpec } from '../../kube/types.ts';
import type { FieldCause } from './failures.ts';
import { copyOf, isSame, type JsonObject, type KubeObject } from './objects.ts';
import { asPod } from './pod-defaults.ts';

type Causes = FieldCause[];

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

function required(field: string, hint = ''): FieldCause {
  return { reason: 'FieldValueRequired', field, message: `Required value${hint}` };
}

function invalidValue(field: string, value: unknown, why: string): FieldCause {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

function unsupported(field: string, value: unknown, supported: string[]): FieldCause {
  const known = supported.map((one) => JSON.stringify(one)).join(', ');
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${known}`,
  };
}

/** Finds what the API server would refuse in a Pod; the checks that a Pod author meets, not all of them. */
export function podCauses(object: KubeObject): Causes {
  return podSpecCauses(asPod(object).spec, 'spec');
}

/** Checks a Pod specification at a path. */
export function podSpecCauses(spec: PodSpec | undefined, path: string): Causes {
  if (!spec || !Array.isArray(spec.containers) || spec.containers.length === 0) return [required(`${path}.containers`)];
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  const causes: Causes = [];
  const names = new Set<string>();
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) {
      causes.push(...containerCauses(container, `${path}.${list}[${index}]`, names, volumes));
    }
  }
  causes.push(...volumeCauses(spec, path), ...choiceCauses(spec, path));
  return causes;
}

function choiceCauses(spec: PodSpec, path: string): Causes {
  const causes: Causes = [];
  const choices: [string, string | undefined, string[]][] = [
    ['restartPolicy', spec.restartPolicy, ['Always', 'OnFailure', 'Never']],
    ['dnsPolicy', spec.dnsPolicy, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']],
  ];
  for (const [name, value, supported] of choices) {
    if (value !== undefined && !supported.includes(value))
      causes.push(unsupported(`${path}.${name}`, value, supported));
  }
  if (spec.dnsPolicy === 'None' && !spec.dnsConfig) {
    causes.push(required(`${path}.dnsConfig`, ': must provide `dnsConfig` when `dnsPolicy` is None'));
  } else if (spec.dnsPolicy === 'None' && !spec.dnsConfig?.nameservers?.length) {
    const why = ': must provide at least one DNS nameserver when `dnsPolicy` is None';
    causes.push(required(`${path}.dnsConfig.nameservers`, why));
  }
  if (spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds < 1) {
    causes.push(
      invalidValue(
        `${path}.activeDeadlineSeconds`,
        spec.activeDeadlineSeconds,
        'must be between 1 and 2147483647, inclusive',
      ),
    );
  }
  return causes;
}

function volumeCauses(spec: PodSpec, path: string): Causes {
  const causes: Causes = [];
  const seen = new Set<string>();
  for (const [index, volume] of (spec.volumes ?? []).entries()) {
    const field = `${path}.volumes[${index}]`;
    if (!volume.name) causes.push(required(`${field}.name`));
    else if (!label.test(volume.name))
      causes.push(invalidValue(`${field}.name`, volume.name, 'a lowercase RFC 1123 label is needed'));
    if (seen.has(volume.name))
      causes.push({
        reason: 'FieldValueDuplicate',
        field: `${field}.name`,
        message: `Duplicate value: "${volume.name}"`,
      });
    seen.add(volume.name);
    if (Object.keys(volume).filter((name) => name !== 'name').length > 1) {
      causes.push({
        reason: 'FieldValueForbidden',
        field,
        message: 'Forbidden: may not specify more than 1 volume type',
      });
    }
  }
  return causes;
}

function containerCauses(container: Container, field: string, names: Set<string>, volumes: Set<string>): Causes {
  const causes: Causes = [];
  if (!container.name) causes.push(required(`${field}.name`));
  else if (!label.test(container.name))
    causes.push(invalidValue(`${field}.name`, container.name, 'a lowercase RFC 1123 label is needed'));
  else if (names.has(container.name))
    causes.push({
      reason: 'FieldValueDuplicate',
      field: `${field}.name`,
      message: `Duplicate value: "${container.name}"`,
    });
  names.add(container.name);
  if (!container.image) causes.push(required(`${field}.image`));
  const policies = ['Always', 'IfNotPresent', 'Never'];
  if (container.imagePullPolicy && !policies.includes(container.imagePullPolicy)) {
    causes.push(unsupported(`${field}.imagePullPolicy`, container.imagePullPolicy, policies));
  }
  for (const [index, port] of (container.ports ?? []).entries()) {
    if (!Number.isInteger(port.containerPort)) causes.push(required(`${field}.ports[${index}].containerPort`));
    else if (port.containerPort < 1 || port.containerPort > 65535) {
      causes.push(
        invalidValue(
          `${field}.ports[${index}].containerPort`,
          port.containerPort,
          'must be between 1 and 65535, inclusive',
        ),
      );
    }
  }
  for (const [index, variable] of (container.env ?? []).entries()) {
    if (!variable.name) causes.push(required(`${field}.env[${index}].name`));
    if (variable.value && variable.valueFrom) {
      causes.push(
        invalidValue(`${field}.env[${index}].valueFrom`, '', 'may not be specified when `value` is not empty'),
      );
    }
  }
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (!mount.mountPath) causes.push(required(`${field}.volumeMounts[${index}].mountPath`));
    if (!volumes.has(mount.name)) {
      causes.push({
        reason: 'FieldValueNotFound',
        field: `${field}.volumeMounts[${index}].name`,
        message: `Not found: "${mount.name}"`,
      });
    }
  }
  return [...causes, ...resourceCauses(container, `${field}.resources`), ...probeCauses(container, field)];
}

function resourceCauses(container: Container, field: string): Causes {
  const causes: Causes = [];
  const { limits = {}, requests = {} } = container.resources ?? {};
  for (const [kind, quantities] of [
    ['limits', limits],
    ['requests', requests],
  ] as const) {
    for (const [name, text] of Object.entries(quantities)) {
      if (quantityOf(text) === undefined)
        causes.push(invalidValue(`${field}.${kind}[${name}]`, text, 'must be a quantity'));
    }
  }
  for (const [name, text] of Object.entries(requests)) {
    const request = quantityOf(text);
    const limit = limits[name] === undefined ? undefined : quantityOf(limits[name]);
    if (request !== undefined && limit !== undefined && request > limit) {
      causes.push(
        invalidValue(`${field}.requests`, text, `must be less than or equal to ${name} limit of ${limits[name]}`),
      );
    }
  }
  return causes;
}

function probeCauses(container: Container, field: string): Causes {
  const causes: Causes = [];
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
    const probe = container[name];
    if (!probe) continue;
    const handlers = [probe.exec, probe.httpGet, probe.tcpSocket, probe.grpc].filter(
      (handler) => handler !== undefined,
    );
    if (handlers.length === 0) causes.push(required(`${field}.${name}`, ': must specify a handler type'));
    if (handlers.length > 1) {
      causes.push({
        reason: 'FieldValueForbidden',
        field: `${field}.${name}`,
        message: 'Forbidden: may not specify more than 1 handler type',
      });
    }
  }
  return causes;
}

const mutable =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** Finds what may not change in a Pod that exists. */
export function podUpdateCauses(object: KubeObject, old: KubeObject): Causes {
  const next = withoutMutable(asPod(copyOf(object)));
  const before = withoutMutable(asPod(copyOf(old)));
  const kept = asPod(old).spec.tolerations ?? [];
  const now = asPod(object).spec.tolerations ?? [];
  // Tolerations are plain JSON; the comparison needs nothing else.
  const isKept = kept.every((one) =>
    now.some((other) => isSame(one as unknown as JsonObject, other as unknown as JsonObject)),
  );
  if (isKept && isSame(next, before)) return [];
  const field = 'spec';
  return [
    {
      reason: 'FieldValueForbidden',
      field,
      message: `Forbidden: pod updates may not change fields other than ${mutable}`,
    },
  ];
}

function withoutMutable(pod: Pod): JsonObject {
  const { spec } = pod;
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) delete container.image;
  delete spec.activeDeadlineSeconds;
  delete spec.tolerations;
  if ((spec.schedulingGates ?? []).length === 0) delete spec.schedulingGates;
  // A specification is plain JSON.
  return spec as unknown as JsonObject;
}

function quantityOf(text: unknown): bigint | undefined {
  return parseQuantity(String(text));
}
