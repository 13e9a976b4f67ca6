import { z } from 'zod';

const text = z.string('must be a text').max(65_536, 'is too long');
const optionalText = text.nullish().transform((value) => (value === null || value === '' ? undefined : value));

/** The keys of `auth` that are read; any other is an error. Source: keystoneauth's loading options for Identity v3. */
export const authKeys = [
  'auth_url',
  'username',
  'user_name',
  'user_id',
  'password',
  'user_domain_id',
  'user_domain_name',
  'project_id',
  'project_name',
  'tenant_id',
  'tenant_name',
  'project_domain_id',
  'project_domain_name',
  'default_domain',
  'default_domain_id',
  'default_domain_name',
  'domain_id',
  'domain_name',
  'application_credential_id',
  'application_credential_name',
  'application_credential_secret',
  'token',
  'auth_token',
  'system_scope',
  'trust_id',
] as const;
export type AuthKey = (typeof authKeys)[number];

/** Keys of a cloud that are read. Other tools have many more, so that an unknown one is an error only when it looks like one of these. */
export const cloudKeys = [
  'auth',
  'auth_type',
  'profile',
  'cloud',
  'region_name',
  'regions',
  'interface',
  'endpoint_type',
  'verify',
  'insecure',
  'cacert',
  'cert',
  'key',
  'identity_api_version',
] as const;

/** Those that may come from `OS_*` variables whatever cloud is used. */
export const settingKeys: readonly string[] = [
  'region_name',
  'interface',
  'endpoint_type',
  'verify',
  'insecure',
  'cacert',
  'cert',
  'key',
];

/** Keys of other tools that lie near one of ours. */
export const foreignKeys = ['api_timeout', 'verbose', 'force', 'region', 'nat_source', 'networks', 'interfaces'];

const authShape = Object.fromEntries(authKeys.map((key) => [key, optionalText])) as Record<
  AuthKey,
  typeof optionalText
>; // Object.fromEntries forgets the keys

/** `auth` with its keys written with `_`. */
export const authSchema = z.object(authShape);
export type AuthValues = z.infer<typeof authSchema>;

const words = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  y: true,
  t: true,
  false: false,
  no: false,
  off: false,
  '0': false,
  n: false,
  f: false,
} as const;
const flag = text
  .nullish()
  .transform((value, context) => {
    if (value === null || value === undefined || value === '') return undefined;
    const word = value.toLowerCase();
    if (word in words) return words[word as keyof typeof words]; // `in` does not narrow
    context.addIssue({ code: 'custom', message: 'must be true or false' });
    return z.NEVER;
  })
  .optional();

const interfaceName = optionalText.transform((value, context) => {
  const name = (value ?? 'public').replace(/URL$/, '');
  if (name === 'public' || name === 'internal' || name === 'admin') return name;
  context.addIssue({ code: 'custom', message: 'must be public, internal or admin' });
  return z.NEVER;
});

const region = z.union([text, z.looseObject({ name: text, values: z.record(z.string(), z.unknown()).nullish() })]);

/** One cloud with its keys written with `_`; `auth` apart. */
export const cloudSchema = z.looseObject({
  auth_type: optionalText,
  region_name: optionalText,
  regions: z.array(region, 'must be a list of regions').max(1000, 'has too many entries').nullish(),
  interface: z
    .union([text, z.array(text).min(1)], 'must be public, internal or admin')
    .nullish()
    .transform((value) => (Array.isArray(value) ? value[0] : value))
    .pipe(interfaceName),
  verify: flag,
  insecure: flag,
  cacert: optionalText,
  cert: optionalText,
  key: optionalText,
  identity_api_version: optionalText,
});
