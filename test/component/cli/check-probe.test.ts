import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExamination } from '../../../src/cli/check/finding.ts';
import { probeCloud } from '../../../src/cli/check/probe.ts';
import { withCloud } from '../../../src/cli/cloud.ts';
import type { Io } from '../../../src/cli/io.ts';
import { createCloudEmulator } from '../../../src/emulators/cloud.ts';

interface Case {
  title: string;
  latency: { claimMs: number; sandboxMs?: number; pullMs?: number };
  isAnswerLost?: boolean;
  creationMs?: number;
}

/** Each would leave something behind if the probe were deleted at once and once only (docs/zun.md §4.5). */
const cases: Case[] = [
  {
    title: 'the answer to its creation is lost while its image is pulled',
    latency: { claimMs: 0, sandboxMs: 0, pullMs: 1500 },
    isAnswerLost: true,
  },
  {
    title: 'its creation takes too long: its sandbox is not there yet',
    latency: { claimMs: 0, sandboxMs: 1500 },
    creationMs: 0,
  },
];

for (const { title, latency, isAnswerLost, creationMs } of cases) {
  test(`probe: ${title}: it is removed with all that it began`, async () => {
    const cloud = await createCloudEmulator({ zun: { listeners: false, latency } });
    try {
      if (isAnswerLost)
        cloud.zun.control.faults.add({ fault: { kind: 'reset-after' }, operation: 'capsule.create', times: 1 });
      const io: Io = {
        stdout: { write: () => true },
        stderr: { write: () => true },
        stdin: (async function* () {})(),
        env: cloud.env,
        signal: new AbortController().signal,
      };
      const exam = createExamination(() => {});
      await withCloud(io, undefined, (clients) => probeCloud(exam, clients, 'busybox', io.signal, creationMs));
      assert.deepEqual(
        exam.findings.map(({ check, result }) => [check, result]),
        [
          ['zun.probe', 'fail'],
          ['zun.probe-removed', 'pass'],
        ],
      );
      const { capsules, leftovers } = cloud.zun.control.inventory();
      assert.deepEqual([capsules, leftovers], [[], []]);
    } finally {
      await cloud.close();
    }
  });
}
