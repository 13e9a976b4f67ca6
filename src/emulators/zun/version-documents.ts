import { type Minor, minVersion } from './versions.ts';

type Json = Record<string, unknown>;

function versionEntry(root: string, maxMinor: Minor): Json {
  return {
    id: 'v1',
    links: [{ href: `${root}/v1/`, rel: 'self' }],
    status: 'CURRENT',
    max_version: `1.${maxMinor}`,
    min_version: minVersion,
  };
}

/** `GET /` (docs/zun.md §1.3). */
export function rootDocument(root: string, maxMinor: Minor): Json {
  return {
    name: 'OpenStack Zun API',
    description: 'Zun is an OpenStack project which aims to provide containers service.',
    versions: [versionEntry(root, maxMinor)],
    default_version: versionEntry(root, maxMinor),
  };
}

const collections = [
  'services',
  'containers',
  'images',
  'networks',
  'hosts',
  'capsules',
  'availability_zones',
  'quotas',
  'quota_classes',
  'registries',
];

/** `GET /v1` (docs/zun.md §1.3). */
export function v1Document(root: string): Json {
  const entry = (name: string) => [
    { href: `${root}/v1/${name}/`, rel: 'self' },
    { href: `${root}/${name}/`, rel: 'bookmark' },
  ];
  return {
    id: 'v1',
    media_types: [{ base: 'application/json', type: 'application/vnd.openstack.zun.v1+json' }],
    links: [
      { href: `${root}/v1/`, rel: 'self' },
      {
        href: 'https://docs.openstack.org/developer/zun/dev/api-spec-v1.html',
        rel: 'describedby',
        type: 'text/html',
      },
    ],
    ...Object.fromEntries(collections.map((name) => [name, entry(name)])),
  };
}

/** `GET /healthcheck`. */
export const healthDocument: Json = { detailed: false, reasons: ['OK'] };
