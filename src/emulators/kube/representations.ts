import { ApiFailure } from './failures.ts';
import type { Page } from './lists.ts';
import type { JsonObject, KubeObject } from './objects.ts';
import { groupVersionOf, type Resource } from './resources.ts';
import type { ObjectStore } from './store.ts';
import { tableOf } from './tables.ts';
import type { Shown } from './watches.ts';

/** The form in which a client wants objects: whole, as rows for people, or only their metadata. */
export type Form = 'object' | 'table' | 'metadata';

export interface Representations {
  one(object: KubeObject, resource: Resource, accept: string, query: URLSearchParams): string;
  list(page: Page, resource: Resource, accept: string, query: URLSearchParams): string;
  /** How a watch shows objects; undefined when it shows them whole. */
  shown(resource: Resource, accept: string, query: URLSearchParams): Shown | undefined;
}

/** Reads the form out of an `Accept` header. Errors: 406. */
export function wantedForm(accept: string): Form {
  for (const choice of accept === '' ? ['*/*'] : accept.split(',')) {
    const [type = '', ...parameters] = choice.split(';').map((part) => part.trim());
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    if (as === undefined) return 'object';
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata';
  }
  const why = 'only the following media types are accepted: application/json';
  throw new ApiFailure(406, 'NotAcceptable', why);
}

/** Makes the writer of answers. `convert` turns a stored object into the one that this resource shows. */
export function createRepresentations(
  store: ObjectStore,
  now: () => number,
  convert: (object: KubeObject, resource: Resource) => KubeObject,
): Representations {
  const isStoredForm = (object: KubeObject, resource: Resource) => convert(object, resource) === object;

  function text(object: KubeObject, resource: Resource): string {
    return store.json(convert(object, resource), 'whole');
  }
  function listMetadata(page: Page): JsonObject {
    return {
      resourceVersion: page.resourceVersion,
      ...(page.continueToken !== undefined && { continue: page.continueToken }),
      ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
    };
  }
  function table(
    objects: readonly KubeObject[],
    metadata: JsonObject,
    resource: Resource,
    query: URLSearchParams,
  ): string {
    const includes = query.get('includeObject') ?? 'Metadata';
    return JSON.stringify(tableOf({ objects, metadata, resource, includes, now: now() }));
  }

  return {
    one(object, resource, accept, query) {
      const form = wantedForm(accept);
      if (form === 'table')
        return table([object], { resourceVersion: object.metadata.resourceVersion }, resource, query);
      return form === 'metadata' ? JSON.stringify(metadataOf(object)) : text(object, resource);
    },
    list(page, resource, accept, query) {
      const form = wantedForm(accept);
      const metadata = listMetadata(page);
      if (form === 'table') return table(page.objects, metadata, resource, query);
      if (form === 'metadata') {
        const items = page.objects.map(metadataOf);
        return JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items });
      }
      const items = page.objects.map((object) => store.json(convert(object, resource), 'item'));
      const head = `{"kind":"${resource.kind}List","apiVersion":"${groupVersionOf(resource)}"`;
      return `${head},"metadata":${JSON.stringify(metadata)},"items":[${items.join(',')}]}`;
    },
    shown(resource, accept, query) {
      const form = wantedForm(accept);
      if (form === 'table') {
        return (type, object) => {
          const rows = table([object], { resourceVersion: object.metadata.resourceVersion }, resource, query);
          return `{"type":"${type}","object":${rows}}`;
        };
      }
      if (form === 'metadata') return (type, object) => JSON.stringify({ type, object: metadataOf(object) });
      return resource.storage === 'events' && resource.group !== ''
        ? (type, object) =>
            `{"type":"${type}","object":${isStoredForm(object, resource) ? store.json(object, 'whole') : text(object, resource)}}`
        : undefined;
    },
  };
}

function metadataOf(object: KubeObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
