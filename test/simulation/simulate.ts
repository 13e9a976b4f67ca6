import { type Log, silentLog } from '../../src/base/log.ts';
import { type Random, seededRandom } from '../../src/base/random.ts';
import { createSyncLoop } from '../../src/sync/loop.ts';
import type { WorkerOptions } from '../../src/sync/worker.ts';
import { imagesLabel, imagesText } from '../../src/translate/images-label.ts';
import type { PodInputs } from '../../src/translate/types.ts';
import { testCluster, testNode } from '../lib/builders.ts';
import { createFaultPlan, type Fault } from './faults.ts';
import { createKubeModel, type KubeModel } from './kube-model.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';
import { createZunModel, type ZunModel } from './zun-model.ts';

/** What one seed did. */
export interface Outcome {
  seed: number;
  violations: string[];
  faults: Record<Fault, number>;
  restarts: number;
  pods: number;
  statusWrites: number;
}

export interface SimulationOptions {
  /** Off only to prove that the simulation can fail. */
  timeRule: boolean;
  log?: Log;
}

const chaosMs = 180_000;
/** With faults off everything must have come to rest after the longest back-off, two settle times and a deletion. */
const restMs = 1_500_000;

/** Lives one random history of a node on a virtual clock and answers what went wrong in it. */
export async function simulate(seed: number, options: SimulationOptions): Promise<Outcome> {
  const random = seededRandom(seed);
  const clock = createVirtualClock();
  const faults = createFaultPlan(random);
  const zun = createZunModel(clock, random, faults);
  const kube = createKubeModel(clock, random, faults, (uid) => zun.ofUid(uid).length);
  const violations: string[] = [];
  const world = { clock, random, zun, kube, options, violations };

  let pods = 0;
  const names = ['a', 'b', 'c', 'd'].slice(0, 1 + Math.floor(random() * 4));
  let process = startProcess(world);
  let restarts = 0;
  for (let at = 0; at < chaosMs; at += 500 + random() * 8000) {
    await clock.runUntil(at);
    const name = names[Math.floor(random() * names.length)] ?? 'a';
    const what = random();
    const there = kube.pods().some((pod) => pod.metadata.name === name);
    if (what < 0.08 && restarts < 3) {
      process.kill();
      process = startProcess(world);
      restarts += 1;
    } else if (!there) {
      kube.create(
        name,
        random() < 0.1 ? { hostNetwork: true } : random() < 0.1 ? { activeDeadlineSeconds: 20 } : undefined,
      );
      pods += 1;
    } else if (what < 0.35) {
      kube.forceRemove(name);
      if (random() < 0.7) {
        kube.create(name);
        pods += 1;
      }
    } else if (what < 0.7) {
      kube.remove(name);
    } else if (what < 0.8) {
      for (const pod of kube.pods()) if (pod.metadata.name === name) process.failProbe(pod.metadata.uid);
    } else if (what < 0.9) {
      kube.setImage(name, random() < 0.5 ? 'nginx:1.28' : 'nginx:1.27');
    }
  }
  faults.stop();
  await clock.runUntil(chaosMs + restMs);
  checkRest(world);
  for (const name of names) kube.remove(name);
  await clock.runUntil(chaosMs + 2 * restMs);
  if (kube.pods().length > 0) violations.push(`${kube.pods().length} deleted pods are still there at the end`);
  if (zun.ours().length > 0) violations.push(`${zun.ours().length} capsules leaked at the end`);
  if (zun.foreignCount() !== 3) violations.push('a foreign capsule was touched');
  if (process.memories() > 0) violations.push(`${process.memories()} pods are still remembered at the end`);
  process.kill();
  return {
    seed,
    violations: [...violations, ...zun.violations, ...kube.violations],
    faults: faults.counts,
    restarts,
    pods,
    statusWrites: kube.statusWrites,
  };
}

interface World {
  clock: VirtualClock;
  random: Random;
  zun: ZunModel;
  kube: KubeModel;
  options: SimulationOptions;
  violations: string[];
}

/** Gives the real sync loop the models to talk to; `kill` is kill -9: no answer arrives any more. */
function startProcess(world: World): { kill(): void; memories(): number; failProbe(uid: string): void } {
  const { clock, random, zun, kube, options } = world;
  let alive = true;
  const isAlive = () => alive;
  const lived: VirtualClock = { ...clock, after: (ms, run) => clock.after(ms, () => alive && run()) };
  const loop = createSyncLoop({
    zun: zun.apiFor(isAlive),
    podApi: kube.apiFor(isAlive),
    inputs: { fetch: async () => noInputs },
    events: { record() {} },
    clock: lived,
    random,
    log: options.log ?? silentLog,
    options: { ...workerOptions, timeRule: options.timeRule },
    loop: { concurrency: 8, listEveryMs: 60_000, liveEveryMs: 10_000, resyncEveryMs: 300_000, tombstoneMs: 600_000 },
    hostIPs: () => ['192.0.2.1'],
    admit: () => [],
    restartContainer: async () => {},
    onStep: () => {},
  });
  kube.watch(loop.sink, isAlive);
  loop.start();
  return {
    kill() {
      alive = false;
    },
    memories: () => loop.counts().remembered,
    failProbe: (uid) =>
      loop.kill({ uid, container: 'app', message: 'Container app failed liveness probe', graceSeconds: undefined }),
  };
}

function checkRest({ clock, kube, zun, violations }: World): void {
  for (const pod of kube.pods()) {
    const { uid, name, deletionTimestamp } = pod.metadata;
    const phase = pod.status?.phase;
    const deadlineMs = Date.parse(pod.status?.startTime ?? '') + (pod.spec.activeDeadlineSeconds ?? Number.NaN) * 1000;
    if (phase === 'Running' && deadlineMs < clock.now()) violations.push(`pod ${name} runs past its deadline`);
    if (deletionTimestamp) violations.push(`pod ${name} is still terminating long after the faults ended`);
    else if (phase === 'Pending') violations.push(`pod ${name} is still Pending long after the faults ended`);
    else if (pod.status?.reason === 'CapsuleGone')
      violations.push(`pod ${name} lost its capsule although nobody but zunlet deletes any`);
    else if (phase === 'Running' && zun.ofUid(uid)[0]?.labels[imagesLabel] !== imagesText(pod))
      violations.push(`pod ${name} runs other images than it asks for`);
    else if (phase === 'Running' && zun.ofUid(uid).length !== 1)
      violations.push(`pod ${name} is Running without a capsule`);
  }
  for (const capsule of zun.ours()) {
    const uid = capsule.labels['zunlet.io/uid'] ?? '';
    if (!kube.byUid(uid)) violations.push(`capsule ${capsule.uuid} of a pod that is gone still exists`);
  }
}

const noInputs: PodInputs = {
  configMaps: {},
  secrets: {},
  services: [],
  persistentVolumeClaims: {},
  persistentVolumes: {},
  tokens: {},
  registries: {},
  node: { name: testNode, hostIPs: ['192.0.2.1'], allocatable: { cpu: '100', memory: '100Gi', pods: '1000' } },
};

const workerOptions: WorkerOptions = {
  cluster: testCluster,
  node: testNode,
  settleMs: 60_000,
  redeleteMs: 180_000,
  createTimeoutMs: 1_800_000,
  freeEnded: false,
  timeRule: true,
  orphanFuseShare: 1,
  translate: {
    cluster: testCluster,
    node: testNode,
    backend: 'capsule',
    driver: 'docker',
    unsupported: 'reject',
    initContainers: false,
    emptyDir: 'volume',
    clusterDomain: 'cluster.local',
    limits: { minimumCpu: 0.1, maximumCpu: 16, minimumMemoryMiB: 4, maximumMemoryMiB: 8192 },
  },
};
