import { z } from 'zod';
import { AppError, isKind } from '../base/errors.ts';
import { type CallLimits, createCall, defaultLimits, listCall, unlessGone, zunSaid } from './capsules.ts';
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

const text = z.string();
const executed = z.looseObject({ output: text.nullable(), exit_code: z.number().int().nullable() });
const executing = z.looseObject({
  exec_id: text.max(255),
  proxy_url: text.max(4096).optional(),
  url: text.max(4096).optional(),
});
const amount = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const pair = text
  .max(100)
  .nullish()
  .transform((value) => {
    const [first = 0, second = 0] = (value ?? '').split('/').map(Number);
    return [Number.isFinite(first) ? first : 0, Number.isFinite(second) ? second : 0] as const;
  });
const statsSchema = z.looseObject({
  'CPU %': amount,
  'MEM USAGE(MiB)': amount,
  'MEM LIMIT(MiB)': amount,
  'BLOCK I/O(B)': pair,
  'NET I/O(B)': pair,
});
const topSchema = z.looseObject({
  Titles: z.array(text).max(100),
  Processes: z.array(z.array(text).max(100)).max(100_000),
});
const archiveSchema = z.looseObject({ data: text });

/** The first version that takes a field of the request. Source: zun/api/rest_api_version_history.rst. */
const fieldVersions: Partial<Record<keyof ContainerRequest, Microversion>> = { entrypoint: [1, 40], tty: [1, 36] };

/** Makes the client of `/v1/containers`. */
export function createContainers(zun: Zun, limits: CallLimits = defaultLimits): ContainerApi {
  const operate = createOperate(zun);
  const act = async (name: string, uuid: string, what: string, query: Query, signal: AbortSignal | undefined) => {
    await operate({ name, uuid, attempt: `${what} container ${uuid}`, method: 'POST', query, signal });
  };
  return {
    ...createLifecycle(zun, limits, act),
    ...createStreams(operate, act),
    async stats(uuid, signal) {
      const attempt = `reading the resource use of container ${uuid}`;
      const answer = await operate({ name: 'stats', uuid, attempt, method: 'GET', signal });
      const found = parseAnswer(statsSchema, answer.body, zunSaid(attempt, 'none'));
      const [blockReadBytes, blockWrittenBytes] = found['BLOCK I/O(B)'];
      const [networkReceivedBytes, networkSentBytes] = found['NET I/O(B)'];
      return {
        cpuPercent: found['CPU %'],
        memoryMiB: found['MEM USAGE(MiB)'],
        memoryLimitMiB: found['MEM LIMIT(MiB)'],
        blockReadBytes,
        blockWrittenBytes,
        networkReceivedBytes,
        networkSentBytes,
      };
    },
    async top(uuid, signal) {
      const attempt = `listing the processes of container ${uuid}`;
      const answer = await operate({ name: 'top', uuid, attempt, method: 'GET', signal });
      const found = parseAnswer(topSchema, answer.body, zunSaid(attempt, 'none'));
      return { titles: found.Titles, processes: found.Processes };
    },
    async getArchive(uuid, path, signal) {
      const attempt = `reading files of container ${uuid}`;
      const answer = await operate({
        name: 'get_archive',
        uuid,
        attempt,
        method: 'GET',
        query: { path },
        timeoutMs: 120_000,
        signal,
      });
      return Buffer.from(parseAnswer(archiveSchema, answer.body, zunSaid(attempt, 'none')).data, 'base64');
    },
    async putArchive(uuid, path, tar, signal) {
      const attempt = `writing files into container ${uuid}`;
      const body = { data: tar.toString('base64') };
      await operate({
        name: 'put_archive',
        uuid,
        attempt,
        method: 'POST',
        query: { path },
        body,
        timeoutMs: 120_000,
        signal,
      });
    },
  };
}

type Query = Record<string, string | number | boolean | undefined>;
type Act = (name: string, uuid: string, what: string, query: Query, signal: AbortSignal | undefined) => Promise<void>;
type Operate = ReturnType<typeof createOperate>;

interface Operation {
  name: string;
  uuid: string;
  attempt: string;
  method: 'GET' | 'POST';
  query?: Query;
  body?: unknown;
  timeoutMs?: number;
  signal: AbortSignal | undefined;
}

function createOperate(zun: Zun) {
  return ({ name, uuid, attempt, method, query, body, timeoutMs, signal }: Operation) =>
    zun.call({
      operation: `containers.${name}`,
      attempt,
      method,
      path: `/containers/${uuidPath(uuid, attempt)}/${name}`,
      // Zun gives its compute host 60 s for an answer.
      timeoutMs: timeoutMs ?? 75_000,
      ...(query && { query }),
      ...(body !== undefined && { body }),
      signal,
    });
}

function createLifecycle(zun: Zun, limits: CallLimits, act: Act) {
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
      const stopped = await stopFirst(act, uuid, graceSeconds, signal);
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
    start: (uuid: string, signal?: AbortSignal) => act('start', uuid, 'starting', {}, signal),
    stop: (uuid: string, graceSeconds: number, signal?: AbortSignal) =>
      act('stop', uuid, 'stopping', { timeout: seconds(graceSeconds) }, signal),
    reboot: (uuid: string, graceSeconds: number, signal?: AbortSignal) =>
      act('reboot', uuid, 'restarting', { timeout: seconds(graceSeconds) }, signal),
    kill: (uuid: string, signalName: string, signal?: AbortSignal) =>
      act('kill', uuid, 'signalling', { signal: signalName }, signal),
  };
}

/** False when the container is gone; one that does not run needs no stop. */
async function stopFirst(
  act: Act,
  uuid: string,
  graceSeconds: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return (
      (await unlessGone(act('stop', uuid, 'stopping', { timeout: seconds(graceSeconds) }, signal).then(() => true))) ??
      false
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

function createStreams(operate: Operate, act: Act) {
  const size = ({ rows, columns }: TerminalSize) => ({
    h: Math.max(1, Math.trunc(rows)),
    w: Math.max(1, Math.trunc(columns)),
  });
  return {
    async logs(uuid: string, query: LogQuery, signal?: AbortSignal): Promise<string> {
      const attempt = `reading the logs of container ${uuid}`;
      const answer = await operate({ name: 'logs', uuid, attempt, method: 'GET', query: { ...query }, signal });
      return parseAnswer(text, answer.body, zunSaid(attempt, 'none'));
    },
    async execute(uuid: string, command: readonly string[], signal?: AbortSignal) {
      const attempt = `running a command in container ${uuid}`;
      const query = { command: shellWords(command, attempt), run: true, interactive: false };
      const answer = await operate({ name: 'execute', uuid, attempt, method: 'POST', query, signal });
      const found = parseAnswer(executed, answer.body, zunSaid(attempt, 'unknown'));
      return { output: found.output ?? '', exitCode: found.exit_code ?? 0 };
    },
    async executeInteractive(uuid: string, command: readonly string[], signal?: AbortSignal) {
      const attempt = `starting a command in container ${uuid}`;
      const query = { command: shellWords(command, attempt), run: false, interactive: true };
      const answer = await operate({ name: 'execute', uuid, attempt, method: 'POST', query, signal });
      const found = parseAnswer(executing, answer.body, zunSaid(attempt, 'unknown'));
      // The documentation calls it `url`, the code `proxy_url`.
      return { execId: found.exec_id, proxyUrl: webSocketUrl(found.proxy_url ?? found.url, attempt) };
    },
    executeResize: (uuid: string, execId: string, terminal: TerminalSize, signal?: AbortSignal) =>
      act(
        'execute_resize',
        uuid,
        'resizing the terminal of a command in',
        { exec_id: execId, ...size(terminal) },
        signal,
      ),
    resize: (uuid: string, terminal: TerminalSize, signal?: AbortSignal) =>
      act('resize', uuid, 'resizing the terminal of', size(terminal), signal),
    async attach(uuid: string, signal?: AbortSignal): Promise<string> {
      const attempt = `attaching to container ${uuid}`;
      const answer = await operate({ name: 'attach', uuid, attempt, method: 'GET', signal });
      return webSocketUrl(parseAnswer(text, answer.body, zunSaid(attempt, 'none')), attempt);
    },
  };
}

function webSocketUrl(url: string | undefined, attempt: string): string {
  if (url && URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol)) return url;
  throw new AppError({
    kind: 'retryable',
    code: 'zun.bad-answer',
    message: `${attempt}: zun sent no ws:// or wss:// address`,
  });
}

/** Zun splits the command like a POSIX shell does: each word goes into quotes. Errors: `zun.no-command`. */
export function shellWords(command: readonly string[], attempt: string): string {
  if (command.length === 0)
    throw new AppError({ kind: 'invalid', code: 'zun.no-command', message: `${attempt}: there is no command` });
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}
