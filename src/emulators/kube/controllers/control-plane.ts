import type { Clock } from '../../../base/clock.ts';
import type { DeleteOptions } from '../deletion.ts';
import { controlPlaneEvent } from '../event-view.ts';
import { ApiFailure } from '../failures.ts';
import { copyOf, type KubeObject, namespaceOf } from '../objects.ts';
import { decodeObject, type Registry } from '../registry.ts';
import { type Resource, resourceNamed } from '../resources.ts';
import type { ObjectStore, StoreEvent } from '../store.ts';

/** What a controller of the emulated control plane works with. */
export interface ControlPlane {
  store: ObjectStore;
  clock: Clock;
  registry: Registry;
  suffix(): string;
  create(resource: Resource, namespace: string, body: object): KubeObject;
  /** Changes a stored object; undefined when it is gone meanwhile. `change` gets a copy. */
  change(
    object: KubeObject,
    resource: Resource,
    change: (copy: KubeObject) => void,
    subresource?: 'status',
  ): KubeObject | undefined;
  /** Deletes an object with its UID as precondition; gone is fine. */
  remove(object: KubeObject, resource: Resource, options?: DeleteOptions): void;
  event(about: KubeObject, component: string, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Looks at every change in the store. */
  observe(listener: (event: StoreEvent) => void): void;
  /** Calls `work` once for each key that was marked, soon after and not while the marking call runs. */
  queue(work: (key: string) => void): (key: string) => void;
  /** Calls `run` again and again. */
  every(ms: number, run: () => void): void;
  stop(): void;
}

export interface ControlPlaneParts {
  store: ObjectStore;
  clock: Clock;
  registry: Registry;
  suffix(): string;
}

const user = { name: 'system:kube-controller-manager', groups: ['system:masters'] };
const events = resourceNamed('events');

/** Makes the common ground of the controllers. */
export function createControlPlane(parts: ControlPlaneParts): ControlPlane {
  const { store, clock, registry } = parts;
  const stops: (() => void)[] = [];
  let isStopped = false;

  const target = (object: KubeObject, resource: Resource) => ({
    resource,
    namespace: namespaceOf(object),
    name: object.metadata.name,
    user,
  });

  function create(resource: Resource, namespace: string, body: object): KubeObject {
    // What controllers write is made of literals and stored objects, all of them JSON.
    return registry.create({ resource, namespace, user }, decodeObject(copyOf(body as KubeObject), resource));
  }

  const plane: ControlPlane = {
    ...parts,
    create,
    change(object, resource, change, subresource) {
      return unlessGone(() =>
        registry.update({
          ...target(object, resource),
          subresource: subresource ?? '',
          make(copy) {
            change(copy);
            return { ...copy, metadata: { ...copy.metadata, uid: object.metadata.uid } };
          },
        }),
      );
    },
    remove(object, resource, options) {
      const preconditions = { uid: object.metadata.uid };
      unlessGone(() => registry.remove(target(object, resource), { ...options, preconditions }));
    },
    event(about, component, type, reason, message) {
      const namespace = namespaceOf(about) || 'default';
      const init = {
        about,
        component,
        type,
        reason,
        message,
        now: clock.now(),
        suffix: eventSuffix(clock, parts.suffix),
      };
      unlessGone(() => create(events, namespace, controlPlaneEvent(init)));
    },
    observe: (listener) => void stops.push(store.subscribe(listener)),
    queue(work) {
      const marked = new Set<string>();
      const run = () => {
        const keys = [...marked];
        marked.clear();
        for (const key of keys) if (!isStopped) work(key);
      };
      return (key) => {
        if (marked.size === 0) setImmediate(run);
        marked.add(key);
      };
    },
    every(ms, run) {
      const again = () => {
        const cancel = clock.after(ms, () => {
          stops.splice(stops.indexOf(cancel), 1);
          run();
          if (!isStopped) again();
        });
        stops.push(cancel);
      };
      again();
    },
    stop() {
      isStopped = true;
      for (const stop of [...stops]) stop();
    },
  };
  return plane;
}

/** The end of an Event's name: the time in nanoseconds, as hexadecimal digits. */
function eventSuffix(clock: Clock, suffix: () => string): string {
  return `${(BigInt(Math.trunc(clock.now())) * 1_000_000n).toString(16)}${suffix()}`;
}

/** What is gone, changed, or in a namespace that goes is not a controller's trouble: the next change brings it back. */
function unlessGone<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof ApiFailure && [403, 404, 409].includes(error.code)) return undefined;
    throw error;
  }
}
