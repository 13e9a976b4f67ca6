import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testHooks } from '../../../src/cli/test-hooks.ts';

test('test hooks: nothing of them in the environment: none', () => {
  assert.equal(testHooks({ PATH: '/bin', ZUNLET_NODE_NAME: 'a' }), undefined);
});

test('test hooks: the rule about time switched off: off', () => {
  assert.equal(testHooks({ ZUNLET_TEST_TIME_RULE: 'off' })?.testing.timeRule, false);
  assert.equal(testHooks({ ZUNLET_TEST_KILL_AT: 'create.sent:1' })?.testing.timeRule, true);
});

test('test hooks: another point than the deadly one: lives', () => {
  testHooks({ ZUNLET_TEST_KILL_AT: 'create.sent:1' })?.testing.at('create.done');
});

for (const [name, value] of [
  ['ZUNLET_TEST_KILL_AT', 'create'],
  ['ZUNLET_TEST_TIME_RULE', 'on'],
  ['ZUNLET_TEST_CLOCK', 'yes'],
] as const) {
  test(`test hooks: ${name}=${value}: refused`, () => {
    assert.throws(() => testHooks({ [name]: value }), { code: 'usage' });
  });
}
