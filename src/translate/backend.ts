import type { Pod } from '../kube/types.ts';
import type { BackendName } from '../openstack/types.ts';
import { annotation, readAnnotation } from './annotations.ts';
import type { Findings } from './findings.ts';
import { podReason } from './reasons.ts';
import type { TranslateOptions } from './types.ts';

type Choice = TranslateOptions['backend'];

const handlers: Record<string, BackendName> = { zun: 'capsule', 'zun-container': 'container' };

/** Tells whether a Pod is one that a standalone container can carry: a single container and nothing before it. */
export function fitsContainer(pod: Pod): boolean {
  return pod.spec.containers.length === 1 && (pod.spec.initContainers ?? []).length === 0;
}

function resolve(choice: Choice, pod: Pod): BackendName {
  return choice === 'auto' ? (fitsContainer(pod) ? 'container' : 'capsule') : choice;
}

function fromAnnotation(pod: Pod, findings: Findings): Choice | undefined {
  const value = readAnnotation(pod, annotation.backend);
  if (value === undefined || value === 'capsule' || value === 'container' || value === 'auto') return value;
  findings.problem({
    path: `metadata.annotations["${annotation.backend}"]`,
    code: 'pod.backend',
    message: `${value} is not a backend; use capsule, container or auto`,
    heals: false,
    reason: podReason.unsupported,
  });
  return undefined;
}

function fromHandler(pod: Pod, handler: string | null | undefined, findings: Findings): BackendName | undefined {
  const name = pod.spec.runtimeClassName;
  if (!name || handler === undefined) return undefined;
  const known = handler === null ? undefined : handlers[handler];
  if (known) return known;
  findings.problem({
    path: 'spec.runtimeClassName',
    code: 'pod.runtime-class',
    message:
      handler === null
        ? `RuntimeClass "${name}" not found`
        : `RuntimeHandler "${handler}" not supported; use one whose handler is zun or zun-container`,
    heals: handler === null,
    reason: handler === null ? podReason.config : podReason.unsupported,
  });
  return undefined;
}

/**
 * Chooses what carries a Pod: its annotation, else the handler of its RuntimeClass, else the option. Problems: an unknown
 * annotation value or handler, a missing RuntimeClass (`heals`), the container backend for a Pod that does not fit it.
 */
export function chooseBackend(
  pod: Pod,
  option: Choice,
  handler: string | null | undefined,
  findings: Findings,
): BackendName {
  const annotated = fromAnnotation(pod, findings);
  const handled = fromHandler(pod, handler, findings);
  const backend = resolve(annotated ?? handled ?? option, pod);
  if (backend === 'container' && !fitsContainer(pod)) {
    const path = pod.spec.containers.length > 1 ? 'spec.containers' : 'spec.initContainers';
    findings.problem({
      path,
      code: 'pod.backend',
      message: 'the container backend runs one container and no init containers; use the capsule backend',
      heals: false,
      reason: podReason.unsupported,
    });
  }
  return backend;
}
