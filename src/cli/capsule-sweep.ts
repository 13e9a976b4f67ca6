import { systemClock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { systemRandom } from '../base/random.ts';
import { loadKubeAuth } from '../kube/auth.ts';
import { createKubeClient } from '../kube/client.ts';
import type { KubeClient } from '../kube/client-types.ts';
import { listAll } from '../kube/list.ts';
import { createPodApi } from '../kube/pods.ts';
import type { Pod } from '../kube/types.ts';
import { type CapsuleCall, durationFlag, textFlag } from './capsule-call.ts';
import { findOrphans, type Orphan, type OrphanView } from './capsule-orphans.ts';
import { age, outputFormat, plain, render } from './capsule-show.ts';
import { type CloudClients, withCloud } from './cloud.ts';
import type { Io } from './io.ts';
import { version } from './version.ts';

/** `orphans [--delete]`. Exit 1 when something could not be looked at or deleted. */
export async function sweepOrphans({ io, flags }: CapsuleCall): Promise<number> {
  const format = outputFormat(flags['output']);
  const minAgeMs = durationFlag(flags, 'min-age', 600_000);
  const kube = flags['skip-pods'] ? undefined : await openKube(io, flags);
  try {
    return await withCloud(io, textFlag(flags, 'cloud'), async (clients) => {
      const { view, failures } = await look(clients, kube, textFlag(flags, 'cluster-id'), minAgeMs, io);
      const orphans = await confirmed(findOrphans(view), kube);
      io.stdout.write(render(format, orphans, () => orphanRows(orphans, view.nowMs)));
      const foreign = view.pods ? view.capsules.filter((each) => isForeign(each.labels, view.pods?.cluster)).length : 0;
      if (foreign > 0) io.stderr.write(`${foreign} capsules belong to other clusters and are left alone\n`);
      const chosen = orphans.filter((orphan) => orphan.kind !== 'volume' || flags['volumes']);
      if (!flags['delete']) {
        if (orphans.length > 0) io.stderr.write('nothing was deleted; --delete does it, --volumes includes volumes\n');
        return failures === 0 ? 0 : 1;
      }
      return failures + (await deleteAll(clients, chosen, io)) === 0 ? 0 : 1;
    });
  } finally {
    await kube?.close();
  }
}

async function openKube(io: Io, flags: CapsuleCall['flags']): Promise<KubeClient> {
  const kubeconfig = textFlag(flags, 'kubeconfig');
  const context = textFlag(flags, 'kube-context');
  try {
    const auth = await loadKubeAuth({
      env: io.env,
      clock: systemClock,
      log: silentLog,
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
    });
    return createKubeClient({ auth, clock: systemClock, random: systemRandom, log: silentLog, version });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError({
      kind: error.kind,
      code: error.code,
      message: `${error.message}; with --skip-pods only litter, ports and volumes are looked for`,
      cause: error,
    });
  }
}

/** Looks in the order that makes nothing new look forgotten. A neighbour that cannot be asked is a failure, not the end. */
async function look(
  clients: CloudClients,
  kube: KubeClient | undefined,
  clusterId: string | undefined,
  minAgeMs: number,
  io: Io,
): Promise<{ view: OrphanView; failures: number }> {
  let failures = 0;
  const orNone = async <T>(work: Promise<T[]>): Promise<T[]> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'http.aborted') throw error;
      failures += 1;
      io.stderr.write(`${error.message}\n`);
      return [];
    }
  };
  const ports = await orNone(clients.neutron.ports({}, io.signal));
  const volumes = await orNone(clients.cinder.volumes(io.signal));
  const containers = await clients.containers.list(io.signal);
  const capsules = await clients.api.list(io.signal);
  const pods = kube && (await readPods(kube, clusterId, io.signal));
  return { view: { ports, volumes, containers, capsules, pods, nowMs: systemClock.now(), minAgeMs }, failures };
}

async function readPods(kube: KubeClient, clusterId: string | undefined, signal: AbortSignal) {
  const attempt = 'reading the UID of the namespace kube-system';
  const cluster =
    clusterId ??
    (await kube.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system', { attempt, signal })).metadata.uid;
  const { items } = await listAll<Pod>(
    kube,
    '/api/v1/pods',
    { attempt: 'listing the pods of the cluster', signal },
    500,
  );
  return { cluster, uids: new Set(items.map((pod) => pod.metadata.uid)) };
}

/** Asks for each Pod once more before its capsule is called an orphan. */
async function confirmed(orphans: Orphan[], kube: KubeClient | undefined): Promise<Orphan[]> {
  const pods = kube && createPodApi(kube);
  const kept: Orphan[] = [];
  for (const orphan of orphans) {
    if (orphan.kind === 'capsule') {
      const { namespace, pod, uid } = orphan.owner;
      if (!pods || (await pods.read(namespace, pod, uid))) continue;
    }
    kept.push(orphan);
  }
  return kept;
}

function isForeign(labels: Record<string, string>, cluster: string | undefined): boolean {
  const own = labels['zunlet.io/cluster'];
  return own !== undefined && own !== cluster;
}

function orphanRows(orphans: Orphan[], nowMs: number): string[][] {
  const rows = orphans.map((orphan) => {
    switch (orphan.kind) {
      case 'capsule': {
        const { owner, capsule } = orphan;
        return [
          capsule.backend,
          capsule.uuid,
          age(capsule.created_at, nowMs),
          `pod ${plain(owner.namespace)}/${plain(owner.pod)} is gone (node ${plain(owner.node)})`,
        ];
      }
      case 'litter':
        return ['litter', orphan.capsule.uuid, age(orphan.capsule.created_at, nowMs), 'left by a create that failed'];
      case 'port':
        return [
          'port',
          orphan.port.id,
          age(orphan.port.createdAt, nowMs),
          `its capsule ${orphan.port.deviceId} is gone (${orphan.port.addresses.join(', ')})`,
        ];
      case 'volume':
        return [
          'volume',
          orphan.volume.id,
          age(orphan.volume.createdAt, nowMs),
          `no name, not attached, ${orphan.volume.sizeGiB} GiB: perhaps made by Zun`,
        ];
      default:
        return orphan satisfies never;
    }
  });
  return [['KIND', 'ID', 'AGE', 'WHY'], ...rows];
}

/** Answers how many could not be deleted. */
async function deleteAll(clients: CloudClients, orphans: Orphan[], io: Io): Promise<number> {
  let failures = 0;
  for (const orphan of orphans) {
    try {
      io.stderr.write(`${await deleteOne(clients, orphan, io.signal)}\n`);
    } catch (error) {
      if (!(error instanceof AppError) || error.kind === 'unauthorized') throw error;
      failures += 1;
      io.stderr.write(`${error.message}\n`);
    }
  }
  return failures;
}

async function deleteOne({ api, neutron, cinder }: CloudClients, orphan: Orphan, signal: AbortSignal): Promise<string> {
  switch (orphan.kind) {
    case 'capsule':
    case 'litter': {
      const { backend, uuid } = orphan.capsule;
      await api.delete(backend, uuid, 10, signal);
      return `${backend} ${uuid} will be deleted`;
    }
    case 'port':
      await neutron.deletePort(orphan.port.id, signal);
      return `port ${orphan.port.id} deleted`;
    case 'volume':
      await cinder.deleteVolume(orphan.volume.id, signal);
      return `volume ${orphan.volume.id} will be deleted`;
    default:
      return orphan satisfies never;
  }
}
