import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Node } from '../../../src/kube/types.ts';
import { callName } from './audit.ts';
import type { ControlPlane } from './control-plane.ts';
import { type Service, startService, temporaryFolder, until } from './processes.ts';

const repository = join(import.meta.dirname, '..', '..', '..');

/** How to run zunlet. */
export interface ZunletSetup {
  plane: ControlPlane;
  /** `OS_*` variables. */
  cloud: Record<string, string>;
  nodeName: string;
  /** Further flags by name, without the dashes: `{ settle: '2s' }`. */
  flags?: Record<string, string>;
  /** Arguments of Node.js itself: `--cpu-prof`. */
  nodeArgs?: string[];
}

/** One line of zunlet's log. */
export interface LogLine {
  level: string;
  msg: string;
  [field: string]: unknown;
}

/** A zunlet in a process of its own, which can be ended and started again. */
export interface Zunlet {
  readonly nodeName: string;
  readonly logFile: string;
  /** The user that the API server's audit log knows it by. */
  readonly user: string;
  pid(): number;
  hasEnded(): boolean;
  logs(): LogLine[];
  /** Resident memory now and at most since it was started, in MiB; zeros once it has ended. Linux only. */
  memory(): { residentMiB: number; peakMiB: number };
  /** SIGTERM, and waits for its end. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`; resolves when the Node is ready. */
  start(): Promise<void>;
}

/** Starts zunlet and resolves when its Node says Ready. */
export async function startZunlet(setup: ZunletSetup): Promise<Zunlet> {
  const { plane, nodeName } = setup;
  const user = `zunlet-${nodeName}`;
  const kubeconfig = plane.user(user, ['zunlet-nodes']);
  await allowEverything(plane);
  const logFile = join(temporaryFolder('node'), 'zunlet.log');
  const serving = plane.servingCert(nodeName);
  const flags: Record<string, string> = {
    kubeconfig,
    'node-name': nodeName,
    'node-addresses': plane.hostIP,
    'kubelet-port': '0',
    'health-address': '',
    'serving-certificate': 'files',
    'tls-cert-file': serving.cert,
    'tls-key-file': serving.key,
    ...setup.flags,
  };
  // Nothing of the user's own clouds or options may reach the test.
  const outside = Object.entries(process.env).filter(([name]) => !/^(OS_|ZUNLET_|KUBE)/.test(name));
  let service: Service;

  async function start(): Promise<void> {
    const mark = Date.now();
    service = startService({
      name: 'zunlet',
      command: process.execPath,
      args: [
        ...(setup.nodeArgs ?? []),
        'bin/zunlet.mjs',
        'run',
        ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
      ],
      cwd: repository,
      env: { ...Object.fromEntries(outside), ...setup.cloud },
      logFile,
    });
    await until(`node ${nodeName} is ready; log: ${logFile}`, async () => {
      if (service.hasEnded()) throw new Error(`zunlet ended:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
      return isNodeReady(await plane.api.find<Node>(`/api/v1/nodes/${nodeName}`), mark);
    });
  }

  await start();
  return {
    nodeName,
    logFile,
    user,
    pid: () => service.pid,
    hasEnded: () => service.hasEnded(),
    logs: () => readLog(logFile),
    memory: () => memory(service.pid),
    stop: () => service.stop('SIGTERM', 20_000),
    kill: () => service.stop('SIGKILL'),
    start,
  };
}

/** True when the Node says Ready, and said so after `sinceMs` (whole seconds are all that the API keeps). */
export function isNodeReady(node: Node | undefined, sinceMs = 0): boolean {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  const heard = Date.parse(ready?.lastHeartbeatTime ?? '');
  return ready?.status === 'True' && heard >= Math.floor(sinceMs / 1000) * 1000;
}

/**
 * Waits until zunlet has listed its Pods and watches them; the control plane must keep an audit log. Pods of the first list
 * may have had another process before, so they wait for the settling time; later ones start at once.
 */
export async function untilWatching(plane: ControlPlane, zunlet: Zunlet): Promise<void> {
  await until('zunlet watches its Pods', () =>
    plane.audit
      .since(plane.audit.start)
      .some((call) => call.user.username === zunlet.user && callName(call) === 'watch pods'),
  );
}

async function allowEverything(plane: ControlPlane): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
  if (await plane.api.find(`${path}/zunlet-nodes`)) return;
  await plane.api.post(path, {
    metadata: { name: 'zunlet-nodes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'zunlet-nodes' }],
  });
}

function readLog(file: string): LogLine[] {
  if (statSync(file).size === 0) return [];
  return readFileSync(file, 'utf8').split('\n').flatMap(parseLine);
}

function parseLine(line: string): LogLine[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? [value as LogLine] : [];
  } catch {
    return [];
  }
}

function memory(pid: number): { residentMiB: number; peakMiB: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const miB = (field: string) =>
      Math.round(Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024);
    return { residentMiB: miB('VmRSS'), peakMiB: miB('VmHWM') };
  } catch {
    return { residentMiB: 0, peakMiB: 0 };
  }
}
