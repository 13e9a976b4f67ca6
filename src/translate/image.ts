/** An image reference in its parts. */
export interface ImageReference {
  /** Undefined when the reference names none, which means Docker Hub or the cloud's default. */
  domain?: string;
  repository: string;
  tag?: string;
  digest?: string;
}

const maximumLength = 255;
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domainShape = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const componentShape = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagShape = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestShape = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

function isDomain(first: string): boolean {
  return (first.includes('.') || first.includes(':') || first === 'localhost') && domainShape.test(first);
}

/**
 * Takes an image reference apart by the grammar that container runtimes share; undefined when it is not one, or is outside
 * of zun's 2 to 255 characters.
 * Source: github.com/distribution/reference.
 */
export function parseImage(image: string): ImageReference | undefined {
  if (image.length < 2 || image.length > maximumLength) return undefined;
  const [named = '', digest, ...more] = image.split('@');
  if (more.length > 0 || (digest !== undefined && !digestShape.test(digest))) return undefined;
  const slash = named.indexOf('/');
  const first = slash === -1 ? '' : named.slice(0, slash);
  const domain = isDomain(first) ? first : undefined;
  const rest = domain === undefined ? named : named.slice(slash + 1);
  const colon = rest.lastIndexOf(':');
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  const repository = colon === -1 ? rest : rest.slice(0, colon);
  if (tag !== undefined && !tagShape.test(tag)) return undefined;
  if (!repository.split('/').every((component) => componentShape.test(component))) return undefined;
  return {
    repository,
    ...(domain === undefined ? {} : { domain }),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
