import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import { describeOptions, loadOptions, type Sources } from '../../../src/config/load.ts';
import { envOf, flagOf, type OptionKey, options } from '../../../src/config/options.ts';

const none: Sources = { flags: {}, env: {} };

function refused(sources: Partial<Sources>): string {
  try {
    loadOptions({ ...none, ...sources });
  } catch (error) {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'config.invalid');
    return error.message;
  }
  assert.fail('the options were accepted');
}

test('options: nothing given: defaults', () => {
  const { values, origin } = loadOptions(none);
  assert.equal(values.backend, 'capsule');
  assert.equal(values.settle, 60_000);
  assert.equal(origin.backend, 'default');
});

test('options: one key in every layer: the flag wins over environment over file', () => {
  const file = { name: 'z.yaml', text: 'nodeName: from-file\ncpu: 4\nsettle: 2m\n' };
  const { values, origin } = loadOptions({
    file,
    env: { ZUNLET_NODE_NAME: 'from-env', ZUNLET_CPU: '8' },
    flags: { 'node-name': 'from-flag' },
  });
  assert.deepEqual([values.nodeName, values.cpu, values.settle], ['from-flag', '8', 120_000]);
  assert.deepEqual([origin.nodeName, origin.cpu], ['--node-name', 'ZUNLET_CPU']);
});

test('options: several mistakes in several layers: all are told at once', () => {
  const message = refused({
    file: { name: 'z.yaml', text: 'nodeNam: x\nbackend: capsul\n' },
    env: { ZUNLET_SETLE: '1s', ZUNLET_PROBES: 'maybe' },
  });
  assert.match(message, /z\.yaml: unknown option nodeNam; did you mean nodeName\?/);
  assert.match(message, /z\.yaml: backend: expected capsule, container, auto, got "capsul"/);
  assert.match(message, /ZUNLET_SETLE: no such option; did you mean ZUNLET_SETTLE\?/);
  assert.match(message, /ZUNLET_PROBES: expected true or false, got "maybe"/);
});

const bad: [OptionKey, unknown][] = [
  ['settle', '10'],
  ['settle', '10 days'],
  ['kubeletPort', 70_000],
  ['kubeletPort', 1.5],
  ['nodeAddresses', 'nowhere'],
  ['nodeLabels', 'a'],
  ['cpu', 'many'],
  ['cpu', null],
  ['nodeName', { a: 1 }],
  ['nodeName', 'a\0b'],
  ['orphanFuseShare', 2],
];
for (const [key, value] of bad) {
  test(`options: ${key} set to ${JSON.stringify(value)}: refused with the key`, () => {
    assert.match(refused({ file: { name: 'z.yaml', text: JSON.stringify({ [key]: value }) } }), new RegExp(key));
  });
}

test('options: file that is no map, no YAML, or an alias bomb: refused', () => {
  for (const text of ['- a', 'a: [', '"x"', 'a: &a [x]\nb: [*a, *a]'])
    assert.match(refused({ file: { name: 'z.yaml', text } }), /z\.yaml/);
});

test('options: every key: has a flag and a variable of its own, a doc and a default that parses', () => {
  const names = Object.entries(options).map(([key, spec]) => {
    assert.match(spec.doc, /\.$/, key);
    return [flagOf(key), envOf(key)].join();
  });
  assert.equal(new Set(names).size, names.length);
  assert.equal(flagOf('minimumMemoryMiB'), 'minimum-memory-mib');
  assert.equal(envOf('minimumMemoryMiB'), 'ZUNLET_MINIMUM_MEMORY_MIB');
});

test('options: described: each value with the layer it came from', () => {
  const rows = describeOptions(loadOptions({ ...none, env: { ZUNLET_CLOUD: 'c1' } }));
  assert.deepEqual(
    rows.find(({ key }) => key === 'cloud'),
    { key: 'cloud', value: 'c1', from: 'ZUNLET_CLOUD' },
  );
});
