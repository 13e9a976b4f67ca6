import type { KubeStatus } from '../../kube/types.ts';

type Details = NonNullable<KubeStatus['details']> & { group?: string; uid?: string };

/** One field that validation refused. */
export interface FieldCause {
  reason:
    | 'FieldValueNotFound'
    | 'InternalError'
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate';
  field: string;
  message: string;
}

/** A failed call, as the API server words it. Source: k8s.io/apimachinery/pkg/api/errors. */
export class ApiFailure extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Details | undefined;
  readonly continueToken: string | undefined;

  constructor(code: number, reason: string, message: string, details?: Details, continueToken?: string) {
    super(message);
    this.name = 'ApiFailure';
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.continueToken = continueToken;
  }

  /** The body of the answer. */
  status(): object {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: 'Failure',
      message: this.message,
      ...(this.reason !== '' && { reason: this.reason }),
      ...(this.details !== undefined && { details: this.details }),
      code: this.code,
    };
  }
}

/** What an error is about: the resource as users write it and the group it is in. */
export interface Subject {
  plural: string;
  group: string;
  kind: string;
}

const qualified = (subject: Subject) => (subject.group === '' ? subject.plural : `${subject.plural}.${subject.group}`);

function details(subject: Subject, name: string): Details {
  return { name, ...(subject.group !== '' && { group: subject.group }), kind: subject.plural };
}

export function notFound(subject: Subject, name: string): ApiFailure {
  return new ApiFailure(404, 'NotFound', `${qualified(subject)} "${name}" not found`, details(subject, name));
}

export function alreadyExists(subject: Subject, name: string): ApiFailure {
  return new ApiFailure(409, 'AlreadyExists', `${qualified(subject)} "${name}" already exists`, details(subject, name));
}

export function conflict(subject: Subject, name: string, why: string): ApiFailure {
  return new ApiFailure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(subject)} "${name}": ${why}`,
    details(subject, name),
  );
}

export const modifiedMeanwhile =
  'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(subject: Subject, name: string, why: string): ApiFailure {
  return new ApiFailure(
    403,
    'Forbidden',
    `${qualified(subject)} "${name}" is forbidden: ${why}`,
    details(subject, name),
  );
}

export function badRequest(message: string): ApiFailure {
  return new ApiFailure(400, 'BadRequest', message);
}

export function methodNotAllowed(): ApiFailure {
  return new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

export function pathNotFound(): ApiFailure {
  return new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function unauthorized(): ApiFailure {
  return new ApiFailure(401, 'Unauthorized', 'Unauthorized');
}

export function unsupportedMediaType(why: string): ApiFailure {
  return new ApiFailure(415, 'UnsupportedMediaType', why);
}

export function internalError(why: string): ApiFailure {
  return new ApiFailure(500, 'InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
}

/** Answers 422 with one cause a field. */
export function invalid(subject: Subject, name: string, causes: FieldCause[]): ApiFailure {
  const lines = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  const shown = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`;
  return new ApiFailure(422, 'Invalid', `${shown} "${name}" is invalid: ${text}`, {
    ...(name !== '' && { name }),
    ...(subject.group !== '' && { group: subject.group }),
    kind: subject.kind,
    causes: causes.map((cause) => ({ ...cause })),
  });
}

/** The answer to a watch from a version whose history is gone. */
export function tooOldVersion(asked: number, oldest: number): ApiFailure {
  return new ApiFailure(410, 'Expired', `too old resource version: ${asked} (${oldest})`);
}

export function expiredContinue(freshToken?: string): ApiFailure {
  return new ApiFailure(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    undefined,
    freshToken,
  );
}

/** The answer to a read at a version that does not exist yet. */
export function versionTooLarge(asked: number, current: number): ApiFailure {
  return new ApiFailure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    retryAfterSeconds: 1,
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
  });
}
