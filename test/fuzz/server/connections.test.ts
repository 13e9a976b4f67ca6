import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type KubeletBed, noRuntime, startKubeletBed } from '../../lib/kubelet-bed.ts';

let bed: KubeletBed;

before(async () => {
  const runtime = { ...noRuntime, ensureServed: () => Promise.resolve(), logs: () => Promise.resolve('') };
  bed = await startKubeletBed({ runtime });
});

after(() => bed.close());

const junk = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 40 }))
      .map(([type, payload]) => new Uint8Array([0x80, 3, 0, type, 0, 0, 0, payload.length, ...payload])),
    fc
      .tuple(fc.nat(9), fc.uint8Array({ maxLength: 40 }))
      .map(([id, payload]) => new Uint8Array([0, 0, 0, id, 1, 0, 0, payload.length, ...payload])),
  ),
  { maxLength: 6 },
);

const upgrades = [
  ['/exec/default/web/app?command=id&input=1&output=1&error=1', 'v4.channel.k8s.io'],
  ['/portForward/default/web', 'portforward.k8s.io'],
] as const;

for (const [path, protocol] of upgrades) {
  test(`SPDY connections: ${path}: any bytes after the upgrade: the server goes on and keeps nothing`, async () => {
    await fc.assert(
      fc.asyncProperty(junk, async (pieces) => {
        const headers = { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocol };
        const { socket } = await bed.upgrade(path, headers);
        assert.ok(socket);
        socket.on('error', () => {});
        socket.resume();
        for (const piece of pieces) socket.write(piece);
        await new Promise((resolve) => {
          socket.once('close', resolve);
          socket.end();
        });
      }),
      { numRuns: 60 },
    );
    assert.equal((await bed.get('/healthz')).body, 'ok');
  });
}

test('WebSocket connections: any bytes after the upgrade: the server goes on', async () => {
  await fc.assert(
    fc.asyncProperty(junk, async (pieces) => {
      const headers = {
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol': 'v5.channel.k8s.io',
      };
      const { socket } = await bed.upgrade(upgrades[0][0], headers, 'GET');
      assert.ok(socket);
      socket.on('error', () => {});
      socket.resume();
      for (const piece of pieces) socket.write(piece);
      await new Promise((resolve) => {
        socket.once('close', resolve);
        socket.end();
      });
    }),
    { numRuns: 60 },
  );
  assert.equal((await bed.get('/healthz')).body, 'ok');
});

test('requests: any query on any path: an answer that is no surprise', async () => {
  const paths = fc.constantFrom(
    '/containerLogs/default/web/app',
    '/exec/default/web/app',
    '/attach/default/web/app',
    '/portForward/default/web',
    '/pods',
    '/stats/summary',
    '/metrics/resource',
    '/healthz',
    '/run/default/web/app',
    '/no/such',
  );
  const name = fc.constantFrom('tailLines', 'command', 'port', 'input', 'stream', 'sinceTime', '__proto__', 'a[b]');
  await fc.assert(
    fc.asyncProperty(
      paths,
      fc.array(fc.tuple(name, fc.string({ maxLength: 20 })), { maxLength: 5 }),
      async (path, pairs) => {
        const answer = await bed.get(`${path}?${new URLSearchParams(pairs)}`);
        assert.notEqual(answer.body, 'internal error', `${path} ${JSON.stringify(pairs)}`);
      },
    ),
    { numRuns: 80 },
  );
});

test('after all that: connections are gone', async () => {
  const { server } = bed;
  await server.close(2_000);
  assert.equal(server.address, undefined);
});
