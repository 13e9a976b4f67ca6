/** The update verb of the golden cases: writes what comes out now. Look at the difference before you commit it. */
import { writeFileSync } from 'node:fs';
import { goldenCases } from './cases.ts';

const cases = goldenCases();
for (const { expected, run } of cases) writeFileSync(expected, await run());
process.stdout.write(`${cases.length} golden files written\n`);
