import type { Node } from '../../../kube/types.ts';
import { isDeleting, type KubeObject } from '../objects.ts';
import { asPod } from '../pod-defaults.ts';
import type { ObjectStore } from '../store.ts';

export interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

/** Reads an object that is known to be a Node as one. */
export function nodeOf(object: KubeObject): Node {
  // The registry keeps only well-formed nodes; all parts that are used are optional.
  return object as unknown as Node;
}

/** The Pods of a node that are not going. */
export function livePodsOn(store: ObjectStore, name: string): KubeObject[] {
  return store.list('pods').filter((pod) => asPod(pod).spec.nodeName === name && !isDeleting(pod));
}
