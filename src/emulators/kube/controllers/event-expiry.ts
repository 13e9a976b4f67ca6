import { type KubeObject, textOf } from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';

const events = resourceNamed('events');
const lifetimeMs = 3_600_000;
const checkEveryMs = 60_000;

/** Removes Events that nobody has written for an hour, as the API server's `--event-ttl` does. */
export function startEventExpiry(plane: ControlPlane): void {
  plane.every(checkEveryMs, () => {
    const limit = plane.clock.now() - lifetimeMs;
    for (const event of plane.store.list(events.storage)) if (writtenAt(event) < limit) plane.remove(event, events);
  });
}

function writtenAt(event: KubeObject): number {
  return Date.parse(textOf(event['lastTimestamp']) || event.metadata.creationTimestamp);
}
