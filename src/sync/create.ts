import { type AppError, toAppError } from '../base/errors.ts';
import type { Note, Problem } from '../base/problem.ts';
import type { Pod } from '../kube/types.ts';
import type { CreateRequest } from '../openstack/types.ts';
import { imagesText } from '../translate/images-label.ts';
import { translatePod } from '../translate/pod.ts';
import { podReferences } from '../translate/references.ts';
import { decideStartFailure, failedStartDelayMs } from './failure.ts';
import { event } from './steps.ts';
import { names, type Run, type StepOutcome } from './worker.ts';

/** The code of the note about the token that admission adds; see `translate/volumes.ts`. */
const tokenLeftOut = 'volume.service-account-token';

/** Admits, translates and creates. The one place that sends a POST, and it sends one. */
export async function startPod(run: Run): Promise<StepOutcome> {
  const { deps, pod } = run;
  if (!pod) return {};
  const refused = wasAccepted(pod) ? [] : deps.admit(pod);
  if (refused.length > 0) return holdBack(refused, run);

  let request: CreateRequest;
  try {
    const inputs = await deps.inputs.fetch(pod, podReferences(pod, deps.options.translate));
    const translation = translatePod(pod, inputs, deps.options.translate);
    if (!translation.request) return holdBack(translation.problems, run);
    warnOnce(translation.notes, pod, run);
    request = translation.request;
  } catch (thrown) {
    return failed(toAppError(thrown), 'preparing', pod, run);
  }

  // Noted before the POST: its answer may be lost and its effect not.
  run.remember({ madeFor: imagesText(pod) });
  try {
    const capsule = await deps.zun.create(request);
    const at = deps.clock.monotonic();
    run.remember({
      capsule: { uuid: capsule.uuid, backend: capsule.backend },
      last: capsule,
      creatingSince: at,
      problems: [],
    });
    run.drop('discard');
    deps.capsules.upsert(capsule, at);
    deps.onStep('create', run.uid);
    deps.log.info('capsule created', { ...names(pod), capsule: capsule.uuid, step: 'create' });
    return { situation: { kind: 'present', capsule, terminating: false } };
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.effect === 'unknown') {
      // The POST may still take effect: no list that begins before this moment proves that it did not.
      run.remember({ trustListsAfter: deps.clock.monotonic() + deps.options.settleMs });
    }
    return failed(error, 'creating', pod, run);
  }
}

/** The kubelet admits a Pod once; one that has a start time was accepted before, perhaps by an earlier process. */
function wasAccepted(pod: Pod): boolean {
  return pod.status?.startTime !== undefined && pod.status.startTime !== null;
}

/** Keeps a Pod waiting, or lets the next run reject it when something can never heal. */
function holdBack(problems: readonly Problem[], run: Run): StepOutcome {
  const { deps, memory, pod } = run;
  const lasting = problems.some(({ heals }) => !heals);
  const retryMs = lasting ? 0 : failedStartDelayMs(memory.attempts, deps.random);
  run.remember({
    problems,
    attempts: memory.attempts + 1,
    retryAt: deps.clock.monotonic() + retryMs,
  });
  if (lasting) return { againMs: 0 };
  const told = new Set(memory.problems.map(({ message }) => message));
  const news = problems.filter(({ message }) => !told.has(message));
  if (pod)
    for (const problem of news) event(pod, 'Warning', 'Failed', `Error: ${problem.message}`, run, fieldPath(problem));
  return { situation: { kind: 'waiting', problems: [...problems] }, againMs: retryMs };
}

function fieldPath(problem: Problem): string | undefined {
  return problem.container === undefined ? undefined : `spec.containers{${problem.container}}`;
}

function failed(error: AppError, what: 'preparing' | 'creating', pod: Pod, run: Run): StepOutcome {
  const { deps, memory } = run;
  const decision = decideStartFailure(error, memory.attempts, deps.random);
  run.remember({
    problems: decision.problem ? [decision.problem] : [],
    retryAt: deps.clock.monotonic() + decision.retryMs,
    attempts: memory.attempts + 1,
  });
  if (decision.pauseAllMs !== undefined) run.pauseAll(decision.pauseAllMs);
  const fields = {
    ...names(pod),
    code: error.code,
    attempt: memory.attempts + 1,
    againMs: Math.round(decision.retryMs),
  };
  if (error.kind === 'bug') deps.log.error('pod not started by a bug', { ...fields, err: error });
  else deps.log.warn('pod not started', { ...fields, what, err: error.message });
  event(pod, 'Warning', decision.eventReason, `Failed to create pod sandbox: ${error.message}`, run);
  return {
    ...(decision.problem && { situation: { kind: 'waiting', problems: [decision.problem] } as const }),
    againMs: decision.retryMs,
  };
}

/** Names in one Event what the Pod asks for and does not get. */
function warnOnce(notes: readonly Note[], pod: Pod, run: Run): void {
  const warned = notes.filter(({ level }) => level === 'warned');
  const token = warned.find(({ code }) => code === tokenLeftOut);
  if (token) nameTokenOnce(token, pod, run);
  const fields = warned.filter((note) => note !== token).map(({ path, message }) => `${path}: ${message}`);
  if (fields.length === 0 || run.memory.warned) return;
  run.remember({ warned: true });
  event(pod, 'Warning', 'FieldsNotHonoured', `not honoured on this node: ${fields.join('; ')}`, run);
}

/**
 * Names the token that admission puts into nearly every Pod once for each service account, on the Node: an Event on each
 * Pod would say the same thing thousands of times.
 */
function nameTokenOnce(note: Note, pod: Pod, run: Run): void {
  const { deps } = run;
  const account = `${pod.metadata.namespace}/${pod.spec.serviceAccountName ?? 'default'}`;
  if (deps.knownAccounts.has(account)) return;
  deps.knownAccounts.add(account);
  const { node } = deps.options;
  const message = `Pods of service account ${account}, first ${pod.metadata.name}: ${note.message}`;
  deps.events.record({ kind: 'Node', name: node, namespace: '', uid: node }, 'Normal', 'TokenLeftOut', message);
  deps.log.info('service account token left out', { ...names(pod), account });
}
