import { createPipe, emptySource } from './pipe.ts';
import { ExitRequest, LoopRequest, type Programs, type Scope, type Streams } from './scope.ts';
import { type Expansion, expandAll, expandOne } from './shell-expand.ts';
import { redirect } from './shell-redirect.ts';
import { parseScript, ShellSyntaxError } from './shell-syntax.ts';
import type { Command, List, Pipeline } from './shell-tree.ts';

/** Runs a script to its end and returns its exit code. A small shell: see docs/zun.md, Where the emulator differs. */
export async function runScript(script: string, streams: Streams, scope: Scope, programs: Programs): Promise<number> {
  let list: List;
  try {
    list = parseScript(script);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    await streams.stderr.write(Buffer.from(`sh: ${error.message}\n`));
    return 2;
  }
  try {
    await runList(list, streams, scope, programs);
    return scope.lastStatus;
  } catch (error) {
    if (error instanceof ExitRequest) return error.code;
    throw error;
  }
}

async function runList(list: List, streams: Streams, scope: Scope, programs: Programs): Promise<void> {
  let skip: '&&' | '||' | undefined;
  for (const { pipeline, then } of list) {
    scope.signal.throwIfAborted();
    const isSkipped = (skip === '&&' && scope.lastStatus !== 0) || (skip === '||' && scope.lastStatus === 0);
    if (!isSkipped) {
      if (then === '&') {
        const background = copyScope(scope);
        void runPipeline(pipeline, { ...streams, stdin: emptySource }, background, programs).catch(() => undefined);
        scope.lastStatus = 0;
      } else scope.lastStatus = await runPipeline(pipeline, streams, scope, programs);
    }
    skip = then === '&&' || then === '||' ? then : undefined;
  }
}

async function runPipeline(pipeline: Pipeline, streams: Streams, scope: Scope, programs: Programs): Promise<number> {
  const { commands, isNegated } = pipeline;
  const [only] = commands;
  let status: number;
  if (commands.length === 1 && only) status = await runCommand(only, streams, scope, programs);
  else {
    let stdin = streams.stdin;
    const running = commands.map(async (command, index) => {
      const isLast = index === commands.length - 1;
      const pipe = createPipe();
      const own = { ...streams, stdin, stdout: isLast ? streams.stdout : pipe };
      const source = stdin;
      stdin = pipe;
      try {
        return await runCommand(command, own, copyScope(scope), programs);
      } catch (error) {
        if (error instanceof ExitRequest) return error.code;
        throw error;
      } finally {
        pipe.end();
        if (index > 0 && 'abandon' in source && typeof source.abandon === 'function') source.abandon();
      }
    });
    status = (await Promise.all(running)).at(-1) ?? 0;
  }
  return isNegated ? Number(status === 0) : status;
}

function copyScope(scope: Scope): Scope {
  return { ...scope, variables: new Map(scope.variables), traps: new Map(scope.traps) };
}

async function runCommand(command: Command, given: Streams, scope: Scope, programs: Programs): Promise<number> {
  const opened = await redirect(command.redirects, given, expansion(given, scope, programs));
  if (!opened) return 1;
  const { streams, close } = opened;
  try {
    switch (command.kind) {
      case 'simple':
        // `exec 3>&1` and no program: for all that follows.
        if (isBareExec(command)) Object.assign(given, streams);
        return await runSimple(command, streams, scope, programs);
      case 'group': {
        if (command.isSubshell) return await runSubshell(command.body, streams, copyScope(scope), programs);
        await runList(command.body, streams, scope, programs);
        return scope.lastStatus;
      }
      case 'loop':
        return await runLoop(command, streams, scope, programs);
      case 'for':
        return await runFor(command, streams, scope, programs);
      case 'if': {
        for (const { condition, body } of command.branches) {
          await runList(condition, streams, scope, programs);
          if (scope.lastStatus !== 0) continue;
          await runList(body, streams, scope, programs);
          return scope.lastStatus;
        }
        scope.lastStatus = 0;
        if (command.otherwise) await runList(command.otherwise, streams, scope, programs);
        return scope.lastStatus;
      }
      default:
        return command satisfies never;
    }
  } finally {
    close();
  }
}

async function runSubshell(body: List, streams: Streams, scope: Scope, programs: Programs): Promise<number> {
  try {
    await runList(body, streams, scope, programs);
    return scope.lastStatus;
  } catch (error) {
    if (error instanceof ExitRequest) return error.code;
    throw error;
  }
}

function isBareExec(command: Extract<Command, { kind: 'simple' }>): boolean {
  const [word, ...more] = command.words;
  const [part] = word ?? [];
  return more.length === 0 && part?.kind === 'text' && part.text === 'exec' && command.redirects.length > 0;
}

async function runLoop(
  command: Extract<Command, { kind: 'loop' }>,
  streams: Streams,
  scope: Scope,
  programs: Programs,
): Promise<number> {
  let status = 0;
  for (let turn = 0; ; turn++) {
    // A loop without a wait must not keep the process from everything else.
    if (turn % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    await runList(command.condition, streams, scope, programs);
    if ((scope.lastStatus === 0) === command.until) return status;
    if (await endsLoop(command.body, streams, scope, programs)) return 0;
    status = scope.lastStatus;
  }
}

async function runFor(
  command: Extract<Command, { kind: 'for' }>,
  streams: Streams,
  scope: Scope,
  programs: Programs,
): Promise<number> {
  scope.lastStatus = 0;
  for (const value of await expandAll(command.words, expansion(streams, scope, programs))) {
    scope.variables.set(command.name, value);
    if (await endsLoop(command.body, streams, scope, programs)) return 0;
  }
  return scope.lastStatus;
}

async function endsLoop(body: List, streams: Streams, scope: Scope, programs: Programs): Promise<boolean> {
  try {
    await runList(body, streams, scope, programs);
    return false;
  } catch (error) {
    if (error instanceof LoopRequest) return error.isBreak;
    throw error;
  }
}

async function runSimple(
  command: Extract<Command, { kind: 'simple' }>,
  streams: Streams,
  scope: Scope,
  programs: Programs,
): Promise<number> {
  const words = await expandAll(command.words, expansion(streams, scope, programs));
  const [name] = words;
  const target = name === undefined ? scope : copyScope(scope);
  for (const { name: variable, value } of command.assignments) {
    target.variables.set(variable, await expandOne(value, expansion(streams, scope, programs)));
  }
  if (name === undefined) return scope.lastStatus;
  if (name === 'read') return readWith(target.variables.get('IFS'), words, streams, scope, programs);
  const own = command.assignments.length === 0 ? scope : target;
  return runWords(words, streams, own, programs);
}

/** `IFS= read line`: the variables it sets are the shell's, the one that it is given is not. */
async function readWith(
  separators: string | undefined,
  words: string[],
  streams: Streams,
  scope: Scope,
  programs: Programs,
): Promise<number> {
  const before = scope.variables.get('IFS');
  if (separators !== undefined) scope.variables.set('IFS', separators);
  try {
    return await runWords(words, streams, scope, programs);
  } finally {
    if (before === undefined) scope.variables.delete('IFS');
    else scope.variables.set('IFS', before);
  }
}

/** Runs one program by its words. Exit code 127 when there is none of that name. */
export async function runWords(words: string[], streams: Streams, scope: Scope, programs: Programs): Promise<number> {
  const name = words[0]?.split('/').at(-1) ?? '';
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program) return program(words, streams, scope);
  await streams.stderr.write(Buffer.from(`sh: ${words[0]}: not found\n`));
  return 127;
}

function expansion(streams: Streams, scope: Scope, programs: Programs): Expansion {
  return {
    scope,
    async substitute(script, stdout) {
      const inner = copyScope(scope);
      try {
        await runList(script, { ...streams, stdout }, inner, programs);
        scope.lastStatus = inner.lastStatus;
      } catch (error) {
        if (!(error instanceof ExitRequest)) throw error;
        scope.lastStatus = error.code;
      }
    },
  };
}
