import type { z } from 'zod';
import { AppError, type Effect } from '../base/errors.ts';

/** Lower-case, with dashes: the only form in which Zun finds every object. Source: zun/common/utils.py, oslo.utils. */
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Tells whether a text is a lower-case dashed UUID. */
export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** Answers the uuid, or throws: nothing else may become a part of a URL. Errors: `openstack.bad-uuid`. */
export function uuidPath(uuid: string, attempt: string): string {
  if (isUuid(uuid)) return uuid;
  throw new AppError({
    kind: 'invalid',
    code: 'openstack.bad-uuid',
    message: `${attempt}: ${JSON.stringify(uuid.slice(0, 80))} is not a lower-case UUID with dashes`,
  });
}

/** What an answer is checked against, and what is said when it does not fit. */
export interface Expectation {
  service: string;
  attempt: string;
  /** `unknown` for a call that did something before it answered nonsense. */
  effect: Effect;
}

/**
 * Parses a JSON body and checks it against a schema. Keys that the schema does not know pass.
 * Errors: `<service>.bad-answer`, retryable, naming the field, never its value.
 */
export function parseAnswer<T extends z.ZodType>(schema: T, body: Buffer, expected: Expectation): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw badAnswer(expected, body.length === 0 ? 'an empty body' : 'something that is not JSON');
  }
  let parsed: z.ZodSafeParseResult<z.output<T>>;
  try {
    parsed = schema.safeParse(json);
  } catch (error) {
    // A schema never throws, but a very deep document can exhaust the stack.
    throw badAnswer(expected, 'a document that cannot be checked', error);
  }
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw badAnswer(
    expected,
    `an unexpected answer, ${path?.replace(/^\./, '') || 'the body'}: ${lower(issue?.message ?? '')}`,
  );
}

function lower(message: string): string {
  return message
    .slice(0, 200)
    .replace(/^Invalid input: /, '')
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}

function badAnswer(expected: Expectation, what: string, cause?: unknown): AppError {
  return new AppError({
    kind: 'retryable',
    code: `${expected.service}.bad-answer`,
    message: `${expected.attempt}: ${expected.service} sent ${what}`,
    effect: expected.effect,
    cause,
  });
}
