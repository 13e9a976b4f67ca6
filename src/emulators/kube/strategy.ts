import type { FieldCause } from './failures.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';

/** Who makes a call. */
export interface User {
  name: string;
  groups: string[];
  uid?: string;
}

/** What the rules of a resource may look at beside the object. */
export interface StrategyContext {
  now(): number;
  /** Reads another object; undefined when there is none. */
  find(resource: Resource, namespace: string, name: string): KubeObject | undefined;
  list(resource: Resource, namespace?: string): readonly KubeObject[];
  /** Five random characters as in generated names. */
  suffix(): string;
  user: User;
}

/**
 * The rules of one resource. All of them get an object that they may change; it is not stored yet.
 * The generic part (names, versions, deletion, finalizers, generation) is in `registry.ts`.
 */
export interface Strategy {
  /** Makes the object as it comes into being: defaults, admission, first status. Errors: `ApiFailure`. */
  prepareCreate?(object: KubeObject, context: StrategyContext): void;
  /** Defaults of a changed object. */
  prepareUpdate?(object: KubeObject, old: KubeObject, context: StrategyContext): void;
  /** Normal form of a status. */
  prepareStatus?(object: KubeObject, old: KubeObject, context: StrategyContext): void;
  validate?(object: KubeObject): FieldCause[];
  validateUpdate?(object: KubeObject, old: KubeObject): FieldCause[];
  validateStatus?(object: KubeObject, old: KubeObject): FieldCause[];
  /** Counts changes of the specification in `metadata.generation`. */
  hasGeneration?: boolean;
  /** The client's status is kept when the object is created. */
  keepsStatusOnCreate?: boolean;
  /** A PUT to a name that does not exist creates it. */
  createsOnUpdate?: boolean;
  /** A PUT must name the version that it changes. */
  needsVersion?: boolean;
  /** DELETE answers with the object, not with a Status. */
  returnsDeleted?: boolean;
  /** Seconds that a deletion leaves the object in place; undefined when it goes at once. */
  gracePeriod?(object: KubeObject, asked: number | undefined): number;
  /** What else changes when the deletion begins. */
  markDeleting?(object: KubeObject): KubeObject;
  /** Dependents survive the deletion unless the caller says otherwise. */
  orphansByDefault?: boolean;
}
