import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { bundle } from '../../../scripts/build/bundle.ts';

const repository = resolve(import.meta.dirname, '../../..');
// As in the image: a folder with nothing else in it or above it.
const folder = mkdtempSync(join(tmpdir(), 'zunlet-bundle-'));
after(() => rmSync(folder, { recursive: true }));
const output = execFileSync(process.execPath, ['scripts/build.ts', folder], { cwd: repository, encoding: 'utf8' });
const program = join(folder, 'zunlet.mjs');
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };

/** Starts the bundle as the image does: nothing of the machine's environment. */
function zunlet(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    env: {},
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('bundle: version: that of package.json', () => {
  assert.deepEqual(zunlet('version'), { status: 0, stdout: `zunlet ${version}\n`, stderr: '' });
});

test('bundle: translate: makes a template', () => {
  copyFileSync(join(repository, 'deploy/examples/pod.yaml'), join(folder, 'pod.yaml'));
  const { status, stdout, stderr } = zunlet('translate', '-f', 'pod.yaml');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^capsuleVersion: beta$/m);
});

test('bundle: every command: has its help', () => {
  for (const command of ['run', 'check', 'translate', 'capsule', 'demo']) {
    const { status, stdout, stderr } = zunlet(command, '--help');
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`^zunlet ${command}: `));
  }
});

test('bundle: run with no credentials: one sentence and exit 1', () => {
  const { status, stderr } = zunlet('run', '--health-address', '');
  assert.equal(status, 1);
  assert.match(stderr, /no clouds\.yaml in/);
});

test('bundle: demo: its own examples run and go', () => {
  const { status, stdout, stderr } = zunlet('demo', '--once', '--timeout', '60');
  assert.equal(status, 0, stdout + stderr);
});

test('bundle: built twice: the same bytes', async () => {
  const again = join(folder, 'again.mjs');
  await bundle(again);
  assert.ok(readFileSync(program).equals(readFileSync(again)));
});

test('bundle: names no path of the machine that built it', () => {
  assert.ok(!readFileSync(program, 'utf8').includes(repository));
});

test('bundle: bill of materials: exactly the packages in it', async () => {
  const sbom = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8')) as {
    serialNumber?: string;
    components: { name: string }[];
  };
  const packages = await bundle(join(folder, 'again.mjs'));
  assert.deepEqual([...new Set(sbom.components.map(({ name }) => name))].toSorted(), packages);
  assert.equal(sbom.serialNumber, undefined);
  assert.match(output, new RegExp(`with ${packages.length} packages in it`));
});

test('Dockerfile: what it copies and starts: is what the build makes', () => {
  const dockerfile = readFileSync(join(repository, 'Dockerfile'), 'utf8');
  assert.match(dockerfile, /^RUN .*npm ci/m);
  assert.match(dockerfile, /^COPY --from=build .*\/src\/dist \/files\/opt\/zunlet$/m);
  assert.match(dockerfile, /^ENTRYPOINT \["\/usr\/local\/bin\/node", "\/opt\/zunlet\/zunlet\.mjs"\]$/m);
  assert.match(dockerfile, /^USER 65532:65532$/m);
  assert.match(dockerfile, new RegExp(`^ARG VERSION=${version}$`, 'm'));
});

test('Dockerfile: health check: 0 for a page that is well, 1 for one that is not there', async () => {
  const dockerfile = readFileSync(join(repository, 'Dockerfile'), 'utf8');
  const json = /^HEALTHCHECK .*\n {2}CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
  const [, ...args] = JSON.parse(json) as string[];
  const check = (setup: string) => {
    const file = join(folder, 'fetch.mjs');
    writeFileSync(file, setup);
    return spawnSync(process.execPath, ['--import', file, ...args], { encoding: 'utf8' }).status;
  };
  assert.equal(check('globalThis.fetch = async () => new Response("ok");'), 0);
  assert.equal(check('globalThis.fetch = async () => new Response("no", { status: 500 });'), 1);
  assert.equal(check('globalThis.fetch = async () => { throw new Error("refused"); };'), 1);
});
