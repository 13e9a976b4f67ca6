import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/telemetry/log-sink.ts';

function capture(format: 'json' | 'text', level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, format, write: (line) => lines.push(line), now: () => Date.UTC(2026, 0, 1) });
  return { log, lines };
}

test('log: json: one object a line with time, level, message and fields', () => {
  const { log, lines } = capture('json');
  log.child({ node: 'zun-1' }).info('capsule created', { pod: 'web', capsule: 'c1' });
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    level: 'info',
    time: '2026-01-01T00:00:00.000Z',
    node: 'zun-1',
    pod: 'web',
    capsule: 'c1',
    msg: 'capsule created',
  });
});

test('log: below the level: says nothing', () => {
  for (const format of ['json', 'text'] as const) {
    const { log, lines } = capture(format);
    log.debug('step planned');
    assert.deepEqual(lines, []);
  }
});

test('log: secrets by name and by form, at any depth: replaced', () => {
  const jwt = `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.sig`;
  for (const format of ['json', 'text'] as const) {
    const { log, lines } = capture(format);
    log.warn('call failed', {
      password: 'hunter2',
      deep: { headers: { 'X-Auth-Token': 'hunter2' }, list: [{ secret: 'hunter2' }] },
      err: new Error(`refused Bearer hunter2 and ${jwt} and gAAAAA${'h'.repeat(40)}`),
    });
    const text = lines.join('');
    assert.doesNotMatch(text, /hunter2|eyJ|gAAAAA/);
    assert.match(text, /\*\*\*/);
  }
});

test('log: huge, deep and circular values: cut, never thrown', () => {
  const { log, lines } = capture('json');
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  log.info('odd', { text: 'x'.repeat(1_000_000), circle, big: 10n });
  assert.ok((lines[0]?.length ?? 0) < 10_000);
});
