/**
 * The tests against the real Zun and Keystone: `npm run test:zun`. Arguments are files. Where Python 3.11, Go, openssl or
 * kubectl is missing, it says so in one line and ends with 0.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { controlPlaneBinary, missingForControlPlane } from '../lib/control-plane-binary.ts';
import { missingKubectl } from '../lib/kubectl.ts';
import { runSuites } from '../lib/suites.ts';
import { installZun, missingForZun } from './install.ts';

const missing = missingForZun('fake') ?? missingForControlPlane() ?? missingKubectl();
if (missing) {
  process.stdout.write(`skipped: ${missing}\n`);
} else {
  await installZun('fake');
  await controlPlaneBinary();
  const chosen = process.argv.slice(2);
  const all = globSync('*.test.ts', { cwd: import.meta.dirname }).toSorted();
  process.exitCode = await runSuites(chosen.length > 0 ? chosen : all.map((file) => join(import.meta.dirname, file)));
}
