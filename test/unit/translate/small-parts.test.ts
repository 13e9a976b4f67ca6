import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quoteLikeGo } from '../../../src/translate/downward.ts';
import { createFindings, isAccepted, isInside } from '../../../src/translate/findings.ts';
import { storedBytes } from '../../../src/translate/limits.ts';
import { capsuleName } from '../../../src/translate/name.ts';
import { shapeProblems, withoutNulls } from '../../../src/translate/shape.ts';
import { tokenKey } from '../../../src/translate/token-key.ts';
import { fieldCode } from '../../../src/translate/walk.ts';
import { pod } from '../../lib/builders.ts';

test('capsuleName: an ordinary pod: namespace, name and the start of the UID', () => {
  assert.equal(
    capsuleName(pod({ name: 'db-0', uid: '1a2b3c4d-0000-4000-8000-000000000000' })),
    'pod-default-db-0-1a2b3c4d',
  );
});

test('capsuleName: any names: what zun takes and finds again, at most 236 characters', () => {
  const name = fc.string({ maxLength: 300 });
  fc.assert(
    fc.property(name, name, name, (namespace, podName, uid) => {
      const made = capsuleName(pod({ namespace, name: podName, uid }));
      assert.match(made, /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
      assert.ok(made.length <= 236);
      assert.doesNotMatch(made, /\.(json|txt|html|png|css|js|xml|yaml)$/);
      assert.doesNotMatch(made.replaceAll('-', ''), /^[0-9a-fA-F]{32}$/);
    }),
  );
});

test('capsuleName: a pod recreated under its name: another name', () => {
  const one = capsuleName(pod({ uid: 'aaaaaaaa-0000-4000-8000-000000000000' }));
  assert.notEqual(one, capsuleName(pod({ uid: 'bbbbbbbb-0000-4000-8000-000000000000' })));
});

test('storedBytes: any texts: as Python writes them', () => {
  assert.equal(storedBytes([]), 2);
  assert.ok(storedBytes(['é']) >= '["\\u00e9"]'.length);
  assert.ok(storedBytes({ A: '"\n' }) >= '{"A": "\\"\\n"}'.length);
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      const plain = Buffer.byteLength(JSON.stringify(words));
      assert.ok(storedBytes(words) >= Math.min(plain, JSON.stringify(words).length));
    }),
  );
});

test('isAccepted: a field name: covers it wherever it stands, and everything inside', () => {
  const cases: [path: string, accepted: string, expected: boolean][] = [
    ['spec.containers[0].securityContext.runAsUser', 'runAsUser', true],
    ['spec.containers[0].securityContext.runAsUser', 'securityContext.runAsUser', true],
    ['spec.containers[0].securityContext.runAsUser', 'securityContext', true],
    ['spec.containers[1].securityContext.runAsUser', 'spec.containers[0].securityContext', true],
    ['spec.containers[0].securityContext.runAsUser', 'runAs', false],
    ['spec.securityContext.sysctls', 'containers.securityContext', false],
    ['spec.containers[0].args', 'args', true],
    ['metadata.annotations["zunlet.io/networks"]', 'annotations', true],
  ];
  for (const [path, accepted, expected] of cases)
    assert.equal(isAccepted(path, [accepted]), expected, `${path} ${accepted}`);
});

test('isInside: a path and another: only at the border of a word', () => {
  assert.ok(isInside('a.b[0].c', 'a.b'));
  assert.ok(isInside('a.b', 'a.b'));
  assert.ok(!isInside('a.bc', 'a.b'));
});

test('findings: refusals by concern: the policy relaxes convenience, the pod itself security and correctness', () => {
  const refusal = (concern: 'impossible' | 'security' | 'correctness' | 'convenience') => ({
    path: `spec.${concern}`,
    code: 'x',
    message: 'm',
    concern,
  });
  const all = ['impossible', 'security', 'correctness', 'convenience'] as const;
  const refused = (unsupported: 'reject' | 'warn', accepted: string[]) => {
    const findings = createFindings({ unsupported, accepted });
    return all.filter((concern) => !findings.refuse(refusal(concern)));
  };
  assert.deepEqual(refused('reject', []), all);
  assert.deepEqual(refused('warn', []), ['impossible', 'security', 'correctness']);
  assert.deepEqual(refused('reject', [...all]), ['impossible']);
});

test('findings: a field that is refused: has no note, nor has anything inside it', () => {
  const findings = createFindings({ unsupported: 'reject', accepted: [] });
  findings.note({ path: 'spec.volumes[0].name', code: 'x', message: 'm', level: 'mapped' });
  findings.note({ path: 'spec.volumes[1].name', code: 'x', message: 'm', level: 'mapped' });
  findings.refuse({ path: 'spec.volumes[0]', code: 'x', message: 'm', concern: 'impossible' });
  assert.deepEqual(
    findings.notes().map(({ path }) => path),
    ['spec.volumes[1].name'],
  );
});

test('fieldCode: a path: kebab case without indices and keys', () => {
  assert.equal(
    fieldCode('spec.containers[0].securityContext.runAsUser'),
    'field.containers.security-context.run-as-user',
  );
  assert.equal(fieldCode('metadata.annotations["a.b/C"]'), 'field.metadata.annotations');
});

test('quoteLikeGo: special characters: escaped as %q does', () => {
  assert.equal(quoteLikeGo('a"b\\c\n\t\x07\x01é😀\u200b\x7f'), '"a\\"b\\\\c\\n\\t\\a\\x01é😀\\u200b\\x7f"');
});

test("tokenKey: nothing said: the API server's audience for an hour", () => {
  assert.equal(tokenKey(undefined, undefined), '|3600');
  assert.equal(tokenKey('vault', 7200), 'vault|7200');
});

test('shapeProblems: wrong types: each with its path and what it must be', () => {
  const wrong = {
    metadata: { name: 1, namespace: 'default', uid: 'u', labels: { a: 1 } },
    spec: {
      containers: [{ image: ['nginx'], env: { A: '1' } }, 'text'],
      hostNetwork: 'yes',
      volumes: [{ name: 'v', configMap: { items: [{ key: 'k', mode: '0644' }] } }],
    },
  };
  assert.deepEqual(
    shapeProblems(wrong).map(({ path, message }) => `${path} ${message}`),
    [
      'metadata.name must be text',
      'metadata.labels must be a map of texts, not a map',
      'spec.containers[0].env must be a list, not a map',
      'spec.containers[0].image must be text, not a list',
      'spec.containers[0].name is required',
      'spec.containers[1] must be a map, not text',
      'spec.hostNetwork must be true or false, not text',
      'spec.volumes[0].configMap.items[0].mode must be a whole number, not text',
      'spec.volumes[0].configMap.items[0].path is required',
    ],
  );
});

test('shapeProblems: no object, no specification, no containers: said', () => {
  assert.equal(shapeProblems(null)[0]?.message, 'a Pod must be a map, not nothing');
  assert.ok(shapeProblems({ metadata: { name: 'a', namespace: 'b', uid: 'c' } }).some(({ path }) => path === 'spec'));
  assert.ok(shapeProblems(pod({ containers: [] })).some(({ path }) => path === 'spec.containers'));
});

test('withoutNulls: nulls at any depth: gone, and the input stays', () => {
  const input = { a: null, b: [{ c: null, d: 1 }], e: undefined };
  assert.deepEqual(withoutNulls(input), { b: [{ d: 1 }] });
  assert.deepEqual(Object.keys(input), ['a', 'b', 'e']);
});
