import type { Pod, ResourceRequirements } from '../kube/types.ts';
import { lastingContainers } from './sidecar.ts';

/** The label that says which cpu and memory a capsule was made with: a wire format, never change its meaning. Absent: none. */
export const resourcesLabel = 'zunlet.io/resources';

/** `requests.cpu:100m,limits.memory:64Mi`: what `pods/resize` can change. The API server writes amounts in one form only. */
function amounts(resources: ResourceRequirements | undefined): string {
  return (['requests', 'limits'] as const)
    .flatMap((side) => ['cpu', 'memory'].map((name) => ({ key: `${side}.${name}`, amount: resources?.[side]?.[name] })))
    .filter(({ amount }) => amount !== undefined)
    .map(({ key, amount }) => `${key}:${amount}`)
    .join(',');
}

/**
 * Lists cpu and memory of the containers that run for the Pod's life, and under an empty name those of the Pod itself:
 * `app=requests.cpu:100m proxy=requests.cpu:50m`. Neither names nor amounts hold spaces.
 */
export function resourcesText({ spec }: Pod): string {
  return [{ name: '', resources: spec.resources }, ...lastingContainers(spec)]
    .map(({ name, resources }) => ({ name, text: amounts(resources) }))
    .filter(({ text }) => text !== '')
    .map(({ name, text }) => `${name}=${text}`)
    .join(' ');
}
