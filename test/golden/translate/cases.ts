/** The golden cases of translation: each folder holds a manifest, the variants to run, and what came out. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { translateCommand } from '../../../src/cli/translate.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Command lines by variant: the backend, and the driver where it matters. */
const variants: Record<string, string[]> = {
  docker: ['--backend', 'capsule', '--driver', 'docker'],
  cri: ['--backend', 'capsule', '--driver', 'cri'],
  container: ['--backend', 'container'],
};

/** One variant of a case. */
export interface GoldenCase {
  name: string;
  variant: string;
  /** The file with what came out. */
  expected: string;
  run(): Promise<string>;
}

interface CaseOptions {
  variants: string[];
  args?: string[];
}

async function run(path: string, args: string[]): Promise<string> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await translateCommand(['-f', path, ...args], {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    stdin: (async function* () {})(),
    env: {},
    signal: new AbortController().signal,
  });
  const said = err.join('').replaceAll(path, 'input.yaml').trimEnd();
  const comments = [`exit ${exit}`, ...(said === '' ? [] : said.split('\n'))].map((line) => `# ${line}\n`).join('');
  return `${comments}${out.join('').replaceAll(path, 'input.yaml')}`;
}

/** Finds all cases; `args` of a variant come before those of the case. */
export function goldenCases(): GoldenCase[] {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name }) => {
      const options = JSON.parse(readFileSync(`${folder}${name}/options.json`, 'utf8')) as CaseOptions;
      return options.variants.map((variant) => ({
        name,
        variant,
        expected: `${folder}${name}/expected.${variant}.yaml`,
        run: () => run(`${folder}${name}/input.yaml`, [...(variants[variant] ?? []), ...(options.args ?? [])]),
      }));
    });
}
