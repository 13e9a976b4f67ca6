/** Pods whose processes really run: zun-compute drives a Docker engine of its own. Needs root and a Linux with bridges. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { path } from '../lib/bed.ts';
import { startControlPlane } from '../lib/control-plane.ts';
import { asContainer, pod } from '../lib/manifests.ts';
import { isRunning, observePods } from '../lib/observe.ts';
import { until } from '../lib/processes.ts';
import { startZunlet } from '../lib/zunlet.ts';
import { missingForZun } from './install.ts';
import { createJudge } from './judge.ts';
import { startRealZun } from './start.ts';

const missing = missingForZun('docker');
if (missing) {
  test('real containers: this machine cannot run any', (context) => context.skip(missing));
} else {
  const [plane, zun] = await Promise.all([startControlPlane(), startRealZun({ runtime: 'docker' })]);
  const flags = { settle: '3s', relist: '5s', live: '1s' };
  const zunlet = await startZunlet({ plane, cloud: zun.env, nodeName: 'zun-node', flags });
  const pods = await observePods(plane.api);
  const judge = createJudge(zun);
  after(async () => {
    await pods.stop();
    await zunlet.stop();
    await Promise.all([plane.stop(), zun.stop()]);
  });
  const engine = (...args: string[]) =>
    execFileSync('docker', ['-H', `unix://${zun.dir}/docker.sock`, ...args], { encoding: 'utf8' }).trim();

  test('real containers: a Pod that serves: reached at its Pod IP from the node', async () => {
    await plane.api.post(path.pods, pod('web'));
    const web = await pods.until('web runs', () => isRunning(pods.get('web')) && pods.get('web'), 90_000);
    const answer = await until('the web server answers', () =>
      fetch(`http://${web.status?.podIP}/`).then(
        (response) => response.text(),
        () => undefined,
      ),
    );
    assert.equal(answer, 'hello from a real container\n');
  });

  test('real containers: a process that ends with 7: the Pod is Failed and says 7', async () => {
    const wish = { image: 'busybox:latest', command: ['sh', '-c', 'sleep 2; exit 7'], annotations: asContainer };
    await plane.api.post(path.pods, pod('seven', { ...wish, restartPolicy: 'Never' }));
    const seven = await pods.until(
      'seven has ended',
      () => pods.get('seven')?.status?.phase === 'Failed' && pods.get('seven'),
      90_000,
    );
    assert.equal(seven.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 7);
  });

  test('real containers: all Pods deleted: no container, no network and no port is left', async () => {
    await plane.api.delete(path.pods);
    await pods.until('all Pods are gone', () => pods.count() === 0, 90_000);
    await until('no container is left', () => engine('ps', '--all', '--quiet') === '', { everyMs: 500 });
    assert.deepEqual(await judge.capsules(), []);
    await until('no port is left', async () => (await judge.ports()) === 0);
  });
}
