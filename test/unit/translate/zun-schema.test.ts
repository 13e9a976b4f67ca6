import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { zunSchemaErrors } from '../../lib/translation.ts';

const folder = new URL('../../data/zun-vectors/', import.meta.url);

interface Step {
  request: { method: string; path: string; body?: unknown };
  response: { status: number; body?: { errors?: { code?: string }[] } };
}

interface Recorded {
  name: string;
  template: object;
  isRefusedBySchema: boolean;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The creates of capsules that the real service answered, with what its schema said. */
function recordedCreates(): Recorded[] {
  return readdirSync(folder).flatMap((name) => {
    if (!name.endsWith('.json')) return [];
    const { steps } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { steps?: Partial<Step>[] };
    return (steps ?? []).flatMap(({ request, response }) => {
      if (request?.method !== 'POST' || request.path !== '/v1/capsules' || !response) return [];
      const template = isObject(request.body) ? request.body['template'] : undefined;
      if (!isObject(template) || !isObject(request.body) || Object.keys(request.body).length !== 1) return [];
      const code = response.body?.errors?.[0]?.code ?? '';
      return [{ name, template, isRefusedBySchema: code.includes('schema-validation-error') }];
    });
  });
}

test("Zun's schema, written down: judges as the real service did, create by create", (t) => {
  const creates = recordedCreates();
  t.diagnostic(`${creates.length} recorded creates`);
  assert.ok(creates.length > 50);
  for (const { name, template, isRefusedBySchema } of creates) {
    const errors = zunSchemaErrors('capsule', template);
    assert.equal(errors.length > 0, isRefusedBySchema, `${name}: ${errors.join('; ')}`);
  }
});
