import { nearest } from '../base/nearest.ts';
import { createCapsule, deleteCapsules, describeOne, listCapsules, listPods } from './capsule-actions.ts';
import { type CapsuleCall, usage } from './capsule-call.ts';
import { sweepOrphans } from './capsule-sweep.ts';
import type { Command } from './io.ts';
import { type ExtraFlags, parse } from './option-flags.ts';

interface Verb {
  usage: string;
  summary: string;
  flags: ExtraFlags;
  run: (call: CapsuleCall) => Promise<number>;
}

const output: ExtraFlags = { output: { type: 'string', short: 'o' } };
const watch: ExtraFlags = { watch: { type: 'boolean', short: 'w' } };

const verbs: Record<string, Verb> = {
  create: {
    usage: 'create -f FILE',
    summary: 'creates a capsule from a template (- reads stdin); warns of each field that Zun ignores',
    flags: { ...output, ...watch, file: { type: 'string', short: 'f' } },
    run: createCapsule,
  },
  list: {
    usage: 'list',
    summary: 'lists the capsules of the project',
    flags: { ...output, ...watch },
    run: listCapsules,
  },
  describe: { usage: 'describe ID', summary: 'shows one capsule, by uuid or name', flags: output, run: describeOne },
  delete: {
    usage: 'delete ID …',
    summary: 'deletes capsules, by uuid or name; --watch waits until they are gone',
    flags: { ...watch, grace: { type: 'string' } },
    run: deleteCapsules,
  },
  pods: { usage: 'pods', summary: 'shows which Pod owns which capsule', flags: output, run: listPods },
  orphans: {
    usage: 'orphans [--delete]',
    summary: 'finds what nobody owns any more: capsules of Pods that are gone, litter, ports, volumes',
    flags: {
      ...output,
      delete: { type: 'boolean' },
      volumes: { type: 'boolean' },
      'min-age': { type: 'string' },
      'skip-pods': { type: 'boolean' },
      kubeconfig: { type: 'string' },
      'kube-context': { type: 'string' },
      'cluster-id': { type: 'string' },
    },
    run: sweepOrphans,
  },
};

const help = () => `zunlet capsule: capsules by hand

${Object.values(verbs)
  .map(({ usage, summary }) => `  zunlet capsule ${usage.padEnd(20)}${summary}`)
  .join('\n')}

  -o, --output table|json|yaml   how the result is written; create, list, describe, pods, orphans
  -w, --watch                    create: follows the capsule until it runs or fails (exit 1); list: shows every change
                                 until Ctrl-C; delete: waits until the capsules are gone
      --grace 10s                delete: time that a standalone container gets to stop; capsules have none
      --cloud NAME               the cloud of clouds.yaml; default OS_CLOUD, the OS_* variables, or the only cloud

A template is the file that the Capsule Quick Start shows:

  capsuleVersion: beta
  kind: capsule
  metadata:
    name: web
    labels: {app: web}
  spec:
    restartPolicy: Always
    containers:
    - image: nginx
      resources: {requests: {cpu: 1, memory: 256}}      # cores and MiB

orphans compares the labels of capsules with the Pods of the cluster and deletes nothing without --delete.
      --delete                   deletes what it shows; volumes only with --volumes, since nothing proves whose they are
      --min-age 10m              leaves younger things alone
      --skip-pods                without Kubernetes: litter, ports and volumes only
      --kubeconfig, --kube-context, --cluster-id   as for zunlet run

OpenStack credentials come from clouds.yaml (and secure.yaml) or OS_* variables, as for other OpenStack tools.
`;

/** `zunlet capsule`: capsules without Kubernetes, as in Zun's Capsule Quick Start. */
export const capsuleCommand: Command = async (args, io) => {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    (name === undefined ? io.stderr : io.stdout).write(help());
    return name === undefined ? 2 : 0;
  }
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!verb) throw usage(`unknown verb ${name}`, nearest(name, Object.keys(verbs)));
  const { values, positionals } = parse(rest, {
    ...verb.flags,
    cloud: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values['help']) {
    io.stdout.write(help());
    return 0;
  }
  try {
    return await verb.run({ io, flags: values, names: positionals });
  } catch (error) {
    if (!io.signal.aborted) throw error;
    io.stderr.write('stopped; what Zun was asked to do goes on\n');
    return 1;
  }
};
