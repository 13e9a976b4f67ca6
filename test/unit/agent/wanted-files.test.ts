import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWantedFiles } from '../../../src/agent/wanted-files.ts';
import type { Pod } from '../../../src/kube/types.ts';
import { pod } from '../../lib/builders.ts';
import { configMap, podInputs, translateOptions } from '../../lib/translation.ts';

const options = translateOptions({ backend: 'container', clusterDns: ['10.96.0.10'] });

function user(...mounts: object[]): Pod {
  const volumeMounts = mounts.map((mount) => ({ name: 'v', mountPath: '/etc/app/', ...mount }));
  const volumes = [{ name: 'v', configMap: { name: 'c' } }];
  return pod({ containers: [{ name: 'app', image: 'nginx', volumeMounts }], spec: { volumes } });
}

async function filesOf(who: Pod, data: Record<string, string> | undefined) {
  const found = podInputs({ configMaps: { c: data === undefined ? null : configMap('c', data) } });
  const source = { fetch: async () => found, seen() {}, forget() {} };
  const files = await createWantedFiles(source, options)(who);
  return files?.map(({ destination, content }) => `${destination}=${content.toString()}`);
}

test('wantedFiles: the files of mounted volumes as they should be now, without those of the node', async () => {
  assert.deepEqual(await filesOf(user({}), { a: '1', b: '2' }), ['/etc/app/a=1', '/etc/app/b=2']);
});

test('wantedFiles: mounted by subPath: never refreshed', async () => {
  assert.deepEqual(await filesOf(user({ mountPath: '/etc/one', subPath: 'a' }), { a: '1' }), []);
});

test('wantedFiles: the object is gone: what is there stays', async () => {
  assert.equal(await filesOf(user({}), undefined), undefined);
});
