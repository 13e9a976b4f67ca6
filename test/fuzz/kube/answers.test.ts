import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../../src/base/errors.ts';
import { listAll } from '../../../src/kube/list.ts';
import { createLineSplitter, parseWatchEvent } from '../../../src/kube/watch.ts';
import { setup } from '../../component/kube/support.ts';
import { sendJson } from '../../lib/scripted-server.ts';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const oddJson = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.record(
    {
      kind: fc.constantFrom('PodList', 'Status', 7),
      metadata: fc.constantFrom(
        {},
        null,
        [],
        { resourceVersion: 7 },
        { resourceVersion: '' },
        { resourceVersion: '9' },
      ),
      items: fc.constantFrom(null, [], {}, [null], [7], [{}], [{ metadata: null }], [{ metadata: { uid: 'a' } }]),
    },
    { requiredKeys: [] },
  ),
);

/** Lists Pods of a server that answers 200 with this text. */
async function listOf(t: TestContext): Promise<(text: string) => Promise<unknown[] | string>> {
  let body = '';
  const { client } = await setup(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  return async (text) => {
    body = text;
    try {
      const { items } = await listAll(client, '/api/v1/pods', { attempt: 'listing pods', retries: 0 }, 500);
      return items;
    } catch (thrown) {
      assert.ok(thrown instanceof AppError, String(thrown));
      assert.equal(thrown.kind, 'retryable', thrown.message);
      return thrown.code;
    }
  };
}

test('list of pods: any JSON with status 200: the Pods in it, or an error that is tried again; never an empty list by mistake', async (t) => {
  const list = await listOf(t);
  await fc.assert(
    fc.asyncProperty(oddJson, async (value) => {
      const found = await list(JSON.stringify(value));
      if (!Array.isArray(found)) return;
      const page = value as { metadata: { resourceVersion: string }; items: unknown[] | null };
      assert.ok(page.metadata.resourceVersion !== '' && typeof page.metadata.resourceVersion === 'string');
      assert.equal(found.length, (page.items ?? []).length);
    }),
    { numRuns: 300 },
  );
});

for (const [name, text] of [
  ['a Status that says Success', '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success"}'],
  ['an empty object', '{}'],
  ['null', 'null'],
  ['a page of a proxy', '<html>sign in</html>'],
  ['ten thousand brackets', nested(10_000)],
  ['an item that is null', '{"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[null]}'],
  ['no items', '{"kind":"PodList","metadata":{"resourceVersion":"9"}}'],
] as const) {
  test(`list of pods: ${name} with status 200: garbage, not an empty list`, async (t) => {
    const list = await listOf(t);
    assert.equal(await list(text), 'kube.garbage');
  });
}

test('list of pods: items are null, as Go writes an empty list: empty', async (t) => {
  const { client } = await setup(t, (_request, response) =>
    sendJson(response, 200, { metadata: { resourceVersion: '9' }, items: null }),
  );
  const { items } = await listAll(client, '/api/v1/pods', { attempt: 'listing pods' }, 500);
  assert.deepEqual(items, []);
});

test('watch: any bytes cut anywhere: events that have a uid, or an error that is tried again', () => {
  const line = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    oddJson.map((object) => Buffer.from(`${JSON.stringify({ type: 'ADDED', object })}\n`)),
    fc.constant(Buffer.from(`{"type":"ADDED","object":${nested(5000)}}\n`)),
  );
  const run = (chunks: Buffer[]) => {
    const splitter = createLineSplitter(1 << 20);
    for (const found of chunks.flatMap((chunk) => splitter.push(chunk))) {
      const event = parseWatchEvent(found, 'watching pods');
      if (event?.type === 'ADDED') assert.equal(typeof event.object.metadata.uid, 'string');
    }
  };
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (chunks) => {
      try {
        run(chunks);
      } catch (thrown) {
        assert.ok(thrown instanceof AppError && thrown.kind === 'retryable', String(thrown));
      }
    }),
    { numRuns: 500 },
  );
});
