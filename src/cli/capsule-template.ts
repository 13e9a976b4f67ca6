import { LineCounter, parseDocument } from 'yaml';
import { AppError } from '../base/errors.ts';

type Map = Record<string, unknown>;

const maxBytes = 1024 * 1024;

/**
 * Reads a capsule template, YAML or JSON, as the Capsule Quick Start prints it; one that is wrapped in `template:` is
 * unwrapped. Errors: `template.malformed` with the line.
 */
export function readTemplate(name: string, text: string): object {
  const fail = (what: string) =>
    new AppError({ kind: 'invalid', code: 'template.malformed', message: `reading ${name}: ${what}` });
  if (text.length > maxBytes) throw fail(`larger than ${maxBytes} bytes`);
  const lines = new LineCounter();
  let value: unknown;
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const problem = document.errors[0];
    if (problem) throw fail(`line ${lines.linePos(problem.pos[0]).line}: ${problem.message}`);
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw fail('it is not YAML that can be understood');
  }
  if (!isMap(value)) throw fail('a capsule template is a map with kind, metadata and spec');
  const keys = Object.keys(value);
  const inner = value['template'];
  return keys.length === 1 && isMap(inner) ? inner : value;
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function maps(value: unknown): Map[] {
  return Array.isArray(value) ? value.filter(isMap) : [];
}

/**
 * Names each field of a template that Zun takes and then does not obey, with what happens instead.
 * Source: zun/api/controllers/v1/capsules.py, zun/container/docker/driver.py, zun/container/cri/driver.py; docs/zun.md.
 */
export function ignoredFields(template: object): string[] {
  const root = template as Map; // any object has string keys
  const spec = isMap(root['spec']) ? root['spec'] : {};
  const metadata = isMap(root['metadata']) ? root['metadata'] : {};
  const policy = spec['restartPolicy'];
  const warnings: string[] = [];
  if (root['restartPolicy'] !== undefined) {
    const instead =
      policy === undefined
        ? 'write it under spec; without it every container gets Always'
        : `spec.restartPolicy ${String(policy)} is used`;
    warnings.push(`restartPolicy has no effect at the top: ${instead}`);
  }
  warnings.push(...others('metadata', metadata, ['name', 'labels', 'annotations']));
  warnings.push(...others('spec', spec, ['containers', 'initContainers', 'volumes', 'restartPolicy']));
  const volumes = maps(spec['volumes']);
  const declared = new Set(volumes.map((volume) => volume['name']));
  for (const [index, volume] of volumes.entries()) warnings.push(...volumeWarnings(`spec.volumes[${index}]`, volume));
  for (const kind of ['containers', 'initContainers'] as const) {
    for (const [index, container] of maps(spec[kind]).entries()) {
      warnings.push(...containerWarnings(`spec.${kind}[${index}]`, container, declared));
    }
  }
  if (maps(spec['initContainers']).length > 0) {
    warnings.push('spec.initContainers end the capsule in Error on clouds whose Zun has tenacity 8 or later');
    if (policy === undefined || policy === 'Always') {
      warnings.push(
        'spec.restartPolicy Always becomes OnFailure with 10 retries for the containers beside initContainers',
      );
    }
  }
  return warnings;
}

function others(path: string, map: Map, known: string[]): string[] {
  return Object.keys(map)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}.${key} has no effect: Zun does not read it`);
}

function volumeWarnings(path: string, volume: Map): string[] {
  const cinder = isMap(volume['cinder']) ? volume['cinder'] : {};
  const warnings = others(path, volume, ['name', 'cinder']);
  if (cinder['volumeID'] !== undefined && cinder['autoRemove'] !== undefined) {
    warnings.push(`${path}.cinder.autoRemove has no effect: a volume that existed before is never removed`);
  }
  if (cinder['size'] !== undefined && cinder['autoRemove'] !== true) {
    warnings.push(`${path}.cinder.size without autoRemove: true leaves a volume without a name behind`);
  }
  return warnings;
}

function containerWarnings(path: string, container: Map, declared: Set<unknown>): string[] {
  const warnings: string[] = [];
  if (container['name'] !== undefined && container['name'] !== null) {
    warnings.push(`${path}.name has no effect: Zun makes up the names of containers`);
  }
  for (const [index, port] of maps(container['ports']).entries()) {
    warnings.push(
      `${path}.ports[${index}] has no effect: it opens nothing; add a rule to the project's default security group`,
    );
    if (port['hostPort'] !== undefined)
      warnings.push(`${path}.ports[${index}].hostPort has no effect: the capsule has an address of its own`);
  }
  for (const [index, mount] of maps(container['volumeMounts']).entries()) {
    if (mount['readOnly'] === true)
      warnings.push(`${path}.volumeMounts[${index}].readOnly has no effect: the volume is writable`);
    if (!declared.has(mount['name']))
      warnings.push(`${path}.volumeMounts[${index}] has no effect: no volume ${String(mount['name'])} in spec.volumes`);
  }
  const pull = container['imagePullPolicy'];
  if (typeof pull === 'string' && pull.toLowerCase() !== 'always') {
    warnings.push(`${path}.imagePullPolicy ${pull} has no effect unless you are an administrator: it becomes always`);
  }
  const image = container['image'];
  if (typeof image === 'string' && image.includes('@')) {
    warnings.push(`${path}.image: the digest has no effect with Zun's Docker driver, which pulls the tag, or latest`);
  }
  return warnings;
}
