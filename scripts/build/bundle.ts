import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';

/** The root of the repository. */
export const root = resolve(import.meta.dirname, '../..');

/**
 * Bundles the program into one file and answers the names of the packages in it, sorted. The code is not minified: the
 * lines of a stack trace can be read, and it makes no difference to the start.
 */
export async function bundle(outfile: string): Promise<string[]> {
  const { version } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string };
  const { metafile } = await build({
    entryPoints: [`${root}/src/main.ts`],
    absWorkingDir: root,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    define: { ZUNLET_VERSION: JSON.stringify(version) },
    // The whole client has 700 classes that nobody uses here; a bundle with them starts in twice the memory.
    alias: { '@kubernetes/client-node': '@kubernetes/client-node/dist/config.js' },
    // Packages in CommonJS ask for Node's own modules at run time.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    legalComments: 'eof',
    metafile: true,
    logLevel: 'error',
  });
  const names = Object.keys(metafile.inputs).flatMap((path) => {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)].toSorted();
}
