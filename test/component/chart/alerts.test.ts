import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { metricNames } from '../../../scripts/docs/metric-names.ts';
import { chart, createHelms, objectOf } from '../../lib/helm.ts';

const alertsFile = join(chart, 'files/alerts.yaml');
const promtool = process.env['PROMTOOL'] ?? 'promtool';
const isMissing = spawnSync(promtool, ['--version']).error !== undefined;
const missing = 'left out: there is no promtool on the PATH (Debian package prometheus), nor named by PROMTOOL';

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
}

const rules = (parse(readFileSync(alertsFile, 'utf8')) as Rules).groups.flatMap((group) => group.rules);

test('alerts: promtool check: every rule is well formed', (t) => {
  if (isMissing) return t.diagnostic(missing);
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'rules', '--lint-fatal', alertsFile], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
});

test('alerts: promtool test: each fires when it should and not before', (t) => {
  if (isMissing) return t.diagnostic(missing);
  const { status, stdout, stderr } = spawnSync(promtool, ['test', 'rules', 'alerts-test.yaml'], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
});

test('alerts: each: is fired by a test', () => {
  const text = readFileSync(join(import.meta.dirname, 'alerts-test.yaml'), 'utf8');
  const fired = (
    parse(text) as { tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[] }
  ).tests.flatMap(({ alert_rule_test }) =>
    alert_rule_test.flatMap(({ alertname, exp_alerts }) => (exp_alerts.length > 0 ? [alertname] : [])),
  );
  assert.deepEqual(
    rules.map(({ alert }) => alert).filter((alert) => !fired.includes(alert)),
    [],
  );
});

test('alerts: each: has a section in the troubleshooting page', () => {
  const page = readFileSync(join(chart, '../../docs/troubleshooting.md'), 'utf8');
  for (const { alert, annotations } of rules) {
    assert.equal(annotations['runbook'], `docs/troubleshooting.md#${alert.toLowerCase()}`);
    assert.match(page, new RegExp(`^### ${alert}$`, 'm'));
  }
});

test('alerts and dashboard: every metric: is one that zunlet has', () => {
  const known = new Set(metricNames());
  const dashboard = readFileSync(join(chart, 'files/dashboard.json'), 'utf8');
  const names = (text: string) => text.match(/\b(?:zunlet|kubelet|rest_client|process)_[a-z0-9_]+/g) ?? [];
  const used = [...rules.flatMap(({ expr }) => names(expr)), ...names(dashboard)];
  assert.ok(used.length > 30);
  assert.deepEqual([...new Set(used)].filter((name) => !known.has(name)).sort(), []);
});

for (const helm of (await createHelms()).slice(-1)) {
  test('alerts: PrometheusRule of the chart: is the file', () => {
    const set = ['--set', 'openstack.existingSecret=x,prometheusRule.create=true,dashboard.create=true'];
    const objects = helm.template(...set);
    assert.deepEqual(objectOf(objects, 'PrometheusRule')['spec'], parse(readFileSync(alertsFile, 'utf8')));
    const map = objectOf(objects, 'ConfigMap', 'zun-zunlet-dashboard') as unknown as { data: Record<string, string> };
    assert.deepEqual(
      JSON.parse(map.data['zunlet.json'] ?? ''),
      JSON.parse(readFileSync(join(chart, 'files/dashboard.json'), 'utf8')),
    );
  });
}
