import { AppError, toAppError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import type { Command, Io } from './io.ts';
import { version } from './version.ts';

interface Entry {
  summary: string;
  load: () => Promise<Command>;
}

/** The commands. Each is loaded only when it is called, so that `zunlet version` starts at once. */
const commands: Record<string, Entry> = {
  run: { summary: 'the node: runs until it is stopped', load: async () => (await import('./run.ts')).runCommand },
  translate: {
    summary: 'shows what a Pod manifest becomes, without any cluster or cloud',
    load: async () => (await import('./translate.ts')).translateCommand,
  },
  demo: {
    summary: 'everything on this machine: emulators, the node and a few Pods',
    load: async () => (await import('./demo/demo.ts')).demoCommand,
  },
  check: {
    summary: 'the doctor: tells what is wrong before you deploy',
    load: async () => (await import('./check/check.ts')).checkCommand,
  },
  capsule: {
    summary: 'capsules by hand: create, list, describe, delete, pods, orphans',
    load: async () => (await import('./capsule.ts')).capsuleCommand,
  },
  version: {
    summary: 'prints the version',
    load: async () => async (_args, io) => {
      io.stdout.write(`zunlet ${version}\n`);
      return 0;
    },
  },
};

/** Runs one command line and answers the exit code: 0 done, 1 failed, 2 wrong usage. Never throws. */
export async function main(argv: string[], io: Io): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.stdout.write(help());
    return name === undefined ? 2 : 0;
  }
  const entry = commands[name === '--version' ? 'version' : name];
  if (!entry) {
    const near = nearest(name, Object.keys(commands));
    io.stderr.write(`zunlet: unknown command ${name}${near ? `; did you mean ${near}?` : ''}\nTry: zunlet --help\n`);
    return 2;
  }
  try {
    const command = await entry.load();
    return await command(args, io);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (thrown instanceof AppError) {
      io.stderr.write(`zunlet ${name}: ${error.message}\n`);
      if (error.code === 'usage') io.stderr.write(`Try: zunlet ${name} --help\n`);
    } else {
      io.stderr.write(
        `zunlet ${name}: this is a bug: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`,
      );
    }
    return error.code === 'usage' || error.code.startsWith('config.') ? 2 : 1;
  }
}

function help(): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => `  zunlet ${name.padEnd(11)}${summary}`);
  return `zunlet ${version}: a Kubernetes node that runs Pods as OpenStack Zun capsules

${rows.join('\n')}

Each command has --help. Start with "zunlet demo" to see it work on this machine, then "zunlet check" against your
cluster and your cloud, then "zunlet run".
`;
}
