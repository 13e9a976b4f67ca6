/** What a request asks leave for: a verb on subresources of this node, any one of which is enough. */
export interface RequestAttributes {
  /** All of them are needed. Empty words are verbs nobody has. */
  verbs: string[];
  subresources: string[];
}

const verbs: Record<string, string> = { POST: 'create', GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Path prefix and the subresources that open it, in the order they are tried. Everything else is `proxy`. */
const rules: [prefix: string, subresources: string[]][] = [
  ['/pods', ['pods', 'proxy']],
  ['/runningpods', ['pods', 'proxy']],
  ['/healthz', ['healthz', 'proxy']],
  ['/configz', ['configz', 'proxy']],
  ['/stats', ['stats']],
  ['/metrics', ['metrics']],
  ['/logs', ['log']],
  ['/checkpoint', ['checkpoint']],
  ['/statusz', ['statusz']],
  ['/flagz', ['configz']],
];

/** Paths that run something in a Pod. */
const running = ['/exec', '/attach', '/portForward', '/run'];

/**
 * Says what a request needs. With `requireCreate`, whatever runs in a Pod needs `create` whatever its method, since a
 * WebSocket upgrade is a GET and `get nodes/proxy` is given to many who only read.
 * Source: pkg/kubelet/server/auth.go (GetRequestAttributes); kubernetes/kubernetes#136550.
 */
export function requestAttributes(method: string, path: string, requireCreate: boolean): RequestAttributes {
  const verb = verbs[method] ?? '';
  const needsCreate = requireCreate && verb !== 'create' && running.some((prefix) => isUnder(path, prefix));
  const rule = rules.find(([prefix]) => isUnder(path, prefix));
  return { verbs: needsCreate ? [verb, 'create'] : [verb], subresources: rule?.[1] ?? ['proxy'] };
}

function isUnder(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/**
 * Reads the path of a request target, decoded; undefined when two readers could see two paths in it: dot segments,
 * doubled, encoded or backward slashes, bytes that do not decode, an absolute form.
 */
export function requestPath(target: string): string | undefined {
  const raw = target.split('?', 1)[0] ?? '';
  if (!raw.startsWith('/') || raw.includes('//') || raw.includes('#') || /%2f|%5c|\\/i.test(raw)) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    return undefined;
  }
  const hasDots = path.split('/').some((segment) => segment === '.' || segment === '..');
  return hasDots || hasControls(path) ? undefined : path;
}

function hasControls(text: string): boolean {
  return text.split('').some((character) => character < ' ' || character === '\u007f');
}
