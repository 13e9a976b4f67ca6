import type { Pod } from '../../src/kube/types.ts';
import type { Api } from '../e2e/lib/api.ts';
import { deployment, job } from '../e2e/lib/manifests.ts';
import type { Judge } from './judge.ts';
import type { UserAction } from './plan.ts';
import { chaosPod, jobWish, kindLabel, secretName } from './pods.ts';

const pods = '/api/v1/namespaces/default/pods';
const secrets = '/api/v1/namespaces/default/secrets';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const jobs = '/apis/batch/v1/namespaces/default/jobs';

/** Who makes and deletes objects. Calls that fail because the API server is away are not repeated. */
export interface Users {
  act(action: UserAction): Promise<void>;
  /** Makes what Pods wait for. */
  makeSecrets(): Promise<void>;
  deleteAll(): Promise<void>;
  /** How many actions were done, by kind. */
  counts: Record<string, number>;
}

/** Makes the users. The judge hears what they ask, before they ask it. */
export function createUsers(api: Api, judge: Judge, nodeName: string): Users {
  const counts: Record<string, number> = {};
  let made = 0;

  async function create(name: string, kind: Parameters<typeof chaosPod>[1]): Promise<void> {
    made += 1;
    await api.post(pods, chaosPod(name, kind, made % 2 === 0 ? nodeName : undefined));
  }

  async function remove(name: string, graceSeconds?: number): Promise<void> {
    const pod = await api.find<Pod>(`${pods}/${name}`);
    if (!pod) return;
    judge.asked(pod.metadata.uid);
    const options = { preconditions: { uid: pod.metadata.uid }, gracePeriodSeconds: graceSeconds };
    await api.delete(`${pods}/${name}`, options);
  }

  async function act(action: UserAction): Promise<void> {
    switch (action.do) {
      case 'create':
        return create(action.name, action.kind);
      case 'delete':
        return remove(action.name);
      case 'force-delete':
        return remove(action.name, 0);
      case 'recreate':
        await remove(action.name, 0);
        return create(action.name, action.kind);
      case 'scale':
        if (await api.find(`${deployments}/web`)) {
          await api.patch(`${deployments}/web`, { spec: { replicas: action.replicas } });
        } else {
          await api.post(deployments, deployment('web', action.replicas, { labels: { [kindLabel]: 'capsule' } }));
        }
        return;
      case 'job':
        await api.post(jobs, job(action.name, jobWish));
        return;
      default:
        action satisfies never;
    }
  }

  return {
    counts,
    async act(action) {
      try {
        await act(action);
        counts[action.do] = (counts[action.do] ?? 0) + 1;
      } catch {
        // The name is taken, the Pod is gone, or the API server is away: all of that is part of the day.
        counts['refused'] = (counts['refused'] ?? 0) + 1;
      }
    },
    async makeSecrets() {
      const { items } = await api.get<{ items: Pod[] }>(`${pods}?labelSelector=${kindLabel}=late-secret`);
      for (const { metadata } of items) {
        const name = secretName(metadata.name);
        if (await api.find(`${secrets}/${name}`)) continue;
        await api.post(secrets, { metadata: { name }, stringData: { value: 'a' } });
      }
    },
    async deleteAll() {
      const { items } = await api.get<{ items: Pod[] }>(pods);
      for (const { metadata } of items) judge.asked(metadata.uid);
      const background = { propagationPolicy: 'Background' };
      await api.delete(deployments, background);
      await api.delete(jobs, background);
      await api.delete(pods);
    },
  };
}
