import type { Answer } from '../service.ts';
import type { Operation } from './container-operations.ts';
import { requireState } from './container-states.ts';
import { internal, ZunError } from './errors.ts';
import { baseName, cleanPath, parentOf } from './guest/files.ts';
import { bytesSource } from './guest/pipe.ts';
import { extractEntry, readTar, writeTar } from './guest/tar.ts';
import type { ContainerRow } from './model.ts';
import { remoteError } from './remote-error.ts';

/** `GET …/get_archive?path=`: a tar of a file or folder, base64 since 1.25 (docs/zun.md §5.3). */
export function getArchive({ row, parameters, caller }: Operation): Answer {
  requireState(row, 'get_archive');
  const path = cleanPath('/', readPath(parameters['path']));
  const { files } = guestOf(row);
  const node = files.stat(path);
  if (!node)
    throw remoteError(404, 'resource-not-found', `Could not find the file ${path} in container`, 'get_archive');
  const archive = Buffer.concat([...writeTar(files, parentOf(path), [baseName(path)])]);
  const stat = {
    name: baseName(path),
    size: node.content.length,
    mode: node.mode,
    mtime: new Date(node.modifiedAt).toISOString(),
    linkTarget: node.target,
  };
  const data = caller.minor >= 25 ? archive.toString('base64') : archive.toString('latin1');
  return { status: 200, json: { data, stat } };
}

/** `POST …/put_archive?path=` with a tar in `data`. */
export async function putArchive({ row, parameters, caller }: Operation): Promise<Answer> {
  requireState(row, 'put_archive');
  const path = cleanPath('/', readPath(parameters['path']));
  const { files } = guestOf(row);
  if (files.stat(path)?.kind !== 'folder') {
    throw remoteError(404, 'resource-not-found', `Could not find the file ${path} in container`, 'put_archive');
  }
  const encoded = String(parameters['data'] ?? '');
  const bytes = Buffer.from(encoded, caller.minor >= 25 ? 'base64' : 'latin1');
  // Docker removes what an entry would replace, and a mounted file cannot be removed.
  const mounted = new Set(row.mounts.flatMap(({ file, destination }) => (file === undefined ? [] : [destination])));
  let busy: string | undefined;
  try {
    await readTar(bytesSource(bytes), (entry) => {
      const place = cleanPath(path, entry.name.replace(/^\/+/, ''));
      if (mounted.has(place)) busy ??= place;
      else if (busy === undefined) extractEntry(files, path, entry);
    });
  } catch {
    throw internal('unexpected EOF');
  }
  if (busy !== undefined) throw internal(`unlinkat ${busy}: device or resource busy`);
  return { status: 200, json: null };
}

function readPath(path: unknown): string {
  if (typeof path === 'string' && path !== '') return path;
  throw new ZunError(400, 'schema-validation-error', "'path' is a required property");
}

function guestOf(row: ContainerRow) {
  if (!row.process) throw remoteError(400, 'invalid', 'Cannot operate an uncreated container.', 'archive');
  return row.process.guest();
}
