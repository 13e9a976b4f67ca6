import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiFailure } from '../../../../src/emulators/kube/failures.ts';
import { resourceNamed } from '../../../../src/emulators/kube/resources.ts';
import { fieldPredicate, matchesLabels, parseLabelSelector } from '../../../../src/emulators/kube/selectors.ts';

const labels: [selector: string, labels: Record<string, string>, isMatch: boolean][] = [
  ['a=b', { a: 'b' }, true],
  ['a==b,c!=d', { a: 'b' }, true],
  ['a=b,c!=d', { a: 'b', c: 'd' }, false],
  ['a in (x, y)', { a: 'y' }, true],
  ['a notin (x,y)', {}, true],
  ['a notin (x,y)', { a: 'x' }, false],
  ['a', { a: '' }, true],
  ['!a', { a: '' }, false],
  ['a=', { a: '' }, true],
  ['example.com/part-of=x,!other', { 'example.com/part-of': 'x' }, true],
];
for (const [selector, given, isMatch] of labels) {
  test(`label selector: ${selector} on ${JSON.stringify(given)}: ${isMatch}`, () => {
    assert.equal(matchesLabels(given, parseLabelSelector(selector)), isMatch);
  });
}

test('label selector: not one: refused', () => {
  for (const text of ['=b', 'a b', 'a=b,,c', 'a in x']) {
    assert.throws(() => parseLabelSelector(text), ApiFailure, text);
  }
});

const pod = { metadata: { name: 'p', namespace: 'n' }, spec: { nodeName: 'm' }, status: { phase: 'Running' } };
const fields: [selector: string, isMatch: boolean][] = [
  ['spec.nodeName=m', true],
  ['spec.nodeName!=m', false],
  ['metadata.name=p,metadata.namespace=n', true],
  ['status.phase!=Failed,status.phase!=Succeeded', true],
  ['status.podIP=', true],
  ['', true],
];
for (const [selector, isMatch] of fields) {
  test(`field selector: ${selector}: ${isMatch}`, () => {
    assert.equal(fieldPredicate(selector, resourceNamed('pods'))(pod), isMatch);
  });
}

test('field selector: a field that Pods cannot be selected by: refused', () => {
  assert.throws(
    () => fieldPredicate('spec.hostname=a', resourceNamed('pods')),
    /field label not supported: spec\.hostname/,
  );
});
