/**
 * The end-to-end tests: `npm run test:e2e`. Each file of this folder starts its own real control plane; they run one after
 * the other. Arguments are files: `npm run test:e2e -- test/e2e/pods.test.ts`. Where Go, openssl or kubectl is missing, it
 * says so in one line and ends with 0.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { controlPlaneBinary, missingForControlPlane } from './lib/control-plane-binary.ts';
import { missingKubectl } from './lib/kubectl.ts';
import { runSuites } from './lib/suites.ts';

const missing = missingForControlPlane() ?? missingKubectl();
if (missing) {
  process.stdout.write(`skipped: ${missing}\n`);
} else {
  await controlPlaneBinary();
  const chosen = process.argv.slice(2);
  const all = globSync('*.test.ts', { cwd: import.meta.dirname }).toSorted();
  process.exitCode = await runSuites(chosen.length > 0 ? chosen : all.map((file) => join(import.meta.dirname, file)));
}
