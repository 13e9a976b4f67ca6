import { styleText } from 'node:util';
import { systemClock } from '../../base/clock.ts';
import { silentLog } from '../../base/log.ts';
import { systemRandom } from '../../base/random.ts';
import type { Options } from '../../config/options.ts';
import { loadKubeAuth } from '../../kube/auth.ts';
import { createKubeClient } from '../../kube/client.ts';
import { withCloud } from '../cloud.ts';
import type { Command, Io } from '../io.ts';
import { layersHelp, parseFlags } from '../option-flags.ts';
import { version } from '../version.ts';
import { createExamination, type Examination, findingLine } from './finding.ts';
import { checkKubernetes, kubernetesChecks } from './kubernetes.ts';
import { checkOpenStack, cloudChecks } from './openstack.ts';
import { probeCloud } from './probe.ts';
import { checkSelf } from './self.ts';

const help = `zunlet check: tells what is wrong before anything is deployed

  zunlet check [--probe] [--json] [any option of zunlet run]

One line a check: what was tried, what came back, and what to do. Exit 0 only if nothing failed. Give it the options,
variables and files that "zunlet run" will get; with the same credentials it sees what the node will see.

  --probe             also creates one tiny capsule, waits until it runs, and deletes it whatever happens
  --probe-image NAME  the image of it; default busybox
  --json              one JSON object a line, and a summary at the end

${layersHelp}
docs/troubleshooting.md has a table of symptom, command, meaning and cure.
`;

/** `zunlet check`: the doctor. */
export const checkCommand: Command = async (args, io) => {
  const { loaded, extra } = await parseFlags(args, io, {
    help: { type: 'boolean', short: 'h' },
    json: { type: 'boolean' },
    probe: { type: 'boolean' },
    'probe-image': { type: 'string' },
  });
  if (extra['help']) {
    io.stdout.write(help);
    return 0;
  }
  const json = extra['json'] === true;
  const colours: Record<string, Parameters<typeof styleText>[0]> = {
    ok: 'green',
    warn: 'yellow',
    FAIL: 'red',
    skip: 'dim',
  };
  const colour = io.stdout.isTTY === true && !io.env['NO_COLOR'];
  const paint = (word: string) =>
    colour ? styleText(colours[word.trim()] ?? 'reset', word, { validateStream: false }) : word;
  const exam = createExamination((finding) => {
    io.stdout.write(json ? `${JSON.stringify(finding)}\n` : findingLine(finding, paint));
  });
  const image = typeof extra['probe-image'] === 'string' ? extra['probe-image'] : 'busybox';
  await checkSelf(exam, loaded.values);
  await examineKubernetes(exam, loaded.values, io);
  await examineCloud(exam, loaded.values, io, extra['probe'] === true ? image : undefined);
  const count = (result: string) => exam.findings.filter((finding) => finding.result === result).length;
  const summary = { passed: count('pass'), warned: count('warn'), failed: count('fail'), skipped: count('skip') };
  if (json) io.stdout.write(`${JSON.stringify(summary)}\n`);
  else
    io.stdout.write(
      `\n${summary.passed} well, ${summary.warned} to look at, ${summary.failed} failed, ${summary.skipped} not tried\n`,
    );
  return summary.failed > 0 ? 1 : 0;
};

async function examineKubernetes(exam: Examination, options: Options, io: Io): Promise<void> {
  const shared = { clock: systemClock, log: silentLog };
  const auth = await exam.check(
    'kubernetes.credentials',
    options.kubeconfig || 'cluster, KUBECONFIG or default path',
    async () => {
      const found = await loadKubeAuth({
        ...shared,
        env: io.env,
        ...(options.kubeconfig && { kubeconfig: options.kubeconfig }),
        ...(options.kubeContext && { context: options.kubeContext }),
      });
      return { value: found, found: `${found.server} by ${found.source}` };
    },
  );
  if (!auth) {
    for (const check of ['kubernetes.version', ...kubernetesChecks]) exam.skip(check, 'needs credentials', 'not tried');
    return;
  }
  const kube = createKubeClient({ ...shared, auth, random: systemRandom, version, timeoutMs: 10_000 });
  const hold = setInterval(() => {}, 2 ** 30);
  try {
    await checkKubernetes(exam, kube, options);
  } finally {
    clearInterval(hold);
    await kube.close();
  }
}

async function examineCloud(exam: Examination, options: Options, io: Io, probe: string | undefined): Promise<void> {
  let opened = false;
  await exam.check(
    'openstack.credentials',
    options.cloud ? `cloud ${options.cloud}` : 'OS_CLOUD, OS_* or the only cloud',
    async () => {
      const name = await withCloud(
        io,
        options.cloud || undefined,
        async ({ cloud }) => `${cloud.name} from ${cloud.source}`,
      );
      opened = true;
      return { value: name, found: name };
    },
  );
  if (!opened) {
    for (const check of ['keystone.login', ...cloudChecks]) exam.skip(check, 'needs credentials', 'not tried');
    return;
  }
  await withCloud({ ...io, stderr: { write: () => true } }, options.cloud || undefined, async (clients) => {
    await checkOpenStack(exam, clients, options);
    if (probe === undefined) exam.skip('zun.probe', 'a tiny capsule', 'not asked for: --probe');
    else await probeCloud(exam, clients, probe, io.signal);
  });
}
