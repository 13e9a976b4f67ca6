import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodSpec } from '../../../src/kube/types.ts';
import type { FieldType, Rows, Target } from '../../../src/translate/fields.ts';
import { createFindings, isInside } from '../../../src/translate/findings.ts';
import { shapeProblems } from '../../../src/translate/shape.ts';
import { podSpecRows } from '../../../src/translate/support.ts';
import { walkPod } from '../../../src/translate/walk.ts';
import { pod } from '../../lib/builders.ts';
import { elementType, fieldsOf, fullValue, pathsOf } from '../../lib/pod-fields.ts';
import { translateOptions } from '../../lib/translation.ts';

const targets: Target[] = ['docker', 'cri', 'container'];
// Every field of the model is set, so it is a specification.
const fullPod = pod({ spec: fullValue('V1PodSpec') as PodSpec });

/** Notes and problems of a walk over a Pod. */
function walked(subject: Pod, target: Target) {
  const findings = createFindings({ unsupported: 'reject', accepted: [] });
  walkPod(subject, target, findings, translateOptions());
  return { problems: findings.problems(), notes: findings.notes() };
}

test('support table: a Pod that sets every field of client-node: no path is unaccounted, on any backend or driver', (t) => {
  const paths = pathsOf(fullPod.spec, 'spec').filter((path) => path !== 'spec');
  for (const target of targets) {
    const { problems, notes } = walked(fullPod, target);
    assert.deepEqual(
      notes.filter(({ code }) => code === 'pod.unknown-field'),
      [],
    );
    const named = [...problems, ...notes].map(({ path }) => path);
    const accounted = (path: string) => named.some((other) => isInside(path, other) || isInside(other, path));
    const lost = paths.filter((path) => !accounted(path));
    t.diagnostic(`fields of a Pod, ${target}: ${paths.length} field paths, ${lost.length} unaccounted`);
    assert.deepEqual(lost, []);
  }
});

test('support table: one leaf of a Pod at a time: it alone is named', () => {
  const { notes, problems } = walked(pod({ spec: { hostPID: true } }), 'docker');
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['spec.hostPID'],
  );
  assert.ok(notes.some(({ path }) => path === 'spec.containers[0].image'));
});

function kindOf(type: string): FieldType['kind'] {
  const element = elementType(type);
  if (element !== undefined) {
    return fieldsOf(element) ? 'list' : element === 'number' ? 'integers' : 'texts';
  }
  if (fieldsOf(type)) return 'object';
  if (type.startsWith('{')) return 'map';
  if (type === 'number') return 'integer';
  if (type === 'boolean') return 'flag';
  if (type === 'any') return 'anything';
  return type === 'IntOrString' ? 'text-or-integer' : 'text';
}

/** Our words are finer in two places: quantities stand in maps and in texts. */
function agrees(ours: FieldType['kind'], theirs: FieldType['kind']): boolean {
  return ours === theirs || (ours === 'quantities' && theirs === 'map') || (ours === 'quantity' && theirs === 'text');
}

function compare(rows: Rows, model: string, path: string, seen: string[]): void {
  const fields = fieldsOf(model) ?? [];
  assert.deepEqual(Object.keys(rows).sort(), fields.map(({ name }) => name).sort(), path);
  for (const { name, type } of fields) {
    const ours = rows[name]?.type ?? { kind: 'anything' };
    assert.ok(agrees(ours.kind, kindOf(type)), `${path}.${name}: ${ours.kind} here, ${type} there`);
    const inner = elementType(type) ?? type;
    if ('rows' in ours && !seen.includes(inner)) compare(ours.rows, inner, `${path}.${name}`, [...seen, inner]);
  }
}

test('support table: every type of client-node below a Pod: the same fields with the same types', () => {
  compare(podSpecRows, 'V1PodSpec', 'spec', []);
  assert.deepEqual(shapeProblems(fullPod), []);
});

function* everyRow(rows: Rows, path: string): Generator<[path: string, row: Rows[string]]> {
  for (const [name, row] of Object.entries(rows)) {
    yield [`${path}.${name}`, row];
    if ('rows' in row.type && !row.whole) yield* everyRow(row.type.rows, `${path}.${name}`);
  }
}

test('support table: security contexts: nothing that asks for something is ignored', () => {
  for (const [path, row] of everyRow(podSpecRows, 'spec')) {
    if (!path.includes('securityContext') || row === undefined) continue;
    for (const target of targets) {
      const verdict = row.verdicts[target];
      const onlyRefines = path.endsWith('ChangePolicy');
      assert.ok(onlyRefines || verdict.support !== 'ignored', `${path} on ${target}`);
      assert.ok(onlyRefines || verdict.support !== 'defaulted', `${path} on ${target}`);
    }
  }
});

test('support table: every refusal: says what it protects and what to do instead', () => {
  for (const [path, row] of everyRow(podSpecRows, 'spec')) {
    if (row === undefined) continue;
    const verdicts = [row.verdicts, ...row.exceptions.map((exception) => exception.verdicts)];
    for (const verdict of verdicts.flatMap((side) => targets.map((target) => side[target]))) {
      assert.ok(verdict.text.length > 5, path);
      assert.equal(verdict.support === 'rejected', verdict.concern !== undefined, path);
      assert.doesNotMatch(verdict.text, /^[A-Z][a-z]+ [a-z].*\.$/, path);
    }
  }
});
