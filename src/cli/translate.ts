import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { translateOptions } from '../agent/worker-options.ts';
import { AppError } from '../base/errors.ts';
import { translatePod } from '../translate/pod.ts';
import type { Translation } from '../translate/types.ts';
import { explanations, explanationTable } from './explain.ts';
import type { Command, Io } from './io.ts';
import { type Manifest, readManifests } from './manifest.ts';
import { createInputObjects } from './manifest-inputs.ts';
import { layersHelp, type ParsedFlags, parseFlags } from './option-flags.ts';
import { type FoundPod, findPod } from './pod-templates.ts';

const help = () => `zunlet translate: shows what a Pod manifest becomes, without any cluster or cloud

  zunlet translate -f pod.yaml                     the capsule template, ready for "zunlet capsule create -f -"
  zunlet translate -f deploy/ -f config.yaml       several files and folders; objects may stand in any of them
  kubectl get pod web -o yaml | zunlet translate -f -
  zunlet translate -f pod.yaml --explain           what becomes of each field, and why
  zunlet translate -f pod.yaml --backend container --driver cri -o json

Pods are taken as they are, and from the templates of Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob,
ReplicationController, PodTemplate and List. ConfigMap, Secret, Service, PersistentVolumeClaim, PersistentVolume and
RuntimeClass objects among the documents are what the Pods refer to; one that is missing is reported as a cluster would
report it. Other kinds are left alone.

  -f, --filename <file>     a file, a folder, or - for standard input; may be repeated
  -o, --output <form>       yaml (default) or json; several Pods make several documents, or one JSON list
      --explain             a table of fields in place of the request
  -n, --namespace <name>    for objects that name none; default: default
      --backend <name>      capsule, container or auto; what Pods get that do not choose for themselves
      --driver <name>       docker or cri; decides what becomes of an image's ENTRYPOINT
      --unsupported <what>  reject or warn: fields that concern neither security nor correctness
      --init-containers <w> reject or allow
      --empty-dir <what>    volume or reject
      --config <file>       the configuration of a node: its options count here, too

On standard output come requests or tables only; warnings and problems go to standard error, each with file, line and the
field's path. Exit code 0: every Pod can be started; 1: one cannot, or a file cannot be read; 2: wrong usage.

${layersHelp}
`;

interface Asked {
  files: string[];
  output: 'yaml' | 'json';
  explain: boolean;
  namespace: string;
}

function usage(message: string): AppError {
  return new AppError({ kind: 'invalid', code: 'usage', message });
}

function readAsked({ extra, positionals }: ParsedFlags): Asked {
  const list = extra['filename'];
  const files = Array.isArray(list) ? list.map(String) : [];
  const [first] = positionals;
  if (first !== undefined) throw usage(`unexpected argument ${first}; give files by -f`);
  if (files.length === 0) throw usage('no manifest is given; use -f FILE, or -f - for standard input');
  const output = extra['output'] ?? 'yaml';
  if (output !== 'yaml' && output !== 'json') throw usage(`output ${String(output)} is not yaml or json`);
  const namespace = typeof extra['namespace'] === 'string' ? extra['namespace'] : 'default';
  return { files, output, explain: extra['explain'] === true, namespace };
}

async function readStdin(io: Io): Promise<string> {
  const parts: string[] = [];
  for await (const part of io.stdin) parts.push(typeof part === 'string' ? part : part.toString('utf8'));
  return parts.join('');
}

async function readPath(path: string, io: Io): Promise<[file: string, text: string][]> {
  if (path === '-') return [['-', await readStdin(io)]];
  if (!(await stat(path)).isDirectory()) return [[path, await readFile(path, 'utf8')]];
  const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => [join(path, name), await readFile(join(path, name), 'utf8')]),
  );
}

async function readAll(paths: string[], io: Io): Promise<{ manifests: Manifest[]; errors: string[] }> {
  const manifests: Manifest[] = [];
  const errors: string[] = [];
  for (const path of paths) {
    try {
      for (const [file, text] of await readPath(path, io)) {
        const found = readManifests(file, text);
        manifests.push(...found.manifests);
        errors.push(...found.errors);
      }
    } catch (error) {
      errors.push(`reading ${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { manifests, errors };
}

interface Result {
  found: FoundPod;
  translation: Translation;
}

function report({ found, translation }: Result, io: Io, explain: boolean): void {
  const { manifest, prefix, from } = found;
  const place = (path: string) => {
    const full = [prefix, path].filter((part) => part !== '').join('.');
    return `${manifest.file}:${manifest.lineOf(full)}: ${full}`;
  };
  for (const { path, message, heals } of translation.problems) {
    io.stderr.write(`${place(path)}: ${message}${heals ? ' (the Pod waits for it)' : ''}\n`);
  }
  if (translation.problems.length > 0) {
    const isLost = translation.problems.some(({ heals }) => !heals);
    io.stderr.write(`${from}: ${isLost ? 'can never be started as it is' : 'waits until that is there'}\n`);
  }
  if (explain) return;
  for (const { path, message, level } of translation.notes) {
    if (level === 'warned') io.stderr.write(`warning: ${place(path)}: ${message}\n`);
  }
}

function requestOf({ request }: Translation): object | undefined {
  return request && (request.backend === 'capsule' ? request.template : request.container);
}

function printExplained(results: Result[], output: 'yaml' | 'json', io: Io): void {
  const pods = results.map(({ found, translation }) => ({
    pod: `${found.pod.metadata.namespace}/${found.pod.metadata.name}`,
    from: found.from,
    backend: translation.backend,
    fields: explanations(translation),
  }));
  if (output === 'json') {
    io.stdout.write(`${JSON.stringify(pods.length === 1 ? pods[0] : pods, null, 2)}\n`);
    return;
  }
  const tables = pods.map(
    ({ from, pod, backend, fields }) => `${from} (pod ${pod}) as a ${backend}:\n\n${explanationTable(fields)}\n`,
  );
  io.stdout.write(tables.join('\n'));
}

/** OpenStack's tools read YAML 1.1, where a bare `no` is no text. */
const yamlForm = { lineWidth: 120, version: '1.1', aliasDuplicateObjects: false } as const;

function printRequests(results: Result[], output: 'yaml' | 'json', io: Io): void {
  const made = results.flatMap(({ found, translation }) => {
    const request = requestOf(translation);
    return request ? [{ found, backend: translation.backend, request }] : [];
  });
  if (made.length === 0) return;
  if (output === 'json') {
    const requests = made.map(({ request }) => request);
    io.stdout.write(`${JSON.stringify(results.length === 1 ? requests[0] : requests, null, 2)}\n`);
    return;
  }
  const documents = made.map(({ found, backend, request }) => {
    const words = backend === 'capsule' ? 'template of POST /v1/capsules' : 'body of POST /v1/containers?run=true';
    return `# ${found.from} (${found.manifest.file}): ${words}\n${stringify(request, yamlForm)}`;
  });
  io.stdout.write(documents.join('---\n'));
}

/** `zunlet translate`: what a manifest becomes. */
export const translateCommand: Command = async (args, io) => {
  const flags = await parseFlags(
    args.map((arg) => arg.replace(/^--driver(?==|$)/, '--capsule-driver')),
    io,
    {
      help: { type: 'boolean', short: 'h' },
      filename: { type: 'string', short: 'f', multiple: true },
      output: { type: 'string', short: 'o' },
      explain: { type: 'boolean' },
      namespace: { type: 'string', short: 'n' },
    },
  );
  if (flags.extra['help']) {
    io.stdout.write(help());
    return 0;
  }
  const asked = readAsked(flags);
  const { manifests, errors } = await readAll(asked.files, io);
  for (const error of errors) io.stderr.write(`${error}\n`);
  const options = translateOptions(flags.loaded.values, flags.loaded.values.clusterId || 'cluster');
  const objects = createInputObjects(asked.namespace);
  const pods: FoundPod[] = [];
  for (const manifest of manifests) {
    const found = findPod(manifest, asked.namespace);
    if (found) pods.push(found);
    else if (!objects.add(manifest)) {
      io.stderr.write(
        `${manifest.file}:${manifest.lineOf('')}: ${String(manifest.object['kind'] ?? 'an object without kind')} is left alone\n`,
      );
    }
  }
  if (pods.length === 0 && errors.length === 0) io.stderr.write('there is no Pod in these documents\n');
  const results = pods.map((found) => ({
    found,
    translation: translatePod(found.pod, objects.inputsOf(found.pod, options), options),
  }));
  for (const result of results) report(result, io, asked.explain);
  if (asked.explain) printExplained(results, asked.output, io);
  else printRequests(results, asked.output, io);
  const isDone = errors.length === 0 && pods.length > 0;
  return isDone && results.every(({ translation }) => translation.problems.length === 0) ? 0 : 1;
};
