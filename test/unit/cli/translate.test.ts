import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { AppError } from '../../../src/base/errors.ts';
import { pathKeys, readManifests } from '../../../src/cli/manifest.ts';
import { translateCommand } from '../../../src/cli/translate.ts';

const folder = mkdtempSync(join(tmpdir(), 'zunlet-translate-'));
after(() => rmSync(folder, { recursive: true }));
const examples = fileURLToPath(new URL('../../../deploy/examples/', import.meta.url));

interface Outcome {
  exit: number;
  out: string;
  err: string;
}

async function translate(args: string[], stdin = ''): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await translateCommand(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    stdin: (async function* () {
      yield Buffer.from(stdin);
    })(),
    env: {},
    signal: new AbortController().signal,
  });
  return { exit, out: out.join(''), err: err.join('') };
}

function podYaml(name: string, more = ''): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers: [{name: a, image: nginx, command: [a, b]}]\n${more}`;
}

test('translate: no file, a wrong output, an unknown flag: usage', async () => {
  for (const args of [[], ['pod.yaml'], ['-f', '-', '-o', 'xml'], ['-f', '-', '--no-such-flag']]) {
    await assert.rejects(
      translate(args),
      (error) => error instanceof AppError && error.code === 'usage',
      args.join(' '),
    );
  }
});

test('translate: --help: teaches, and names every flag of its own', async () => {
  const { exit, out } = await translate(['--help']);
  assert.equal(exit, 0);
  for (const flag of ['--filename', '--output', '--explain', '--namespace', '--backend', '--driver', '--config']) {
    assert.ok(out.includes(flag), flag);
  }
});

test('translate: a file that is not there: exit 1, named', async () => {
  const { exit, err, out } = await translate(['-f', join(folder, 'nowhere.yaml')]);
  assert.equal(exit, 1);
  assert.match(err, /nowhere\.yaml.*ENOENT/);
  assert.equal(out, '');
});

test('translate: standard input, several documents: one template each', async () => {
  const { exit, out, err } = await translate(['-f', '-'], `${podYaml('one')}---\n${podYaml('two')}`);
  assert.equal(exit, 0, err);
  const names = parseAllDocuments(out).map((document) => document.toJS() as { metadata: { name: string } });
  assert.deepEqual(
    names.map(({ metadata }) => metadata.name),
    ['pod-default-one-00000000', 'pod-default-two-00000000'],
  );
});

test('translate: -o json: the request of one pod, a list of several', async () => {
  const one = await translate(['-f', '-', '-o', 'json'], podYaml('one'));
  assert.equal((JSON.parse(one.out) as { kind: string }).kind, 'capsule');
  const two = await translate(['-f', '-', '-o', 'json'], `${podYaml('one')}---\n${podYaml('two')}`);
  assert.equal((JSON.parse(two.out) as unknown[]).length, 2);
});

test('translate: one of two pods is impossible: the other is printed, exit 1', async () => {
  const { exit, out, err } = await translate(
    ['-f', '-'],
    `${podYaml('one', '  hostNetwork: true\n')}---\n${podYaml('two')}`,
  );
  assert.equal(exit, 1);
  assert.match(err, /^-:6: spec\.hostNetwork: /m);
  assert.match(out, /pod-default-two-/);
});

test('translate: a folder and files: inputs may stand in any of them', async () => {
  const sub = mkdtempSync(join(folder, 'sub-'));
  writeFileSync(
    join(sub, 'a.yaml'),
    podYaml('one').replace('command: [a, b]', 'command: [a, b], envFrom: [{configMapRef: {name: c}}]'),
  );
  writeFileSync(join(sub, 'b.json'), '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"K":"V"}}');
  writeFileSync(join(sub, 'notes.txt'), 'not read');
  const { exit, out, err } = await translate(['-f', sub]);
  assert.equal(exit, 0, err);
  assert.match(out, /K: V/);
});

test('translate: YAML that is broken: file, line and column, and what could be read is still translated', async () => {
  const { exit, err, out } = await translate(['-f', '-'], `${podYaml('one')}---\na: [\n`);
  assert.equal(exit, 1);
  assert.match(err, /^-:\d+:\d+: /m);
  assert.match(out, /pod-default-one/);
});

test('translate: strings that YAML 1.1 takes for something else: quoted', async () => {
  const { out } = await translate(
    ['-f', '-'],
    podYaml('one').replace('command: [a, b]', 'command: ["no", "0644", "1:30"]'),
  );
  assert.match(out, /- "no"\n\s+- "0644"\n\s+- "1:30"/);
  assert.deepEqual(
    (parse(out, { version: '1.1' }) as { spec: { containers: { command: string[] }[] } }).spec.containers[0]?.command,
    ['no', '0644', '1:30'],
  );
});

test('translate: --explain: a table that names every field, and the same as JSON', async () => {
  const { exit, out } = await translate(['-f', '-', '--explain'], podYaml('one', '  hostIPC: true\n  priority: 3\n'));
  assert.equal(exit, 1);
  for (const field of [
    'refused   spec.hostIPC',
    'ignored   spec.priority',
    'mapped    spec.containers[0].command',
    'mapped    metadata.name',
  ]) {
    assert.ok(out.includes(field), field);
  }
  const json = await translate(['-f', '-', '--explain', '-o', 'json'], podYaml('one'));
  const fields = (JSON.parse(json.out) as { fields: { field: string }[] }).fields.map(({ field }) => field);
  assert.ok(fields.includes('spec.containers[0].image'));
});

test('translate: options of a node: count, from the flags', async () => {
  const args = ['-f', '-', '--backend', 'container', '--driver=cri', '--maximum-cpu', '1', '--namespace', 'shop'];
  const { out, exit } = await translate(args, podYaml('one'));
  assert.equal(exit, 0);
  assert.match(out, /name: pod-shop-one-/);
  assert.match(out, /entrypoint:/);
});

test('translate: a StatefulSet: its first pod, with host name and the claims of its templates', async () => {
  const set = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  template:
    spec:
      containers: [{name: a, image: nginx, command: [a, b], volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates: [{metadata: {name: data}}]
`;
  const { err } = await translate(['-f', '-'], set);
  assert.match(err, /persistentvolumeclaim "data-db-0" not found/);
});

test('translate: the examples: every one works, but for the one that is there to be refused and the claim that is not bound', async () => {
  const files = readdirSync(examples).filter((name) => name.endsWith('.yaml'));
  assert.ok(files.length >= 10);
  for (const file of files) {
    const { exit, err } = await translate(['-f', join(examples, file)]);
    assert.equal(exit, file === 'refused-pod.yaml' ? 1 : 0, `${file}: ${err}`);
    const explained = await translate(['-f', join(examples, file), '--explain']);
    assert.ok(explained.out.length > 200);
  }
  const cloud = readdirSync(join(examples, 'cloud')).map((name) => join(examples, 'cloud', name));
  for (const file of cloud) {
    const { exit, err } = await translate(['-f', file]);
    assert.equal(exit, file.endsWith('claim.yaml') ? 1 : 0, `${file}: ${err}`);
  }
});

test('readManifests: aliases without end, and documents that are no objects: said, not followed', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
  assert.equal(readManifests('f', bomb).manifests.length, 0);
  assert.match(readManifests('f', bomb).errors[0] ?? '', /alias/i);
  assert.match(readManifests('f', '- a\n- b\n').errors[0] ?? '', /^f:1: is not an object/);
  assert.deepEqual(readManifests('f', ''), { manifests: [], errors: [] });
  assert.deepEqual(readManifests('f', '---\n---\n').errors, []);
});

test('readManifests: a list in a list: opened, with the lines of its items', () => {
  const text =
    'kind: List\nitems:\n  - kind: PodList\n    items:\n      - kind: Pod\n        metadata: {name: a}\n        spec:\n          hostPID: true\n';
  const [manifest] = readManifests('f', text).manifests;
  assert.equal(manifest?.object['kind'], 'Pod');
  assert.equal(manifest?.lineOf('spec.hostPID'), 8);
  assert.equal(manifest?.lineOf('spec.nothing[3].here'), 8);
});

test('pathKeys: names, indices and quoted keys: taken apart', () => {
  assert.deepEqual(pathKeys('spec.containers[10].limits["a.b/c"]'), ['spec', 'containers', 10, 'limits', 'a.b/c']);
  assert.deepEqual(pathKeys(''), []);
});
