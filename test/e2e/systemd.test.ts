/** The part of docs/install.md outside of the cluster, as it stands there, under a systemd that really runs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import type { Node } from '../../src/kube/types.ts';
import { blocks, pages, repository } from '../lib/markdown.ts';
import { path } from './lib/bed.ts';
import { allowBootstrap, bootstrapToken } from './lib/bootstrap.ts';
import { cloudsYaml, startEmulatedCloud } from './lib/cloud.ts';
import { startControlPlane } from './lib/control-plane.ts';
import { pod } from './lib/manifests.ts';
import { isRunning, observePods } from './lib/observe.ts';
import { freePorts, until } from './lib/processes.ts';
import { missingSystemd, type Systemd, startSystemd } from './lib/systemd.ts';

const missing = missingSystemd();
const skip = missing === undefined ? false : `the units are not tried: ${missing}`;
if (missing !== undefined) process.stdout.write(`${skip}\n`);

const nodeName = 'zun-1';
const [plane, cloud] = await Promise.all([startControlPlane(), startEmulatedCloud()]);
const { api } = plane;
const pods = await observePods(api);
let started: Systemd | undefined;
after(async () => {
  await pods.stop();
  await started?.stop();
  await Promise.all([cloud.stop(), plane.stop()]);
});

function machine(): Systemd {
  assert.ok(started, 'systemd was not started');
  return started;
}

/** The block of docs/install.md that has this line, as a script in the folder of the repository. */
function block(line: string): string {
  const page = pages().find(({ file }) => file === 'docs/install.md');
  const found = page && blocks(page).find(({ lines }) => lines.some((one) => one.startsWith(line)));
  assert.ok(found, `docs/install.md has no ${line}`);
  return ['cd /root/zunlet', ...found.lines.filter((one) => one !== 'npm ci')].join('\n');
}

const admin = { KUBECONFIG: '/root/admin.conf' };

test('systemd: the files are put in place: the units are good', { skip }, async () => {
  started = await startSystemd();
  // The repository as a person has it after npm ci, in a place where it may be written.
  machine().sh(
    `mkdir /root/zunlet; cd ${repository}; tar c --exclude=./node_modules --exclude=./.git . | tar x -C /root/zunlet; ln -s ${repository}/node_modules /root/zunlet`,
  );
  machine().write('/root/zunlet/clouds.yaml', cloudsYaml(cloud.env, 'lab'));
  machine().sh(block('npm run build'));
  assert.equal(
    machine().sh(
      'systemctl daemon-reload; systemd-analyze verify /etc/systemd/system/zunlet*.service 2>&1 | grep zunlet || true',
    ),
    '',
  );
  // What the person edits.
  const [kubeletPort, healthPort] = await freePorts(2);
  machine().sh(`sed -i 's/^ZUNLET_NODE_ADDRESSES=.*/ZUNLET_NODE_ADDRESSES=${plane.hostIP}/' /etc/zunlet/zunlet.env
printf '%s\\n' ZUNLET_KUBELET_PORT=${kubeletPort} ZUNLET_HEALTH_ADDRESS=127.0.0.1:${healthPort} ZUNLET_SETTLE=2s >> /etc/zunlet/zunlet.env`);
});

test('systemd: the bootstrap token: becomes an identity that the timer keeps', { skip }, async () => {
  await allowBootstrap(api);
  machine().write('/root/admin.conf', readFileSync(plane.kubeconfig, 'utf8'), '0600');
  machine().write('/usr/local/bin/kubeadm', `#!/bin/sh\necho ${bootstrapToken}\n`, '0755');
  machine().sh(block('kubectl config view --raw'), admin);
  const bootstrap = machine().sh('cat /etc/zunlet/bootstrap-kubeconfig');
  assert.match(bootstrap, new RegExp(`token: ${bootstrapToken}`));
  assert.doesNotMatch(bootstrap, /client-key/);
  assert.match(machine().sh('journalctl --unit zunlet-identity --output cat'), /the certificate of zun-1 is new/);
  assert.match(machine().sh('systemctl list-timers --no-pager zunlet-identity.timer'), /zunlet-identity.service/);
});

test('systemd: the doctor passes and the service starts: the Node is Ready and a Pod runs', { skip }, async () => {
  const said = machine().sh(block('node /opt/zunlet/zunlet.mjs check'), admin);
  assert.match(said, /0 failed|well/);
  await until('the Node is Ready', async () => {
    const node = await api.get<Node>(`/api/v1/nodes/${nodeName}`).catch(() => undefined);
    return node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  });
  await api.post(path.pods, pod('web', { nodeName }));
  await pods.until('web runs', () => isRunning(pods.get('web')));
});

test('systemd: the timer strikes: the certificate is renewed and zunlet goes on with it', { skip }, async () => {
  const serial = () => machine().sh('openssl x509 -in /var/lib/zunlet/client.pem -noout -serial');
  const before = serial();
  machine().sh('echo RENEW_BEFORE=99999999 >> /etc/zunlet/zunlet.env');
  machine().write(
    '/etc/systemd/system/zunlet-identity.timer.d/soon.conf',
    '[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n',
  );
  machine().sh('systemctl daemon-reload; systemctl restart zunlet-identity.timer');
  await until('the certificate is another', () => serial() !== before, { everyMs: 500 });
  machine().sh(
    "rm -r /etc/systemd/system/zunlet-identity.timer.d; sed -i '$d' /etc/zunlet/zunlet.env; systemctl daemon-reload; systemctl restart zunlet-identity.timer",
  );
  assert.equal(machine().sh('systemctl is-active zunlet').trim(), 'active');
});

test('systemd: zunlet is killed: it starts again and takes its own Lease over at once', { skip }, async () => {
  machine().sh('systemctl kill --signal KILL zunlet');
  const log = () => machine().sh('journalctl --unit zunlet --output cat');
  await until('it works again', () => log().split('"node works"').length === 3, { everyMs: 500, limitMs: 30_000 });
  assert.doesNotMatch(log(), /standing by/);
  await api.delete(path.pods);
  await pods.until('web is gone', () => pods.all().length === 0);
  machine().sh('systemctl stop zunlet');
  assert.match(machine().sh('systemctl show zunlet --property Result'), /success/);
});
