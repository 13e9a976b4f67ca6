import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { loadOptions } from '../../../src/config/load.ts';

const folder = resolve(import.meta.dirname, '../../../deploy/systemd');
const lines = readFileSync(join(folder, 'zunlet.env'), 'utf8').split('\n');
const env = Object.fromEntries(
  lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]),
);

test('systemd: zunlet.env: every variable is an option and every value is good', () => {
  const { values, origin } = loadOptions({ flags: {}, env });
  assert.equal(values.nodeName, 'zun-1');
  assert.equal(values.nodeRoleLabel, false);
  const set = Object.values(origin).filter((from) => from !== 'default');
  assert.equal(set.length, Object.keys(env).filter((name) => name.startsWith('ZUNLET_')).length);
});

test('systemd: units: each directive stands in a section and each file that they start is there', () => {
  for (const unit of ['zunlet.service', 'zunlet-identity.service', 'zunlet-identity.timer']) {
    const text = readFileSync(join(folder, unit), 'utf8');
    let section = '';
    for (const line of text.split('\n')) {
      if (/^\[(Unit|Service|Timer|Install)\]$/.test(line)) section = line;
      else if (line !== '' && !line.startsWith('#'))
        assert.match(line, /^[A-Z][A-Za-z]+=/, `${unit} ${section}: ${line}`);
    }
  }
  assert.ok((statSync(join(folder, 'zunlet-identity')).mode & 0o111) !== 0);
});

test('systemd: zunlet-identity: no node name: says which variable to set', () => {
  const { status, stderr } = spawnSync('sh', [join(folder, 'zunlet-identity')], {
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
  });
  assert.notEqual(status, 0);
  assert.match(stderr, /set ZUNLET_NODE_NAME/);
});
