import { encodeBase64 } from '../base/base64.ts';
import { containerNameVariable } from '../base/identity.ts';
import type { TemplateContainer } from '../openstack/types.ts';
import type { Findings } from './findings.ts';
import { columnBytes, storedBytes } from './limits.ts';
import { templateVolumeName } from './mounts.ts';
import { podReason } from './reasons.ts';
import type { PodVolume } from './volumes.ts';

/** The mark of the generated container; no container of a Pod can have this name. */
const mark = 'zunlet/files';
const root = '/zunlet-files';

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

interface Written {
  env: Record<string, string>;
  lines: string[];
}

/** One variable and three commands a file; the content never stands in the script. */
function write(volumes: ReadonlyMap<string, PodVolume>): Written {
  const env: Record<string, string> = {};
  const lines = ['set -e'];
  for (const [name, volume] of volumes) {
    if (volume.kind !== 'filled') continue;
    for (const { path, content, mode } of volume.files) {
      const variable = `FILE_${Object.keys(env).length}`;
      const place = `${root}/${templateVolumeName(name)}/${path}`;
      env[variable] = encodeBase64(content);
      lines.push(`mkdir -p ${quote(folderOf(place))}`, `printf %s "$${variable}" | base64 -d > ${quote(place)}`);
      lines.push(`chmod ${mode.toString(8).padStart(4, '0')} ${quote(place)}`);
    }
  }
  return { env, lines };
}

/**
 * Makes the init container that writes the files of a Pod's volumes into the Cinder volumes of its capsule; undefined when
 * there are none. Problem: what does not fit into the 64 KiB that zun stores for variables (`heals`: the objects may shrink).
 */
export function filesContainer(
  volumes: ReadonlyMap<string, PodVolume>,
  image: string,
  findings: Findings,
): TemplateContainer | undefined {
  const filled = [...volumes].filter(([, volume]) => volume.kind === 'filled').map(([name]) => name);
  if (filled.length === 0) return undefined;
  const { env, lines } = write(volumes);
  const command = ['sh', '-c', lines.join('\n')];
  if (storedBytes(env) > columnBytes || storedBytes(command) > columnBytes) {
    findings.problem({
      path: 'spec.volumes',
      code: 'volume.files-too-large',
      message:
        'the files take more than the 64 KiB that can be carried into a capsule; use a Cinder volume that holds them, or the container backend',
      heals: true,
      reason: podReason.mount,
    });
  }
  return {
    image,
    command,
    env: { ...env, [containerNameVariable]: mark },
    volumeMounts: filled.map((name) => {
      return { name: templateVolumeName(name), mountPath: `${root}/${templateVolumeName(name)}` };
    }),
  };
}
