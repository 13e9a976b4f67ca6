import { cleanPath } from './files.ts';
import { bytesSource } from './pipe.ts';
import type { Scope, Streams } from './scope.ts';
import { extractEntry, readTar, writeTar } from './tar.ts';

const encode = (text: string) => Buffer.from(text);

/** `tar c|x|t`, with f, C and -: what `kubectl cp` needs. */
export async function runTar(words: string[], streams: Streams, scope: Scope): Promise<number> {
  const rest = words.slice(1);
  let mode = '';
  let folder = scope.folder;
  let archive = '-';
  const names: string[] = [];
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? '';
    const isFlags = (word.startsWith('-') && word !== '-') || (index === 0 && word !== '-');
    if (!isFlags) names.push(word);
    else if (!word.startsWith('--')) {
      for (const flag of word.replace(/^-/, '')) {
        if ('cxt'.includes(flag)) mode = flag;
        else if (flag === 'f') archive = rest[++index] ?? '-';
        else if (flag === 'C') folder = cleanPath(scope.folder, rest[++index] ?? '.');
      }
    }
  }
  const { files } = scope.machine;
  const archivePath = cleanPath(scope.folder, archive);
  if (mode === 'c') {
    const missing = names.find((name) => !files.stat(cleanPath(folder, name)));
    if (missing !== undefined) {
      await streams.stderr.write(encode(`tar: ${missing}: No such file or directory\n`));
      return 1;
    }
    if (archive === '-') for (const piece of writeTar(files, folder, names)) await streams.stdout.write(piece);
    else files.write(archivePath, Buffer.concat([...writeTar(files, folder, names)]));
    return 0;
  }
  const source = archive === '-' ? streams.stdin : bytesSource(files.read(archivePath) ?? Buffer.alloc(0));
  try {
    const listed: string[] = [];
    await readTar(source, (entry) => {
      if (mode === 't') listed.push(entry.name);
      else extractEntry(files, folder, entry);
    });
    if (listed.length > 0) await streams.stdout.write(encode(`${listed.join('\n')}\n`));
    return 0;
  } catch (error) {
    await streams.stderr.write(encode(`tar: ${(error as Error).message}\n`));
    return 1;
  }
}
