import { cleanPath, type Files } from './files.ts';
import type { ByteSource } from './pipe.ts';

const blockBytes = 512;

/** Yields a tar archive of files and folders, a piece at a time. `names` are kept as given, less a leading slash. */
export function* writeTar(files: Files, folder: string, names: string[]): Generator<Buffer> {
  for (const name of names) yield* writeEntry(files, cleanPath(folder, name), name.replace(/^\/+/, ''));
  yield Buffer.alloc(2 * blockBytes);
}

function* writeEntry(files: Files, path: string, name: string): Generator<Buffer> {
  const node = files.stat(path);
  if (!node) return;
  const isFolder = node.kind === 'folder';
  const shown = isFolder && !name.endsWith('/') ? `${name}/` : name;
  const size = isFolder ? 0 : node.content.length;
  if (Buffer.byteLength(shown) > 100) yield* longName(shown);
  yield header({ name: shown, size, mode: node.mode, modifiedAt: node.modifiedAt, type: isFolder ? '5' : '0' });
  if (!isFolder) {
    yield node.content;
    yield padding(size);
    return;
  }
  for (const child of files.list(path) ?? [])
    yield* writeEntry(files, `${path === '/' ? '' : path}/${child}`, shown + child);
}

/** GNU's way of storing a name that does not fit its field. */
function* longName(name: string): Generator<Buffer> {
  const bytes = Buffer.from(`${name}\0`);
  yield header({ name: '././@LongLink', size: bytes.length, mode: 0o644, modifiedAt: 0, type: 'L' });
  yield bytes;
  yield padding(bytes.length);
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}

function header(entry: { name: string; size: number; mode: number; modifiedAt: number; type: string }): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, width: number) =>
    block.write(
      `${Math.floor(value)
        .toString(8)
        .padStart(width - 1, '0')}\0`,
      at,
      'latin1',
    );
  block.write(Buffer.from(entry.name).subarray(0, 100).toString('latin1'), 0, 'latin1');
  octal(entry.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(entry.size, 124, 12);
  octal(entry.modifiedAt / 1000, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(entry.type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** An entry of an archive as it is read. */
export interface TarEntry {
  name: string;
  type: 'file' | 'folder' | 'link';
  mode: number;
  target: string;
  content: Buffer;
}

/** Reads a tar archive: ustar with GNU long names and pax names. Errors: `Error` when it ends in the middle. */
export async function readTar(source: ByteSource, onEntry: (entry: TarEntry) => void): Promise<void> {
  const take = createTaker(source);
  let nextName: string | undefined;
  for (;;) {
    const block = await take(blockBytes);
    if (!block || block.every((byte) => byte === 0)) return;
    const size = Number.parseInt(text(block, 124, 12), 8) || 0;
    const content = (await take(size)) ?? fail();
    await take((blockBytes - (size % blockBytes)) % blockBytes);
    const type = String.fromCharCode(block[156] ?? 0);
    if (type === 'L') nextName = content.toString().replace(/\0.*$/s, '');
    else if (type === 'x') nextName = paxPath(content) ?? nextName;
    if (type === 'L' || type === 'x' || type === 'g') continue;
    const prefix = text(block, 345, 155);
    const plain = prefix ? `${prefix}/${text(block, 0, 100)}` : text(block, 0, 100);
    const name = nextName ?? plain;
    nextName = undefined;
    const kind = type === '5' || name.endsWith('/') ? 'folder' : type === '2' ? 'link' : 'file';
    onEntry({
      name,
      type: kind,
      mode: Number.parseInt(text(block, 100, 8), 8) || 0o644,
      target: text(block, 157, 100),
      content,
    });
  }
}

function fail(): never {
  throw new Error('unexpected end of file');
}

function text(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return field
    .subarray(0, end < 0 ? length : end)
    .toString()
    .trim();
}

function paxPath(content: Buffer): string | undefined {
  for (const line of content.toString().split('\n')) {
    const match = /^\d+ path=(.*)$/.exec(line);
    if (match) return match[1];
  }
  return undefined;
}

/** Cuts a source into pieces of a wanted size; undefined when it ends before one is full. */
function createTaker(source: ByteSource): (size: number) => Promise<Buffer | undefined> {
  let pieces: Buffer[] = [];
  let held = 0;
  return async (size) => {
    while (held < size) {
      const bytes = await source.read();
      if (!bytes) return undefined;
      pieces.push(bytes);
      held += bytes.length;
    }
    const joined = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    pieces = size < joined.length ? [joined.subarray(size)] : [];
    held -= size;
    return joined.subarray(0, size);
  };
}

/** Puts an archive's entries into a folder. */
export function extractEntry(files: Files, folder: string, entry: TarEntry): void {
  const path = cleanPath(folder, entry.name.replace(/^\/+/, ''));
  if (entry.type === 'folder') files.makeFolder(path, entry.mode);
  else if (entry.type === 'link') files.link(path, entry.target);
  else {
    files.inject(path, Buffer.from(entry.content));
    const node = files.stat(path);
    if (node) node.mode = entry.mode;
  }
}
