import { createHash } from 'node:crypto';
import {
  at,
  isDeleting,
  isSame,
  type JsonObject,
  type KubeObject,
  memberOf,
  namespaceOf,
  numberOf,
  objectOf,
  objectsOf,
  textOf,
  timestamp,
} from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';
import { controllerOf, controllerReference } from './owned-pods.ts';

const deployments = resourceNamed('deployments', 'apps');
const replicaSets = resourceNamed('replicasets', 'apps');
const component = 'deployment-controller';
const hashLabel = 'pod-template-hash';
const revisionKey = 'deployment.kubernetes.io/revision';

/**
 * Rolls Deployments out over ReplicaSets, by RollingUpdate or Recreate. It knows no pause, no rollback to a revision, no progress
 * deadline and no proportional scaling of several old ReplicaSets.
 */
export function startDeployments(plane: ControlPlane): void {
  const { store } = plane;
  const mark = plane.queue(reconcile);

  plane.observe(({ storage, object }) => {
    if (storage === deployments.storage) mark(object.metadata.uid);
    else if (storage === replicaSets.storage) {
      const owner = controllerOf(object);
      if (owner) mark(owner);
    }
  });

  function setsOf(deployment: KubeObject): KubeObject[] {
    return store
      .list(replicaSets.storage, namespaceOf(deployment))
      .filter((set) => controllerOf(set) === deployment.metadata.uid && !isDeleting(set));
  }

  function reconcile(uid: string): void {
    const found = store.byUid(uid);
    if (found?.storage !== deployments.storage || isDeleting(found.object)) return;
    const deployment = found.object;
    const current = setsOf(deployment).find((set) => hasTemplate(set, deployment)) ?? createSet(deployment);
    const old = setsOf(deployment).filter((set) => set.metadata.uid !== current.metadata.uid);
    if (at(deployment, 'spec', 'strategy', 'type') === 'Recreate') recreate(deployment, current, old);
    else roll(deployment, current, old);
    removeOldSets(deployment, old);
    writeStatus(uid, current.metadata.uid);
  }

  function createSet(deployment: KubeObject): KubeObject {
    const template = structuredClone(objectOf(at(deployment, 'spec', 'template')));
    const hash = hashOf(template);
    const revision = Math.max(0, ...setsOf(deployment).map(revisionOf)) + 1;
    memberOf(memberOf(template, 'metadata'), 'labels')[hashLabel] = hash;
    const selector = structuredClone(objectOf(at(deployment, 'spec', 'selector')));
    memberOf(selector, 'matchLabels')[hashLabel] = hash;
    const set = plane.create(replicaSets, namespaceOf(deployment), {
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        labels: objectOf(at(template, 'metadata', 'labels')),
        annotations: {
          [revisionKey]: String(revision),
          'deployment.kubernetes.io/desired-replicas': String(wantedOf(deployment)),
        },
        ownerReferences: [controllerReference(deployment)],
      },
      spec: { replicas: 0, selector, template },
    });
    plane.change(deployment, deployments, (copy) => {
      memberOf(copy.metadata, 'annotations')[revisionKey] = String(revision);
    });
    return set;
  }

  function roll(deployment: KubeObject, current: KubeObject, old: KubeObject[]): void {
    const wanted = wantedOf(deployment);
    const rolling = objectOf(at(deployment, 'spec', 'strategy', 'rollingUpdate'));
    const surge = share(rolling['maxSurge'], wanted, 'up');
    const unavailable =
      surge === 0
        ? Math.max(1, share(rolling['maxUnavailable'], wanted, 'down'))
        : share(rolling['maxUnavailable'], wanted, 'down');
    const oldTotal = old.reduce((sum, set) => sum + replicasOf(set), 0);
    const room = wanted + surge - oldTotal;
    scale(deployment, current, Math.max(0, Math.min(wanted, Math.max(room, Math.min(replicasOf(current), wanted)))));
    // What is ready beyond the minimum may go; old Pods that are not ready are no loss.
    const ready = readyOf(current) + old.reduce((sum, set) => sum + readyOf(set), 0);
    let spare = ready - (wanted - unavailable);
    for (const set of old) {
      const unready = replicasOf(set) - readyOf(set);
      const less = Math.min(replicasOf(set), Math.max(0, unready) + Math.max(0, Math.min(spare, readyOf(set))));
      spare -= Math.max(0, less - Math.max(0, unready));
      if (less > 0) scale(deployment, set, replicasOf(set) - less);
    }
  }

  function recreate(deployment: KubeObject, current: KubeObject, old: KubeObject[]): void {
    for (const set of old) scale(deployment, set, 0);
    const isOldGone = old.every(
      (set) => numberOf(at(set, 'status', 'replicas')) + numberOf(at(set, 'status', 'terminatingReplicas')) === 0,
    );
    if (isOldGone) scale(deployment, current, wantedOf(deployment));
  }

  function scale(deployment: KubeObject, set: KubeObject, replicas: number): void {
    const before = replicasOf(set);
    if (before === replicas) return;
    plane.change(set, replicaSets, (copy) => {
      memberOf(copy, 'spec')['replicas'] = replicas;
    });
    const how = replicas > before ? 'up' : 'down';
    plane.event(
      deployment,
      component,
      'Normal',
      'ScalingReplicaSet',
      `Scaled ${how} replica set ${set.metadata.name} from ${before} to ${replicas}`,
    );
  }

  function removeOldSets(deployment: KubeObject, old: KubeObject[]): void {
    const kept = numberOf(at(deployment, 'spec', 'revisionHistoryLimit'));
    const idle = old.filter((set) => replicasOf(set) === 0 && numberOf(at(set, 'status', 'replicas')) === 0);
    idle.sort((a, b) => revisionOf(b) - revisionOf(a));
    for (const set of idle.slice(kept)) plane.remove(set, replicaSets);
  }

  function writeStatus(uid: string, currentUid: string): void {
    const deployment = store.byUid(uid)?.object;
    if (!deployment) return;
    const sets = setsOf(deployment);
    const total = (name: string) => sets.reduce((sum, set) => sum + numberOf(at(set, 'status', name)), 0);
    const current = sets.find((set) => set.metadata.uid === currentUid);
    const counts = {
      replicas: total('replicas'),
      updatedReplicas: current ? numberOf(at(current, 'status', 'replicas')) : 0,
      readyReplicas: total('readyReplicas'),
      availableReplicas: total('availableReplicas'),
      unavailableReplicas: Math.max(0, wantedOf(deployment) - total('availableReplicas')),
    };
    plane.change(
      deployment,
      deployments,
      (copy) => {
        const status: JsonObject = { observedGeneration: numberOf(copy.metadata['generation']) };
        for (const [name, value] of Object.entries(counts)) if (value > 0) status[name] = value;
        status['conditions'] = conditionsOf(copy, counts);
        copy['status'] = status;
      },
      'status',
    );
  }

  function conditionsOf(
    deployment: KubeObject,
    counts: Record<'updatedReplicas' | 'availableReplicas' | 'replicas', number>,
  ): JsonObject[] {
    const wanted = wantedOf(deployment);
    const unavailable = share(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'), wanted, 'down');
    const isAvailable = counts.availableReplicas >= wanted - unavailable;
    const isDone =
      counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas >= wanted;
    return [
      condition(deployment, {
        type: 'Available',
        status: isAvailable ? 'True' : 'False',
        reason: isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        message: isAvailable
          ? 'Deployment has minimum availability.'
          : 'Deployment does not have minimum availability.',
      }),
      condition(deployment, {
        type: 'Progressing',
        status: 'True',
        reason: isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
        message: isDone ? 'ReplicaSet has successfully progressed.' : 'ReplicaSet is progressing.',
      }),
    ];
  }

  function condition(
    deployment: KubeObject,
    next: { type: string; status: string; reason: string; message: string },
  ): JsonObject {
    const before = objectsOf(at(deployment, 'status', 'conditions')).find((one) => one['type'] === next.type);
    const now = timestamp(plane.clock.now());
    const isUnchanged = before?.['reason'] === next.reason && before['status'] === next.status;
    const changed = before?.['status'] === next.status ? textOf(before['lastTransitionTime']) : now;
    return {
      ...next,
      lastUpdateTime: isUnchanged ? textOf(before['lastUpdateTime']) : now,
      lastTransitionTime: changed,
    };
  }
}

const wantedOf = (deployment: KubeObject) => numberOf(at(deployment, 'spec', 'replicas'));
const replicasOf = (set: KubeObject) => numberOf(at(set, 'spec', 'replicas'));
const readyOf = (set: KubeObject) => numberOf(at(set, 'status', 'readyReplicas'));
const revisionOf = (set: KubeObject) => Number(at(set, 'metadata', 'annotations', revisionKey) ?? 0);

/** Tells whether a ReplicaSet was made from the present template, which lacks only the hash. */
function hasTemplate(set: KubeObject, deployment: KubeObject): boolean {
  const template = structuredClone(objectOf(at(set, 'spec', 'template')));
  const labels = objectOf(at(template, 'metadata', 'labels'));
  delete labels[hashLabel];
  return isSame(template, objectOf(at(deployment, 'spec', 'template')));
}

function hashOf(template: JsonObject): string {
  const digest = createHash('sha256').update(JSON.stringify(template)).digest();
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return [...digest.subarray(0, 10)].map((byte) => letters[byte % letters.length]).join('');
}

/** A number or a percentage of the replicas. */
function share(value: unknown, of: number, rounding: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = Number.parseFloat(String(value ?? '0'));
  const exact = (of * (Number.isNaN(percent) ? 0 : percent)) / 100;
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
