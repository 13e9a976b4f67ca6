import type { Answer, Call } from '../service.ts';
import { getArchive, putArchive } from './archives.ts';
import type { Fields } from './capsule-template.ts';
import { requireState } from './container-states.ts';
import { looked, runOperation, stopProcess } from './container-tasks.ts';
import { ZunError } from './errors.ts';
import { attach, execute, resizeExecution, resizeMain } from './executions.ts';
import type { ContainerRow } from './model.ts';
import { remoteError } from './remote-error.ts';
import type { Caller } from './request.ts';
import type { ZunState } from './state.ts';
import { containerStats, containerTop } from './stats.ts';
import type { Task } from './tasks.ts';

/** A call on one container. */
export interface Operation {
  zun: ZunState;
  call: Call;
  caller: Caller;
  row: ContainerRow;
  /** Body and query. */
  parameters: Fields;
  /** The path behind the operation's name. */
  rest: string[];
}

interface OperationEntry {
  method: string;
  run(operation: Operation): Answer | Promise<Answer>;
}

/** What can be asked of one container, by the path behind its id (docs/zun.md §5.3). */
export const operations: Record<string, OperationEntry> = {
  logs: { method: 'GET', run: logs },
  execute: { method: 'POST', run: execute },
  execute_resize: { method: 'POST', run: resizeExecution },
  attach: { method: 'GET', run: attach },
  resize: { method: 'POST', run: resizeMain },
  stats: { method: 'GET', run: containerStats },
  top: { method: 'GET', run: containerTop },
  get_archive: { method: 'GET', run: getArchive },
  put_archive: { method: 'POST', run: putArchive },
  container_actions: { method: 'GET', run: actions },
  network_list: { method: 'GET', run: networkList },
  stop: later('stop', 'stopping', ({ row, parameters }) => stopProcess(row, seconds(parameters['timeout']))),
  start: later('start', 'starting', function* ({ row }) {
    yield 1;
    row.process?.start();
  }),
  reboot: later('reboot', 'rebooting', function* ({ row, parameters }) {
    yield* stopProcess(row, seconds(parameters['timeout']));
    row.process?.start();
  }),
  pause: later('pause', 'pausing', function* ({ row }) {
    yield 1;
    row.process?.pause();
  }),
  unpause: later('unpause', 'unpausing', function* ({ row }) {
    yield 1;
    row.process?.unpause();
  }),
  kill: later('kill', 'killing', function* ({ row, parameters }) {
    yield 1;
    kill(row, String(parameters['signal'] ?? 'SIGKILL'));
  }),
};

/** An operation that is answered with 202 and null, and done afterwards. */
function later(action: string, taskState: string, work: (operation: Operation) => Task): OperationEntry {
  return {
    method: 'POST',
    run(operation) {
      const { zun, row, caller } = operation;
      requireState(row, action);
      row.actions?.push({ action, requestId: caller.requestId, startedAt: zun.clock.now(), finishedAt: null });
      runOperation(zun, row, taskState, () => work(operation));
      return { status: 202, json: null };
    },
  };
}

function seconds(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null) return undefined;
  const value = Number(timeout);
  if (!Number.isInteger(value))
    throw new ZunError(400, 'schema-validation-error', `Invalid input for field 'timeout'.`);
  return Math.max(0, value) * 1000;
}

const signals: Record<string, number> = { HUP: 1, INT: 2, QUIT: 3, KILL: 9, USR1: 10, USR2: 12, TERM: 15 };

function kill(row: ContainerRow, signal: string): void {
  const number = signals[signal.replace(/^SIG/, '')] ?? Number(signal);
  if (number === 15) row.process?.stop(Number.MAX_SAFE_INTEGER, () => {});
  else if (number > 0) row.process?.kill(number);
}

function logs({ zun, row, parameters }: Operation): Answer {
  requireState(row, 'logs');
  if (!row.process) throw remoteError(400, 'invalid', 'Cannot operate an uncreated container.', 'container_logs');
  for (const key of Object.keys(parameters)) {
    if (['stdout', 'stderr', 'timestamps', 'tail', 'since'].includes(key)) continue;
    const text = `Additional properties are not allowed ('${key}' was unexpected)`;
    throw new ZunError(400, 'schema-validation-error', text);
  }
  Object.assign(row, looked(zun, row));
  const tail = String(parameters['tail'] ?? 'all');
  const since = readSince(parameters['since']);
  const text = row.process.log.read({
    stdout: readTruth(parameters['stdout'], true),
    stderr: readTruth(parameters['stderr'], true),
    timestamps: readTruth(parameters['timestamps'], false),
    ...(tail === 'all' ? {} : { tail: readTail(tail) }),
    ...(since === undefined ? {} : { sinceMs: since }),
  });
  return { status: 200, json: text };
}

function readTail(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new ZunError(400, 'schema-validation-error', `Invalid input for field 'tail'.Value: '${text}'.`);
}

function readTruth(value: unknown, fallback: boolean): boolean {
  if (value === undefined || value === null) return fallback;
  return value === true || String(value).toLowerCase() === 'true' || value === '1';
}

/** Epoch seconds, or `YYYY-MM-DD HH:MM:SS,mmm`; nothing else (docs/zun.md §5.3). */
function readSince(since: unknown): number | undefined {
  if (since === undefined || since === null || since === 'None') return undefined;
  const text = String(since);
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)[,.](\d{3})$/.exec(text);
  if (match) return Date.parse(`${match[1]}T${match[2]}.${match[3]}Z`);
  const why = `Invalid input for field 'since'.Value: '${text}'. ${text} is not a valid epoch or date`;
  throw new ZunError(400, 'schema-validation-error', why);
}

function actions({ row, rest }: Operation): Answer {
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString().replace('Z', '000'));
  const shown = (row.actions ?? []).map((action) => ({
    action: action.action,
    container_uuid: row.uuid,
    request_id: action.requestId,
    user_id: row.userId,
    project_id: row.projectId,
    start_time: time(action.startedAt),
    finish_time: time(action.finishedAt),
    message: null,
  }));
  const [requestId] = rest;
  if (requestId === undefined) return { status: 200, json: { containerActions: shown.reverse() } };
  const found = shown.find((action) => action.request_id === requestId);
  if (!found)
    throw new ZunError(404, 'resource-not-found', `Action for request_id ${requestId} on container not found`);
  const event = { event: `compute__do_container_${found.action}`, result: 'Success', traceback: null };
  const events = [{ ...event, start_time: found.start_time, finish_time: found.finish_time }];
  return { status: 200, json: { containerAction: { ...found, events } } };
}

function networkList({ row }: Operation): Answer {
  const networks = Object.entries(row.addresses ?? {}).map(([netId, addresses]) => ({
    net_id: netId,
    port_id: addresses[0]?.port,
    fixed_ips: addresses.map((address) => ({
      ip_address: address.addr,
      version: address.version,
      subnet_id: address.subnet_id,
    })),
  }));
  return { status: 200, json: { networks } };
}
