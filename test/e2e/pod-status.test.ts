/** Our idea of a status write, held against the real API server: every patch is taken, and stored as it was meant. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { loadKubeAuth } from '../../src/kube/auth.ts';
import { createKubeClient } from '../../src/kube/client.ts';
import { createPodApi } from '../../src/kube/pods.ts';
import type { Pod } from '../../src/kube/types.ts';
import { statusPatch } from '../../src/status/merge.ts';
import { podStatus } from '../../src/status/pod.ts';
import { epoch, podArbitrary, sceneArbitrary, toContext, toSituation } from '../lib/pod-scenes.ts';
import { path } from './lib/bed.ts';
import { startControlPlane } from './lib/control-plane.ts';

const seed = 20_260_101;
const chains = 300;
const plane = await startControlPlane({ scheduler: false, controllers: false });
after(() => plane.stop());
const auth = await loadKubeAuth({ env: {}, kubeconfig: plane.kubeconfig, clock: systemClock, log: silentLog });
const client = createKubeClient({
  ...{ auth, clock: systemClock, random: systemRandom, log: silentLog },
  ...{ version: '0.0.0', qps: 0 },
});
const podApi = createPodApi(client);

/** Creates a Pod and writes to its status what the scheduler or others would have. */
async function create({ spec, status }: Pod, index: number): Promise<Pod> {
  const { ephemeralContainers: _, ...rest } = spec;
  const body = { metadata: { name: `chain-${index}` }, spec: { ...rest, automountServiceAccountToken: false } };
  const created = await plane.api.post<Pod>(path.pods, body);
  const { phase: __, qosClass: ___, nominatedNodeName: ____, resourceClaimStatuses: _____, ...foreign } = status ?? {};
  return plane.api.patch<Pod>(`${path.pods}/${created.metadata.name}/status`, { status: foreign });
}

const samples = fc.sample(fc.tuple(podArbitrary, fc.array(sceneArbitrary, { minLength: 5, maxLength: 5 })), {
  seed,
  numRuns: chains,
});

test(`pod status: ${chains} Pods through any chain of situations, seed ${seed}: the API server takes and keeps each write`, async () => {
  let writes = 0;
  const tally = (stored: Pod) => {
    writes += 1;
    return stored;
  };
  await Promise.all(
    samples.map(async ([start, scenes], index) => {
      let pod = await create(start, index);
      for (const [step, scene] of scenes.entries()) {
        const nowMs = epoch + step * 61_234;
        const situation = toSituation(pod, scene);
        const desired = podStatus(pod, situation, toContext(pod, scene, nowMs));
        const patch = statusPatch(pod.status, desired);
        if (patch) pod = tally(await podApi.patchStatus(pod, patch));
        const where = `chain ${index} step ${step} ${JSON.stringify({ scene, patch })}`;
        assert.equal(statusPatch(pod.status, desired), undefined, `stored as meant: ${where}`);
        const again = podStatus(pod, situation, toContext(pod, scene, nowMs + 3_600_000));
        assert.equal(statusPatch(pod.status, again), undefined, `the same an hour later: ${where}`);
      }
    }),
  );
  assert.ok(writes > chains * 2, `${writes} writes`);
});
