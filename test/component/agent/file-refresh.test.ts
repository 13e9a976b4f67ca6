import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createFileRefresh, type WantedFile } from '../../../src/agent/file-refresh.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { createContainers } from '../../../src/openstack/containers.ts';
import { createSession } from '../../../src/openstack/session.ts';
import { createZun } from '../../../src/openstack/zun.ts';
import { capsule, pod, statusNaming } from '../../lib/builders.ts';
import { createManualClock } from '../../lib/manual-clock.ts';
import { startCloud } from '../emulators/lib.ts';

const token = '/var/run/secrets/token';
const plain = '/etc/app/config';

/** A container of the emulated cloud with two files, and a node that looks at it once a round. */
async function bed(context: TestContext) {
  const cloud = await startCloud(context);
  const loaded = await loadCloud({ env: cloud.env, cwd: '/', readFile: async () => undefined });
  const session = createSession({ cloud: loaded, clock: systemClock, log: silentLog, userAgent: 'zunlet/test' });
  context.after(() => session.close());
  const containers = createContainers(createZun(session));
  const mounts = [token, plain].map((destination) => {
    return { type: 'bind', source: Buffer.from('old').toString('base64'), destination };
  });
  const uuid = await cloud.container({ command: ['sleep', '1d'], mounts });
  const who = pod({ spec: { volumes: [{ name: 'v', secret: { secretName: 's' } }] }, status: statusNaming(uuid) });
  const calls: string[] = [];
  const events: string[] = [];
  const state = { wanted: [] as WantedFile[] | undefined, exitCode: undefined as number | undefined };
  /** One round of a process that remembers nothing of those before; with `again` a second one after the first Event. */
  async function round(again = false): Promise<void> {
    const told = Promise.withResolvers<void>();
    const clock = createManualClock();
    const refresh = createFileRefresh({
      pods: { get: () => who, all: () => [who] },
      capsules: { ofPod: () => [capsule({ backend: 'container', uuid })] },
      containers: {
        getArchive: (...given) => containers.getArchive(...given),
        putArchive: (...given) => {
          calls.push('put');
          return containers.putArchive(...given);
        },
        async execute(id, command) {
          calls.push(command[0] ?? '');
          if (state.exitCode !== undefined) return { output: 'no such program', exitCode: state.exitCode };
          return containers.execute(id, command);
        },
      },
      wanted: async () => state.wanted,
      events: {
        record(_subject, _type, reason, message) {
          events.push(`${reason}: ${message}`);
          told.resolve();
        },
      },
      clock,
      random: () => 0.5,
      log: silentLog,
      everyMs: 60_000,
    });
    refresh.start();
    await clock.advance(60_000);
    if (again) {
      await told.promise;
      await clock.advance(60_000);
    }
    await refresh.stop();
  }
  async function run(...command: string[]): Promise<string> {
    return (await containers.execute(uuid, command)).output;
  }
  return { cloud, state, round, run, calls, events, containers, uuid };
}

const file = (destination: string, text: string): WantedFile => ({ destination, content: Buffer.from(text) });

test('file refresh: a token was renewed: written in place, nothing is left behind', async (context) => {
  const b = await bed(context);
  b.state.wanted = [file(token, 'new'), file(plain, 'old')];
  await b.round();
  assert.equal(await b.run('cat', token), 'new');
  assert.equal(await b.run('cat', plain), 'old');
  assert.deepEqual(b.calls, ['put', 'cp', 'put', 'rm']);
  assert.doesNotMatch(await b.run('ls', '-a', '/'), /zunlet/);
  assert.deepEqual(b.events, []);
});

test('file refresh: nothing changed, or an object is missing: no call that writes', async (context) => {
  const b = await bed(context);
  b.state.wanted = [file(token, 'old'), file(plain, 'old')];
  await b.round();
  b.state.wanted = undefined;
  await b.round();
  assert.deepEqual(b.calls, []);
});

test('file refresh: a key was added: its file appears', async (context) => {
  const b = await bed(context);
  b.state.wanted = [file('/etc/app/second', 'two')];
  await b.round();
  assert.equal(await b.run('cat', '/etc/app/second'), 'two');
});

test('file refresh: the image has no cp: one Event, and no further try', async (context) => {
  const b = await bed(context);
  b.state.wanted = [file(token, 'new')];
  b.state.exitCode = 126;
  await b.round(true);
  assert.equal(b.events.length, 1);
  assert.match(b.events[0] ?? '', /^FilesNotRefreshed: .*token changed.*no such program/);
  assert.equal(b.calls.filter((call) => call === 'cp').length, 1);
});

test('put_archive: over a mounted file: refused as Docker refuses it', async (context) => {
  const b = await bed(context);
  const { tarOf } = await import('../../../src/agent/single-file-tar.ts');
  const tar = tarOf([{ name: 'token', content: Buffer.from('new') }], 0);
  await assert.rejects(b.containers.putArchive(b.uuid, '/var/run/secrets', tar), /500/);
  assert.equal(await b.run('cat', token), 'old');
});
