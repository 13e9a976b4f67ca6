import { baseName, cleanPath } from './files.ts';
import { runTar } from './programs-tar.ts';
import type { Programs, Scope, Streams } from './scope.ts';

const encode = (text: string) => Buffer.from(text);

/** Programs that work on files. */
export const filePrograms: Programs = {
  async ls(words, streams, scope) {
    const isLong = words.some((word) => word.startsWith('-') && word.includes('l'));
    const names = words.slice(1).filter((word) => !word.startsWith('-'));
    let status = 0;
    for (const name of names.length > 0 ? names : ['.']) {
      const path = cleanPath(scope.folder, name);
      const node = scope.machine.files.stat(path);
      if (!node) {
        await streams.stderr.write(encode(`ls: ${name}: No such file or directory\n`));
        status = 1;
        continue;
      }
      const entries = scope.machine.files.list(path) ?? [name];
      const shown = isLong ? entries.map((entry) => longLine(scope, cleanPath(path, entry), entry)) : entries;
      await streams.stdout.write(encode(shown.map((line) => `${line}\n`).join('')));
    }
    return status;
  },
  mkdir(words, _streams, scope) {
    for (const name of words.slice(1))
      if (!name.startsWith('-')) scope.machine.files.makeFolder(cleanPath(scope.folder, name));
    return 0;
  },
  async rm(words, streams, scope) {
    const isForced = words.some((word) => word.startsWith('-') && word.includes('f'));
    let status = 0;
    for (const name of words.slice(1)) {
      if (name.startsWith('-') || scope.machine.files.remove(cleanPath(scope.folder, name)) || isForced) continue;
      await streams.stderr.write(encode(`rm: can't remove '${name}': No such file or directory\n`));
      status = 1;
    }
    return status;
  },
  touch(words, _streams, scope) {
    for (const name of words.slice(1)) scope.machine.files.append(cleanPath(scope.folder, name), Buffer.alloc(0));
    return 0;
  },
  cp: (words, streams, scope) => copyFile(words, streams, scope, false),
  mv: (words, streams, scope) => copyFile(words, streams, scope, true),
  tar: runTar,
  async test(words, _streams, scope) {
    return Number(!holds(words.slice(1), scope));
  },
  '[': (words, _streams, scope) => Number(!holds(words.slice(1, -1), scope)),
};

function longLine(scope: Scope, path: string, name: string): string {
  const node = scope.machine.files.stat(path);
  const kind = node?.kind === 'folder' ? 'd' : '-';
  const mode = 'rwxrwxrwx'
    .split('')
    .map((bit, index) => (((node?.mode ?? 0) >> (8 - index)) & 1 ? bit : '-'))
    .join('');
  const at = new Date(node?.modifiedAt ?? 0).toUTCString().slice(5, 22);
  return `${kind}${mode}    1 root     root     ${String(node?.content.length ?? 0).padStart(9)} ${at} ${name}`;
}

async function copyFile(words: string[], streams: Streams, scope: Scope, moves: boolean): Promise<number> {
  const [from = '', to = ''] = words.slice(1).filter((word) => !word.startsWith('-'));
  const { files } = scope.machine;
  const source = cleanPath(scope.folder, from);
  const content = files.read(source);
  const target = cleanPath(scope.folder, to);
  const path = files.stat(target)?.kind === 'folder' ? `${target}/${baseName(source)}` : target;
  if (!content || !files.write(path, content)) {
    await streams.stderr.write(encode(`${words[0]}: can't stat '${from}': No such file or directory\n`));
    return 1;
  }
  if (moves) files.remove(source);
  return 0;
}

function holds(words: string[], scope: Scope): boolean {
  if (words[0] === '!') return !holds(words.slice(1), scope);
  const [first = '', operator, second = ''] = words;
  if (words.length === 1) return first !== '';
  if (words.length === 2) {
    const node = scope.machine.files.stat(cleanPath(scope.folder, operator ?? ''));
    switch (first) {
      case '-z':
        return operator === '';
      case '-n':
        return operator !== '';
      case '-e':
        return node !== undefined;
      case '-f':
        return node?.kind === 'file';
      case '-d':
        return node?.kind === 'folder';
      case '-s':
        return (node?.content.length ?? 0) > 0;
      default:
        return false;
    }
  }
  switch (operator) {
    case '=':
    case '==':
      return first === second;
    case '!=':
      return first !== second;
    case '-eq':
      return Number(first) === Number(second);
    case '-ne':
      return Number(first) !== Number(second);
    case '-lt':
      return Number(first) < Number(second);
    case '-le':
      return Number(first) <= Number(second);
    case '-gt':
      return Number(first) > Number(second);
    case '-ge':
      return Number(first) >= Number(second);
    default:
      return false;
  }
}
