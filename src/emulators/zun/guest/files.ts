/** A file or folder in memory. */
interface Node {
  kind: 'file' | 'folder' | 'link';
  mode: number;
  /** Milliseconds since 1970. */
  modifiedAt: number;
  /** Of a file. */
  content: Buffer;
  /** Of a link: where it points. */
  target: string;
}

/** The files of one container. Paths are absolute and clean; see `cleanPath`. */
export interface Files {
  stat(path: string): Node | undefined;
  /** Names in a folder, sorted; undefined when it is none. */
  list(path: string): string[] | undefined;
  /** Undefined when it is not a file. */
  read(path: string): Buffer | undefined;
  /** False when the folder is missing or the path is a folder. */
  write(path: string, content: Buffer, mode?: number): boolean;
  append(path: string, content: Buffer): boolean;
  /** Makes a folder and those above it. */
  makeFolder(path: string, mode?: number): void;
  link(path: string, target: string): void;
  /** Removes a file, or a folder with all in it. */
  remove(path: string): boolean;
  /** Makes a file with the folders above it. */
  inject(path: string, content: Buffer): void;
}

const skeleton = ['/bin', '/dev', '/etc', '/home', '/proc', '/root', '/run', '/tmp', '/usr', '/var', '/var/log'];

const none = Buffer.alloc(0);

/** Makes the files of a small image. */
export function createFiles(now: () => number, hostname: string): Files {
  const nodes = new Map<string, Node>();

  function put(path: string, kind: Node['kind'], mode: number, content: Buffer = none, target = ''): void {
    nodes.set(path, { kind, mode, modifiedAt: now(), content, target });
  }

  function makeFolder(path: string, mode = 0o755): void {
    for (let at = path; at !== '/' && !nodes.has(at); at = parentOf(at)) put(at, 'folder', mode);
  }

  function follow(path: string, depth = 0): string {
    const node = nodes.get(path);
    if (node?.kind !== 'link' || depth > 8) return path;
    return follow(cleanPath(parentOf(path), node.target), depth + 1);
  }

  const files: Files = {
    stat: (path) => nodes.get(follow(path)),
    list(path) {
      const folder = follow(path);
      if (nodes.get(folder)?.kind !== 'folder') return undefined;
      const prefix = folder === '/' ? '/' : `${folder}/`;
      const names: string[] = [];
      for (const key of nodes.keys()) {
        if (key !== '/' && key.startsWith(prefix) && !key.includes('/', prefix.length))
          names.push(key.slice(prefix.length));
      }
      return names.sort();
    },
    read(path) {
      const node = nodes.get(follow(path));
      return node?.kind === 'file' ? node.content : undefined;
    },
    write(path, content, mode = 0o644) {
      const target = follow(path);
      const before = nodes.get(target);
      if (before?.kind === 'folder' || nodes.get(follow(parentOf(target)))?.kind !== 'folder') return false;
      put(target, 'file', before?.mode ?? mode, content);
      return true;
    },
    append: (path, content) => files.write(path, Buffer.concat([files.read(path) ?? none, content])),
    makeFolder,
    link: (path, target) => put(path, 'link', 0o777, none, target),
    remove(path) {
      if (!nodes.has(path)) return false;
      nodes.delete(path);
      for (const key of nodes.keys()) if (key.startsWith(`${path}/`)) nodes.delete(key);
      return true;
    },
    inject(path, content) {
      makeFolder(parentOf(path));
      put(path, 'file', 0o644, content);
    },
  };

  put('/', 'folder', 0o755);
  furnish(files, hostname);
  return files;
}

/** Puts there what every image has. */
function furnish(files: Files, hostname: string): void {
  for (const path of skeleton) files.makeFolder(path, path === '/tmp' ? 0o1777 : 0o755);
  files.inject('/etc/hostname', Buffer.from(`${hostname}\n`));
  files.inject('/etc/hosts', Buffer.from(`127.0.0.1\tlocalhost\n`));
  files.inject('/etc/passwd', Buffer.from('root:x:0:0:root:/root:/bin/sh\n'));
  files.inject('/etc/os-release', Buffer.from('ID=emulated\nPRETTY_NAME="An emulated image"\n'));
}

/** Makes a path absolute and takes `.`, `..` and doubled slashes out. */
export function cleanPath(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The folder that holds a path. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
