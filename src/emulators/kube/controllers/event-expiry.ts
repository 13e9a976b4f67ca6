import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';

const events = resourceNamed('events');
const lifetimeMs = 3_600_000;
const checkEveryMs = 60_000;

/** Removes Events that nobody has written for an hour, as the API server's `--event-ttl` does. */
export function startEventExpiry(plane: ControlPlane): void {
  const written = new Map<string, number>();
  plane.observe(({ storage, type, object }) => {
    if (storage !== events.storage) return;
    if (type === 'DELETED') written.delete(object.metadata.uid);
    else written.set(object.metadata.uid, plane.clock.monotonic());
  });
  plane.every(checkEveryMs, () => {
    for (const [uid, at] of written) {
      const event = plane.clock.monotonic() - at > lifetimeMs ? plane.store.byUid(uid)?.object : undefined;
      if (event) plane.remove(event, events);
    }
  });
}
