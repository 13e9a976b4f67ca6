import { z } from 'zod';
import { AppError } from '../base/errors.ts';

/*
 * Zun makes a capsule's row before it looks at most of the template; what its JSON schema lets through and its code
 * trips over ends in a 500 and a row without an owner. This check stops exactly those templates, and whatever a database
 * column cannot hold. All else is left to Zun.
 * Source: zun/api/controllers/v1/capsules.py, zun/db/sqlalchemy/models.py (Text columns of MySQL: 65,535 bytes).
 */

const mostBytes = 65_535;
const fitsColumn = (value: unknown) => Buffer.byteLength(JSON.stringify(value ?? null)) <= mostBytes;
const column = `must be at most ${mostBytes} bytes in all`;

const word = z.string();
const scalar = z.union([z.string(), z.number(), z.boolean()], 'must be a text');
const words = z.array(word).refine(fitsColumn, column).optional();
const onlyTrueOrFalse = z.boolean('must be true or false, without quotes').optional();

const requests = z.looseObject({
  cpu: z.number('must be a number without quotes').optional(),
  memory: z.number('must be a number without quotes, in MiB').int('must be a whole number of MiB').optional(),
});
const resources = z.looseObject({ requests: requests.optional() }).optional();

/** Init containers are not in Zun's schema at all: everything it would refuse in an app container must be refused here. */
const container = z.looseObject({
  image: word.min(2, 'must have at least 2 characters').max(255, 'must have at most 255 characters'),
  name: namePattern().optional(),
  command: words,
  args: words,
  env: z.record(z.string(), word).refine(fitsColumn, column).optional(),
  workDir: word.max(255, 'must have at most 255 characters').nullable().optional(),
  resources,
  stdin: onlyTrueOrFalse,
  tty: onlyTrueOrFalse,
  imagePullPolicy: z
    .enum(
      ['always', 'never', 'ifnotpresent', 'Always', 'Never', 'IfNotPresent'],
      'must be always, never or ifnotpresent',
    )
    .optional(),
  ports: z.array(z.looseObject({ containerPort: z.union([z.number(), z.string()], 'is missing') })).optional(),
  volumeMounts: z.array(z.looseObject({ name: word, mountPath: word })).optional(),
});

const initKeys = new Set([
  'image',
  'name',
  'command',
  'args',
  'env',
  'workDir',
  'resources',
  'stdin',
  'tty',
  'imagePullPolicy',
  'ports',
  'volumeMounts',
]);
const initContainer = container.superRefine((value, context) => {
  for (const key of Object.keys(value)) {
    if (!initKeys.has(key)) context.addIssue({ code: 'custom', path: [key], message: 'is not a field of a container' });
  }
  const limits = value.resources;
  if (limits && limits.requests === undefined)
    context.addIssue({ code: 'custom', path: ['resources', 'requests'], message: 'is missing' });
});

const cinder = z
  .looseObject({
    volumeID: word.optional(),
    size: z.number('must be a number').optional(),
    autoRemove: onlyTrueOrFalse,
  })
  .refine((value) => (value.volumeID === undefined) !== (value.size === undefined), 'needs either volumeID or size');

const template = z.looseObject({
  metadata: z.looseObject({
    name: namePattern().max(236, 'must have at most 236 characters').nullable().optional(),
    labels: z.record(z.string(), scalar).refine(fitsColumn, column).nullable().optional(),
  }),
  spec: z.looseObject({
    containers: z
      .array(container, 'must be a list')
      .min(1, 'must have at least one container')
      .max(100, 'has too many containers'),
    initContainers: z.array(initContainer).max(100, 'has too many containers').nullable().optional(),
    volumes: z
      .array(z.looseObject({ name: word, cinder }))
      .nullable()
      .optional(),
  }),
});

/** Zun's pattern ends in `$`, which lets a newline through. */
function namePattern() {
  return z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}(?![\s\S])/, 'must have 2 to 255 letters, digits, _ . or -');
}

/**
 * Throws when a template would leave litter in Zun. Errors: `zun.template`, naming every field, never a value.
 */
export function checkTemplate(value: unknown, attempt: string): void {
  const parsed = template.safeParse(value, { error: explain });
  if (parsed.success) return;
  const problems = parsed.error.issues.slice(0, 10).map((issue) => {
    const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
    return `template${path} ${issue.message}`;
  });
  throw new AppError({ kind: 'invalid', code: 'zun.template', message: `${attempt}: ${problems.join('; ')}` });
}

const typeNames: Record<string, string> = {
  string: 'a text',
  array: 'a list',
  object: 'a map',
  record: 'a map',
  number: 'a number',
};

function explain(issue: { code?: string | undefined; expected?: unknown; input?: unknown }): string | undefined {
  if (issue.input === undefined) return 'is missing';
  return issue.code === 'invalid_type'
    ? `must be ${typeNames[String(issue.expected)] ?? 'of another type'}`
    : undefined;
}
