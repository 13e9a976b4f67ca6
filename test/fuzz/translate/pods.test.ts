import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pod } from '../../../src/kube/types.ts';
import { admit, daemonSetProblem } from '../../../src/translate/admission.ts';
import { isInside } from '../../../src/translate/findings.ts';
import { translatePod } from '../../../src/translate/pod.ts';
import { podRequests } from '../../../src/translate/pod-resources.ts';
import { podReferences } from '../../../src/translate/references.ts';
import { isWellShaped, withoutNulls } from '../../../src/translate/shape.ts';
import type { TranslateOptions } from '../../../src/translate/types.ts';
import { brokenSpec, metadata, plausibleSpec, typedSpec } from '../../lib/pod-arbitrary.ts';
import { pathsOf } from '../../lib/pod-fields.ts';
import { configMap, podInputs, translateOptions, zunObjections } from '../../lib/translation.ts';

const options: fc.Arbitrary<TranslateOptions> = fc
  .record<Partial<TranslateOptions>>({
    backend: fc.constantFrom('capsule', 'container', 'auto'),
    driver: fc.constantFrom('docker', 'cri'),
    unsupported: fc.constantFrom('reject', 'warn'),
    initContainers: fc.boolean(),
    emptyDir: fc.constantFrom('volume', 'reject'),
    clusterDns: fc.constantFrom([], ['10.96.0.10']),
    filesImage: fc.constantFrom('', 'busybox:1.36'),
  })
  .map((parts) => translateOptions(parts));

const acceptAll = 'securityContext, command, args, readOnly, subPath, lifecycle, exec, image, volumeMounts, spec';
const inputs = podInputs({ configMaps: { settings: configMap('settings', { level: 'info' }) } });

function podOf(spec: unknown, meta: object, annotations?: object): Pod {
  // What a generator made; whether it is a Pod at all is what these tests are about.
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...meta, ...(annotations && { annotations }) },
    spec,
  } as unknown as Pod;
}

/** All that translation promises for a Pod of any shape. */
function holds(subject: Pod, chosen: TranslateOptions): void {
  const { request, problems, notes } = translatePod(subject, inputs, chosen);
  assert.equal(request === undefined, problems.length > 0);
  for (const problem of problems) {
    assert.ok(problem.message.length > 0 && problem.code.length > 0 && (problem.reason ?? 'x').length > 0);
  }
  assert.equal(new Set(notes.map(({ path }) => path)).size, notes.length);
  if (request) assert.deepEqual(zunObjections(request), []);
  podReferences(subject, chosen);
  admit(subject, { name: 'n', labels: {}, allocatable: { cpu: '1', pods: '1' } }, { pods: 0, amounts: {} });
}

test('translatePod: plausible pods: whatever is made, zun would take', () => {
  let made = 0;
  let runs = 0;
  fc.assert(
    fc.property(plausibleSpec, metadata, options, fc.boolean(), (spec, meta, chosen, accepts) => {
      const subject = podOf(spec, meta, accepts ? { 'zunlet.io/accept-unsupported': acceptAll } : undefined);
      holds(subject, chosen);
      runs += 1;
      if (translatePod(subject, inputs, chosen).request) made += 1;
      podRequests(subject);
    }),
    { numRuns: 300 },
  );
  assert.ok(made > runs / 10, `only ${made} of ${runs} Pods were translated`);
});

test('translatePod: pods with any values of the right types: never throws, and zun would take what is made', () => {
  fc.assert(
    fc.property(typedSpec, metadata, options, fc.boolean(), (spec, meta, chosen, accepts) => {
      holds(podOf(spec, meta, accepts ? { 'zunlet.io/accept-unsupported': acceptAll } : undefined), chosen);
    }),
    { numRuns: 300 },
  );
});

test('translatePod: pods with any values of the right types: every field that is present is named', () => {
  fc.assert(
    fc.property(typedSpec, metadata, options, (spec, meta, chosen) => {
      const subject = withoutNulls(podOf(spec, meta));
      if (!isWellShaped(subject)) return;
      const { notes, problems } = translatePod(subject, inputs, chosen);
      const named = [...notes, ...problems].map(({ path }) => path);
      const lost = pathsOf(subject.spec, 'spec').filter((path) => {
        return path !== 'spec' && !named.some((other) => isInside(path, other) || isInside(other, path));
      });
      assert.deepEqual(lost, []);
    }),
    { numRuns: 200 },
  );
});

test('translatePod: pods with wrong types anywhere: never throws, names what is wrong', () => {
  fc.assert(
    fc.property(brokenSpec, metadata, options, (spec, meta, chosen) => {
      const subject = podOf(spec, meta);
      holds(subject, chosen);
      if (isWellShaped(subject)) daemonSetProblem(subject, 'ignore');
    }),
    { numRuns: 300 },
  );
});

test('translatePod: anything at all in place of a pod: never throws', () => {
  fc.assert(
    fc.property(fc.anything({ maxDepth: 4 }), options, (value, chosen) => {
      holds(value as Pod, chosen);
      holds({ metadata: value, spec: value } as Pod, chosen);
    }),
    { numRuns: 200 },
  );
});

test('translatePod: inputs of any shape: never throws', () => {
  const subject = podOf(
    {
      containers: [
        {
          name: 'a',
          image: 'nginx',
          args: ['x'],
          envFrom: [{ configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }],
          volumeMounts: ['cm', 'se', 'pvc'].map((name) => ({ name, mountPath: `/${name}` })),
        },
      ],
      imagePullSecrets: [{ name: 's' }],
      volumes: [
        { name: 'cm', configMap: { name: 'c' } },
        { name: 'se', secret: { secretName: 's' } },
        { name: 'pvc', persistentVolumeClaim: { claimName: 'p' } },
      ],
    },
    { name: 'a', namespace: 'b', uid: 'c' },
  );
  const object = fc.oneof(
    fc.constant(null),
    fc.record({ data: fc.anything(), binaryData: fc.anything(), stringData: fc.anything() }, { requiredKeys: [] }),
    fc.record({
      metadata: fc.constant({}),
      spec: fc.record(
        { volumeName: fc.constant('v'), accessModes: fc.anything(), csi: fc.anything(), cinder: fc.anything() },
        { requiredKeys: [] },
      ),
      status: fc.constantFrom({ phase: 'Bound' }, {}),
    }),
  );
  const service = fc.record({
    metadata: fc.constantFrom({ name: 'x', namespace: 'b' }, { name: 'kubernetes', namespace: 'default' }, {}),
    spec: fc.oneof(fc.anything(), fc.record({ clusterIP: fc.constant('10.0.0.1'), ports: fc.anything() })),
  });
  fc.assert(
    fc.property(
      object,
      object,
      object,
      fc.array(service, { maxLength: 2 }),
      options,
      (one, two, three, services, chosen) => {
        const made = {
          configMaps: { c: one },
          secrets: { s: two },
          persistentVolumeClaims: { p: three },
          persistentVolumes: { v: three },
          services,
        };
        // Objects of files on the command line are checked by nobody.
        translatePod(subject, podInputs(made as never), chosen);
      },
    ),
    { numRuns: 200 },
  );
});
