import { createHash } from 'node:crypto';
import { cleanPath } from './files.ts';
import { type ByteSource, bytesSource, readAll } from './pipe.ts';
import type { Program, Programs, Scope, Streams } from './scope.ts';

const encode = (text: string) => Buffer.from(text);

/** Programs that carry, cut and sum up streams. */
export const textPrograms: Programs = {
  cat: (words, streams, scope) => eachInput(words, streams, scope, (source) => copy(source, streams)),
  sha256sum: digest('sha256'),
  md5sum: digest('md5'),
  async base64(words, streams, scope) {
    const decodes = words.includes('-d');
    const names = ['base64', ...words.slice(1).filter((word) => word !== '-d' && !word.startsWith('-w'))];
    return eachInput(names, streams, scope, (source) =>
      decodes ? decode(source, streams) : encodeLines(source, streams),
    );
  },
  /** `tr FROM TO` with octal escapes; no ranges, no classes. */
  async tr(words, streams) {
    const [from, to] = [characters(words[1] ?? ''), characters(words[2] ?? '')];
    const table = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    for (const [index, byte] of from.entries()) table[byte] = to[index] ?? to.at(-1) ?? byte;
    for (let bytes = await streams.stdin.read(); bytes; bytes = await streams.stdin.read()) {
      await streams.stdout.write(Buffer.from(bytes.map((byte) => table[byte] ?? byte)));
    }
    return 0;
  },
  async head(words, streams, scope) {
    const { count, unit, names } = countOption(words);
    return eachInput(names, streams, scope, (source) => firstOf(source, streams, count, unit));
  },
  async tail(words, streams, scope) {
    if (words.includes('-f') || words.includes('-F')) return forever(scope);
    const { count, unit, names } = countOption(words);
    return eachInput(names, streams, scope, async (source) => {
      const all = await readAll(source);
      if (unit === 'bytes') return streams.stdout.write(all.subarray(Math.max(0, all.length - count)));
      const lines = all.toString().split(/(?<=\n)/);
      return streams.stdout.write(encode(lines.slice(-count).join('')));
    });
  },
  async wc(words, streams, scope) {
    const flag = words.find((word) => word.startsWith('-')) ?? '-l';
    const names = words.filter((word) => !word.startsWith('-'));
    return eachInput(names, streams, scope, async (source) => {
      let count = 0;
      for (let bytes = await source.read(); bytes; bytes = await source.read()) {
        count += flag === '-c' ? bytes.length : bytes.reduce((sum, byte) => sum + Number(byte === 10), 0);
      }
      return streams.stdout.write(encode(`${count}\n`));
    });
  },
  async grep(words, streams, scope) {
    const options = words
      .slice(1)
      .filter((word) => word.startsWith('-'))
      .join('');
    const [pattern = '', ...names] = words.slice(1).filter((word) => !word.startsWith('-'));
    const regex = new RegExp(pattern, options.includes('i') ? 'i' : '');
    let hits = 0;
    await eachInput(['grep', ...names], streams, scope, async (source) => {
      const lines = (await readAll(source)).toString().split('\n');
      if (lines.at(-1) === '') lines.pop();
      for (const line of lines) {
        if (regex.test(line) === options.includes('v')) continue;
        hits++;
        if (!options.includes('q') && !options.includes('c')) await streams.stdout.write(encode(`${line}\n`));
      }
    });
    if (options.includes('c')) await streams.stdout.write(encode(`${hits}\n`));
    return hits > 0 ? 0 : 1;
  },
  async tee(words, streams, scope) {
    const pieces: Buffer[] = [];
    for (let bytes = await streams.stdin.read(); bytes; bytes = await streams.stdin.read()) {
      pieces.push(bytes);
      await streams.stdout.write(bytes);
    }
    for (const name of words.slice(1)) scope.machine.files.write(cleanPath(scope.folder, name), Buffer.concat(pieces));
    return 0;
  },
};

async function eachInput(
  words: string[],
  streams: Streams,
  scope: Scope,
  use: (source: ByteSource, name: string) => Promise<void>,
): Promise<number> {
  const names = words.slice(1);
  if (names.length === 0) await use(streams.stdin, '-');
  let status = 0;
  for (const name of names) {
    const content = name === '-' ? undefined : scope.machine.files.read(cleanPath(scope.folder, name));
    if (name === '-') await use(streams.stdin, name);
    else if (content) await use(bytesSource(content), name);
    else {
      await streams.stderr.write(encode(`${words[0]}: can't open '${name}': No such file or directory\n`));
      status = 1;
    }
  }
  return status;
}

async function copy(source: ByteSource, streams: Streams): Promise<void> {
  for (let bytes = await source.read(); bytes; bytes = await source.read()) await streams.stdout.write(bytes);
}

function digest(algorithm: string): Program {
  return (words, streams, scope) =>
    eachInput(words, streams, scope, async (source, name) => {
      const hash = createHash(algorithm);
      for (let bytes = await source.read(); bytes; bytes = await source.read()) hash.update(bytes);
      await streams.stdout.write(encode(`${hash.digest('hex')}  ${name}\n`));
    });
}

async function encodeLines(source: ByteSource, streams: Streams): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  for (let bytes = await source.read(); bytes; bytes = await source.read()) {
    rest = Buffer.concat([rest, bytes]);
    const whole = rest.length - (rest.length % 57);
    if (whole > 0)
      await streams.stdout.write(encode(rest.subarray(0, whole).toString('base64').replace(/.{76}/g, '$&\n')));
    rest = rest.subarray(whole);
  }
  if (rest.length > 0) await streams.stdout.write(encode(`${rest.toString('base64')}\n`));
}

async function decode(source: ByteSource, streams: Streams): Promise<void> {
  let rest = '';
  for (let bytes = await source.read(); bytes; bytes = await source.read()) {
    rest += bytes.toString('latin1').replace(/\s/g, '');
    const whole = rest.length - (rest.length % 4);
    await streams.stdout.write(Buffer.from(rest.slice(0, whole), 'base64'));
    rest = rest.slice(whole);
  }
  if (rest !== '') await streams.stdout.write(Buffer.from(rest, 'base64'));
}

function countOption(words: string[]): { count: number; unit: 'lines' | 'bytes'; names: string[] } {
  const names = [words[0] ?? ''];
  let count = 10;
  let unit: 'lines' | 'bytes' = 'lines';
  for (let index = 1; index < words.length; index++) {
    const word = words[index] ?? '';
    const match = /^-([nc]?)(\d*)$/.exec(word);
    if (!match || word === '-') {
      names.push(word);
      continue;
    }
    if (match[1] === 'c') unit = 'bytes';
    count = Number(match[2] || words[++index]);
  }
  return { count, unit, names };
}

async function firstOf(source: ByteSource, streams: Streams, count: number, unit: 'lines' | 'bytes'): Promise<void> {
  let left = count;
  while (left > 0) {
    const bytes = await source.read();
    if (!bytes) return;
    let end = bytes.length;
    if (unit === 'bytes') {
      end = Math.min(left, bytes.length);
      left -= end;
    } else {
      for (let at = 0; at < bytes.length && left > 0; at++) if (bytes[at] === 10 && --left === 0) end = at + 1;
    }
    await streams.stdout.write(bytes.subarray(0, end));
  }
}

function forever(scope: Scope): Promise<number> {
  return new Promise((_resolve, reject) => {
    scope.signal.addEventListener('abort', () => reject(new Error('killed')), { once: true });
  });
}

function characters(set: string): Buffer {
  const bytes = set.replace(/\\([0-7]{1,3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1');
}
