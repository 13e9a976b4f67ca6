import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { systemClock } from '../../../src/base/clock.ts';
import { ownerLabels } from '../../../src/base/identity.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Io } from '../../../src/cli/io.ts';
import { main } from '../../../src/cli/main.ts';
import { type CloudEmulator, createCloudEmulator } from '../../../src/emulators/cloud.ts';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { createCapsuleApi } from '../../../src/openstack/capsule-api.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { createSession } from '../../../src/openstack/session.ts';
import { createZun } from '../../../src/openstack/zun.ts';

let cloud: CloudEmulator;
let kube: KubeEmulator;
let folder: string;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zunlet-capsule-'));
  cloud = await createCloudEmulator({ zun: { listeners: false } });
  kube = await createKubeEmulator({ controllers: [] });
  writeFileSync(join(folder, 'kubeconfig'), kube.kubeconfig());
});
after(async () => {
  await Promise.all([cloud.close(), kube.close()]);
  rmSync(folder, { recursive: true });
});

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

async function run(
  args: string[],
  options: {
    stdin?: string;
    env?: Record<string, string>;
    signal?: AbortSignal;
    onStderr?: (text: string) => unknown;
  } = {},
): Promise<Ran> {
  const ran: Ran = { code: 0, stdout: '', stderr: '' };
  const io: Io = {
    stdout: {
      write(text) {
        ran.stdout += text;
      },
    },
    stderr: {
      write(text) {
        ran.stderr += text;
        options.onStderr?.(text);
      },
    },
    stdin: (async function* () {
      yield options.stdin ?? '';
    })(),
    env: options.env ?? cloud.env,
    signal: options.signal ?? new AbortController().signal,
  };
  ran.code = await main(['capsule', ...args], io);
  return ran;
}

function template(parts: { name?: string; labels?: object; image?: string; more?: string } = {}): string {
  return `capsuleVersion: beta
kind: capsule
metadata:
  name: ${parts.name ?? 'web'}
  labels: ${JSON.stringify(parts.labels ?? { app: 'web' })}
spec:
  restartPolicy: Never
  containers:
  - image: ${parts.image ?? 'nginx'}
    command: ["sleep", "1000"]
    env: {TOKEN: s3cr3t}
${parts.more ?? ''}`;
}

async function created(parts: Parameters<typeof template>[0] = {}, flags: string[] = []): Promise<string> {
  const ran = await run(['create', '-f', '-', '-o', 'json', ...flags], { stdin: template(parts) });
  assert.equal(ran.code, 0, ran.stderr);
  return (JSON.parse(ran.stdout) as { uuid: string }).uuid;
}

async function listed(): Promise<{ uuid: string; name: string }[]> {
  const ran = await run(['list', '-o', 'json']);
  return JSON.parse(ran.stdout) as { uuid: string; name: string }[];
}

/** The fields of the template in Zun's Capsule Quick Start, without its volumes that exist already. */
const quickStart = `# use "-" because that the fields have many items
capsuleVersion: beta
kind: capsule
metadata:
  name: template
  labels:
    app: web
    foo: bar
restartPolicy: Always
spec:
  containers:
  - image: ubuntu
    command:
      - "/bin/bash"
    imagePullPolicy: ifnotpresent
    workDir: /root
    ports:
      - name: ssh-port
        containerPort: 22
        hostPort: 22
        protocol: TCP
    resources:
      requests:
        cpu: 1
        memory: 1024
    env:
      ENV1: /usr/local/bin
      ENV2: /usr/sbin
    volumeMounts:
    - name: volume1
      mountPath: /data1
      readOnly: True
  - image: centos
    command:
      - "/bin/bash"
    args:
      - "-c"
      - "\\"while true; do echo hello world; sleep 1; done\\""
    imagePullPolicy: ifnotpresent
    resources:
      requests:
        cpu: 1
        memory: 1024
  volumes:
  - name: volume1
    cinder:
      size: 5
      autoRemove: True
`;

test('capsule create: the template of the Quick Start: taken as it is, each ignored field warned of', async () => {
  const path = join(folder, 'capsule.yaml');
  writeFileSync(path, quickStart);
  const ran = await run(['create', '-f', path]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(
    ran.stdout,
    /^UUID +NAME +STATUS +ADDRESSES +CPU +MEMORY +CONTAINERS +AGE\n[0-9a-f-]{36} +template +Creating +- +2 +2048MiB +2 +/,
  );
  for (const field of [
    'restartPolicy has no effect at the top: write it under spec',
    'spec.containers[0].ports[0] has no effect: it opens nothing',
    'spec.containers[0].ports[0].hostPort has no effect',
    'spec.containers[0].volumeMounts[0].readOnly has no effect',
    'spec.containers[0].imagePullPolicy ifnotpresent has no effect unless',
    'spec.containers[1].imagePullPolicy ifnotpresent has no effect unless',
  ]) {
    assert.ok(ran.stderr.includes(`warning: ${field}`), `${field}\n${ran.stderr}`);
  }
  assert.equal(ran.stderr.trim().split('\n').length, 6, ran.stderr);
});

test('capsule create --watch: a capsule that fails: exit 1 with the reason', async () => {
  const failed = await run(['create', '-f', '-', '--watch'], { stdin: template({ name: 'bad-image', image: 'nope' }) });
  assert.equal(failed.code, 1, failed.stdout);
  assert.match(failed.stderr, /capsule [0-9a-f-]{36} failed: .*nope/);
});

test('capsule describe -o yaml: the whole object', async () => {
  const uuid = await created({ name: 'as-yaml' });
  const object = parse((await run(['describe', uuid, '-o', 'yaml'])).stdout) as { uuid: string; containers: unknown[] };
  assert.equal(object.uuid, uuid);
  assert.equal(object.containers.length, 1);
});

test('capsule create: a template that would leave litter: refused here', async () => {
  const before = (await listed()).length;
  const ran = await run(['create', '-f', '-'], { stdin: template().replace('["sleep", "1000"]', '[null]') });
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /template\.spec\.containers\[0\]\.command\[0\] must be a text/);
  assert.equal((await listed()).length, before);
});

test('capsule create: what Zun refuses: its words, without the values', async () => {
  const ran = await run(['create', '-f', '-'], {
    stdin: template().replace('image: nginx', 'image: nginx\n    livenessProbe: {}'),
  });
  assert.equal(ran.code, 1);
  assert.match(
    ran.stderr,
    /zun answered 400: invalid input at template\.spec\.containers\[0\]: Additional properties are not allowed \('livenessProbe' was unexpected\)/,
  );
  assert.doesNotMatch(ran.stderr, /s3cr3t/);
});

for (const [what, text, message] of [
  ['not YAML', 'a: [b', /reading stdin: line 1: /],
  ['a list', '- a', /a capsule template is a map/],
  ['empty', '', /a capsule template is a map/],
  ['too large', 'x'.repeat(2_000_000), /larger than/],
] as const) {
  test(`capsule create: a file that is ${what}: a clear error`, async () => {
    const ran = await run(['create', '-f', '-'], { stdin: text });
    assert.equal(ran.code, 1);
    assert.match(ran.stderr, message);
  });
}

for (const [args, message] of [
  [['creat'], /unknown verb creat; did you mean create\?/],
  [['create'], /create needs a template: -f FILE/],
  [['list', '--wach'], /unknown option --wach; did you mean --watch\?/],
  [['list', '-o', 'xml'], /-o must be table, json or yaml/],
  [['describe'], /describe needs one uuid or name/],
  [['delete'], /delete needs at least one/],
  [['delete', 'x', '--grace', 'soon'], /--grace: expected a duration/],
] as const) {
  test(`capsule ${args.join(' ')}: exit 2 with a hint`, async () => {
    const ran = await run([...args]);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, message);
    assert.match(ran.stderr, /Try: zunlet capsule --help/);
  });
}

test('capsule --help: on stdout, exit 0, for each verb too', async () => {
  for (const args of [['--help'], ['create', '--help'], ['help']]) {
    const ran = await run(args);
    assert.equal(ran.code, 0);
    assert.match(ran.stdout, /zunlet capsule orphans \[--delete\]/);
  }
});

test('capsule list: wrong password: exit 1, what to check, no password', async () => {
  const ran = await run(['list'], { env: { ...cloud.env, OS_PASSWORD: 'wr0ng' } });
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /keystone answered 401: .*; check user, password/);
  assert.doesNotMatch(ran.stderr, /wr0ng/);
});

test('capsule list: no credentials anywhere: exit 1, where they are looked for', async () => {
  const ran = await run(['list'], { env: { HOME: folder } });
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /no OS_AUTH_URL variable and no clouds\.yaml in/);
});

test('capsule create, describe, list, delete: by name and by uuid, to the end', async () => {
  const uuid = await created({ name: 'by-hand' }, ['--watch']);
  const described = await run(['describe', 'by-hand']);
  assert.match(described.stdout, /^Name: +by-hand\nUUID: +[0-9a-f-]{36}\nStatus: +Running\n/);
  assert.match(described.stdout, /Container: +capsule-by-hand-.*\n +UUID: .*\n +Image: +nginx\n +Status: +Running/);
  assert.match(described.stdout, /Variables: +TOKEN/);
  assert.doesNotMatch(described.stdout, /s3cr3t/);
  // The age in it may be a second more, so that line is taken over; everything else is the same.
  const byUuid = (await run(['describe', uuid])).stdout;
  assert.equal(byUuid, described.stdout.replace(/Created: .*/, byUuid.match(/Created: .*/)?.[0] ?? ''));
  assert.ok((await listed()).some((each) => each.uuid === uuid && each.name === 'by-hand'));
  const deleted = await run(['delete', 'by-hand', '--watch']);
  assert.equal(deleted.code, 0, deleted.stderr);
  assert.match(deleted.stdout, new RegExp(`capsule ${uuid} is being deleted\ncapsule ${uuid} is gone\n`));
  assert.ok(!(await listed()).some((each) => each.uuid === uuid));
});

test('capsule describe: unknown and ambiguous names: exit 1, what there is', async () => {
  const unknown = await run(['describe', 'nobody']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /looking for capsule nobody: there is none/);
  const uuids = [await created({ name: 'twin' }), await created({ name: 'twin' })];
  const ambiguous = await run(['delete', 'twin']);
  assert.equal(ambiguous.code, 1);
  for (const uuid of uuids) assert.ok(ambiguous.stderr.includes(uuid));
});

test('capsule pods: which Pod owns which capsule', async () => {
  const labels = ownerLabels({ cluster: 'c1', node: 'n1', namespace: 'shop', pod: 'cart-0', uid: 'u-1' });
  const uuid = await created({ name: 'shop-cart', labels });
  const ran = await run(['pods']);
  assert.match(
    ran.stdout,
    new RegExp(
      `^NAMESPACE +POD +POD UID +NODE +BACKEND +CAPSULE +STATUS +AGE\nshop +cart-0 +u-1 +n1 +capsule +${uuid} +[CR]`,
    ),
  );
  const json = JSON.parse((await run(['pods', '-o', 'json'])).stdout) as Record<string, string>[];
  assert.deepEqual(
    json.filter((row) => row['capsule'] === uuid).map((row) => [row['pod'], row['podUid']]),
    [['cart-0', 'u-1']],
  );
});

test('capsule create --watch: Ctrl-C: stops waiting, the capsule stays', async () => {
  const stop = new AbortController();
  const watched = run(['create', '-f', '-', '--watch'], {
    stdin: template({ name: 'stays' }),
    signal: stop.signal,
    onStderr: (text) => text.includes('Creating') && stop.abort(new Error('SIGINT')),
  });
  const ran = await watched;
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /stopped; what Zun was asked to do goes on/);
  assert.ok((await listed()).some((each) => each.name === 'stays'));
});

test('capsule describe and delete: a standalone container of ours: found by its name', async () => {
  const cloudOfTest = await loadCloud({ env: cloud.env, cwd: '/', readFile: async () => undefined });
  const session = createSession({ cloud: cloudOfTest, clock: systemClock, log: silentLog, userAgent: 'zunlet/test' });
  const labels = ownerLabels({ cluster: 'c1', node: 'n1', namespace: 'shop', pod: 'till-0', uid: 'u-2' });
  await createCapsuleApi(createZun(session)).create({
    backend: 'container',
    container: { name: 'till-0', image: 'nginx', labels },
  });
  await session.close();
  const described = await run(['describe', 'till-0']);
  assert.match(described.stdout, /Pod: +shop\/till-0 on node n1, uid u-2/);
  assert.match((await run(['pods'])).stdout, /shop +till-0 +u-2 +n1 +container/);
  const deleted = await run(['delete', 'till-0', '--watch', '--grace', '1s']);
  assert.equal(deleted.code, 0, deleted.stderr);
  assert.match(deleted.stdout, /container [0-9a-f-]{36} is gone/);
});

test('capsule delete: in creation: warns; with --watch waits for its end, and nothing stays behind', async () => {
  const slow = await createCloudEmulator({ zun: { listeners: false, latency: { claimMs: 0, sandboxMs: 1500 } } });
  try {
    const env = slow.env;
    await run(['create', '-f', '-'], { env, stdin: template({ name: 'early' }) });
    const waited = await run(['delete', 'early', '--watch'], { env });
    assert.equal(waited.code, 0, waited.stderr);
    assert.match(waited.stderr, /^waiting: capsule [0-9a-f-]{36} is still Creating; without --watch/);
    const { capsules, leftovers } = slow.zun.control.inventory();
    assert.deepEqual([capsules, leftovers], [[], []]);
    await run(['create', '-f', '-'], { env, stdin: template({ name: 'at-once' }) });
    const hasty = await run(['delete', 'at-once'], { env });
    assert.equal(hasty.code, 0, hasty.stderr);
    assert.match(hasty.stderr, /^warning: capsule [0-9a-f-]{36} is still Creating: Zun may leave running/);
  } finally {
    await slow.close();
  }
});
