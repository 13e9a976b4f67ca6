import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../../src/base/nearest.ts';

test('nearest: one letter wrong, missing, doubled or swapped: finds the name', () => {
  const known = ['password', 'username', 'project_name'];
  for (const word of ['pasword', 'passwrod', 'passwordd', 'Password', 'pazzword'])
    assert.equal(nearest(word, known), 'password');
});

test('nearest: several near names: the nearest wins', () => {
  assert.equal(nearest('project_nam', ['project_id', 'project_name']), 'project_name');
});

test('nearest: nothing like it: undefined', () => {
  assert.equal(nearest('zebra', ['password', 'username']), undefined);
  assert.equal(nearest('ab', ['xy']), undefined);
});

test('nearest: a very long word: undefined without work', () => {
  assert.equal(nearest('x'.repeat(1_000_000), ['x']), undefined);
});
