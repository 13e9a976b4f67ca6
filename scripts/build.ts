/**
 * Makes what the image holds: `node scripts/build.ts [folder]`, without an argument into `dist`. `zunlet.mjs` is the whole
 * program in one file that needs nothing but Node; `sbom.cdx.json` names every package that it came from; `examples` are the
 * Pods of `zunlet demo`. The same source makes the same bytes.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bundle, root } from './build/bundle.ts';
import { writeSbom } from './build/sbom.ts';

const folder = resolve(process.argv[2] ?? 'dist');
mkdirSync(folder, { recursive: true });
const packages = await bundle(join(folder, 'zunlet.mjs'));
writeSbom(join(folder, 'sbom.cdx.json'), packages);
cpSync(join(root, 'deploy/examples'), join(folder, 'examples'), { recursive: true });
process.stdout.write(`${join(folder, 'zunlet.mjs')} written, with ${packages.length} packages in it\n`);
