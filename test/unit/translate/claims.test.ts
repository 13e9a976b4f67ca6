import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../src/kube/types.ts';
import { claimedVolume } from '../../../src/translate/claims.ts';
import { podInputs } from '../../lib/translation.ts';

const id = '9f81cbb2-10f9-4bab-938d-92fe33c57a24';

function claim(spec: object = {}, status: object = { phase: 'Bound' }, metadata: object = {}): PersistentVolumeClaim {
  return {
    metadata: { name: 'data', namespace: 'default', uid: 'u', ...metadata },
    spec: { accessModes: ['ReadWriteOnce'], volumeName: 'pv', ...spec },
    status,
  } as PersistentVolumeClaim;
}

function volume(spec: object, status: object = { phase: 'Bound' }): PersistentVolume {
  return { metadata: { name: 'pv', uid: 'u' }, spec, status } as PersistentVolume;
}

const csi = volume({ csi: { driver: 'cinder.csi.openstack.org', volumeHandle: id } });

function found(one: PersistentVolumeClaim | null | undefined, pv: PersistentVolume | null | undefined = csi) {
  return claimedVolume(
    'data',
    podInputs({
      ...(one !== undefined && { persistentVolumeClaims: { data: one } }),
      ...(pv !== undefined && { persistentVolumes: { pv } }),
    }),
  );
}

test('claimedVolume: a volume of the CSI driver or of the in-tree source: the Cinder volume behind it', () => {
  assert.deepEqual(found(claim()), { kind: 'cinder', id, shared: false });
  assert.deepEqual(found(claim(), volume({ cinder: { volumeID: id.toUpperCase(), fsType: 'ext4' } })), {
    kind: 'cinder',
    id,
    shared: false,
  });
  assert.deepEqual(found(claim({ accessModes: ['ReadWriteMany'] })), { kind: 'cinder', id, shared: true });
});

test('claimedVolume: what is not ready: waits, and says for what', () => {
  const cases: [PersistentVolumeClaim | null | undefined, PersistentVolume | null | undefined, RegExp][] = [
    [undefined, csi, /persistentvolumeclaim "data" not found/],
    [null, csi, /persistentvolumeclaim "data" not found/],
    [claim({}, { phase: 'Pending' }), csi, /not bound/],
    [claim({ volumeName: '' }), csi, /not bound/],
    [claim({}, {}), csi, /not bound/],
    [claim({}, { phase: 'Bound' }, { deletionTimestamp: '2026-01-01T00:00:00Z' }), csi, /being deleted/],
    [claim(), null, /persistentvolume "pv" not found/],
    [claim(), volume({ cinder: { volumeID: id } }, { phase: 'Released' }), /is Released/],
  ];
  for (const [one, pv, expected] of cases) {
    const result = found(one, pv);
    assert.equal(result.kind, 'wait');
    assert.match(result.kind === 'wait' ? result.message : '', expected);
  }
});

test('claimedVolume: what zun can never use: refused', () => {
  const cases: [PersistentVolumeClaim, PersistentVolume, RegExp][] = [
    [claim(), volume({ nfs: { server: 's', path: '/' } }), /no Cinder volume/],
    [claim(), volume({ csi: { driver: 'ebs.csi.aws.com', volumeHandle: id } }), /no Cinder volume/],
    [claim(), volume({ csi: { driver: 'cinder.csi.openstack.org', volumeHandle: 'x' } }), /by its id/],
    [claim(), volume({ cinder: { volumeID: id, fsType: 'xfs' } }), /holds xfs/],
    [claim(), volume({ cinder: { volumeID: id, readOnly: true } }), /read-only/],
    [claim({ volumeMode: 'Block' }), csi, /block device/],
    [claim({ accessModes: ['ReadOnlyMany'] }), csi, /ReadOnlyMany/],
  ];
  for (const [one, pv, expected] of cases) {
    const result = found(one, pv);
    assert.equal(result.kind, 'refuse');
    assert.match(result.kind === 'refuse' ? result.message : '', expected);
  }
});
