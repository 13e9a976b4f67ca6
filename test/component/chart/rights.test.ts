import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rightsOf } from '../../../src/cli/check/rights.ts';
import { loadOptions } from '../../../src/config/load.ts';
import { createHelms } from '../../lib/helm.ts';
import { grantedRights, rightText } from '../../lib/rights.ts';

const helms = (await createHelms()).slice(-1);

for (const helm of helms) {
  for (const flags of [
    {},
    { clusterId: 'lab-1' },
    { kubeletApi: 'false' },
    { insecureKubeletApi: 'true' },
    { clientCaFile: '/etc/ca.crt' },
    { servingCertificate: 'csr' },
    { servingCertificate: 'csr', approveOwnCsr: 'true' },
    { approveOwnCsr: 'true' },
  ]) {
    const named = Object.entries(flags).map(([key, value]) => `options.${key}=${value}`);
    test(`chart: roles with ${named.join(', ') || 'options as they come'}: exactly what zunlet uses`, () => {
      const sets = named.flatMap((set) => ['--set', set]);
      const objects = helm.template('--set', 'openstack.existingSecret=x,options.nodeName=zun-1', ...sets);
      const text = JSON.stringify({ nodeName: 'zun-1', ...flags });
      const { values } = loadOptions({ flags: {}, env: {}, file: { name: 'options', text } });
      assert.deepEqual(grantedRights(objects).map(rightText).sort(), rightsOf(values).map(rightText).sort());
    });
  }

  test('chart: rbac.namespaces: what Pods refer to may be read in these namespaces only', () => {
    const objects = helm.template('--set', 'openstack.existingSecret=x,rbac.namespaces={a,b}');
    const of = (resource: string) =>
      grantedRights(objects)
        .map(rightText)
        .filter((right) => right.includes(`| ${resource} |`));
    for (const resource of ['secrets', 'persistentvolumeclaims', 'serviceaccounts']) {
      assert.deepEqual(
        of(resource).map((right) => right.split(' | ')[4]),
        ['a', 'b'],
      );
    }
  });

  test('chart: rbac.serviceAccountTokens false: no token can be made', () => {
    const objects = helm.template('--set', 'openstack.existingSecret=x,rbac.serviceAccountTokens=false');
    assert.deepEqual(
      grantedRights(objects)
        .map(rightText)
        .filter((right) => right.includes('serviceaccounts')),
      [],
    );
  });
}
