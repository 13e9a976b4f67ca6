import { AppError, isKind } from '../base/errors.ts';
import { type CallLimits, createCall, defaultLimits, listCall, unlessGone, zunSaid } from './capsules.ts';
import { act, createInspection, createOperate, createStreams, type Operate } from './container-operations.ts';
import { readAllPages } from './paging.ts';
import type { ContainerRequest, ZunContainer } from './types.ts';
import { parseAnswer, uuidPath } from './wire.ts';
import { isOlder, type Microversion, type Zun } from './zun.ts';
import { containerPageSchema, containerSchema } from './zun-schema.ts';

/** Which part of a container's output is wanted. */
export interface LogQuery {
  stdout: boolean;
  stderr: boolean;
  timestamps: boolean;
  /** The last lines only. */
  tail?: number;
  /** Seconds since 1970. */
  since?: number;
}

/** Resource use at one moment. */
export interface ContainerStats {
  cpuPercent: number;
  memoryMiB: number;
  memoryLimitMiB: number;
  blockReadBytes: number;
  blockWrittenBytes: number;
  networkReceivedBytes: number;
  networkSentBytes: number;
}

/** Rows and columns of a terminal. */
export interface TerminalSize {
  rows: number;
  columns: number;
}

/**
 * Zun's `/v1/containers`: standalone containers only, capsule members are not found here. Operations answer `conflict`
 * (`zun.invalid-state-exception`) when the container is in a state that does not allow them, and `not-found` when it is gone.
 * Source: zun/api/controllers/v1/containers.py.
 */
export interface ContainerApi {
  /** Creates and starts. Errors: as `Capsules.create`, and `quota`; `unsupported` where the cloud is too old for a field. */
  create(request: ContainerRequest, attempt: string, signal?: AbortSignal): Promise<ZunContainer>;
  /** Live: Zun asks the compute host. Undefined when Zun itself says that there is none. */
  get(uuid: string, signal?: AbortSignal): Promise<ZunContainer | undefined>;
  /** All pages; the state is up to a minute old. */
  list(signal?: AbortSignal): Promise<ZunContainer[]>;
  /** Stops with the grace, then deletes. False when it was gone already; a running deletion counts as success. */
  delete(uuid: string, graceSeconds: number, signal?: AbortSignal): Promise<boolean>;
  start(uuid: string, signal?: AbortSignal): Promise<void>;
  stop(uuid: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
  reboot(uuid: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
  kill(uuid: string, signalName: string, signal?: AbortSignal): Promise<void>;
  logs(uuid: string, query: LogQuery, signal?: AbortSignal): Promise<string>;
  /** Runs a command to its end; Zun stops waiting after 5 s (`zun.conflict`). stdout and stderr come as one. */
  execute(
    uuid: string,
    command: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ output: string; exitCode: number }>;
  /** Starts a command whose terminal is a WebSocket at `proxyUrl`. Its exit code cannot be had. */
  executeInteractive(
    uuid: string,
    command: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ execId: string; proxyUrl: string }>;
  executeResize(uuid: string, execId: string, size: TerminalSize, signal?: AbortSignal): Promise<void>;
  resize(uuid: string, size: TerminalSize, signal?: AbortSignal): Promise<void>;
  /** The WebSocket URL of the container's terminal; ends an attachment made before. Errors: `invalid` without `interactive`. */
  attach(uuid: string, signal?: AbortSignal): Promise<string>;
  stats(uuid: string, signal?: AbortSignal): Promise<ContainerStats>;
  top(uuid: string, signal?: AbortSignal): Promise<{ titles: string[]; processes: string[][] }>;
  /** A tar archive of a path in the container. */
  getArchive(uuid: string, path: string, signal?: AbortSignal): Promise<Buffer>;
  putArchive(uuid: string, path: string, tar: Buffer, signal?: AbortSignal): Promise<void>;
}

/** The first version that takes a field of the request. Source: zun/api/rest_api_version_history.rst. */
const fieldVersions: Partial<Record<keyof ContainerRequest, Microversion>> = { entrypoint: [1, 40], tty: [1, 36] };

/** Makes the client of `/v1/containers`. */
export function createContainers(zun: Zun, limits: CallLimits = defaultLimits): ContainerApi {
  const operate = createOperate(zun);
  return { ...createLifecycle(zun, limits, operate), ...createStreams(operate), ...createInspection(operate) };
}

function createLifecycle(zun: Zun, limits: CallLimits, operate: Operate) {
  return {
    async create(request: ContainerRequest, attempt: string, signal?: AbortSignal): Promise<ZunContainer> {
      await checkFields(zun, request, attempt, signal);
      const answer = await createCall(() =>
        zun.call({
          operation: 'containers.create',
          attempt,
          method: 'POST',
          path: '/containers',
          query: { run: true },
          body: request,
          timeoutMs: limits.createMs,
          signal,
        }),
      );
      return parseAnswer(containerSchema, answer.body, zunSaid(attempt, 'unknown'));
    },
    async get(uuid: string, signal?: AbortSignal): Promise<ZunContainer | undefined> {
      const attempt = `reading container ${uuid}`;
      const path = `/containers/${uuidPath(uuid, attempt)}`;
      const answer = await unlessGone(
        // Asks the compute host, too: 60 s when that does not answer.
        zun.call({
          operation: 'containers.get',
          attempt,
          method: 'GET',
          path,
          timeoutMs: Math.max(limits.readMs, 75_000),
          signal,
        }),
      );
      return answer && parseAnswer(containerSchema, answer.body, zunSaid(attempt, 'none'));
    },
    list(signal?: AbortSignal): Promise<ZunContainer[]> {
      const attempt = 'listing containers';
      return readAllPages('zun', attempt, async (marker) => {
        const query = { limit: limits.pageSize, marker };
        const answer = await listCall(marker, () =>
          zun.call({
            operation: 'containers.list',
            attempt,
            method: 'GET',
            path: '/containers',
            query,
            timeoutMs: limits.listMs,
            signal,
          }),
        );
        const page = parseAnswer(containerPageSchema, answer.body, zunSaid(attempt, 'none'));
        return { items: page.containers, next: page.next };
      });
    },
    async delete(uuid: string, graceSeconds: number, signal?: AbortSignal): Promise<boolean> {
      const attempt = `deleting container ${uuid}`;
      const path = `/containers/${uuidPath(uuid, attempt)}`;
      // DELETE stops with Zun's own 10 s; the host works off both in order, and the second stop then finds it stopped.
      const stopped = await stopFirst(operate, uuid, graceSeconds, signal);
      if (!stopped) return false;
      try {
        const answer = await unlessGone(
          zun.call({
            operation: 'containers.delete',
            attempt,
            method: 'DELETE',
            path,
            query: { stop: true },
            timeoutMs: limits.deleteMs,
            signal,
          }),
        );
        return answer !== undefined;
      } catch (error) {
        if (isKind(error, 'conflict') && / in Delet(ing|ed) state/.test(error.message)) return true;
        throw error;
      }
    },
    start: (uuid: string, signal?: AbortSignal) => act(operate, 'start', uuid, 'starting', { signal }),
    stop: (uuid: string, graceSeconds: number, signal?: AbortSignal) =>
      act(operate, 'stop', uuid, 'stopping', { query: { timeout: seconds(graceSeconds) }, signal }),
    reboot: (uuid: string, graceSeconds: number, signal?: AbortSignal) =>
      act(operate, 'reboot', uuid, 'restarting', { query: { timeout: seconds(graceSeconds) }, signal }),
    kill: (uuid: string, signalName: string, signal?: AbortSignal) =>
      act(operate, 'kill', uuid, 'signalling', { query: { signal: signalName }, signal }),
  };
}

/** False when the container is gone; one that does not run needs no stop. */
async function stopFirst(
  operate: Operate,
  uuid: string,
  graceSeconds: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (
      (await unlessGone(
        act(operate, 'stop', uuid, 'stopping', { query: { timeout: seconds(graceSeconds) }, signal }).then(() => true),
      )) ?? false
    );
  } catch (error) {
    if (isKind(error, 'conflict', 'invalid')) return true;
    throw error;
  }
}

function seconds(grace: number): number {
  return Math.max(1, Math.min(86_400, Math.ceil(grace)));
}

async function checkFields(zun: Zun, request: ContainerRequest, attempt: string, signal: AbortSignal | undefined) {
  const { used } = await zun.version(signal);
  for (const [field, version] of Object.entries(fieldVersions)) {
    if (request[field as keyof ContainerRequest] === undefined || !isOlder(used, version)) continue; // keys of the table
    throw new AppError({
      kind: 'unsupported',
      code: 'zun.too-old-for-field',
      message: `${attempt}: ${field} needs microversion ${version.join('.')}, this zun speaks up to ${used.join('.')}`,
    });
  }
}
