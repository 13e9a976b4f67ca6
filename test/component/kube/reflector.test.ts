import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type Log, silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { createReflector, type ReflectorOptions } from '../../../src/kube/reflector.ts';
import type { Stored } from '../../../src/kube/watch.ts';
import { createFastClock } from '../../lib/fast-clock.ts';
import { type SeenRequest, sendJson, sendStatus } from '../../lib/scripted-server.ts';
import { setup } from './support.ts';

const item = (name: string, uid = name, version = '1'): Stored => ({
  metadata: { name, namespace: 'web', uid, resourceVersion: version, managedFields: [{ manager: 'x' }] },
});
const list = (response: ServerResponse, items: Stored[], version = '10', token?: string) =>
  sendJson(response, 200, { metadata: { resourceVersion: version, ...(token && { continue: token }) }, items });
const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const bookmark = (version: string) => line('BOOKMARK', { metadata: { resourceVersion: version } });
const gone = line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' });

interface Script {
  list: (response: ServerResponse, request: SeenRequest, count: number) => void;
  watch: (response: ServerResponse, request: SeenRequest, count: number) => void;
}

/** A reflector on a server whose lists and watches the test scripts; `until` waits for something to be seen. */
async function follow(t: TestContext, script: Script, parts: Partial<ReflectorOptions<Stored>> = {}, speed = 100) {
  let lists = 0;
  let watches = 0;
  const seen: string[] = [];
  const warnings: string[] = [];
  let check = () => {};
  const note = (text: string) => {
    seen.push(text);
    check();
  };
  const { server, client, clock } = await setup(
    t,
    (request, response) => {
      if (request.query.get('watch') === '1') {
        watches += 1;
        script.watch(response, request, watches);
      } else {
        lists += 1;
        script.list(response, request, lists);
      }
      check();
    },
    { clock: createFastClock(speed) },
  );
  const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
  const reflector = createReflector<Stored>({
    client,
    clock,
    random: seededRandom(1),
    log,
    path: '/api/v1/pods',
    name: 'pods',
    fieldSelector: 'spec.nodeName=zun-1',
    sink: {
      replace: (items) => note(`replace ${items.map(({ metadata }) => metadata.uid).join(' ')}`.trim()),
      upsert: ({ metadata }) =>
        note(`upsert ${metadata.uid}@${metadata.resourceVersion}${metadata.managedFields ? ' fat' : ''}`),
      remove: ({ metadata }) => note(`remove ${metadata.uid}`),
    },
    ...parts,
  });
  t.after(() => reflector.stop());
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      check = () => condition() && resolve();
      check();
    });
  reflector.start();
  const urls = () =>
    server.requests.map(({ query }) =>
      query.get('watch') ? `watch ${query.get('resourceVersion')}` : `list ${query.get('continue') ?? ''}`.trim(),
    );
  return { reflector, server, client, clock, seen, warnings, until, urls };
}

test('reflector: starts: lists in pages as of now, then watches from there with bookmarks and a limit', async (t) => {
  const { server, seen, reflector, until } = await follow(t, {
    list: (response, request) =>
      request.query.get('continue') === 'next'
        ? list(response, [item('c')])
        : list(response, [item('a'), item('b')], '10', 'next'),
    watch: (response) => response.writeHead(200).flushHeaders(),
  });
  await until(() => server.requests.length === 3);
  await reflector.whenSynced();
  assert.deepEqual(seen, ['replace a b c']);
  assert.deepEqual(
    server.requests.slice(0, 2).map(({ url }) => url),
    [
      '/api/v1/pods?fieldSelector=spec.nodeName%3Dzun-1&limit=500',
      '/api/v1/pods?fieldSelector=spec.nodeName%3Dzun-1&limit=500&continue=next',
    ],
  );
  const query = server.requests[2]?.query;
  assert.deepEqual(
    [query?.get('resourceVersion'), query?.get('allowWatchBookmarks'), query?.get('fieldSelector')],
    ['10', 'true', 'spec.nodeName=zun-1'],
  );
  const seconds = Number(query?.get('timeoutSeconds'));
  assert.ok(seconds >= 300 && seconds < 600, `${seconds}`);
});

test('reflector: events cut anywhere: arrive whole, without managedFields', async (t) => {
  const text =
    line('ADDED', item('ä-🐋', 'u1', '11')) +
    line('MODIFIED', item('ä-🐋', 'u1', '12')) +
    line('DELETED', item('ä-🐋', 'u1', '13'));
  const bytes = Buffer.from(text);
  const { seen, until } = await follow(t, {
    list: (response) => list(response, []),
    watch(response) {
      response.writeHead(200);
      for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
    },
  });
  await until(() => seen.length === 4);
  assert.deepEqual(seen, ['replace', 'upsert u1@11', 'upsert u1@12', 'remove u1']);
});

test('reflector: server ends the watch: goes on from the last event or bookmark, without a list', async (t) => {
  const { urls, until } = await follow(t, {
    list: (response) => list(response, []),
    watch(response, _, count) {
      response.writeHead(200);
      if (count === 1) response.end(line('ADDED', item('a', 'a', '11')));
      else if (count === 2) response.end(bookmark('25'));
      else response.flushHeaders();
    },
  });
  await until(() => urls().length === 4);
  assert.deepEqual(urls(), ['list', 'watch 10', 'watch 11', 'watch 25']);
});

test('reflector: connection breaks inside an event: goes on from the last whole one', async (t) => {
  const { urls, seen, until } = await follow(t, {
    list: (response) => list(response, []),
    watch(response, _, count) {
      response.writeHead(200);
      if (count > 1) return void response.write(line('ADDED', item('b', 'b', '12')));
      response.write(line('ADDED', item('a', 'a', '11')) + line('ADDED', item('b', 'b', '12')).slice(0, 20), () =>
        response.destroy(),
      );
    },
  });
  await until(() => seen.length === 3);
  assert.deepEqual(urls(), ['list', 'watch 10', 'watch 11']);
  assert.deepEqual(seen, ['replace', 'upsert a@11', 'upsert b@12']);
});

for (const [name, refuse] of [
  ['as an HTTP status', (response: ServerResponse) => sendStatus(response, 410, 'Expired')],
  ['as an event, the stream left open', (response: ServerResponse) => response.writeHead(200).write(gone)],
  [
    'as an event without a code',
    (response: ServerResponse) => response.writeHead(200).write(line('ERROR', { kind: 'Status', reason: 'Gone' })),
  ],
] as const) {
  test(`reflector: position too old, ${name}: lists again at once`, async (t) => {
    const { urls, seen, until, warnings } = await follow(t, {
      list: (response, _, count) => list(response, [item('a')], count === 1 ? '10' : '50'),
      watch(response, _, count) {
        if (count === 1) refuse(response);
        else response.writeHead(200).flushHeaders();
      },
    });
    await until(() => urls().length === 4);
    assert.deepEqual(urls(), ['list', 'watch 10', 'list', 'watch 50']);
    assert.deepEqual(seen, ['replace a', 'replace a']);
    assert.deepEqual(warnings, []);
  });
}

test('reflector: storm of 410: slows down instead of listing without end', async (t) => {
  const { clock, urls, until } = await follow(t, {
    list: (response) => list(response, []),
    watch: (response) => sendStatus(response, 410, 'Expired'),
  });
  await until(() => clock.monotonic() > 1 && urls().length >= 2);
  await new Promise<void>((resolve) => {
    clock.after(60_000, resolve);
  });
  const listed = urls().filter((url) => url === 'list').length;
  assert.ok(listed >= 4 && listed <= 12, `${listed} lists in a minute`);
});

test('reflector: continue token expires half way: reads all in one piece', async (t) => {
  const { seen, until, server } = await follow(t, {
    list(response, request) {
      if (request.query.get('continue')) sendStatus(response, 410, 'Expired');
      else if (request.query.get('limit')) list(response, [item('a')], '10', 'next');
      else list(response, [item('a'), item('b')], '12');
    },
    watch: (response) => response.writeHead(200).flushHeaders(),
  });
  await until(() => server.requests.length === 4);
  assert.deepEqual(seen, ['replace a b']);
  assert.equal(server.requests[3]?.query.get('resourceVersion'), '12');
});

test('reflector: list fails half way: nothing reaches the sink before one is complete', async (t) => {
  const { seen, until, reflector } = await follow(t, {
    list(response, request, count) {
      if (request.query.get('continue') && count < 8) sendStatus(response, 500, 'InternalError');
      else
        list(
          response,
          [item(request.query.get('continue') ?? 'a')],
          '10',
          request.query.get('continue') ? undefined : 'b',
        );
    },
    watch: (response) => response.writeHead(200).flushHeaders(),
  });
  assert.equal(reflector.health().isSynced, false);
  await until(() => seen.length > 0);
  assert.deepEqual(seen, ['replace a b']);
});

test('reflector: same name with another uid after a gap: old one removed, new one there', async (t) => {
  const { seen, until } = await follow(t, {
    list: (response, _, count) => list(response, [count === 1 ? item('a', 'old') : item('a', 'new')]),
    watch(response, _, count) {
      if (count === 1) sendStatus(response, 410, 'Expired');
      else response.writeHead(200).write(line('MODIFIED', item('a', 'newest', '11')));
    },
  });
  await until(() => seen.length === 5);
  assert.deepEqual(seen, ['replace old', 'remove old', 'replace new', 'remove new', 'upsert newest@11']);
});

test('reflector: line of garbage: goes on from before it', async (t) => {
  const { urls, seen, until } = await follow(t, {
    list: (response) => list(response, []),
    watch(response, _, count) {
      response.writeHead(200);
      if (count === 1) response.write(`${line('ADDED', item('a', 'a', '11'))}{"type":"ADDED","obj\n`);
      else response.write(line('ADDED', item('b', 'b', '12')));
    },
  });
  await until(() => seen.length === 3);
  assert.deepEqual(urls(), ['list', 'watch 10', 'watch 11']);
});

test('reflector: garbage again and again: lists', async (t) => {
  const { urls, until } = await follow(t, {
    list: (response, _, count) => list(response, [], count === 1 ? '10' : '50'),
    watch: (response, request) => {
      response.writeHead(200);
      if (request.query.get('resourceVersion') === '10') response.write('garbage\n');
      else response.flushHeaders();
    },
  });
  await until(() => urls().includes('watch 50'));
  assert.deepEqual(urls(), ['list', 'watch 10', 'watch 10', 'list', 'watch 50']);
});

test('reflector: event type of a newer server: passed over', async (t) => {
  const { seen, until } = await follow(t, {
    list: (response) => list(response, []),
    watch: (response) => response.writeHead(200).write(line('SPARKLED', {}) + line('ADDED', item('a', 'a', '11'))),
  });
  await until(() => seen.length === 2);
  assert.deepEqual(seen, ['replace', 'upsert a@11']);
});

test('reflector: connection that is dead but open: noticed after the limit of the watch, resumed', async (t) => {
  const silent: Script = {
    list: (response) => list(response, []),
    watch: (response) => response.writeHead(200).flushHeaders(),
  };
  const { urls, until, clock, reflector } = await follow(t, silent, {}, 1000);
  await until(() => urls().length === 2);
  const startedAt = clock.monotonic();
  await until(() => urls().length === 3);
  const silentMs = clock.monotonic() - startedAt;
  assert.ok(silentMs > 330_000 && silentMs < 700_000, `${silentMs}`);
  assert.equal(reflector.health().error?.code, 'kube.watch-silent');
});

test('reflector: dead connection where bookmarks come: noticed within four minutes', async (t) => {
  const silent: Script = {
    list: (response) => list(response, []),
    watch(response, _, count) {
      response.writeHead(200);
      if (count === 1) response.end(bookmark('11'));
      else response.flushHeaders();
    },
  };
  const { urls, until, clock } = await follow(t, silent, {}, 1000);
  await until(() => urls().length === 3);
  const startedAt = clock.monotonic();
  await until(() => urls().length === 4);
  assert.ok(clock.monotonic() - startedAt < 240_000);
});

for (const code of [403, 500, 503, 401]) {
  test(`reflector: server answers ${code} for a while: reported, tried again, then followed`, async (t) => {
    let fails = true;
    const { until, urls, seen, reflector, warnings } = await follow(t, {
      list: (response) => list(response, []),
      watch(response) {
        if (fails) sendStatus(response, code, 'x');
        else response.writeHead(200).write(line('ADDED', item('a', 'a', '11')));
      },
    });
    await until(() => urls().length >= 6);
    assert.equal(reflector.health().error?.status, code);
    assert.equal(warnings.length, 1);
    fails = false;
    await until(() => seen.includes('upsert a@11'));
    assert.equal(reflector.health().error, undefined);
    assert.equal(urls().includes('list', 1), false);
  });
}

test('reflector: watch accepted after an outage: well again before any event comes', async (t) => {
  const { until, urls, reflector, clock } = await follow(t, {
    list: (response) => list(response, []),
    watch(response, _, count) {
      if (count === 1) sendStatus(response, 500, 'InternalError');
      else response.writeHead(200).flushHeaders();
    },
  });
  await until(() => urls().length === 3);
  while (reflector.health().error) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(clock.monotonic() - (reflector.health().lastSyncedAtMs ?? 0) < 10_000);
});

test('reflector: Retry-After on a watch: obeyed', async (t) => {
  const { until, urls, clock } = await follow(t, {
    list: (response) => list(response, []),
    watch(response, _, count) {
      if (count === 1) sendStatus(response, 429, 'TooManyRequests', { 'retry-after': '20' });
      else response.writeHead(200).flushHeaders();
    },
  });
  await until(() => urls().length === 2);
  const startedAt = clock.monotonic();
  await until(() => urls().length === 3);
  assert.ok(clock.monotonic() - startedAt >= 19_900);
});

test('reflector: server that ends every watch at once: asked ever more rarely', async (t) => {
  const { clock, urls, until } = await follow(t, {
    list: (response) => list(response, []),
    watch: (response) => response.writeHead(200).end(),
  });
  await until(() => urls().length >= 2);
  await new Promise<void>((resolve) => {
    clock.after(60_000, resolve);
  });
  // Without a back-off there are hundreds.
  assert.ok(urls().length <= 30, `${urls().length} requests in a minute`);
});

test('reflector: time for a complete list: lists at the next end of the watch', async (t) => {
  const { urls, until } = await follow(
    t,
    {
      list: (response) => list(response, []),
      watch: (response) => {
        response.writeHead(200).write(bookmark('11'));
        setTimeout(() => response.end(), 20);
      },
    },
    { relistEveryMs: 1_000 },
  );
  await until(() => urls().length >= 4);
  assert.deepEqual(urls().slice(0, 4), ['list', 'watch 10', 'list', 'watch 10']);
});

test('reflector: sink throws: the others hear all the same', async (t) => {
  const seen: string[] = [];
  const heard = Promise.withResolvers<void>();
  await follow(
    t,
    {
      list: (response) => list(response, []),
      watch: (response) =>
        response.writeHead(200).write(line('ADDED', item('a', 'a', '11')) + line('ADDED', item('b', 'b', '12'))),
    },
    {
      sink: {
        replace() {},
        upsert({ metadata }) {
          seen.push(metadata.uid);
          if (metadata.uid === 'b') heard.resolve();
          throw new Error('broken');
        },
        remove() {},
      },
    },
  );
  await heard.promise;
  assert.deepEqual(seen, ['a', 'b']);
});

test('reflector: 20,000 events at once: the event loop is never held for long', async (t) => {
  const burst = Array.from({ length: 20_000 }, (_, at) => line('MODIFIED', item('a', 'a', String(11 + at)))).join('');
  let last = performance.now();
  let longestMs = 0;
  let events = 0;
  const done = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 1);
  t.after(() => clearInterval(timer));
  const { reflector } = await follow(
    t,
    {
      list: (response) => list(response, []),
      watch: (response) => response.writeHead(200).write(burst),
    },
    {
      sink: {
        replace() {},
        upsert() {
          events += 1;
          if (events === 20_000) done.resolve();
        },
        remove() {},
      },
    },
  );
  await done.promise;
  assert.ok(longestMs < 250, `${longestMs} ms`);
  assert.ok((reflector.health().lastSyncedAtMs ?? 0) > 0);
});

test('reflector: stopped: nothing more reaches the sink', async (t) => {
  let open: ServerResponse | undefined;
  const { seen, until, reflector } = await follow(t, {
    list: (response) => list(response, []),
    watch(response) {
      open = response;
      response.writeHead(200).write(line('ADDED', item('a', 'a', '11')));
    },
  });
  await until(() => seen.length === 2);
  await reflector.stop();
  open?.write(line('ADDED', item('b', 'b', '12')));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['replace', 'upsert a@11']);
});
