import { systemClock } from '../../base/clock.ts';
import { seededRandom } from '../../base/random.ts';
import { createMovableClock } from '../clock.ts';
import { createCounters } from '../counters.ts';
import { createFaultPlan } from '../faults.ts';
import { createNetworkState } from '../networks.ts';
import { startService } from '../service.ts';
import { createVolumeState } from '../volumes.ts';
import type { CapsuleTexts } from './capsules.ts';
import { createControl, type ZunControl } from './control.ts';
import { errorAnswer, unauthorizedAnswer } from './errors.ts';
import type { Sessions } from './executions.ts';
import { createListeners } from './listeners.ts';
import { resolveOptions, type ZunOptions } from './options.ts';
import { handleCall, operationName } from './router.ts';
import type { ZunState } from './state.ts';
import { createStore } from './store.ts';
import { createTasks } from './tasks.ts';
import { startWebSocketProxy } from './websocket-proxy.ts';

export interface ZunEmulator {
  /** Ends in `/v1`, as a catalog has it. */
  url: string;
  /** Where the WebSocket proxy listens. */
  wsUrl: string;
  control: ZunControl;
  close(): Promise<void>;
}

/**
 * Starts a Zun on loopback: real HTTP, real oddities (docs/zun.md), played containers. It shares no code with zunlet's client,
 * so that a misunderstanding does not hide on both sides.
 */
export async function createZunEmulator(given: ZunOptions = {}): Promise<ZunEmulator> {
  const options = resolveOptions(given);
  const clock = given.clock ?? createMovableClock({ base: systemClock });
  const faults = createFaultPlan();
  const counters = createCounters();
  const texts: CapsuleTexts = new WeakMap();
  const sessions: Sessions = new Map();
  const listeners = createListeners();
  const proxy = await startWebSocketProxy(sessions, options.bindHost, given.proxyPort);
  const zun: ZunState = {
    clock,
    options,
    isFaithful: options.bugs === 'faithful',
    random: seededRandom(options.seed),
    store: createStore(clock, (row) => texts.delete(row)),
    networks: given.networks ?? createNetworkState({ clock, faults: createFaultPlan() }),
    volumes: given.volumes ?? createVolumeState(clock, createFaultPlan()),
    tasks: createTasks(clock),
    compute: { hostname: 'compute-1', isUp: true, hasSandboxImage: true },
    leftovers: [],
    registries: [],
    texts,
    syncedPeriod: 0,
    sessions,
    usages: new Map(),
    proxyUrl: () => proxy.url,
    memberProject: options.memberProject,
    processChanged(process, owner) {
      if (options.listeners) listeners.follow(process, owner);
    },
  };
  zun.store.remember(options.rememberMs);
  const service = await startService({
    clock,
    faults,
    counters,
    operation: operationName,
    handle: (call) => handleCall(zun, call),
    failure: (_call, status, detail) =>
      status === 401 ? unauthorizedAnswer(options.keystoneUrl()) : errorAnswer(status, '', detail, detail),
    host: options.bindHost,
    ...(given.port === undefined ? {} : { port: given.port }),
  });
  return {
    url: `${service.url}/v1`,
    wsUrl: proxy.url,
    control: createControl({ zun, service, faults, counters, listeners, proxy }),
    async close() {
      await Promise.all([service.close(), proxy.close()]);
      listeners.close();
      if (!given.clock) clock.stop();
    },
  };
}
