import { filePrograms } from './programs-files.ts';
import { shellPrograms } from './programs-shell.ts';
import { textPrograms } from './programs-text.ts';
import type { Program, Programs, Scope, Streams } from './scope.ts';

const printing =
  (make: (words: string[], scope: Scope) => string): Program =>
  async (words, streams, scope) => {
    await streams.stdout.write(Buffer.from(make(words, scope)));
    return 0;
  };

const plainPrograms: Programs = {
  true: () => 0,
  false: () => 1,
  echo: printing(echoed),
  printf: printing((words) => formatted(words[1] ?? '', words.slice(2))),
  env: printing(environment),
  printenv: async (words, streams, scope) => {
    const value = words[1] === undefined ? undefined : scope.variables.get(words[1]);
    if (words[1] !== undefined && value === undefined) return 1;
    await streams.stdout.write(Buffer.from(value === undefined ? environment(words, scope) : `${value}\n`));
    return 0;
  },
  pwd: printing((_words, scope) => `${scope.folder}\n`),
  hostname: printing((_words, scope) => `${scope.machine.hostname}\n`),
  whoami: printing(() => 'root\n'),
  id: printing((words) => (words[1] === '-u' ? '0\n' : 'uid=0(root) gid=0(root)\n')),
  uname: printing((words, scope) =>
    words[1] === '-a' ? `Linux ${scope.machine.hostname} 6.0-emulated x86_64 GNU/Linux\n` : 'Linux\n',
  ),
  nproc: printing(() => '2\n'),
  which: printing((words) => `/bin/${words[1]}\n`),
  date: printing((words, scope) => {
    const now = new Date(scope.machine.now());
    if (words[1] === '+%s') return `${Math.floor(now.getTime() / 1000)}\n`;
    return words.some((word) => word.startsWith('-I') || word.startsWith('+%Y'))
      ? `${now.toISOString()}\n`
      : `${now.toUTCString().replace(',', '').replace('GMT', 'UTC')}\n`;
  }),
  seq: printing((words) => {
    const [first, last] = words.length > 2 ? [Number(words[1]), Number(words[2])] : [1, Number(words[1])];
    let text = '';
    for (let number = first; number <= last; number++) text += `${number}\n`;
    return text;
  }),
  basename: printing((words) => `${(words[1] ?? '').split('/').at(-1)}\n`),
  dirname: printing((words) => `${(words[1] ?? '').split('/').slice(0, -1).join('/') || '.'}\n`),
  ps: printing(() => 'PID   USER     TIME  COMMAND\n    1 root      0:00 main\n'),
  async sleep(words, _streams, scope) {
    const ms = sleepMs(words[1] ?? '');
    await scope.machine.sleep(ms ?? Number.POSITIVE_INFINITY, scope.signal);
    return 0;
  },
  async yes(words, streams, scope) {
    const block = Buffer.from(`${words[1] ?? 'y'}\n`.repeat(2048));
    for (;;) {
      scope.signal.throwIfAborted();
      await streams.stdout.write(block);
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
  dd: (words, streams, scope) => copyBlocks(words, streams, scope),
};

/** Every program that the small image has, by name. */
export const programs: Programs = {
  ...plainPrograms,
  ...textPrograms,
  ...filePrograms,
  ...shellPrograms(() => programs),
};

/** Reads the argument of `sleep`; undefined for ever. */
export function sleepMs(argument: string): number | undefined {
  const match = /^(\d*\.?\d+)([smhd]?)$/.exec(argument);
  if (!match) return undefined;
  const unit = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? ''] ?? 1;
  return Number(match[1]) * unit * 1000;
}

function echoed(words: string[]): string {
  const rest = words.slice(1);
  let newline = '\n';
  let unescapes = false;
  while (/^-[ne]+$/.test(rest[0] ?? '')) {
    const flag = rest.shift() ?? '';
    if (flag.includes('n')) newline = '';
    if (flag.includes('e')) unescapes = true;
  }
  const text = rest.join(' ');
  return (unescapes ? unescaped(text) : text) + newline;
}

function unescaped(text: string): string {
  const named: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', a: '\x07', e: '\x1b' };
  return text.replace(/\\(?:0?([0-7]{1,3})|x([0-9a-f]{1,2})|([ntrae\\]))/gi, (_all, octal, hex, letter) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    return hex !== undefined ? String.fromCharCode(Number.parseInt(hex, 16)) : (named[letter] ?? letter);
  });
}

/** `printf` with %s, %d, %x and %%; the format is used again while arguments are left. */
function formatted(format: string, given: string[]): string {
  const rest = [...given];
  const text = unescaped(format);
  let made = '';
  do {
    made += text.replace(
      /%(0?)(\d*)(?:\.(\d+))?([sdxc%])/g,
      (_all, zero: string, width: string, most: string | undefined, kind: string) => {
        if (kind === '%') return '%';
        const value = rest.shift() ?? (kind === 's' ? '' : '0');
        const shown =
          kind === 'x'
            ? Number(value).toString(16)
            : kind === 'd'
              ? String(Math.trunc(Number(value)))
              : value.slice(0, most === undefined ? undefined : Number(most));
        return shown.padStart(Number(width || 0), zero === '0' ? '0' : ' ');
      },
    );
  } while (rest.length > 0 && /%\d*[sdxc]/.test(text));
  return made;
}

function environment(_words: string[], scope: Scope): string {
  return [...scope.variables].map(([name, value]) => `${name}=${value}\n`).join('');
}

/** `dd if=/dev/zero bs=1M count=50`: zeros, or standard input, to standard output. */
async function copyBlocks(words: string[], streams: Streams, scope: Scope): Promise<number> {
  const options = new Map(words.slice(1).map((word) => word.split('=') as [string, string]));
  const sizes: Record<string, number> = { k: 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };
  const [, digits = '512', unit = ''] = /^(\d+)([kKMG]?)/.exec(options.get('bs') ?? '512') ?? [];
  const block = Number(digits) * (sizes[unit] ?? 1);
  let left = block * Number(options.get('count') ?? Number.POSITIVE_INFINITY);
  const isZero = options.get('if')?.startsWith('/dev/') ?? false;
  const zeros = Buffer.alloc(Math.min(block, 65_536));
  while (left > 0) {
    scope.signal.throwIfAborted();
    const bytes = isZero ? zeros : await streams.stdin.read();
    if (!bytes) break;
    const piece = bytes.subarray(0, Math.min(left, bytes.length));
    if (!isZero) streams.stdin.unread(bytes.subarray(piece.length));
    left -= piece.length;
    await streams.stdout.write(piece);
  }
  return 0;
}
