import type { CapsuleApi } from '../openstack/types.ts';
import type { PodApi } from '../sync/ports.ts';

/** What only tests ask of a node. `src/cli/test-hooks.ts` makes it from the environment; a node without it has none of this. */
export interface Testing {
  /** False switches the rule about time off, to prove that the chaos tests would notice. */
  timeRule: boolean;
  /** Hears each named point that the worker passes: `planned.create`, `create.sent`, `create.done`. */
  at(point: string): void;
}

/** Names the moments around the worker's calls on Zun: `sent` when a call has begun, `done` when its answer is here. */
export function pointedZun(zun: CapsuleApi, { at }: Testing): CapsuleApi {
  return {
    create: (...given) => pointed('create', at, zun.create(...given)),
    get: (...given) => pointed('get', at, zun.get(...given)),
    list: (...given) => pointed('list', at, zun.list(...given)),
    delete: (...given) => pointed('delete', at, zun.delete(...given)),
  };
}

/** Names the moments around the worker's calls on Pods. */
export function pointedPods(pods: PodApi, { at }: Testing): PodApi {
  return {
    read: (...given) => pointed('read-pod', at, pods.read(...given)),
    patchStatus: (...given) => pointed('status', at, pods.patchStatus(...given)),
    remove: (...given) => pointed('remove-pod', at, pods.remove(...given)),
  };
}

async function pointed<T>(name: string, at: Testing['at'], call: Promise<T>): Promise<T> {
  at(`${name}.sent`);
  const answer = await call;
  at(`${name}.done`);
  return answer;
}
