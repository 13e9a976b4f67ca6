/**
 * Writes deploy/kubernetes from the chart: `node scripts/generate-manifests.ts`. Needs Helm, which the tests bring along.
 * A test compares what is on disk with what would be written.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHelm } from '../test/lib/helm.ts';
import { manifestsFolder, plainManifests } from './chart/manifests.ts';

mkdirSync(manifestsFolder, { recursive: true });
for (const [name, text] of Object.entries(plainManifests(await createHelm('v35')))) {
  writeFileSync(join(manifestsFolder, name), text);
  process.stdout.write(`deploy/kubernetes/${name} written\n`);
}
