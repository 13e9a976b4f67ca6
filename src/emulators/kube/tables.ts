import { age } from './human-duration.ts';
import type { Json, JsonObject, KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';
import { printers } from './table-printers.ts';

/** A column of the table that `kubectl get` shows. */
export interface Column {
  name: string;
  type: 'string' | 'integer';
  format?: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  priority?: number;
}

/** How the objects of a resource become rows. */
export interface Printer {
  columns: Column[];
  cells(object: KubeObject, now: number): Json[];
  /** What the row itself is marked with. */
  conditions?(object: KubeObject): JsonObject;
}

export interface TableRequest {
  objects: readonly KubeObject[];
  metadata: JsonObject;
  resource: Resource;
  /** What each row carries of its object: `Metadata`, `Object` or `None`. */
  includes: string;
  now: number;
}

const plain: Printer = {
  columns: [
    { name: 'Name', type: 'string', format: 'name' },
    { name: 'Created At', type: 'string' },
  ],
  cells: (object) => [object.metadata.name, object.metadata.creationTimestamp],
};

const nameAndAge: Printer = {
  columns: [
    { name: 'Name', type: 'string', format: 'name' },
    { name: 'Age', type: 'string' },
  ],
  cells: (object, now) => [object.metadata.name, age(object.metadata.creationTimestamp, now)],
};

/** Makes the Table object that the API server gives kubectl in place of the objects. */
export function tableOf(request: TableRequest): JsonObject {
  const { objects, metadata, resource, includes, now } = request;
  const printer = printers[resource.storage] ?? (resource.isReview ? plain : nameAndAge);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: printer.columns.map(({ name, type, format = '', priority = 0 }) => ({
      name,
      type,
      format,
      description: '',
      priority,
    })),
    rows: objects.map((object) => ({
      cells: printer.cells(object, now),
      ...(printer.conditions?.(object) ?? {}),
      object: includes === 'None' ? null : includes === 'Object' ? object : metadataOnly(object),
    })),
  };
}

function metadataOnly(object: KubeObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
