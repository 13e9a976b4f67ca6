import type { Answer, Call } from '../service.ts';
import { insertCapsule } from './capsule-create.ts';
import { capsuleBodySchema, templateSchema } from './capsule-schema.ts';
import { refreshCapsule, requestCapsuleDelete, scheduleCapsule } from './capsule-tasks.ts';
import type { Fields } from './capsule-template.ts';
import { forbidden, internal, ZunError } from './errors.ts';
import type { CapsuleRow } from './model.ts';
import { parsePythonJson, plainNumbers } from './python-text.ts';
import { booleanParameter, type Caller, findRow, pageOf, viewFor } from './request.ts';
import type { ZunState } from './state.ts';
import { UnknownTypeError, validate } from './validate.ts';
import { capsuleJson, type ViewFor } from './view.ts';

/** Capsule texts by row: a list of a thousand is then a matter of joining. */
export type CapsuleTexts = WeakMap<CapsuleRow, { root: string; text: string }>;

/** `POST /v1/capsules`. */
export function createCapsule(zun: ZunState, call: Call, caller: Caller, body: unknown): Answer {
  const template = readBody(body, zun.isFaithful);
  const row = insertCapsule(zun, template, caller);
  scheduleCapsule(zun, row);
  return {
    status: 202,
    json: capsuleJson(row, viewFor(call, caller, true)),
    headers: { location: `${call.root}/v1/capsules/${row.uuid}` },
  };
}

/** A template comes as an object or as JSON in a text; other types meet a type name that no validator knows. */
function readBody(body: unknown, isFaithful: boolean): Fields {
  try {
    validate(body, capsuleBodySchema);
    let template = (body as Fields)['template'];
    if (typeof template === 'string') {
      template = parseTemplate(template);
      validate(template, templateSchema);
    }
    return plainNumbers(template) as Fields;
  } catch (error) {
    if (!(error instanceof UnknownTypeError)) throw error;
    if (isFaithful) throw internal(error.message);
    throw new ZunError(400, 'schema-validation-error', "template is not of type 'object', 'string'");
  }
}

function parseTemplate(text: string): unknown {
  try {
    return parsePythonJson(text);
  } catch {
    throw internal('Expecting value: line 1 column 1 (char 0)');
  }
}

/** `GET /v1/capsules`: pages, no filters (docs/zun.md §7). */
export function listCapsules(zun: ZunState, call: Call, caller: Caller): Answer {
  requireSingleParameters(call.query);
  const wantsAll = booleanParameter(call.query, 'all_projects');
  const { capsules } = zun.store;
  const source = call.staleMs > 0 ? capsules.past(call.staleMs) : capsules.all();
  const rows = wantsAll && caller.isAdmin ? source : source.filter((row) => row.projectId === caller.projectId);
  const find = (uuid: string) => rows.find((row) => row.uuid === uuid);
  const page = pageOf(call, rows, find, zun.options.maxLimit, 'capsules');
  const texts = page.rows.map((row) => capsuleText(zun, row, viewFor(call, caller)));
  return { status: 200, text: `{"next": ${JSON.stringify(page.next)}, "capsules": [${texts.join(', ')}]}` };
}

/** `GET /v1/capsules/{uuid or name}`. */
export function showCapsule(zun: ZunState, call: Call, caller: Caller, ident: string): Answer {
  const row = findRow(zun.store.capsules, ident, caller);
  const past = call.staleMs > 0 ? zun.store.capsules.past(call.staleMs).find((item) => item.uuid === row.uuid) : row;
  return { status: 200, text: capsuleText(zun, past ?? row, viewFor(call, caller)) };
}

/** `DELETE /v1/capsules/{uuid or name}`: 204 at once, gone later (docs/zun.md §4.5). */
export function deleteCapsule(zun: ZunState, call: Call, caller: Caller, ident: string): Answer {
  if (booleanParameter(call.query, 'all_projects') && !caller.isAdmin) throw forbidden('capsule:delete_all_projects');
  const row = findRow(zun.store.capsules, ident, caller);
  if (row.host !== null && !zun.compute.isUp) throw internal('ContainerHostNotUp');
  requestCapsuleDelete(zun, row);
  return { status: 204 };
}

function capsuleText(zun: ZunState, row: CapsuleRow, view: ViewFor): string {
  if (!zun.isFaithful) refreshCapsule(zun, row);
  if (view.isAdmin || !view.isModern) return JSON.stringify(capsuleJson(row, view));
  const cached = zun.texts.get(row);
  if (cached?.root === view.root) return cached.text;
  const text = JSON.stringify(capsuleJson(row, view));
  zun.texts.set(row, { root: view.root, text });
  return text;
}

/** A parameter given twice ends in a 500 (docs/zun.md §7). */
function requireSingleParameters(query: URLSearchParams): void {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (seen.has(name)) throw internal("'list' object has no attribute");
    seen.add(name);
  }
}
