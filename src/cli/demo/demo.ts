import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Agent, startAgent } from '../../agent/agent.ts';
import { sleep, systemClock } from '../../base/clock.ts';
import { AppError, isKind } from '../../base/errors.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import { loadOptions } from '../../config/load.ts';
import { createCloudEmulator } from '../../emulators/cloud.ts';
import { createKubeEmulator } from '../../emulators/kube/emulator.ts';
import { loadKubeAuth } from '../../kube/auth.ts';
import { createKubeClient } from '../../kube/client.ts';
import type { KubeClient } from '../../kube/client-types.ts';
import { createReflector } from '../../kube/reflector.ts';
import type { Pod } from '../../kube/types.ts';
import { createLog } from '../../telemetry/log-sink.ts';
import type { Command, Io } from '../io.ts';
import { parse } from '../option-flags.ts';
import { version } from '../version.ts';
import { expectationOf, verdictOf } from './expectation.ts';
import { applyManifests, readManifests } from './manifests.ts';
import { createView, describe, type View } from './view.ts';

const help = `zunlet demo: everything on this machine, with no cluster and no cloud

  zunlet demo [FILE|FOLDER …] [--once] [--json] [--log-level info] [--timeout SECONDS]

Starts emulators of the Kubernetes API, Keystone and Zun on loopback, starts the node against them, applies the Pods of
deploy/examples (or of the files named), and shows how each goes from Pending to Running. It prints a kubeconfig for
your own kubectl, and ends cleanly on Ctrl-C.

  --once       goes on by itself: deletes every Pod, waits until Pods and capsules are gone, and exits 0 only if every
               Pod went the way its annotation zunlet.io/expect says (default: Running where it restarts for ever, else
               Succeeded)
  --json       one JSON object a line for each thing that happens, on stdout; everything else on stderr
  --timeout    how long --once waits for each half, in seconds; default 90
  --log-level  also shows the node's log, on stderr: debug, info, warn, error
`;

const nodeName = 'zun-demo';

/** `zunlet demo`. */
export const demoCommand: Command = async (args, io) => {
  const { values, positionals } = parse(args, {
    help: { type: 'boolean', short: 'h' },
    once: { type: 'boolean' },
    json: { type: 'boolean' },
    timeout: { type: 'string' },
    'log-level': { type: 'string' },
  });
  if (values['help']) {
    io.stdout.write(help);
    return 0;
  }
  const manifests = await readManifests(positionals.length > 0 ? positionals : [findExamples()]);
  const stage = await setStage(io, typeof values['log-level'] === 'string' ? values['log-level'] : undefined);
  const view = createView(io, values['json'] === true);
  try {
    view.say(`kubernetes api    ${stage.kubeUrl}`);
    view.say(`your own kubectl  export KUBECONFIG=${stage.kubeconfig}`);
    view.say(`zun and keystone  ${stage.keystoneUrl}`);
    view.say('');
    await stage.agent.whenWorking();
    const watched = watchPods(stage.kube, view);
    await applyManifests(stage.kube, manifests);
    if (values['once']) return await runOnce(stage, watched, view, Number(values['timeout'] ?? 90) * 1000, io);
    view.say('Ctrl-C ends the demo and everything in it.');
    await aborted(io.signal);
    return 0;
  } catch (error) {
    if (io.signal.aborted) return 130;
    throw error;
  } finally {
    await stage.strike();
  }
};

/** The Pods of the demo: beside the bundle, where the build puts them, or in the source tree. Errors: `usage`. */
function findExamples(): string {
  const places = ['./examples', '../../../deploy/examples'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = places.find((folder) => existsSync(folder));
  if (found !== undefined) return found;
  const message = `finding the Pods of the demo: no folder ${places.join(' or ')}; name a file or a folder`;
  throw new AppError({ kind: 'invalid', code: 'usage', message });
}

interface Stage {
  kubeUrl: string;
  keystoneUrl: string;
  kubeconfig: string;
  kube: KubeClient;
  agent: Agent;
  capsules: () => number;
  strike(): Promise<void>;
}

async function setStage(io: Io, logLevel: string | undefined): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'zunlet-demo-'));
  const api = await createKubeEmulator();
  const cloud = await createCloudEmulator();
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, api.kubeconfig(), { mode: 0o600 });
  const log = logLevel
    ? createLog({ level: 'debug', format: 'text', write: (line) => void io.stderr.write(line), now: systemClock.now })
    : silentLog;
  const { values } = loadOptions({
    flags: {
      kubeconfig,
      'node-name': nodeName,
      'node-addresses': '127.0.0.1',
      'kubelet-port': '0',
      'health-address': '',
      'insecure-kubelet-api': true,
      settle: '2s',
      relist: '10s',
      live: '1s',
      ...(logLevel && { 'log-level': logLevel }),
    },
    env: {},
  });
  const shared = { clock: systemClock, log, env: {} };
  const agent = await startAgent({
    options: values,
    env: cloud.env,
    cwd: folder,
    log,
    version,
    signal: io.signal,
  });
  const auth = await loadKubeAuth({ ...shared, kubeconfig });
  const kube = createKubeClient({ ...shared, auth, random: systemRandom, version, qps: 0 });
  return {
    kubeUrl: api.url,
    keystoneUrl: cloud.env['OS_AUTH_URL'] ?? '',
    kubeconfig,
    kube,
    agent,
    capsules: () => {
      const { capsules, containers } = cloud.zun.control.inventory();
      return capsules.length + containers.length;
    },
    async strike() {
      await agent.stop();
      await kube.close();
      await api.close();
      await cloud.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Watched {
  /** The Pods that exist, as last seen. */
  pods: Map<string, Pod>;
  /** Every Pod that was ever seen. */
  seen: Map<string, Pod>;
}

/** Follows all Pods and shows each change of what a person sees. */
function watchPods(kube: KubeClient, view: View): Watched {
  const began = systemClock.monotonic();
  const pods = new Map<string, Pod>();
  const seen = new Map<string, Pod>();
  const shown = new Map<string, string>();
  const tell = (pod: Pod, now: { state: string; detail: string }) => {
    const text = `${now.state} ${now.detail}`;
    if (shown.get(pod.metadata.uid) === text) return;
    shown.set(pod.metadata.uid, text);
    const atSeconds = Math.round((systemClock.monotonic() - began) / 100) / 10;
    view.happened({ atSeconds, pod: `${pod.metadata.namespace}/${pod.metadata.name}`, ...now });
  };
  const upsert = (pod: Pod) => {
    pods.set(pod.metadata.uid, pod);
    seen.set(pod.metadata.uid, pod);
    tell(pod, describe(pod));
  };
  createReflector<Pod>({
    client: kube,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    path: '/api/v1/pods',
    name: 'pods of the demo',
    sink: {
      replace: (items) => items.forEach(upsert),
      upsert,
      remove(pod) {
        pods.delete(pod.metadata.uid);
        tell(pod, { state: 'gone', detail: '' });
      },
    },
  }).start();
  return { pods, seen };
}

async function runOnce(stage: Stage, watched: Watched, view: View, timeoutMs: number, io: Io): Promise<number> {
  const rested = () => watched.pods.size > 0 && [...watched.pods.values()].every((pod) => verdictOf(pod) !== 'waiting');
  const atRest = await waitFor(rested, timeoutMs, io.signal);
  const wrong = [...watched.pods.values()].filter((pod) => verdictOf(pod) !== 'as expected');
  const count = watched.pods.size;
  view.say('');
  view.say(`${count - wrong.length} of ${count} Pods came to what they should; now all go`);
  for (const kind of ['deployments', 'jobs'])
    await removeAll(stage.kube, `/apis/${kind === 'jobs' ? 'batch' : 'apps'}/v1`, kind);
  await removeAll(stage.kube, '/api/v1', 'pods');
  const gone = await waitFor(() => watched.pods.size === 0 && stage.capsules() === 0, timeoutMs, io.signal);
  view.say('');
  for (const pod of wrong) {
    const { state, detail } = describe(pod);
    view.say(
      `wrong: ${pod.metadata.namespace}/${pod.metadata.name} is ${state} (${detail}), expected ${expectationOf(pod)}`,
    );
  }
  if (!atRest) view.say(`not every Pod came to rest within ${timeoutMs / 1000} s`);
  if (!gone)
    view.say(`${watched.pods.size} Pods and ${stage.capsules()} capsules are still there after ${timeoutMs / 1000} s`);
  const well = atRest && gone && wrong.length === 0;
  view.say(well ? `all well: ${count} Pods came and went, no capsule is left` : 'not well');
  return well ? 0 : 1;
}

async function removeAll(kube: KubeClient, group: string, plural: string): Promise<void> {
  try {
    const { items } = await kube.list<{ metadata: { name: string; namespace: string } }>(`${group}/${plural}`);
    for (const { metadata } of items) {
      const path = `${group}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`;
      await kube.delete(path).catch((error: unknown) => {
        if (!isKind(error, 'not-found')) throw error;
      });
    }
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error;
  }
}

async function waitFor(condition: () => boolean, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const until = systemClock.monotonic() + timeoutMs;
  const alive = setInterval(() => {}, 1000);
  try {
    while (!condition()) {
      if (systemClock.monotonic() > until) return false;
      await sleep(systemClock, 100, signal);
    }
    return true;
  } finally {
    clearInterval(alive);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 1000);
  return new Promise((resolve) => {
    const end = () => {
      clearInterval(alive);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
