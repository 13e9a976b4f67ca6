import { randomBytes } from 'node:crypto';
import { pullDelayMs } from './capsule-tasks.ts';
import type { ContainerRow } from './model.ts';
import { createProcess, inspect } from './process.ts';
import type { ZunState } from './state.ts';
import type { Task } from './tasks.ts';

const defaultGraceMs = 10_000;

/** Gives a standalone container to the compute host (docs/zun.md §5). */
export function scheduleContainer(zun: ZunState, row: ContainerRow, run: boolean): void {
  const { host } = zun.options;
  if ((row.cpu ?? 0) > host.cpus || Number(row.memory) > host.memoryMiB || !zun.compute.isUp) {
    row.status = 'Error';
    row.statusReason = 'There are not enough hosts available.';
    zun.store.containers.changed(row);
    return;
  }
  zun.store.containers.changed(row);
  zun.tasks.run(row.uuid, create(zun, row, run));
}

function* create(zun: ZunState, row: ContainerRow, run: boolean): Task {
  const { latency } = zun.options;
  yield latency.claimMs;
  if (!zun.store.containers.has(row)) return;
  row.host = zun.compute.hostname;
  row.taskState = 'image_pulling';
  zun.store.containers.changed(row);
  yield latency.pullMs + pullDelayMs(row.image);
  try {
    requireImage(row.image);
    requireLogin(zun, row);
    for (const { volumeId } of row.mounts) if (volumeId) zun.volumes.attach(volumeId, row.uuid);
    yield latency.sandboxMs;
    connect(zun, row);
    row.process = newProcess(zun, row);
    row.status = 'Created';
    if (run) {
      yield latency.startMs;
      if (row.environment?.['PEER_START_FAIL']) throw new Error(startFailure);
      row.process.start();
      yield 1;
      Object.assign(row, looked(zun, row));
    }
  } catch (error) {
    row.status = 'Error';
    row.statusReason = error instanceof Error ? error.message : String(error);
    row.host = null;
    disconnect(zun, row);
  }
  row.taskState = null;
  finishAction(zun, row);
  zun.store.containers.changed(row);
}

const startFailure =
  'Docker internal error: 500 Server Error for http+docker://localhost/v1.40/containers/start: Internal Server Error ("OCI runtime create failed: scripted start failure: unknown").';

function requireImage(image: string): void {
  const repository = image.replace(/@.*$/, '').replace(/:[^/]*$/, '');
  if (/nope|missing/.test(image)) {
    throw new Error(
      `404 Client Error for http+docker://localhost/v1.40/images/create?tag=latest&fromImage=${repository}: Not Found ("pull access denied for ${repository}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied")`,
    );
  }
  if (image.includes('fail-pull')) {
    throw new Error(
      `500 Server Error for http+docker://localhost/v1.40/images/create?tag=latest&fromImage=${repository}: Internal Server Error ("Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host")`,
    );
  }
}

/** Registries whose host begins with `private.` want a login; every password but `wrong` will do. */
function requireLogin(zun: ZunState, { image, registryId }: ContainerRow): void {
  const [host = ''] = image.split('/');
  if (!host.startsWith('private.')) return;
  const registry = zun.registries.find(({ uuid }) => uuid === registryId);
  if (registry?.username && registry.password && registry.password !== 'wrong') return;
  throw new Error(
    `Docker internal error: 500 Server Error for http+docker://localhost/v1.40/images/create?fromImage=${image}: Internal Server Error ("Head "https://${host}/v2/": no basic auth credentials").`,
  );
}

function connect(zun: ZunState, row: ContainerRow): void {
  const port = zun.networks.createPort({
    networkId: row.networkId ?? '',
    projectId: row.projectId,
    deviceId: row.uuid,
    deviceOwner: 'compute:kuryr',
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
}

function disconnect(zun: ZunState, row: ContainerRow): void {
  for (const { port } of Object.values(row.addresses ?? {}).flat()) zun.networks.deletePort(port);
  row.addresses = null;
  for (const { volumeId } of row.mounts) if (volumeId) zun.volumes.detach(volumeId, row.uuid);
}

function newProcess(zun: ZunState, row: ContainerRow) {
  const containerId = randomBytes(32).toString('hex');
  row.hostname ??= containerId.slice(0, 12);
  row.ports = row.image.includes('nginx') ? [80] : [];
  row.runtime ??= 'runc';
  return createProcess(
    {
      image: row.image,
      command: [...(row.entrypoint ?? []), ...(row.command ?? [])],
      environment: row.environment ?? {},
      restart: {
        name: row.restartPolicy?.Name ?? 'no',
        maximumRetries: Number(row.restartPolicy?.MaximumRetryCount ?? 0),
      },
      hostname: row.hostname,
      workdir: row.workdir ?? '/',
      tty: row.tty,
      interactive: row.interactive,
      injected: row.mounts.flatMap(({ destination, file }) => (file === undefined ? [] : [{ destination, file }])),
    },
    {
      clock: zun.clock,
      onChange(process) {
        zun.processChanged(process, row);
        const isOver = process.state === 'exited' && row.autoRemove && zun.store.containers.has(row);
        if (isOver) removeContainer(zun, row);
      },
    },
  );
}

/** What a live look at the container gives: GET one does this (docs/zun.md §5.2). */
export function looked(zun: ZunState, row: ContainerRow): Pick<ContainerRow, 'status' | 'statusDetail'> {
  if (!row.process) return row;
  const { status, detail } = inspect(row.process, zun.clock.now());
  return { status, statusDetail: detail };
}

/** Takes the changes of all standalone containers into their rows, once a period (docs/zun.md §5.2). */
export function syncContainers(zun: ZunState): void {
  const period = Math.floor(zun.clock.monotonic() / zun.options.syncMs);
  if (period === zun.syncedPeriod) return;
  zun.syncedPeriod = period;
  for (const row of zun.store.containers.all()) {
    if (!row.process || row.taskState !== null || row.status === 'Deleting') continue;
    const { status } = inspect(row.process, zun.clock.now());
    if (status === row.status) continue;
    row.status = status;
    zun.store.containers.changed(row);
  }
}

/** Work on a running container that takes its time: the row has a task state meanwhile. */
export function runOperation(zun: ZunState, row: ContainerRow, taskState: string, work: () => Task): void {
  row.taskState = taskState;
  zun.store.containers.changed(row);
  zun.tasks.run(row.uuid, operate(zun, row, work));
}

function* operate(zun: ZunState, row: ContainerRow, work: () => Task): Task {
  yield 1;
  yield* work();
  row.taskState = null;
  Object.assign(row, looked(zun, row));
  finishAction(zun, row);
  zun.store.containers.changed(row);
}

/** Stops the process within the grace, however long that takes. */
export function* stopProcess(row: ContainerRow, graceMs: number | undefined): Task {
  let isOver = false;
  row.process?.stop(graceMs ?? defaultGraceMs, () => {
    isOver = true;
  });
  for (let waitMs = 5; row.process && !isOver; waitMs = Math.min(100, waitMs * 2)) yield waitMs;
}

/** Deletes a container: `Deleting`, then gone. */
export function requestContainerDelete(zun: ZunState, row: ContainerRow): void {
  row.status = 'Deleting';
  zun.store.containers.changed(row);
  zun.tasks.run(row.uuid, destroy(zun, row));
}

function* destroy(zun: ZunState, row: ContainerRow): Task {
  yield 1;
  if (!zun.store.containers.has(row)) return;
  yield* stopProcess(row, undefined);
  yield zun.options.latency.removeMs;
  removeContainer(zun, row);
}

function removeContainer(zun: ZunState, row: ContainerRow): void {
  zun.store.containers.remove(row);
  row.process?.remove();
  disconnect(zun, row);
  for (const { volumeId, isOwn } of row.mounts) if (volumeId && isOwn) zun.volumes.remove(volumeId);
}

/** Notes that the last action is over. */
function finishAction(zun: ZunState, row: ContainerRow): void {
  const action = row.actions?.at(-1);
  if (action) action.finishedAt = zun.clock.now();
}
