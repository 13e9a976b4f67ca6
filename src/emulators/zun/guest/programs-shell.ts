import { cleanPath } from './files.ts';
import { readLine } from './pipe.ts';
import { ExitRequest, LoopRequest, type Program, type Programs, type Scope, type Streams } from './scope.ts';
import { runScript, runWords } from './shell.ts';
import { setTerminal } from './terminal.ts';

const encode = (text: string) => Buffer.from(text);

/** Programs that change what they run in: folder, variables, traps, terminal. */
const scopePrograms: Programs = {
  set: () => 0,
  wait: () => 0,
  shift(_words, _streams, scope) {
    scope.arguments.splice(1, 1);
    return 0;
  },
  async cd(words, streams, scope) {
    const path = cleanPath(scope.folder, words[1] ?? scope.variables.get('HOME') ?? '/root');
    if (scope.machine.files.stat(path)?.kind === 'folder') {
      scope.folder = path;
      return 0;
    }
    await streams.stderr.write(encode(`sh: cd: can't cd to ${words[1]}: No such file or directory\n`));
    return 2;
  },
  export(words, _streams, scope) {
    for (const word of words.slice(1)) {
      const [name, value] = split(word);
      if (value !== undefined) scope.variables.set(name, value);
    }
    return 0;
  },
  unset(words, _streams, scope) {
    for (const name of words.slice(1)) scope.variables.delete(name);
    return 0;
  },
  async read(words, streams, scope) {
    const names = words.slice(1).filter((word) => !word.startsWith('-'));
    const line = await readLine(streams.stdin);
    if (line === undefined) {
      for (const name of names) scope.variables.set(name, '');
      return 1;
    }
    if (scope.variables.get('IFS') === '') {
      for (const name of names) scope.variables.set(name, name === names[0] ? line : '');
      return 0;
    }
    const fields = line.trim().split(/[ \t]+/);
    for (const [index, name] of names.entries()) {
      const isLast = index === names.length - 1;
      scope.variables.set(name, isLast ? fields.slice(index).join(' ') : (fields[index] ?? ''));
    }
    return 0;
  },
  trap(words, _streams, scope) {
    const [, command = '', ...signals] = words;
    for (const signal of signals) scope.traps.set(signal.replace(/^SIG/, ''), command);
    return 0;
  },
  async stty(words, streams) {
    const printed = streams.terminal ? setTerminal(streams.terminal, words.slice(1)) : undefined;
    if (printed === undefined) {
      const why = streams.terminal ? `invalid argument '${words.at(-1)}'` : 'standard input: Not a tty';
      await streams.stderr.write(encode(`stty: ${why}\n`));
      return 1;
    }
    await streams.stdout.write(encode(printed));
    return 0;
  },
  tty: async (_words, streams) => {
    await streams.stdout.write(encode(streams.terminal ? '/dev/pts/0\n' : 'not a tty\n'));
    return streams.terminal ? 0 : 1;
  },
};

/** The shell itself, and programs that run others. */
export function shellPrograms(programs: () => Programs): Programs {
  const shell: Program = (words, streams, scope) => runShell(words, streams, scope, programs());
  return {
    ':': () => 0,
    sh: shell,
    ash: shell,
    bash: shell,
    dash: shell,
    busybox: (words, streams, scope) => runWords(words.slice(1), streams, scope, programs()),
    exit(words, _streams, scope) {
      throw new ExitRequest(words[1] === undefined ? scope.lastStatus : Number(words[1]) & 255);
    },
    async exec(words, streams, scope) {
      if (words.length < 2) return 0;
      throw new ExitRequest(await runWords(words.slice(1), streams, scope, programs()));
    },
    eval: (words, streams, scope) => runScript(words.slice(1).join(' '), streams, scope, programs()),
    async command(words, streams, scope) {
      if (words[1] !== '-v') return runWords(words.slice(1), streams, scope, programs());
      const name = words[2] ?? '';
      if (!Object.hasOwn(programs(), name)) return 127;
      await streams.stdout.write(encode(`/bin/${name}\n`));
      return 0;
    },
    break() {
      throw new LoopRequest(true);
    },
    continue() {
      throw new LoopRequest(false);
    },
    ...scopePrograms,
  };
}

function split(assignment: string): [string, string | undefined] {
  const mark = assignment.indexOf('=');
  return mark < 0 ? [assignment, undefined] : [assignment.slice(0, mark), assignment.slice(mark + 1)];
}

async function runShell(words: string[], streams: Streams, scope: Scope, programs: Programs): Promise<number> {
  const rest = words.slice(1);
  let isCommand = false;
  while (rest[0]?.startsWith('-')) isCommand = (rest.shift() ?? '').includes('c') || isCommand;
  const inner: Scope = {
    ...scope,
    variables: new Map(scope.variables),
    traps: new Map(),
    arguments: isCommand ? rest.slice(1) : rest,
    lastStatus: 0,
  };
  if (isCommand) {
    inner.traps = scope.traps;
    return runScript(rest[0] ?? '', streams, inner, programs);
  }
  if (rest[0] !== undefined) {
    const script = scope.machine.files.read(cleanPath(scope.folder, rest[0]));
    if (script) return runScript(script.toString(), streams, inner, programs);
    await streams.stderr.write(encode(`sh: can't open '${rest[0]}': No such file or directory\n`));
    return 2;
  }
  return converse(streams, inner, programs);
}

/** The interactive shell: a line, its effect, a prompt where there is a terminal. */
async function converse(streams: Streams, scope: Scope, programs: Programs): Promise<number> {
  for (;;) {
    if (streams.terminal) await streams.stdout.write(encode(`${scope.folder} # `));
    const line = await readLine(streams.stdin);
    if (line === undefined) return scope.lastStatus;
    const exits = /^\s*exit(?:\s+(\d+))?\s*$/.exec(line);
    if (exits) return exits[1] === undefined ? scope.lastStatus : Number(exits[1]) & 255;
    scope.lastStatus = await runLine(line, streams, scope, programs);
  }
}

/** Runs one line; Ctrl-C ends it and nothing else. */
async function runLine(line: string, streams: Streams, scope: Scope, programs: Programs): Promise<number> {
  const interrupt = new AbortController();
  streams.terminal?.onInterrupt(() => interrupt.abort());
  const inner = { ...scope, signal: AbortSignal.any([scope.signal, interrupt.signal]) };
  try {
    const status = await runScript(line, streams, inner, programs);
    scope.folder = inner.folder;
    return status;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    await streams.stdout.write(encode('\n'));
    return 130;
  }
}
