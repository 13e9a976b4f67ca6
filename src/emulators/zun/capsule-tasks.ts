import { randomBytes } from 'node:crypto';
import type { CapsuleRow, ContainerRow } from './model.ts';
import { createProcess, inspect } from './process.ts';
import type { ZunState } from './state.ts';
import type { Task } from './tasks.ts';

/** How long a capsule's container may go on after SIGTERM (docs/zun.md §4.5). */
const stopGraceMs = 10_000;

/** Gives an accepted capsule to a compute host, or finds that there is none (docs/zun.md §2.9). */
export function scheduleCapsule(zun: ZunState, row: CapsuleRow): void {
  const { host } = zun.options;
  const fits = (row.cpu ?? 0) <= host.cpus && Number(row.memory ?? 0) <= host.memoryMiB;
  const isRightZone = row.availabilityZone === null || row.availabilityZone === 'nova';
  if (!fits || !isRightZone || !zun.compute.isUp) {
    row.status = 'Error';
    row.statusReason = 'There are not enough hosts available.';
    zun.store.capsules.changed(row);
    return;
  }
  zun.store.capsules.changed(row);
  zun.tasks.run(row.uuid, createCapsule(zun, row));
}

/** The compute's side of a create (docs/zun.md §4.2). Whatever goes wrong ends in `Error` with the host unset (§2.10). */
function* createCapsule(zun: ZunState, row: CapsuleRow): Task {
  yield zun.options.latency.claimMs;
  // Deleted before the claim: the first save fails, nothing was made.
  if (!zun.store.capsules.has(row)) return;
  row.host = zun.compute.hostname;
  zun.store.capsules.changed(row);
  try {
    for (const { id } of row.volumes) zun.volumes.attach(id, row.uuid);
    if (zun.compute.hasSandboxImage) yield* startSandbox(zun, row);
    else {
      // The host stays set: DELETE goes to the compute and fails there, for ever with docker (docs/zun.md §2.10).
      row.status = 'Error';
      row.statusReason = 'Image kubernetes/pause could not be found.';
      zun.store.capsules.changed(row);
      return;
    }
    yield* runInitContainers(zun, row);
    for (const container of row.containers) yield* startContainer(zun, row, container);
    row.status = 'Running';
  } catch (error) {
    row.status = 'Error';
    row.statusReason = error instanceof Error ? error.message : String(error);
    row.host = null;
  }
  zun.store.capsules.changed(row);
}

function* startSandbox(zun: ZunState, row: CapsuleRow): Task {
  yield zun.options.latency.sandboxMs;
  const isDocker = zun.options.driver === 'docker';
  const port = zun.networks.createPort({
    networkId: row.networkId,
    projectId: row.projectId,
    deviceId: row.uuid,
    deviceOwner: isDocker ? 'compute:kuryr' : 'compute:zun',
  });
  row.addresses = {
    [port.networkId]: port.addresses.map(({ addr, version, subnetId }) => ({
      addr,
      version,
      port: port.id,
      subnet_id: subnetId,
      preserve_on_delete: false,
    })),
  };
  // The group is made for the ports, and noted at the last container, but the port never gets it (docs/zun.md §2.6).
  const last = row.containers.at(-1);
  if (isDocker && zun.isFaithful && row.exposedPorts.length > 0 && last) {
    row.securityGroup = zun.networks.createSecurityGroup(`zun-${last.uuid}`, row.projectId);
    last.securityGroups = [row.securityGroup];
  }
  row.sandboxId = randomBytes(32).toString('hex');
  if (isDocker) row.status = 'Created';
  zun.store.capsules.changed(row);
}

function* runInitContainers(zun: ZunState, row: CapsuleRow): Task {
  for (const container of row.initContainers) {
    yield* startContainer(zun, row, container);
    if (zun.options.initContainers === 'broken') throw new Error("'Retrying' object has no attribute 'call'");
    // Zun asks after 1, 2, 4 … s, for an hour at most, and looks at the state only, never at the code (docs/zun.md §8 B3).
    for (let waitMs = 1000, waited = 0; container.process?.state !== 'exited'; waitMs *= 2) {
      if (container.process?.state === 'restarting') throw new Error('Container has unexpected status: Restarting');
      if (waited > 3_600_000) throw new Error('Timed out waiting for init container');
      yield zun.isFaithful ? waitMs : 100;
      waited += waitMs;
    }
    Object.assign(container, inspected(zun, container));
    zun.store.capsules.changed(row);
  }
}

function* startContainer(zun: ZunState, capsule: CapsuleRow, container: ContainerRow): Task {
  yield zun.options.latency.pullMs + pullDelayMs(container.image);
  requireImage(zun, container.image);
  yield zun.options.latency.startMs;
  const isDocker = zun.options.driver === 'docker';
  const containerId = randomBytes(32).toString('hex');
  if (container.environment?.['PEER_START_FAIL']) {
    throw new Error(
      `Docker internal error: 500 Server Error for http+docker://localhost/v1.40/containers/${containerId}/start: Internal Server Error ("OCI runtime create failed: scripted start failure: unknown").`,
    );
  }
  container.process = createProcess(
    {
      image: isDocker ? dockerReference(container.image) : container.image,
      command: container.command ?? [],
      environment: container.environment ?? {},
      restart: {
        name: container.restartPolicy?.Name ?? 'no',
        maximumRetries: Number(container.restartPolicy?.MaximumRetryCount ?? 0),
      },
      hostname: (capsule.sandboxId ?? containerId).slice(0, 12),
      workdir: container.workdir ?? '/',
      tty: container.tty,
      interactive: container.interactive,
      injected: [],
    },
    { clock: zun.clock, onChange: (process) => zun.processChanged(process, capsule) },
  );
  container.process.start();
  // Programs that end at once have ended when Zun looks.
  yield zun.options.latency.startMs === 0 ? 0 : 1;
  if (isDocker) {
    container.hostname = containerId.slice(0, 12);
    container.runtime = 'runc';
    container.ports = container.image.includes('nginx') ? [80] : [];
    Object.assign(container, inspected(zun, container));
  } else {
    container.status = 'Running';
  }
  container.updatedAt = zun.clock.now();
  zun.store.capsules.changed(capsule);
}

/** What the one look at a container gives; nobody looks again (docs/zun.md §4.3). */
function inspected(zun: ZunState, container: ContainerRow): Pick<ContainerRow, 'status' | 'statusDetail'> {
  if (!container.process) return container;
  const { status, detail } = inspect(container.process, zun.clock.now());
  return { status, statusDetail: detail };
}

/** What Zun never does (docs/zun.md §4.3): takes what goes on in the containers into the rows. For `bugs: fixed`. */
export function refreshCapsule(zun: ZunState, row: CapsuleRow): void {
  if (zun.tasks.isBusy(row.uuid)) return;
  for (const container of [...row.initContainers, ...row.containers]) {
    const { status, statusDetail } = inspected(zun, container);
    if (status === container.status && statusDetail === container.statusDetail) continue;
    Object.assign(container, { status, statusDetail });
    zun.store.capsules.changed(row);
  }
}

/** Seconds in an image's name `…slow-pull-4…` are how long its pull takes. */
export function pullDelayMs(image: string): number {
  return Number(/slow-pull-(\d+)/.exec(image)?.[1] ?? 0) * 1000;
}

/** Fails as the pull of certain images does: `nope` and `missing` do not exist, `fail-pull` finds no registry. */
function requireImage(zun: ZunState, image: string): void {
  if (zun.options.driver === 'docker' && /[A-Z]/.test(image.replace(/[:@].*$/, '')))
    throw new Error('invalid reference format');
  if (/nope|missing/.test(image)) throw new Error(`Image ${image} could not be found.`);
  if (image.includes('fail-pull')) {
    throw new Error(
      `Docker internal error: 500 Server Error for http+docker://localhost/v1.40/images/create?tag=latest&fromImage=${image}: Internal Server Error ("Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host").`,
    );
  }
}

/** The docker driver forgets the digest (docs/zun.md §8 B16). */
function dockerReference(image: string): string {
  const bare = image.replace(/@.*$/, '');
  return /:[^/]*$/.test(bare) ? bare : `${bare}:latest`;
}

/**
 * Takes a capsule's DELETE (docs/zun.md §4.5). Nothing of it shows in the API until the row is gone. Without a host the
 * rows go at once, and what ran stays behind.
 */
export function requestCapsuleDelete(zun: ZunState, row: CapsuleRow): void {
  zun.store.capsules.changed(row);
  if (row.host === null) {
    removeCapsule(zun, row, []);
    return;
  }
  if (!zun.isFaithful) {
    row.status = 'Deleting';
    zun.store.capsules.changed(row);
  }
  // The message to the compute holds the capsule as it was when the DELETE came: what it did not know then, it does not
  // stop (docs/zun.md §4.5).
  const known = [...row.containers, ...row.initContainers].filter((container) => container.process);
  zun.tasks.run(row.uuid, deleteCapsule(zun, row, row.sandboxId, known));
}

function* deleteCapsule(zun: ZunState, row: CapsuleRow, sandboxId: string | null, known: ContainerRow[]): Task {
  if (!zun.store.capsules.has(row)) return;
  if (row.host === null) return removeCapsule(zun, row, []);
  const isStale = zun.isFaithful && zun.options.driver === 'docker';
  if (sandboxId === null && isStale) {
    row.status = 'Error';
    row.statusReason = 'Resource ID was not provided';
    zun.store.capsules.changed(row);
    return;
  }
  const stopped = isStale ? known : [...row.containers, ...row.initContainers];
  for (const { process } of stopped) {
    if (!process) continue;
    let isOver = false;
    if (zun.options.driver === 'docker')
      process.stop(stopGraceMs, () => {
        isOver = true;
      });
    else process.kill(9);
    while (!isOver && process.state !== 'exited') yield 50;
    yield zun.options.latency.removeMs;
    process.remove();
  }
  yield zun.options.latency.removeMs;
  releasePorts(zun, row);
  row.sandboxId = null;
  removeCapsule(zun, row, stopped);
}

function releasePorts(zun: ZunState, row: CapsuleRow): void {
  for (const { port } of Object.values(row.addresses ?? {}).flat()) zun.networks.deletePort(port);
  if (row.securityGroup !== null) zun.networks.deleteSecurityGroup(row.securityGroup);
}

function removeCapsule(zun: ZunState, row: CapsuleRow, stopped: ContainerRow[]): void {
  const leave = (kind: 'sandbox' | 'container' | 'port', id: string) =>
    zun.leftovers.push({ kind, id, capsule: row.uuid, since: zun.clock.now() });
  if (row.sandboxId !== null) {
    leave('sandbox', row.sandboxId);
    for (const { port } of Object.values(row.addresses ?? {}).flat()) leave('port', port);
  }
  for (const container of [...row.containers, ...row.initContainers]) {
    if (container.process && !stopped.includes(container)) leave('container', container.uuid);
  }
  for (const { id } of row.volumes) zun.volumes.detach(id, row.uuid);
  for (const id of row.ownVolumes) zun.volumes.remove(id);
  zun.store.capsules.remove(row);
}
