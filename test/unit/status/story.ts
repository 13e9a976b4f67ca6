/** A Pod whose status is written step by step, as the worker does it. */
import assert from 'node:assert/strict';
import { containerNameVariable } from '../../../src/base/identity.ts';
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../../src/kube/types.ts';
import type { Capsule, ZunContainer } from '../../../src/openstack/types.ts';
import { type StatusEvent, statusEvents } from '../../../src/status/events.ts';
import { statusPatch } from '../../../src/status/merge.ts';
import { podStatus } from '../../../src/status/pod.ts';
import type { Situation, StatusContext } from '../../../src/status/types.ts';
import { capsule, zunContainer } from '../../lib/builders.ts';
import { strategicMerge } from '../../lib/strategic-merge.ts';

export const epoch = Date.parse('2026-01-01T00:00:00Z');

/** The Kubernetes time `seconds` after the story begins. */
export function at(seconds: number): string {
  return `${new Date(epoch + seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** The same moment as Zun writes it. */
export function zunAt(seconds: number): string {
  return at(seconds).slice(0, 19).replace('T', ' ');
}

/** A Zun container that carries the mark of the Pod's container. */
export function member(name: string, parts: Partial<ZunContainer> = {}): ZunContainer {
  return zunContainer({ environment: { [containerNameVariable]: name }, ...parts });
}

/** The Pod's capsule, seen with these containers. */
export function present(containers: ZunContainer[], parts: Partial<Capsule> = {}, terminating = false): Situation {
  return { kind: 'present', capsule: capsule({ containers, ...parts }), terminating };
}

export interface Story {
  pod: Pod;
  status: PodStatus;
  events: StatusEvent[];
  /** How many writes were needed so far. */
  writes: number;
  container(name: string): ContainerStatus;
  condition(type: string): PodCondition | undefined;
  /** Time passes and the Pod's situation is seen. */
  see(situation: Situation, seconds: number, context?: Partial<StatusContext>): Story;
}

/** Begins a story with a Pod as the API server has it. */
export function story(start: Pod, writes = 0, events: StatusEvent[] = []): Story {
  const status = start.status ?? {};
  return {
    pod: start,
    status,
    events,
    writes,
    container(name) {
      const all = [
        ...(status.initContainerStatuses ?? []),
        ...(status.containerStatuses ?? []),
        ...(status.ephemeralContainerStatuses ?? []),
      ];
      const found = all.find((item) => item.name === name);
      assert.ok(found, `there is a status of ${name}`);
      return found;
    },
    condition: (type) => status.conditions?.find((item) => item.type === type),
    see(situation, seconds, context = {}) {
      const desired = podStatus(start, situation, {
        nowMs: epoch + seconds * 1000,
        hostIPs: ['192.168.1.10'],
        probes: {},
        restarts: {},
        ...context,
      });
      const patch = statusPatch(start.status, desired);
      if (!patch) return story(start, writes, []);
      const stored = strategicMerge(start.status ?? {}, patch);
      return story({ ...start, status: stored }, writes + 1, statusEvents(start.status, desired, start));
    },
  };
}
