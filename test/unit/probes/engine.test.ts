import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import type { HealthAnswer, OneShotAnswer } from '../../../src/base/one-shot.ts';
import type { Container, ContainerStatus, Pod } from '../../../src/kube/types.ts';
import { createPodHealth } from '../../../src/probes/pod-health.ts';
import type { ExecPort, KillDemand } from '../../../src/probes/ports.ts';
import { createProbeMetrics } from '../../../src/telemetry/probe-metrics.ts';
import { pod, uuid } from '../../lib/builders.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const epoch = Date.parse('2026-01-01T00:00:00Z');
const uid = uuid(1);
const id = `zun://${uuid(500)}`;

/** A Pod whose container runs since `since` seconds after the beginning; before it when negative. */
function runningPod(parts: Partial<Container>, since = 0, status: Partial<ContainerStatus> = {}): Pod {
  const startedAt = `${new Date(epoch + since * 1000).toISOString().slice(0, 19)}Z`;
  const base = { image: 'a', imageID: '', ready: false, started: false, restartCount: 0, containerID: id };
  return pod({
    containers: [{ name: 'app', image: 'a', ...parts }],
    status: {
      phase: 'Running',
      podIP: '10.0.0.5',
      containerStatuses: [{ name: 'app', ...base, state: { running: { startedAt } }, ...status }],
    },
  });
}

function deleted(subject: Pod): Pod {
  return { ...subject, metadata: { ...subject.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
}

/** A probe engine with a server behind it that answers as told. */
function bench(exec?: ExecPort) {
  const clock = createManualClock(epoch);
  const requests: { at: number; url: string }[] = [];
  const events: string[] = [];
  const kills: KillDemand[] = [];
  const meter = createProbeMetrics();
  const world: { status: number; changes: number; slowMs: number; health: HealthAnswer; dial: string | undefined } = {
    status: 200,
    changes: 0,
    slowMs: 0,
    health: { kind: 'timeout' },
    dial: undefined,
  };
  const health = createPodHealth({
    clock,
    random: () => 0.5,
    log: silentLog,
    maxInFlight: 2,
    ports: {
      get(request) {
        requests.push({
          at: clock.monotonic(),
          url: `${request.scheme}://${request.host}:${request.port}${request.path}`,
        });
        const answer: OneShotAnswer = { kind: 'answer', status: world.status, location: undefined, body: 'hello' };
        if (world.slowMs === 0) return Promise.resolve(answer);
        return new Promise((resolve) => clock.after(world.slowMs, () => resolve(answer)));
      },
      dial: () => Promise.resolve(world.dial),
      health: () => Promise.resolve(world.health),
      ...(exec ? { exec } : {}),
    },
    event: (_, container, type, reason, message) => events.push(`${container} ${type} ${reason}: ${message}`),
    onChange: () => {
      world.changes += 1;
    },
    onKill: (demand) => kills.push(demand),
    meter,
  });
  return { clock, requests, events, kills, world, health, meter, view: () => health.view(uid)['app'] };
}

const httpGet = { port: 80, path: '/healthz' };

test('probes: a container starts: it is probed at once, then each period, and ready after the first success', async () => {
  const { clock, health, requests, world, view } = bench();
  health.sync(runningPod({ readinessProbe: { httpGet, periodSeconds: 5 } }));
  assert.deepEqual(view(), { containerID: id, ready: false });
  await clock.advance(0);
  assert.deepEqual(view(), { containerID: id, ready: true });
  assert.equal(world.changes, 1);
  await clock.advance(10_000);
  assert.deepEqual(
    requests.map(({ at }) => Math.round(at / 1000)),
    [0, 5, 10],
  );
  assert.equal(world.changes, 1, 'no change, no poke');
});

test('probes: an initial delay: nothing is sent before it, counted from the container’s start', async () => {
  const { clock, health, requests } = bench();
  await clock.advance(4_000);
  health.sync(runningPod({ readinessProbe: { httpGet, initialDelaySeconds: 10 } }, 1));
  await clock.advance(6_900);
  assert.equal(requests.length, 0);
  await clock.advance(200);
  assert.equal(requests.length, 1);
});

test('probes: readiness fails three times: an Event each, not ready after the third', async () => {
  const { clock, health, world, events, view } = bench();
  health.sync(runningPod({ readinessProbe: { httpGet } }));
  await clock.advance(0);
  world.status = 503;
  await clock.advance(20_000);
  assert.equal(view()?.ready, true);
  await clock.advance(10_000);
  assert.equal(view()?.ready, false);
  assert.equal(world.changes, 2);
  assert.deepEqual(
    events,
    Array(3).fill('app Warning Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503'),
  );
});

test('probes: liveness fails three times: one demand to kill, then silence until a new run', async () => {
  const { clock, health, world, kills, requests } = bench();
  const probe = { httpGet, terminationGracePeriodSeconds: 7 };
  health.sync(runningPod({ livenessProbe: probe }));
  world.status = 500;
  await clock.advance(20_000);
  const message = 'Container app failed liveness probe, will be restarted';
  assert.deepEqual(kills, [{ uid, container: 'app', message, graceSeconds: 7 }]);
  await clock.advance(60_000);
  assert.equal(requests.length, 3);
  health.sync(runningPod({ livenessProbe: probe }, 70, { restartCount: 1 }));
  await clock.advance(0);
  assert.equal(requests.length, 4, 'the same id, but another run');
});

test('probes: liveness fails under Never: the message promises no restart', async () => {
  const { clock, health, world, kills } = bench();
  const subject = runningPod({ livenessProbe: { httpGet, failureThreshold: 1 } });
  health.sync({ ...subject, spec: { ...subject.spec, restartPolicy: 'Never' } });
  world.status = 500;
  await clock.advance(0);
  assert.equal(kills[0]?.message, 'Container app failed liveness probe');
});

test('probes: a startup probe: the others wait for it, and it ends with its first success', async () => {
  const { clock, health, world, requests, view } = bench();
  const path = (name: string) => ({ httpGet: { port: 80, path: `/${name}` } });
  health.sync(
    runningPod({
      startupProbe: { ...path('startup'), periodSeconds: 1, failureThreshold: 30 },
      livenessProbe: path('liveness'),
      readinessProbe: path('readiness'),
    }),
  );
  world.status = 503;
  await clock.advance(3_500);
  assert.deepEqual(view(), { containerID: id, started: false, ready: false });
  assert.deepEqual(new Set(requests.map(({ url }) => url)), new Set(['http://10.0.0.5:80/startup']));
  world.status = 200;
  await clock.advance(1_000);
  assert.deepEqual(view(), { containerID: id, started: true, ready: true });
  const before = requests.length;
  await clock.advance(10_000);
  assert.deepEqual(
    requests
      .slice(before)
      .map(({ url }) => url)
      .sort(),
    ['http://10.0.0.5:80/liveness', 'http://10.0.0.5:80/readiness'],
  );
});

test('probes: the startup probe fails for good: a demand to kill', async () => {
  const { clock, health, world, kills } = bench();
  world.status = 503;
  health.sync(runningPod({ startupProbe: { httpGet, periodSeconds: 1 } }));
  await clock.advance(2_000);
  assert.equal(kills[0]?.message, 'Container app failed startup probe, will be restarted');
});

test('probes: the node restarted: published readiness is kept until the probe has decided, spread over a period', async () => {
  const { clock, health, world, requests, view } = bench();
  world.status = 503;
  health.sync(runningPod({ readinessProbe: { httpGet } }, -3_600, { ready: true, started: true }));
  assert.deepEqual(view(), { containerID: id });
  await clock.advance(4_900);
  assert.equal(requests.length, 0);
  await clock.advance(10_200);
  assert.deepEqual(view(), { containerID: id }, 'two failures');
  await clock.advance(10_000);
  assert.equal(view()?.ready, false);
});

test('probes: the node restarted and the container had started: its startup probe is not run again', async () => {
  const { clock, health, requests } = bench();
  const probes = { startupProbe: { httpGet: { port: 80, path: '/startup' } }, readinessProbe: { httpGet } };
  health.sync(runningPod(probes, -3_600, { ready: true, started: true }));
  await clock.advance(30_000);
  assert.deepEqual(new Set(requests.map(({ url }) => url)), new Set(['http://10.0.0.5:80/healthz']));
});

test('probes: the Pod is being deleted: readiness goes on, liveness does not', async () => {
  const { clock, health, world, requests, kills, view } = bench();
  const subject = runningPod({ livenessProbe: { httpGet: { port: 81 } }, readinessProbe: { httpGet } });
  health.sync(subject);
  await clock.advance(0);
  health.sync(deleted(subject));
  world.status = 503;
  const before = requests.length;
  await clock.advance(30_000);
  assert.deepEqual(new Set(requests.slice(before).map(({ url }) => url)), new Set(['http://10.0.0.5:80/healthz']));
  assert.equal(view()?.ready, false);
  assert.deepEqual(kills, []);
});

test('probes: the Pod is over, or forgotten: nothing is sent any more', async () => {
  const { clock, health, requests } = bench();
  const subject = runningPod({ readinessProbe: { httpGet } });
  health.sync(subject);
  await clock.advance(0);
  health.sync({ ...subject, status: { ...subject.status, phase: 'Failed' } });
  await clock.advance(60_000);
  assert.equal(requests.length, 1);
  assert.deepEqual(health.view(uid), {});
  health.sync(subject);
  await clock.advance(0);
  health.forget(uid);
  await clock.advance(60_000);
  assert.equal(requests.length, 2);
});

test('probes: the container does not run: nothing is sent, and nothing is said of it', async () => {
  const { clock, health, requests } = bench();
  health.sync(runningPod({ readinessProbe: { httpGet } }, 0, { state: { waiting: { reason: 'CrashLoopBackOff' } } }));
  await clock.advance(60_000);
  assert.equal(requests.length, 0);
  assert.deepEqual(health.view(uid), {});
});

test('probes: an answer comes after the container was replaced: it does not count', async () => {
  const { clock, health, world, view } = bench();
  world.slowMs = 500;
  health.sync(runningPod({ readinessProbe: { httpGet } }));
  await clock.advance(100);
  health.sync(runningPod({ readinessProbe: { httpGet } }, 1, { containerID: 'zun://new' }));
  await clock.advance(450);
  assert.deepEqual(view(), { containerID: 'zun://new', ready: false });
  await clock.advance(1_000);
  assert.deepEqual(view(), { containerID: 'zun://new', ready: true });
});

test('probes: more are due than may run at once: the others wait their turn', async () => {
  const { clock, health, world, requests } = bench();
  world.slowMs = 1_000;
  for (let n = 1; n <= 5; n += 1) {
    const subject = runningPod({ readinessProbe: { httpGet } });
    health.sync({ ...subject, metadata: { ...subject.metadata, uid: uuid(n) } });
  }
  await clock.advance(50);
  assert.equal(requests.length, 2);
  await clock.advance(3_000);
  assert.equal(requests.length, 5);
});

test('probes: the probe cannot be run: tried three times, told, and nothing follows from it', async () => {
  const { clock, health, events, kills, view } = bench();
  health.sync(runningPod({ livenessProbe: { httpGet: { port: 'nope' }, failureThreshold: 1 } }));
  await clock.advance(0);
  assert.deepEqual(events, [
    "app Warning Unhealthy: Liveness probe errored and resulted in unknown state: couldn't find port: nope",
  ]);
  assert.deepEqual(kills, []);
  assert.equal(view(), undefined, 'liveness is no part of the status');
});

test('probes: a command where none can be run: as if there were no probe', async () => {
  const { clock, health, view } = bench();
  const probe = { exec: { command: ['true'] } };
  health.sync(runningPod({ readinessProbe: probe, startupProbe: probe, livenessProbe: probe }));
  await clock.advance(60_000);
  assert.deepEqual(view(), { containerID: id, started: true, ready: true });
});

test('probes: a command: its exit code decides, its output is told', async () => {
  let exitCode = 1;
  const exec: ExecPort = {
    supports: () => true,
    run: (_, container, command) => Promise.resolve({ exitCode, output: `${container}: ${command.join(' ')}` }),
  };
  const { clock, health, events, view } = bench(exec);
  health.sync(runningPod({ readinessProbe: { exec: { command: ['cat', '/ready'] } } }));
  await clock.advance(0);
  assert.deepEqual(events, ['app Warning Unhealthy: Readiness probe failed: app: cat /ready']);
  exitCode = 0;
  await clock.advance(10_000);
  assert.equal(view()?.ready, true);
});

const healths: [HealthAnswer, string | undefined][] = [
  [{ kind: 'answer', grpcStatus: 0, grpcMessage: '', serving: 1 }, undefined],
  [{ kind: 'answer', grpcStatus: 0, grpcMessage: '', serving: 2 }, 'service unhealthy (responded with "NOT_SERVING")'],
  [
    { kind: 'answer', grpcStatus: 12, grpcMessage: 'unknown service', serving: undefined },
    'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service',
  ],
  [{ kind: 'answer', grpcStatus: 5, grpcMessage: 'x', serving: undefined }, 'error: health rpc probe failed: x'],
  [{ kind: 'timeout' }, 'timeout: health rpc did not complete within 1s'],
  [{ kind: 'failed', message: 'refused' }, 'error: failed to connect service "10.0.0.5:9000": refused'],
];
for (const [answer, failure] of healths) {
  test(`probes: grpc answers ${JSON.stringify(answer)}: ${failure ?? 'ready'}`, async () => {
    const { clock, health, world, events, view } = bench();
    world.health = answer;
    health.sync(runningPod({ readinessProbe: { grpc: { port: 9000 } } }));
    await clock.advance(0);
    assert.equal(view()?.ready, failure === undefined);
    assert.deepEqual(
      events,
      failure === undefined ? [] : [`app Warning Unhealthy: Readiness probe failed: ${failure}`],
    );
  });
}

test('probes: a sidecar has probes, a regular init container’s are not run', async () => {
  const { clock, health } = bench();
  const readinessProbe = { httpGet };
  const subject = runningPod({});
  const initContainers = [
    { name: 'setup', image: 'a', readinessProbe },
    { name: 'side', image: 'a', readinessProbe, restartPolicy: 'Always' },
  ];
  const [status] = subject.status?.containerStatuses ?? [];
  const initContainerStatuses = ['setup', 'side'].map((name) => ({ ...status, name }) as ContainerStatus);
  health.sync({
    ...subject,
    spec: { ...subject.spec, initContainers },
    status: { ...subject.status, initContainerStatuses },
  });
  await clock.advance(0);
  assert.deepEqual(health.view(uid), { side: { containerID: id, ready: true } });
});

test('probes: metrics: runs counted by result, the duration of successes, and nothing left of a Pod that is gone', async () => {
  const { clock, health, world, meter } = bench();
  world.slowMs = 250;
  health.sync(runningPod({ readinessProbe: { httpGet, periodSeconds: 5 } }));
  await clock.advance(11_000);
  world.status = 503;
  await clock.advance(5_000);
  const text = await meter.registry.metrics();
  const of = (line: RegExp) => text.match(line)?.[1];
  assert.equal(of(/^prober_probe_total\{probe_type="Readiness",.*result="successful".*\} (\d+)$/m), '3');
  assert.equal(of(/^prober_probe_total\{probe_type="Readiness",.*result="failed".*\} (\d+)$/m), '1');
  assert.equal(of(/^prober_probe_duration_seconds_sum\{probe_type="Readiness",.*\} ([\d.]+)$/m), '0.75');
  health.forget(uid);
  assert.doesNotMatch(await meter.registry.metrics(), /Readiness/);
});
