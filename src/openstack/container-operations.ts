import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { zunSaid } from './capsules.ts';
import type { ContainerStats, LogQuery, TerminalSize } from './containers.ts';
import { parseAnswer, uuidPath } from './wire.ts';
import type { Zun } from './zun.ts';

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

/** Query parameters of an operation. */
export type Query = Record<string, string | number | boolean | undefined>;
/** Sends an operation on one container. */
export type Operate = ReturnType<typeof createOperate>;

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

/** Makes the sender of operations. */
export function createOperate(zun: Zun) {
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

/** Sends an operation whose answer says nothing. */
export async function act(
  operate: Operate,
  name: string,
  uuid: string,
  what: string,
  options: { query?: Query; signal: AbortSignal | undefined },
): Promise<void> {
  await operate({ name, uuid, attempt: `${what} container ${uuid}`, method: 'POST', ...options });
}

/** Makes logs, commands and terminals. */
export function createStreams(operate: Operate) {
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
      act(operate, 'execute_resize', uuid, 'resizing the terminal of a command in', {
        query: { exec_id: execId, ...size(terminal) },
        signal,
      }),
    resize: (uuid: string, terminal: TerminalSize, signal?: AbortSignal) =>
      act(operate, 'resize', uuid, 'resizing the terminal of', { query: size(terminal), signal }),
    async attach(uuid: string, signal?: AbortSignal): Promise<string> {
      const attempt = `attaching to container ${uuid}`;
      const answer = await operate({ name: 'attach', uuid, attempt, method: 'GET', signal });
      return webSocketUrl(parseAnswer(text, answer.body, zunSaid(attempt, 'none')), attempt);
    },
  };
}

/** Makes resource use, processes and files. */
export function createInspection(operate: Operate) {
  return {
    async stats(uuid: string, signal?: AbortSignal): Promise<ContainerStats> {
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
    async top(uuid: string, signal?: AbortSignal) {
      const attempt = `listing the processes of container ${uuid}`;
      const answer = await operate({ name: 'top', uuid, attempt, method: 'GET', signal });
      const found = parseAnswer(topSchema, answer.body, zunSaid(attempt, 'none'));
      return { titles: found.Titles, processes: found.Processes };
    },
    async getArchive(uuid: string, path: string, signal?: AbortSignal): Promise<Buffer> {
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
    async putArchive(uuid: string, path: string, tar: Buffer, signal?: AbortSignal): Promise<void> {
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

function webSocketUrl(url: string | undefined, attempt: string): string {
  if (url && URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol)) return url;
  throw new AppError({
    kind: 'retryable',
    code: 'zun.bad-answer',
    message: `${attempt}: zun sent no ws:// or wss:// address`,
  });
}

/** Zun splits the command like a POSIX shell does: each word goes into quotes. Errors: `zun.no-command`. */
function shellWords(command: readonly string[], attempt: string): string {
  if (command.length === 0)
    throw new AppError({ kind: 'invalid', code: 'zun.no-command', message: `${attempt}: there is no command` });
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}
