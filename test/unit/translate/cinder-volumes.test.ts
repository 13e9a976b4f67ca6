import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../src/kube/types.ts';
import { translatePod } from '../../../src/translate/pod.ts';
import type { PodInputs } from '../../../src/translate/types.ts';
import { cinderVolumeIds } from '../../../src/translate/volumes.ts';
import { pod } from '../../lib/builders.ts';
import { podInputs, translateOptions } from '../../lib/translation.ts';

const id = '9f81cbb2-10f9-4bab-938d-92fe33c57a24';

function user(volume: object): Pod {
  const mounts = [{ name: 'data', mountPath: '/data' }];
  const containers = [{ name: 'app', image: 'nginx', command: ['nginx'], volumeMounts: mounts }];
  return pod({ containers, spec: { volumes: [{ name: 'data', ...volume }] } });
}

const direct = user({ cinder: { volumeID: id.toUpperCase() } });
const claimed = user({ persistentVolumeClaim: { claimName: 'c' } });
const bound: Partial<PodInputs> = {
  persistentVolumeClaims: {
    c: { metadata: {}, spec: { volumeName: 'pv' }, status: { phase: 'Bound' } } as PersistentVolumeClaim,
  },
  persistentVolumes: {
    pv: {
      metadata: {},
      spec: { csi: { driver: 'cinder.csi.openstack.org', volumeHandle: id } },
    } as PersistentVolume,
  },
};

function problemsOf(who: Pod, disk: { status: string; multiattach: boolean } | null | undefined) {
  const inputs = podInputs({ ...bound, ...(disk !== undefined && { cinderVolumes: { [id]: disk } }) });
  return translatePod(who, inputs, translateOptions()).problems;
}

test('cinder volume: free, shared, or not known: no problem', () => {
  for (const who of [direct, claimed]) {
    assert.deepEqual(problemsOf(who, { status: 'available', multiattach: false }), []);
    assert.deepEqual(problemsOf(who, { status: 'in-use', multiattach: true }), []);
    assert.deepEqual(problemsOf(who, undefined), []);
  }
});

test('cinder volume: busy or gone: the Pod waits and says why', () => {
  const cases = [
    [{ status: 'in-use', multiattach: false }, 'volume.busy', /is in-use and cannot be attached twice/],
    [{ status: 'error', multiattach: true }, 'volume.busy', /is error$/],
    [null, 'volume.missing', /does not exist/],
  ] as const;
  for (const [disk, code, message] of cases) {
    const [problem, ...others] = problemsOf(claimed, disk);
    assert.deepEqual([problem?.code, problem?.heals, problem?.reason], [code, true, 'FailedAttachVolume']);
    assert.match(problem?.message ?? '', message);
    assert.deepEqual(others, []);
    assert.equal(problemsOf(direct, disk)[0]?.path, 'spec.volumes[0].cinder.volumeID');
  }
});

test('cinderVolumeIds: mounted volumes, direct and claimed: each id once', () => {
  assert.deepEqual(cinderVolumeIds(direct, podInputs()), [id]);
  assert.deepEqual(cinderVolumeIds(claimed, podInputs(bound)), [id]);
  assert.deepEqual(cinderVolumeIds(claimed, podInputs()), []);
  const unmounted = pod({ spec: { volumes: [{ name: 'data', cinder: { volumeID: id } }] } });
  assert.deepEqual(cinderVolumeIds(unmounted, podInputs()), []);
});
