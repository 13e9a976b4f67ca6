import type { Pod, PodSpec } from '../../kube/types.ts';
import { forbidden } from './failures.ts';
import { at, objectOf, objectsOf, textOf } from './objects.ts';
import { resourceNamed } from './resources.ts';
import type { StrategyContext } from './strategy.ts';

type Toleration = NonNullable<PodSpec['tolerations']>[number];

const pods = resourceNamed('pods');
const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Does what the admission plugins that are on by default do to a new Pod. Errors: 403 with the plugin's reason. */
export function admitPod(pod: Pod, context: StrategyContext): void {
  pod.spec.enableServiceLinks ??= true;
  applyPriority(pod, context);
  applyRuntimeClass(pod, context);
  applyServiceAccount(pod, context);
  applyDefaultTolerations(pod.spec);
}

function refuse(pod: Pod, why: string): never {
  throw forbidden(pods, pod.metadata.name, why);
}

/** Plugin Priority. */
function applyPriority(pod: Pod, context: StrategyContext): void {
  const { priorityClassName } = pod.spec;
  const builtIn: Record<string, number> = {
    'system-cluster-critical': 2_000_000_000,
    'system-node-critical': 2_000_001_000,
  };
  if (priorityClassName) {
    const found = context.find(resourceNamed('priorityclasses', 'scheduling.k8s.io'), '', priorityClassName);
    const value = found?.['value'] ?? builtIn[priorityClassName];
    if (typeof value !== 'number') refuse(pod, `no PriorityClass with name ${priorityClassName} was found`);
    pod.spec.priority = value;
    pod.spec.preemptionPolicy ??= textOf(found?.['preemptionPolicy']) || 'PreemptLowerPriority';
    return;
  }
  pod.spec.priority = 0;
  pod.spec.preemptionPolicy ??= 'PreemptLowerPriority';
}

/** Plugin RuntimeClass: selector, tolerations and overhead of the class go into the Pod. */
function applyRuntimeClass(pod: Pod, context: StrategyContext): void {
  const { runtimeClassName } = pod.spec;
  if (!runtimeClassName) return;
  const found = context.find(resourceNamed('runtimeclasses', 'node.k8s.io'), '', runtimeClassName);
  if (!found) refuse(pod, `pod rejected: RuntimeClass "${runtimeClassName}" not found`);
  const overhead = at(found, 'overhead', 'podFixed');
  if (overhead !== undefined) pod.spec.overhead = objectOf(overhead) as Record<string, string>;
  for (const [key, value] of Object.entries(objectOf(at(found, 'scheduling', 'nodeSelector')))) {
    const own = pod.spec.nodeSelector?.[key];
    if (own !== undefined && own !== value)
      refuse(
        pod,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${textOf(value)}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    pod.spec.nodeSelector = { ...pod.spec.nodeSelector, [key]: textOf(value) };
  }
  // A toleration of the class has the form of one of the Pod.
  const added = objectsOf(at(found, 'scheduling', 'tolerations')) as unknown as Toleration[];
  if (added.length > 0) pod.spec.tolerations = [...(pod.spec.tolerations ?? []), ...added];
}

/** Plugin ServiceAccount: the account must exist, and its token is mounted unless somebody says no. */
function applyServiceAccount(pod: Pod, context: StrategyContext): void {
  const { spec } = pod;
  const name = spec.serviceAccountName || 'default';
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
  const account = context.find(resourceNamed('serviceaccounts'), pod.metadata.namespace, name);
  if (!account)
    refuse(
      pod,
      `error looking up service account ${pod.metadata.namespace}/${name}: serviceaccount "${name}" not found`,
    );
  if (!spec.imagePullSecrets?.length) {
    const secrets = objectsOf(account['imagePullSecrets']).map((secret) => ({ name: textOf(secret['name']) }));
    if (secrets.length > 0) spec.imagePullSecrets = secrets;
  }
  const isWanted = spec.automountServiceAccountToken ?? account['automountServiceAccountToken'] !== false;
  if (isWanted) mountToken(spec, context);
}

function mountToken(spec: PodSpec, context: StrategyContext): void {
  const own = spec.volumes?.find((volume) => volume.name.startsWith('kube-api-access-'));
  const volumeName = own?.name ?? `kube-api-access-${context.suffix()}`;
  let isUsed = false;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === tokenPath)) continue;
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { mountPath: tokenPath, name: volumeName, readOnly: true },
    ];
    isUsed = true;
  }
  if (!isUsed || own) return;
  spec.volumes = [
    ...(spec.volumes ?? []),
    {
      name: volumeName,
      projected: {
        defaultMode: 420,
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
          {
            downwardAPI: {
              items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }],
            },
          },
        ],
      },
    },
  ];
}

/** Plugin DefaultTolerationSeconds, which runs on updates as well. */
export function applyDefaultTolerations(spec: PodSpec): void {
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const isThere = spec.tolerations?.some(
      (one) => (one.key === key || !one.key) && (one.effect === 'NoExecute' || !one.effect),
    );
    if (isThere) continue;
    const added = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
    spec.tolerations = [...(spec.tolerations ?? []), added];
  }
}
