import { request as httpRequest } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { differences, type Names, normalize } from './compare.ts';
import type { Target } from './target.ts';
import { largeTemplate, type Normalized, type Vector, type VectorRequest, type VectorResponse } from './vectors.ts';

interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** How a replay went. */
export interface Outcome {
  /** Where status, error code, headers, JSON keys or value types differ; empty: the vector agrees. */
  differences: string[];
  /** Whether even every value was the same. */
  isIdentical: boolean;
}

const pollLimitMs = 120_000;
const pollEveryMs = 200;
const resendMs = 10_000;

/** Replays a recorded conversation and compares each answer with the recorded one. */
export async function replay(vector: Vector, target: Target): Promise<Outcome> {
  const outcome: Outcome = { differences: [], isIdentical: true };
  const saved: Record<string, string> = {
    project: target.names.projects['demo'] ?? '',
    otherproject: target.names.projects['other'] ?? '',
  };
  // A few were recorded while there was nothing yet.
  const lists = vector.steps.some(
    ({ request, response }) => response?.status === 200 && /^\/v1\/capsules\/?$/.test(request.path ?? ''),
  );
  if (lists && vector.steps[0]?.request.pseudo === undefined) await removeAllCapsules(target);
  for (const [index, step] of vector.steps.entries()) {
    if (step.request.pseudo !== undefined) {
      await setScene(step.request, target);
      continue;
    }
    // The recorded calls took their time, and the services behind them went on meanwhile.
    if (!target.isReal) await target.pass(step.response?.ms ?? 0);
    const answer = await ask(step.request, target, saved);
    for (const [name, path] of Object.entries(step.request.save ?? {})) saved[name] = pick(answer.text, path);
    saved['nd'] = (saved['u'] ?? '').replaceAll('-', '');
    if (!step.response) continue;
    const recorded = recordedAnswer(step.response, step.normalized, target.names);
    const got = normalize(asNormalized(answer, step.response.cut ?? false), target.names);
    const found = differences(got, recorded, target.isReal);
    outcome.differences.push(
      ...found.map((text) => `step ${index} ${step.request.method} ${step.request.path}: ${text}`),
    );
    outcome.isIdentical &&= found.length === 0 && isDeepStrictEqual(got.json, recorded.json);
  }
  return outcome;
}

/** For answers that were recorded without being normalized, status and headers remain to be compared. */
function recordedAnswer(response: VectorResponse, normalized: Normalized | undefined, names: Names): Normalized {
  const { status, headers } = response;
  return normalize(normalized ?? { status, headers }, names);
}

function asNormalized(answer: RawAnswer, isCut: boolean): Normalized {
  const isJson = answer.text !== '' && !isCut;
  return { status: answer.status, headers: answer.headers, ...(isJson ? { json: JSON.parse(answer.text) } : {}) };
}

async function setScene(request: VectorRequest, target: Target): Promise<void> {
  if (request.ctl) return target.script(request.ctl);
  if (request.seconds !== undefined) return target.pass(request.seconds * 1000);
  await removeAllCapsules(target);
}

/** Deletes every capsule of the project and waits until they are gone. */
async function removeAllCapsules(target: Target): Promise<void> {
  const headers = {
    'X-Auth-Token': '<token:demo>',
    'OpenStack-API-Version': 'container 1.40',
    Accept: 'application/json',
  };
  for (let waitedMs = 0; waitedMs < pollLimitMs; waitedMs += pollEveryMs) {
    const list = await send(target, 'GET', '/v1/capsules', headers);
    const { capsules } = JSON.parse(list.text) as { capsules: { uuid: string; status: string }[] };
    if (capsules.length === 0) return;
    // A DELETE may get lost behind its 204; a real client sends it again, too.
    const isTurn = waitedMs % resendMs === 0;
    for (const { uuid, status } of capsules) {
      if (isTurn || status === 'Error') await send(target, 'DELETE', `/v1/capsules/${uuid}`, headers);
    }
    await target.pass(pollEveryMs);
  }
  throw new Error('capsules of an earlier vector do not go away');
}

async function ask(request: VectorRequest, target: Target, saved: Record<string, string>): Promise<RawAnswer> {
  const path = (request.path ?? '').replace(/\{(\w+)\}/g, (_text, name: string) => saved[name] ?? '');
  const body = request.large ? largeTemplate(request.large) : request.body;
  const sent = request.raw_body ?? (body === undefined ? undefined : JSON.stringify(body));
  for (let waitedMs = 0; ; waitedMs += pollEveryMs) {
    const answer = await send(target, request.method ?? 'GET', path, request.headers ?? {}, sent);
    if (request.poll_until === undefined || isReached(request.poll_until, answer)) return answer;
    if (waitedMs > pollLimitMs) throw new Error(`GET ${path} never reached ${request.poll_until}`);
    await target.pass(pollEveryMs);
  }
}

function isReached(state: string, answer: RawAnswer): boolean {
  const wanted = state.replace('c:', '');
  if (wanted === 'gone') return answer.status === 404;
  const status = answer.status === 200 ? (JSON.parse(answer.text) as { status?: string }).status : undefined;
  if (wanted === 'settled') return status === 'Running' || status === 'Error';
  return status?.toLowerCase() === wanted.toLowerCase();
}

function pick(text: string, path: string): string {
  let value: unknown = JSON.parse(text);
  for (const key of path.split('.')) value = (value as Record<string, unknown>)[key];
  return String(value);
}

/** Sends exactly the recorded headers: `fetch` would add some, and they matter here. */
function send(
  target: Target,
  method: string,
  path: string,
  recorded: Record<string, string>,
  body?: string,
): Promise<RawAnswer> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(recorded)) {
    headers[name] = value.replace(/^<token:(\w+)>$/, (_text, role: string) => target.tokens[role] ?? '');
  }
  if (body !== undefined) headers['Content-Length'] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const call = httpRequest(target.names.root + path, { method, headers, agent: false }, (response) => {
      // The real Zun sends the four bytes `null` after the headers of a 204, where no body may be. The parser stumbles over
      // them when the answer is already complete.
      if (response.statusCode === 204) call.removeAllListeners('error').on('error', () => {});
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const flat = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve({ status: response.statusCode ?? 0, headers: Object.fromEntries(flat), text });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
