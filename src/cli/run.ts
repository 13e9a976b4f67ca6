import { startAgent } from '../agent/agent.ts';
import { systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { describeOptions } from '../config/load.ts';
import type { Options } from '../config/options.ts';
import { createLog } from '../telemetry/log-sink.ts';
import type { Command, Io } from './io.ts';
import { layersHelp, optionHelp, parseFlags } from './option-flags.ts';
import { testHooks } from './test-hooks.ts';
import { version } from './version.ts';

const help = () => `zunlet run: runs the node until it is stopped

  zunlet run [options]
  zunlet run --config zunlet.yaml
  zunlet run --print-config        shows each option with the layer it came from, and ends

Kubernetes credentials come from the cluster that zunlet runs in, else KUBECONFIG, else the default path. OpenStack
credentials come from clouds.yaml (and secure.yaml) as other OpenStack tools read it, or from OS_* variables.

Ctrl-C or SIGTERM ends it: running steps finish, capsules and the Node stay. Start it again within 40 s and nobody
notices.

${layersHelp}

${optionHelp()}
`;

/** `zunlet run`: the node. */
export const runCommand: Command = async (args, io) => {
  const { loaded, extra } = await parseFlags(args, io, {
    help: { type: 'boolean', short: 'h' },
    'print-config': { type: 'boolean' },
    json: { type: 'boolean' },
  });
  if (extra['help']) {
    io.stdout.write(help());
    return 0;
  }
  if (extra['print-config']) {
    io.stdout.write(printConfig(describeOptions(loaded), extra['json'] === true));
    return 0;
  }
  const { values } = loaded;
  const log = createLog({
    level: values.logLevel,
    format: values.logFormat,
    write: (line) => void io.stderr.write(line),
    now: systemClock.now,
  });
  log.info('zunlet starts', { version, node: values.nodeName, nodeVersion: process.version });
  // Every timer of the node is unreferenced: without this the process would end while it waits for an API server.
  const hold = setInterval(() => {}, 2 ** 30);
  try {
    return await runUntilStopped(values, log, io);
  } catch (thrown) {
    // Stopped before there was a node: not a failure.
    if (thrown !== io.signal.reason) throw thrown;
    log.info('zunlet stopped');
    return 0;
  } finally {
    clearInterval(hold);
  }
};

async function runUntilStopped(values: Options, log: Log, io: Io): Promise<number> {
  const agent = await startAgent({
    options: values,
    env: io.env,
    cwd: process.cwd(),
    log,
    version,
    signal: io.signal,
    ...testHooks(io.env),
  });
  if (agent.healthAddress) log.info('health and metrics are served', { address: agent.healthAddress });
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    else io.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  log.info('zunlet stops', { reason: String(io.signal.reason) });
  await agent.stop();
  log.info('zunlet stopped');
  return 0;
}

function printConfig(rows: ReturnType<typeof describeOptions>, json: boolean): string {
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  const text = rows.map(({ key, value, from }) => [key, JSON.stringify(value), from] as const);
  const width = (column: 0 | 1) => Math.max(...text.map((row) => row[column].length));
  return text
    .map(([key, value, from]) => `${key.padEnd(width(0))}  ${value.padEnd(Math.min(48, width(1)))}  ${from}\n`)
    .join('');
}
