import { type Document, isNode, LineCounter, parseAllDocuments, type ScalarTag, type Tags } from 'yaml';

/** One object of a file, with the means to say where each of its fields stands. */
export interface Manifest {
  /** The name of the file, `-` for standard input. */
  file: string;
  object: Record<string, unknown>;
  /** The line of the field, or of the nearest one that holds it. */
  lineOf(path: string): number;
}

/** What a file holds: objects, and sentences about what could not be read. */
export interface Manifests {
  manifests: Manifest[];
  errors: string[];
}

const maximumBytes = 64 << 20;
const maximumObjects = 10_000;

/** kubectl reads YAML 1.1: a leading zero makes an octal number (`defaultMode: 0644`), and `yes` and `off` are no texts. */
const octal: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:int',
  test: /^[-+]?0[0-7_]+$/,
  resolve: (text) => Number.parseInt(text.replaceAll('_', ''), 8),
};
const oldBoolean: ScalarTag = {
  identify: () => false,
  default: true,
  tag: 'tag:yaml.org,2002:bool',
  test: /^(?:[yY]|yes|Yes|YES|[nN]|no|No|NO|on|On|ON|off|Off|OFF)$/,
  resolve: (text) => /^(?:y|yes|on)$/i.test(text),
};
const customTags = (tags: Tags): Tags => [octal, oldBoolean, ...tags];

/** Takes a path like `spec.containers[0].labels["a.b"]` apart. */
export function pathKeys(path: string): (string | number)[] {
  const keys: (string | number)[] = [];
  for (const match of path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)) {
    const [, quoted, index, name] = match;
    if (index !== undefined) keys.push(Number(index));
    else keys.push(quoted ?? name ?? '');
  }
  return keys;
}

function createLineOf(document: Document, lines: LineCounter, prefix: (string | number)[]): (path: string) => number {
  return (path) => {
    const keys = [...prefix, ...pathKeys(path)];
    for (let length = keys.length; length >= 0; length--) {
      const node: unknown = length === 0 ? document.contents : document.getIn(keys.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Opens lists: the items of `kind: List`, at any depth. */
function open(
  object: Record<string, unknown>,
  prefix: (string | number)[],
): [Record<string, unknown>, typeof prefix][] {
  const { kind, items } = object;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [[object, prefix]];
  return items.flatMap((item: unknown, index) => (isObject(item) ? open(item, [...prefix, 'items', index]) : []));
}

function readDocument(document: Document, lines: LineCounter, file: string, found: Manifests): void {
  for (const { linePos, message } of document.errors) {
    const at = linePos?.[0];
    found.errors.push(
      `${file}:${at ? `${at.line}:${at.col}` : '1'}: ${message.split('\n')[0]?.replace(/ at line .*$/, '')}`,
    );
  }
  if (document.errors.length > 0) return;
  let content: unknown;
  try {
    // Through JSON once, so that dates, sets and other guests of YAML become what Kubernetes would see.
    const plain: unknown = document.toJS({ maxAliasCount: 100 });
    content = plain === null || plain === undefined ? null : (JSON.parse(JSON.stringify(plain)) as unknown);
  } catch (error) {
    found.errors.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  if (content === null) return;
  const line = createLineOf(document, lines, [])('');
  if (!isObject(content)) {
    found.errors.push(`${file}:${line}: is not an object with kind and metadata`);
    return;
  }
  for (const [object, prefix] of open(content, [])) {
    found.manifests.push({ file, object, lineOf: createLineOf(document, lines, prefix) });
  }
}

/** Reads all documents of a text, YAML or JSON. Errors are sentences that begin with `file:line:column:`. */
export function readManifests(file: string, text: string): Manifests {
  const found: Manifests = { manifests: [], errors: [] };
  if (text.length > maximumBytes) return { ...found, errors: [`${file}: is larger than 64 MiB`] };
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: true, customTags });
  if (!Array.isArray(documents)) return found;
  for (const document of documents) {
    readDocument(document, lines, file, found);
    if (found.manifests.length > maximumObjects) {
      found.errors.push(`${file}: holds more than ${maximumObjects} objects`);
      return { ...found, manifests: found.manifests.slice(0, maximumObjects) };
    }
  }
  return found;
}
