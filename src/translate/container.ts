import type { ContainerRequest, TemplateContainer } from '../openstack/types.ts';
import { commandLine } from './command.ts';
import { type ContainerContext, containerEnvironment } from './env.ts';
import type { Target } from './fields.ts';
import { parseImage } from './image.ts';
import { checkEnvironment, checkText } from './limits.ts';
import { capsuleMounts, containerMounts, type PlacedFile, placedFiles } from './mounts.ts';
import { podReason } from './reasons.ts';
import { own } from './records.ts';
import { imageCredentials } from './registries.ts';
import { containerResources, type Granted } from './resources.ts';
import type { PodVolume } from './volumes.ts';

const maximumPath = 255;
const pullPolicies: Record<string, 'always' | 'never' | 'ifnotpresent'> = {
  Always: 'always',
  Never: 'never',
  IfNotPresent: 'ifnotpresent',
};

function readImage(context: ContainerContext): string {
  const { container, path, findings } = context;
  const image = container.image ?? '';
  if (!parseImage(image)) {
    findings.problem({
      path: `${path}.image`,
      code: 'container.image',
      message: `"${image}" is not an image reference of 2 to 255 characters`,
      heals: true,
      reason: podReason.imageName,
      container: container.name,
    });
  }
  return image;
}

function checkDirectory(context: ContainerContext): string | undefined {
  const { container, path, findings } = context;
  const directory = container.workingDir;
  if (!directory) return undefined;
  checkText(directory, `${path}.workingDir`, context);
  if (directory.length > maximumPath) {
    findings.problem({
      path: `${path}.workingDir`,
      code: 'container.working-dir',
      message: `is longer than the ${maximumPath} characters that zun stores`,
      heals: false,
      reason: podReason.unsupported,
      container: container.name,
    });
  }
  return directory;
}

function noteResources(granted: Granted, context: ContainerContext): void {
  const absent = [
    ...(granted.cpu === undefined ? ['1 core'] : []),
    ...(granted.memoryMiB === undefined ? ['512 MiB'] : []),
  ];
  if (absent.length === 0 || context.container.resources) return;
  context.findings.note({
    path: `${context.path}.resources`,
    code: 'resources.default',
    message: `is not given: zun takes its own default, ${absent.join(' and ')} unless the operator changed it`,
    level: 'defaulted',
  });
}

/** Makes one container of a capsule template. */
export function templateContainer(
  volumes: ReadonlyMap<string, PodVolume>,
  target: Target,
  context: ContainerContext,
): TemplateContainer {
  const { container } = context;
  const env = containerEnvironment(context);
  checkEnvironment(env, context);
  const { command, args } = commandLine(env, target, context);
  const { cpu, memoryMiB } = containerResources(context);
  const workDir = checkDirectory(context);
  const volumeMounts = capsuleMounts(volumes, target, context);
  const imagePullPolicy = own(pullPolicies, container.imagePullPolicy ?? '');
  const requests = { ...(cpu === undefined ? {} : { cpu }), ...(memoryMiB === undefined ? {} : { memory: memoryMiB }) };
  return {
    image: readImage(context),
    ...(command.length > 0 ? { command } : {}),
    ...(args.length > 0 ? { args } : {}),
    ...(Object.keys(requests).length > 0 ? { resources: { requests } } : {}),
    env,
    ...(workDir === undefined ? {} : { workDir }),
    ...(imagePullPolicy ? { imagePullPolicy } : {}),
    ...(container.stdin === true ? { stdin: true } : {}),
    ...(container.tty === true ? { tty: true } : {}),
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
  };
}

function pickRegistry(image: string, context: ContainerContext): string | undefined {
  const { pod, inputs, findings } = context;
  const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : []));
  const missing = names.filter((name) => !own(inputs.secrets, name));
  const fitting = imageCredentials(image, names, inputs.secrets);
  const registry = fitting.map(({ secret }) => own(inputs.registries, secret)).find((uuid) => uuid !== undefined);
  const said = [
    ...(missing.length > 0
      ? [
          `unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed`,
        ]
      : []),
    ...(fitting.length > 0 && registry === undefined
      ? ['there is no Zun registry for them; the image is pulled without']
      : []),
  ];
  if (said.length > 0) {
    const message = said.join('; ');
    findings.note({ path: 'spec.imagePullSecrets', code: 'pod.image-pull-secrets', message, level: 'warned' });
  }
  return registry;
}

/** The parts of a standalone container's request that come from the Pod's container. */
export type StandaloneContainer = Omit<ContainerRequest, 'name' | 'labels'>;

/** Makes a standalone container of a Pod's only container; `hostFiles` are put into it unless the Pod mounts its own there. */
export function standaloneContainer(
  volumes: ReadonlyMap<string, PodVolume>,
  hostFiles: readonly PlacedFile[],
  context: ContainerContext,
): StandaloneContainer {
  const { container, pod } = context;
  const environment = containerEnvironment(context);
  checkEnvironment(environment, context);
  const { command, args } = commandLine(environment, 'container', context);
  // Zun fills an empty `command` in from the image, so everything after the first word goes there.
  const [entry, ...rest] = command;
  const words = [...rest, ...args];
  const granted = containerResources(context, pod.spec.resources);
  noteResources(granted, context);
  const workdir = checkDirectory(context);
  const image = readImage(context);
  const registry = pickRegistry(image, context);
  const files = placedFiles(volumes, environment, context);
  const taken = new Set(files.map(({ destination }) => destination));
  const mounts = containerMounts(
    volumes,
    [...files, ...hostFiles.filter((file) => !taken.has(file.destination))],
    context,
  );
  return {
    image,
    ...(entry === undefined ? {} : { entrypoint: [entry] }),
    ...(words.length > 0 ? { command: words } : {}),
    environment,
    ...(workdir === undefined ? {} : { workdir }),
    ...(granted.cpu === undefined ? {} : { cpu: granted.cpu }),
    ...(granted.memoryMiB === undefined ? {} : { memory: granted.memoryMiB }),
    ...(container.stdin === true ? { interactive: true } : {}),
    ...(container.tty === true ? { tty: true } : {}),
    ...(mounts.length > 0 ? { mounts } : {}),
    ...(registry === undefined ? {} : { registry }),
  };
}
