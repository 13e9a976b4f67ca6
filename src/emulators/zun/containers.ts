import type { Answer, Call } from '../service.ts';
import type { Fields } from './capsule-template.ts';
import { findMember, insertContainer } from './container-create.ts';
import { operations } from './container-operations.ts';
import { requireState } from './container-states.ts';
import { looked, requestContainerDelete, scheduleContainer, syncContainers } from './container-tasks.ts';
import { forbidden, internal, routerAnswer, ZunError } from './errors.ts';
import type { ContainerRow } from './model.ts';
import { headerOf, readParameters, withoutExtension } from './parameters.ts';
import { booleanParameter, type Caller, findRow, pageOf, viewFor } from './request.ts';
import type { ZunState } from './state.ts';
import { containerJson } from './view.ts';

const filters: Record<string, (row: ContainerRow) => unknown> = {
  name: (row) => row.name,
  image: (row) => row.image,
  project_id: (row) => row.projectId,
  user_id: (row) => row.userId,
  memory: (row) => row.memory,
  host: (row) => row.host,
  task_state: (row) => row.taskState,
  status: (row) => row.status,
  auto_remove: (row) => row.autoRemove,
};
const listKeys = ['limit', 'marker', 'sort_key', 'sort_dir', 'all_projects'];

/** `/v1/containers…` (docs/zun.md §5). */
export function containerResource(
  zun: ZunState,
  call: Call,
  caller: Caller,
  rest: string[],
): Answer | Promise<Answer> | undefined {
  const [ident, action, ...more] = rest;
  if (ident === undefined) {
    if (call.method === 'GET') return listContainers(zun, call, caller);
    if (call.method === 'POST') return createContainer(zun, call, caller);
    return routerAnswer(405, headerOf(call, 'accept'));
  }
  const name = withoutExtension(ident);
  if (name === undefined) return routerAnswer(404, headerOf(call, 'accept'), null);
  const row = findContainer(zun, name, caller);
  if (action !== undefined) {
    const operation = Object.hasOwn(operations, action) ? operations[action] : undefined;
    if (!operation || operation.method !== call.method) return undefined;
    return operation.run({ zun, call, caller, row, parameters: readParameters(zun, call), rest: more });
  }
  if (call.method === 'GET') return showContainer(zun, call, caller, row);
  if (call.method === 'DELETE') return deleteContainer(zun, call, caller, row);
  if (call.method === 'PATCH') return updateContainer(zun, call, caller, row);
  return routerAnswer(405, headerOf(call, 'accept'));
}

function findContainer(zun: ZunState, ident: string, caller: Caller): ContainerRow {
  try {
    return findRow(zun.store.containers, ident, caller);
  } catch (error) {
    if (error instanceof ZunError && error.status === 404) return findMember(zun, ident, caller);
    throw error;
  }
}

function createContainer(zun: ZunState, call: Call, caller: Caller): Answer {
  const { run, ...body } = readParameters(zun, call);
  const isRun = run === undefined ? false : booleanParameter(new URLSearchParams({ run: String(run) }), 'run');
  const row = insertContainer(zun, body, caller);
  row.actions?.push({ action: 'create', requestId: caller.requestId, startedAt: zun.clock.now(), finishedAt: null });
  const json = containerJson(row, viewFor(call, caller, true));
  scheduleContainer(zun, row, isRun);
  const shown = row.status === 'Error' ? containerJson(row, viewFor(call, caller, true)) : json;
  return { status: 202, json: shown, headers: { location: `${call.root}/v1/containers/${row.uuid}` } };
}

function listContainers(zun: ZunState, call: Call, caller: Caller): Answer {
  syncContainers(zun);
  const wantsAll = booleanParameter(call.query, 'all_projects');
  if (wantsAll && !caller.isAdmin) throw forbidden('container:get_all_all_projects');
  for (const key of call.query.keys()) {
    if (!filters[key] && !listKeys.includes(key)) {
      throw new ZunError(400, 'invalid-value', `Unknown filter parameter ${key}`);
    }
  }
  const { containers } = zun.store;
  const source = call.staleMs > 0 ? containers.past(call.staleMs) : containers.all();
  const rows = source.filter((row) => {
    if (!wantsAll && row.projectId !== caller.projectId) return false;
    return [...call.query].every(([key, value]) => !filters[key] || String(filters[key](row)) === value);
  });
  const find = (uuid: string) => rows.find((row) => row.uuid === uuid);
  const page = pageOf(call, rows, find, zun.options.maxLimit, 'containers');
  const view = viewFor(call, caller);
  return { status: 200, json: { next: page.next, containers: page.rows.map((row) => containerJson(row, view)) } };
}

function showContainer(zun: ZunState, call: Call, caller: Caller, row: ContainerRow): Answer {
  if (row.process && zun.compute.isUp && row.taskState === null && row.status !== 'Deleting') {
    Object.assign(row, looked(zun, row));
  }
  return { status: 200, json: containerJson(row, viewFor(call, caller)) };
}

function deleteContainer(zun: ZunState, call: Call, caller: Caller, row: ContainerRow): Answer {
  if (booleanParameter(call.query, 'all_projects') && !caller.isAdmin) throw forbidden('container:delete_all_projects');
  const isForced = booleanParameter(call.query, 'force');
  if (isForced && !caller.isAdmin) throw forbidden('container:delete_force');
  const stops = booleanParameter(call.query, 'stop');
  if (!isForced) requireState(row, stops ? 'delete_after_stop' : 'delete', 'delete');
  if (!zun.compute.isUp) throw internal('ContainerHostNotUp');
  requestContainerDelete(zun, row);
  return { status: 204 };
}

/** Name, cpu and memory can be changed. */
function updateContainer(zun: ZunState, call: Call, caller: Caller, row: ContainerRow): Answer {
  const changes: Fields = readParameters(zun, call);
  requireState(row, 'update');
  if (typeof changes['name'] === 'string') row.name = changes['name'];
  if (changes['cpu'] !== undefined) row.cpu = Number(changes['cpu']);
  if (changes['memory'] !== undefined) row.memory = String(changes['memory']);
  zun.store.containers.changed(row);
  return { status: 200, json: containerJson(row, viewFor(call, caller)) };
}
