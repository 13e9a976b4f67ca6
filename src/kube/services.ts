import { sleep } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import { createReflector, type Reflector, type ReflectorOptions } from './reflector.ts';
import type { Service } from './types.ts';

/** The cluster's Services, for the variables that Pods get. */
export interface ServiceStore {
  /** The Services of a namespace. The first call starts a watch and waits for it. Errors: why it could not start. */
  inNamespace(namespace: string): Promise<Service[]>;
  stop(): Promise<void>;
}

const waitMs = 10_000;
const checkEveryMs = 250;

/**
 * Makes the store: one watch over all namespaces, as kubelets have it, so that a Service made a moment before its Pod is
 * seen. Only what service variables need is kept.
 */
export function createServiceStore(
  options: Pick<ReflectorOptions<Service>, 'client' | 'clock' | 'random' | 'log'>,
): ServiceStore {
  const { clock } = options;
  const byNamespace = new Map<string, Map<string, Service>>();
  let reflector: Reflector | undefined;

  function upsert(service: Service): void {
    const namespace = service.metadata.namespace ?? '';
    const services = byNamespace.get(namespace) ?? new Map<string, Service>();
    byNamespace.set(namespace, services.set(service.metadata.uid, slim(service)));
  }
  function started(): Reflector {
    if (reflector) return reflector;
    reflector = createReflector<Service>({
      ...options,
      path: '/api/v1/services',
      name: 'services',
      sink: {
        replace(services) {
          byNamespace.clear();
          services.forEach(upsert);
        },
        upsert,
        remove: ({ metadata }) => byNamespace.get(metadata.namespace ?? '')?.delete(metadata.uid),
      },
    });
    reflector.start();
    return reflector;
  }
  async function ready(): Promise<void> {
    const source = started();
    const deadlineMs = clock.monotonic() + waitMs;
    while (!source.health().isSynced) {
      const { error } = source.health();
      if (error) throw error;
      if (clock.monotonic() >= deadlineMs) throw tooSlow();
      const giveUp = new AbortController();
      await Promise.race([source.whenSynced(), sleep(clock, checkEveryMs, giveUp.signal)]).finally(() =>
        giveUp.abort(),
      );
    }
  }
  return {
    async inNamespace(namespace) {
      await ready();
      return [...(byNamespace.get(namespace)?.values() ?? [])];
    },
    stop: async () => reflector?.stop(),
  };
}

function tooSlow(): AppError {
  return new AppError({
    kind: 'retryable',
    code: 'kube.services-unknown',
    message: `listing services: no answer within ${waitMs} ms`,
  });
}

function slim({ metadata, spec }: Service): Service {
  const { name, namespace, uid } = metadata;
  const kept = { name, uid, namespace };
  // Undefined fields stand for absent ones here as on the wire; exactOptionalPropertyTypes cannot see that.
  return { metadata: kept as Service['metadata'], ...(spec && { spec }) };
}
