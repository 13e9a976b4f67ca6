import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import { toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { OneShotRequest } from '../base/one-shot.ts';
import type { Container, LifecycleHandler, Pod } from '../kube/types.ts';
import { isTerminalPhase } from '../status/phase.ts';
import { lastingContainers } from '../translate/sidecar.ts';
import type { ContainerEvent, ProbePorts } from './ports.ts';
import { httpGetRequest, ProbeError, requestUrl } from './target.ts';
import { publishedRun } from './tracked.ts';

export interface LifecycleDeps {
  clock: Clock;
  ports: ProbePorts;
  log: Log;
  event: ContainerEvent;
  /** A hook ended, so the Pod has to be looked at again. */
  onChange(uid: string): void;
  /** A postStart hook failed: the container has to be restarted, as its policy says. */
  onPostStartFailure(failure: { uid: string; container: string; message: string }): void;
}

/** Where a Pod's preStop hooks stand, and what of the grace period they left. */
export interface PreStop {
  done: boolean;
  remainingSeconds: number;
}

/** Runs the hooks of containers: after a start that this process saw, and before a stop. */
export interface Lifecycle {
  /** Runs the postStart hooks of containers that the Pod's status shows to have started since this process began. */
  sync(pod: Pod): void;
  /** The containers of a Pod whose postStart hook has not succeeded: they are not ready, and not probed. */
  pending(uid: string): string[];
  /**
   * Starts the preStop hooks at the first call and tells how they stand at each; done at the latest when the grace period
   * is over. A later call with a shorter grace shortens it.
   */
  preStop(pod: Pod, graceSeconds: number): PreStop;
  forget(uid: string): void;
}

interface HookRun {
  pod: Pod;
  container: Container;
  hook: LifecycleHandler;
  limitMs: number;
  signal?: AbortSignal;
}

interface Starting {
  pod: Pod;
  /** By container: the run whose hook was begun. */
  hooks: Map<string, { key: string; done: boolean }>;
}

interface Stopping {
  beganAt: number;
  graceSeconds: number;
  done: boolean;
  abort: AbortController;
}

/** What a container is left at least to end in. Source: Kubernetes pkg/kubelet/kuberuntime (minimumGracePeriodInSeconds). */
const minimumGraceSeconds = 2;
const userAgent = 'kube-lifecycle/1.37';
/** A kubelet lets a postStart hook hang for ever; a connection of ours does not outlive this. */
const postStartLimitMs = 600_000;

/**
 * Runs one hook. Only that it could be run counts: an HTTP hook may answer with any status.
 * Source: Kubernetes pkg/kubelet/lifecycle/handlers.go.
 */
async function runHook(deps: LifecycleDeps, { pod, container, hook, limitMs, signal }: HookRun): Promise<void> {
  if (hook.sleep) return sleep(deps.clock, hook.sleep.seconds * 1000, signal);
  if (hook.httpGet) {
    return runHttpHook(deps, pod, container, httpGetRequest(pod, container, hook.httpGet, userAgent, limitMs));
  }
  if (!hook.exec) throw new ProbeError('invalid handler');
  const { exec } = deps.ports;
  if (!exec?.supports(pod)) throw new ProbeError('commands cannot be run in the containers of this pod');
  const command = hook.exec.command ?? [];
  const { exitCode, output } = await exec.run(pod, container.name, command, limitMs);
  if (exitCode !== 0) throw new ProbeError(`command '${command.join(' ')}' exited with ${exitCode}: ${output}`);
}

/** A hook that asks for TLS of a server that has none is sent once more without, and without its credentials. */
async function runHttpHook(
  { ports, event }: LifecycleDeps,
  pod: Pod,
  container: Container,
  request: OneShotRequest,
): Promise<void> {
  const answer = await ports.get(request);
  if (answer.kind === 'answer') return;
  if (answer.isPlain) {
    const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'authorization');
    const plain: OneShotRequest = { ...request, scheme: 'http', headers };
    if ((await ports.get(plain)).kind === 'answer') {
      const text = `request to HTTPS lifecycle hook (${requestUrl(plain)}) got HTTP response, retry with HTTP succeeded`;
      event(pod, container.name, 'Warning', 'LifecycleHTTPFallback', text);
      return;
    }
  }
  throw new ProbeError(answer.message);
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Makes the runner of lifecycle hooks. */
export function createLifecycle(deps: LifecycleDeps): Lifecycle {
  const { clock } = deps;
  const beganAtMs = clock.now();
  const starting = new Map<string, Starting>();
  const stopping = new Map<string, Stopping>();

  /** Lets a hook run by itself; what it may still throw is a mistake of ours. */
  function detach(uid: string, hook: Promise<void>): void {
    hook.catch((thrown) => deps.log.error('hook failed by a bug', { uid, err: toAppError(thrown) }));
  }

  async function postStart(run: Omit<HookRun, 'limitMs'>, state: { done: boolean }): Promise<void> {
    const { pod, container } = run;
    const { uid } = pod.metadata;
    let failure: string | undefined;
    try {
      await runHook(deps, { ...run, limitMs: postStartLimitMs });
    } catch (thrown) {
      failure = textOf(thrown);
    }
    if (!starting.has(uid)) return;
    if (failure === undefined) {
      state.done = true;
      deps.onChange(uid);
      return;
    }
    deps.event(pod, container.name, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${failure}`);
    deps.onPostStartFailure({
      uid,
      container: container.name,
      message: `Container ${container.name} failed PostStartHook`,
    });
  }

  async function preStop(pod: Pod, state: Stopping): Promise<void> {
    const running = lastingContainers(pod.spec).filter(({ name }) => publishedRun(pod, name));
    await Promise.all(
      running.map(async (container) => {
        const hook = container.lifecycle?.preStop;
        if (!hook) return;
        try {
          const limitMs = state.graceSeconds * 1000;
          await runHook(deps, { pod, container, hook, limitMs, signal: state.abort.signal });
        } catch (thrown) {
          if (state.done) return;
          deps.event(pod, container.name, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${textOf(thrown)}`);
        }
      }),
    );
    if (state.done) return;
    state.done = true;
    deps.onChange(pod.metadata.uid);
  }

  /** Ends the hooks when the grace period does. */
  function expireAfter(uid: string, state: Stopping): void {
    const endsAt = state.beganAt + state.graceSeconds * 1000;
    clock.after(Math.max(0, endsAt - clock.monotonic()), () => {
      if (state.done) return;
      state.done = true;
      state.abort.abort();
      deps.onChange(uid);
    });
  }

  function isAdopted(pod: Pod, name: string): boolean {
    const run = publishedRun(pod, name);
    return run?.startedMs !== undefined && run.startedMs < beganAtMs;
  }

  return {
    sync(pod) {
      const { uid, deletionTimestamp } = pod.metadata;
      const hooked = lastingContainers(pod.spec).filter(({ lifecycle }) => lifecycle?.postStart);
      if (deletionTimestamp || isTerminalPhase(pod.status?.phase) || hooked.length === 0) return;
      const entry = starting.get(uid) ?? { pod, hooks: new Map<string, { key: string; done: boolean }>() };
      entry.pod = pod;
      starting.set(uid, entry);
      for (const container of hooked) {
        const hook = container.lifecycle?.postStart;
        const run = publishedRun(pod, container.name);
        if (!hook || !run || isAdopted(pod, container.name)) continue;
        if (entry.hooks.get(container.name)?.key === run.key) continue;
        const state = { key: run.key, done: false };
        entry.hooks.set(container.name, state);
        detach(uid, postStart({ pod, container, hook }, state));
      }
    },
    pending(uid) {
      const entry = starting.get(uid);
      if (!entry) return [];
      const hooked = lastingContainers(entry.pod.spec).filter(({ lifecycle }) => lifecycle?.postStart);
      const isPending = (name: string) => !entry.hooks.get(name)?.done && !isAdopted(entry.pod, name);
      return hooked.map(({ name }) => name).filter(isPending);
    },
    preStop(pod, graceSeconds) {
      const { uid } = pod.metadata;
      const hasHook = lastingContainers(pod.spec).some(
        ({ lifecycle, name }) => lifecycle?.preStop && publishedRun(pod, name),
      );
      let state = stopping.get(uid);
      if (!state && !hasHook) return { done: true, remainingSeconds: Math.max(minimumGraceSeconds, graceSeconds) };
      if (!state) {
        state = { beganAt: clock.monotonic(), graceSeconds, done: false, abort: new AbortController() };
        stopping.set(uid, state);
        expireAfter(uid, state);
        detach(uid, preStop(pod, state));
      } else if (graceSeconds < state.graceSeconds) {
        state.graceSeconds = graceSeconds;
        expireAfter(uid, state);
      }
      const leftSeconds = Math.ceil(state.graceSeconds - (clock.monotonic() - state.beganAt) / 1000);
      return { done: state.done, remainingSeconds: Math.max(minimumGraceSeconds, leftSeconds) };
    },
    forget(uid) {
      starting.delete(uid);
      const state = stopping.get(uid);
      if (!state) return;
      state.done = true;
      state.abort.abort();
      stopping.delete(uid);
    },
  };
}
