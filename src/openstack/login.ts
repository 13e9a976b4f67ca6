import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Transport } from '../http/transport.ts';
import type { CatalogEntry } from './catalog.ts';
import type { CloudAuth, DomainRef, UserRef } from './cloud-auth.ts';
import { answerError } from './errors.ts';
import { parseAnswer } from './wire.ts';

/** A token with what Keystone says about it. */
export interface Token {
  id: string;
  projectId: string;
  projectName: string;
  userId: string;
  userName: string;
  roles: string[];
  catalog: CatalogEntry[];
  /** By Keystone's clock. */
  issuedAtMs: number;
  expiresAtMs: number;
  /** Keystone's clock minus ours when the token was issued, ms. */
  skewMs: number;
  /** On our monotonic clock, as the two below. */
  receivedAt: number;
  renewAt: number;
  expiresAt: number;
}

/** What a login needs. */
export interface Login {
  auth: CloudAuth;
  /** Finds the transport to an origin. */
  transport(origin: string): Transport;
  clock: Clock;
  userAgent: string;
  timeoutMs: number;
}

/** Zun hands the caller's token on to its compute host, where a task may use it minutes after the call was answered. */
const marginMs = 15 * 60_000;

const idName = z.looseObject({ id: z.string().max(255), name: z.string().max(1024).optional() });
const tokenSchema = z.looseObject({
  token: z.looseObject({
    expires_at: z.string().max(64),
    issued_at: z.string().max(64),
    user: idName,
    project: idName.optional(),
    roles: z
      .array(z.looseObject({ name: z.string().max(255) }))
      .max(1000)
      .optional(),
    catalog: z
      .array(
        z.looseObject({
          type: z.string().max(255),
          name: z.string().max(255).optional(),
          endpoints: z
            .array(
              z.looseObject({
                interface: z.string().max(64),
                region: z.string().max(255).nullish(),
                region_id: z.string().max(255).nullish(),
                url: z.string().max(4096),
              }),
            )
            .max(10_000),
        }),
      )
      .max(10_000)
      .optional(),
  }),
});

type TokenBody = z.infer<typeof tokenSchema>['token'];

/**
 * Logs in once. Errors: `keystone.unauthorized` and others by status, with what a person can do; `keystone.not-scoped`;
 * `keystone.bad-answer`; those of the transport.
 */
export async function logIn(login: Login): Promise<Token> {
  const { auth, clock } = login;
  const attempt = `logging in at ${auth.url} ${loginName(auth)}`;
  const url = new URL(auth.url);
  const askedAt = clock.monotonic();
  const answer = await login.transport(url.origin).request({
    method: 'POST',
    path: `${url.pathname}/auth/tokens`,
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': login.userAgent },
    body: JSON.stringify({ auth: authBody(auth) }),
    timeoutMs: login.timeoutMs,
    attempt,
  });
  if (answer.status !== 201 && answer.status !== 200) {
    const error = answerError({ service: 'keystone', attempt, method: 'GET', nowMs: clock.now(), ...answer });
    throw explain(error, auth);
  }
  const { token: body } = parseAnswer(tokenSchema, answer.body, { service: 'keystone', attempt, effect: 'none' });
  return makeToken(login, { body, id: answer.headers['x-subject-token'], attempt, askedAt });
}

function makeToken(
  { auth, clock }: Login,
  { body, id, attempt, askedAt }: { body: TokenBody; id: string | undefined; attempt: string; askedAt: number },
): Token {
  const issuedAtMs = Date.parse(body.issued_at);
  const expiresAtMs = Date.parse(body.expires_at);
  if (!id || !/^[\x21-\x7e]{1,65536}$/.test(id) || !Number.isFinite(issuedAtMs) || !Number.isFinite(expiresAtMs)) {
    throw keystoneError(
      'bad-answer',
      'retryable',
      `${attempt}: keystone sent a token without an id or without valid times`,
    );
  }
  if (!body.project) {
    throw keystoneError(
      'not-scoped',
      'unauthorized',
      `${attempt}: the token is for no project; name one in the cloud's auth (project_name)`,
    );
  }
  const lifeMs = Math.max(0, expiresAtMs - issuedAtMs);
  // A token made from a token lives no longer than that one: renewing early gains nothing.
  const margin = auth.method === 'token' ? Math.min(30_000, lifeMs / 4) : Math.min(marginMs, lifeMs / 4);
  return {
    id,
    projectId: body.project.id,
    projectName: body.project.name ?? '',
    userId: body.user.id,
    userName: body.user.name ?? '',
    roles: (body.roles ?? []).map((role) => role.name),
    catalog: readCatalog(body),
    issuedAtMs,
    expiresAtMs,
    skewMs: issuedAtMs - clock.now(),
    receivedAt: clock.monotonic(),
    renewAt: askedAt + lifeMs - margin,
    expiresAt: askedAt + lifeMs,
  };
}

function readCatalog(body: TokenBody): CatalogEntry[] {
  return (body.catalog ?? []).map((entry) => ({
    type: entry.type,
    name: entry.name ?? '',
    endpoints: entry.endpoints.map(({ interface: which, region_id: regionId, region, url }) => ({
      interface: which,
      region: regionId ?? region ?? '',
      url,
    })),
  }));
}

function keystoneError(code: string, kind: AppError['kind'], message: string): AppError {
  return new AppError({ kind, code: `keystone.${code}`, message });
}

function authBody(auth: CloudAuth): object {
  switch (auth.method) {
    case 'password':
      return {
        identity: { methods: ['password'], password: { user: { ...userBody(auth.user), password: auth.password } } },
        scope: { project: auth.project },
      };
    case 'token':
      return { identity: { methods: ['token'], token: { id: auth.token } }, scope: { project: auth.project } };
    case 'application_credential': {
      const which =
        'id' in auth.credential
          ? auth.credential
          : { name: auth.credential.name, user: userBody(auth.credential.user) };
      // No scope: the credential is bound to its project, and Keystone refuses any.
      return {
        identity: { methods: ['application_credential'], application_credential: { ...which, secret: auth.secret } },
      };
    }
    default:
      return auth satisfies never;
  }
}

function userBody(user: UserRef): { id: string } | { name: string; domain: DomainRef } {
  return 'id' in user ? { id: user.id } : { name: user.name, domain: user.domain };
}

/** Who logs in, without secrets. */
function loginName(auth: CloudAuth): string {
  const user = (ref: UserRef) => ('id' in ref ? `with user ${ref.id}` : `as ${ref.name}`);
  switch (auth.method) {
    case 'password':
      return user(auth.user);
    case 'token':
      return 'with a token';
    case 'application_credential':
      return 'id' in auth.credential
        ? `with application credential ${auth.credential.id}`
        : `with application credential ${auth.credential.name}`;
    default:
      return auth satisfies never;
  }
}

/** Adds what a person can do about it. */
function explain(error: AppError, auth: CloudAuth): AppError {
  const advice = {
    password: 'check user, password, domains and project, and that neither user nor project is disabled',
    application_credential: 'check id and secret, and that the credential has neither expired nor been deleted',
    token: 'the token has expired or was revoked: supply a new one',
  }[auth.method];
  const change =
    error.kind === 'unauthorized' || error.kind === 'forbidden'
      ? { message: `${error.message}; ${advice}` }
      : error.kind === 'not-found'
        ? {
            kind: 'retryable' as const,
            code: 'keystone.not-here',
            message: `${error.message}; no Identity v3 API at this auth_url`,
          }
        : {};
  return new AppError({
    kind: error.kind,
    code: error.code,
    message: error.message,
    cause: error.cause,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(error.status !== undefined && { status: error.status }),
    ...change,
  });
}
