import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { manifestsFolder, plainManifests } from '../../../scripts/chart/manifests.ts';
import { createHelms, manifestsOf } from '../../lib/helm.ts';
import { kubeTools } from '../../lib/kube-tools.ts';
import { modelProblems } from '../../lib/model-check.ts';

const helms = await createHelms();

for (const helm of helms) {
  test(`manifests: helm of ${helm.version}: as the chart makes them (else: node scripts/generate-manifests.ts)`, () => {
    const made = plainManifests(helm);
    assert.deepEqual(readdirSync(manifestsFolder).toSorted(), Object.keys(made).toSorted());
    for (const [name, text] of Object.entries(made)) {
      assert.equal(readFileSync(join(manifestsFolder, name), 'utf8'), text, name);
    }
  });
}

for (const { version } of helms) {
  test(`manifests: kubectl ${version} kustomize: every object is known, named and in place`, async () => {
    const { kubectl } = await kubeTools(version);
    const objects = manifestsOf(execFileSync(kubectl, ['kustomize', manifestsFolder], { encoding: 'utf8' }));
    assert.deepEqual(objects.flatMap(modelProblems), []);
    assert.deepEqual(
      objects
        .map(({ kind }) => kind)
        .filter((kind) => kind === 'Deployment' || kind === 'Namespace' || kind === 'ConfigMap'),
      ['Namespace', 'ConfigMap', 'Deployment'],
    );
    assert.match(JSON.stringify(objects), /"image":"registry\.example\.org\/zunlet:0\.1\.0"/);
    assert.doesNotMatch(JSON.stringify(objects), /helm/i);
  });
}
