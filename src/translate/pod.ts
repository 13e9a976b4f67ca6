import { ownerLabels } from '../base/identity.ts';
import type { Note } from '../base/problem.ts';
import type { Container, Pod } from '../kube/types.ts';
import type { CapsuleTemplate, ContainerRequest, CreateRequest, TemplateVolume } from '../openstack/types.ts';
import { annotation, readAnnotationList, securityGroups } from './annotations.ts';
import { chooseBackend } from './backend.ts';
import { standaloneContainer, templateContainer } from './container.ts';
import type { ContainerContext } from './env.ts';
import type { Target } from './fields.ts';
import { filesContainer } from './files-container.ts';
import { createFindings, type Findings } from './findings.ts';
import { hostsFile, podHostname, resolverFile } from './hosts.ts';
import { imagesLabel, imagesText } from './images-label.ts';
import { columnBytes, storedBytes } from './limits.ts';
import { templateVolumeName } from './mounts.ts';
import { capsuleName } from './name.ts';
import { podReason } from './reasons.ts';
import { resourcesLabel, resourcesText } from './resources-label.ts';
import { shapeProblems, withoutNulls } from './shape.ts';
import { isSidecar, lastingContainers } from './sidecar.ts';
import type { PodInputs, TranslateOptions, Translation } from './types.ts';
import { type PodVolume, readVolumes } from './volumes.ts';
import { walkPod } from './walk.ts';

interface Translating {
  pod: Pod;
  inputs: PodInputs;
  options: TranslateOptions;
  target: Target;
  findings: Findings;
}

function labelsOf({ pod, options, findings }: Translating): Record<string, string> {
  const { namespace, name, uid } = pod.metadata;
  const owner = ownerLabels({ cluster: options.cluster, node: options.node, namespace, pod: name, uid });
  const resources = resourcesText(pod);
  const made = { [imagesLabel]: imagesText(pod), ...(resources !== '' && { [resourcesLabel]: resources }) };
  const labels = { ...pod.metadata.labels, ...owner, ...made };
  if (storedBytes(labels) <= columnBytes) return labels;
  findings.note({
    path: 'metadata.labels',
    code: 'pod.labels-too-large',
    message: 'the labels take more than the 64 KiB that zun stores and are left out',
    level: 'warned',
  });
  return owner;
}

function restartPolicyOf({ pod, findings }: Translating): 'Always' | 'OnFailure' | 'Never' {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always' || policy === 'OnFailure' || policy === 'Never') return policy;
  findings.problem({
    path: 'spec.restartPolicy',
    code: 'pod.restart-policy',
    message: `${policy} is not a restart policy`,
    heals: false,
    reason: podReason.unsupported,
  });
  return 'Always';
}

function contextOf(
  container: Container,
  path: string,
  { pod, inputs, options, findings }: Translating,
): ContainerContext {
  return { container, path, pod, inputs, options, findings };
}

function warn(path: string, code: string, message: string): Note {
  return { path, code, message, level: 'warned' };
}

/** Says what zun does with init containers where they work; where they do not, the table has refused them. */
function checkInitContainers(inits: Container[], policy: string, { findings }: Translating): void {
  const path = 'spec.initContainers';
  if (inits.length === 0) return;
  const restarts =
    policy === 'Always' ? ', and gives every container of the capsule at most 10 restarts, on failure only' : '';
  findings.note(
    warn(
      path,
      'pod.init-containers',
      `zun does not look at the exit code of an init container, a failed one counts as done${restarts}`,
    ),
  );
}

function checkSidecars(inits: Container[], policy: string, { findings }: Translating): void {
  inits.forEach((container, index) => {
    if (!isSidecar(container)) return;
    const path = `spec.initContainers[${index}].restartPolicy`;
    const isLate = inits.slice(index + 1).some((later) => !isSidecar(later));
    const limits = [
      ...(isLate ? ['it starts after all init containers'] : []),
      ...(policy === 'Always' ? [] : [`it is restarted by the policy of the Pod, ${policy}`]),
      ...(container.startupProbe ? ['the other containers do not wait for its startup probe'] : []),
    ];
    if (limits.length > 0) {
      findings.note(warn(path, 'container.sidecar', `the sidecar is a container of the capsule: ${limits.join('; ')}`));
    }
  });
}

function templateVolumes(volumes: ReadonlyMap<string, PodVolume>): TemplateVolume[] {
  return [...volumes].flatMap(([name, volume]): TemplateVolume[] => {
    if (volume.kind === 'cinder') return [{ name: templateVolumeName(name), cinder: { volumeID: volume.id } }];
    if (volume.kind !== 'new' && volume.kind !== 'filled') return [];
    const size = volume.kind === 'new' ? volume.sizeGiB : 1;
    return [{ name: templateVolumeName(name), cinder: { size, autoRemove: true } }];
  });
}

function checkCapsuleNetwork({ pod, options, findings }: Translating): void {
  if (readAnnotationList(pod, annotation.networks).length > 0) {
    findings.refuse({
      path: `metadata.annotations["${annotation.networks}"]`,
      code: 'pod.networks',
      message: 'zun chooses the network of a capsule itself; use the container backend',
      concern: 'correctness',
    });
  }
  if (securityGroups(pod).length === 0) return;
  if (options.portSecurityGroups === true) {
    findings.note({
      path: `metadata.annotations["${annotation.securityGroups}"]`,
      code: 'pod.security-groups',
      message: 'set on the Neutron port once the capsule has one; until then the default group of the project holds',
      level: 'mapped',
    });
    return;
  }
  findings.refuse({
    path: `metadata.annotations["${annotation.securityGroups}"]`,
    code: 'pod.security-groups',
    message: 'zun sets no security groups on a capsule; use the container backend, or the default group of the project',
    concern: 'security',
  });
}

const filesLimit =
  'an init container writes the files, and zun then gives every container of the capsule at most 10 restarts, on failure only';

function capsuleTemplate(translating: Translating): CapsuleTemplate {
  const { pod, options, target, findings } = translating;
  const inits = pod.spec.initContainers ?? [];
  const policy = restartPolicyOf(translating);
  const volumes = readVolumes(translating);
  const make = (container: Container, path: string) =>
    templateContainer(volumes, target, contextOf(container, path, translating));
  const made = inits.map((container, index) => ({
    container,
    template: make(container, `spec.initContainers[${index}]`),
  }));
  const sidecars = made.filter(({ container }) => isSidecar(container)).map(({ template }) => template);
  const writer = filesContainer(volumes, options.filesImage ?? '', findings);
  if (writer && policy === 'Always') findings.note(warn('spec.volumes', 'pod.files', filesLimit));
  const ordinary = made.filter(({ container }) => !isSidecar(container)).map(({ template }) => template);
  const initContainers = [...(writer ? [writer] : []), ...ordinary];
  const apps = pod.spec.containers.map((container, index) => make(container, `spec.containers[${index}]`));
  const cinder = templateVolumes(volumes);
  checkInitContainers(
    inits.filter((container) => !isSidecar(container)),
    policy,
    translating,
  );
  checkSidecars(inits, policy, translating);
  checkCapsuleNetwork(translating);
  const names = lastingContainers(pod.spec).map(({ name }) => name);
  const labels = labelsOf(translating);
  return {
    capsuleVersion: 'beta',
    kind: 'capsule',
    metadata: {
      name: capsuleName(pod),
      labels,
      annotations: { 'zunlet.io/pod': `${pod.metadata.namespace}/${pod.metadata.name}`, 'zunlet.io/containers': names },
    },
    spec: {
      restartPolicy: policy,
      containers: [...sidecars, ...apps],
      ...(initContainers.length > 0 ? { initContainers } : {}),
      ...(cinder.length > 0 ? { volumes: cinder } : {}),
    },
    ...(options.availabilityZone ? { availabilityZone: options.availabilityZone } : {}),
  };
}

const zunRestartPolicy = { Always: 'always', OnFailure: 'on-failure', Never: 'no' } as const;

function containerRequest(translating: Translating): ContainerRequest | undefined {
  const { pod, options, findings } = translating;
  const [container] = pod.spec.containers;
  if (!container) return undefined;
  const groups = securityGroups(pod);
  const networks = readAnnotationList(pod, annotation.networks);
  const hostFiles = [...hostsFile(pod, options), ...resolverFile(pod, options)];
  const context = contextOf(container, 'spec.containers[0]', translating);
  return {
    name: capsuleName(pod),
    ...standaloneContainer(readVolumes(translating), hostFiles, context),
    labels: labelsOf(translating),
    restart_policy: { Name: zunRestartPolicy[restartPolicyOf(translating)] },
    hostname: podHostname(pod, options, findings),
    ...(groups.length > 0 ? { security_groups: groups } : {}),
    ...(networks.length > 0 ? { nets: networks.map((network) => ({ network })) } : {}),
    ...(options.availabilityZone ? { availability_zone: options.availabilityZone } : {}),
  };
}

function makeRequest(translating: Translating): CreateRequest | undefined {
  if (translating.target !== 'container') return { backend: 'capsule', template: capsuleTemplate(translating) };
  const container = containerRequest(translating);
  return container && { backend: 'container', container };
}

/**
 * Makes of a Pod what zun is asked to create, or all the problems that stand in the way, each with the field's path. Notes
 * say what became of every field. Nothing is thrown, whatever the Pod looks like, and the inputs stay as they are.
 */
export function translatePod(pod: Pod, inputs: PodInputs, options: TranslateOptions): Translation {
  const clean = withoutNulls(pod);
  const wrong = shapeProblems(clean);
  if (wrong.length > 0) {
    return { backend: options.backend === 'container' ? 'container' : 'capsule', problems: wrong, notes: [] };
  }
  const accepted = readAnnotationList(clean, annotation.accept);
  const findings = createFindings({ unsupported: options.unsupported, accepted });
  const backend = chooseBackend(clean, options.backend, inputs.runtimeHandler, findings);
  const target = backend === 'container' ? 'container' : options.driver;
  walkPod(clean, target, findings, options);
  const request = makeRequest({ pod: clean, inputs, options, target, findings });
  const problems = findings.problems();
  const isPossible = problems.length === 0 && request !== undefined;
  return { backend, problems, notes: findings.notes(), ...(isPossible ? { request } : {}) };
}
