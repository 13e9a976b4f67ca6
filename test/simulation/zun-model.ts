import { AppError } from '../../src/base/errors.ts';
import { ownerLabel } from '../../src/base/identity.ts';
import type { Random } from '../../src/base/random.ts';
import type { BackendName, Capsule, CapsuleApi, CreateRequest, ZunContainer } from '../../src/openstack/types.ts';
import { uuid } from '../lib/builders.ts';
import type { FaultPlan } from './faults.ts';
import type { VirtualClock } from './virtual-clock.ts';

interface Row {
  capsule: Capsule;
  deleting: boolean;
  foreign: boolean;
}

/** A cloud that keeps capsules, in memory and on virtual time, with faults. It outlives every process that calls it. */
export interface ZunModel {
  /** The calls of one process. After `isAlive` turns false no answer reaches it any more; effects go on. */
  apiFor(isAlive: () => boolean): CapsuleApi;
  /** Rows of one Pod UID that exist right now. */
  ofUid(uid: string): Capsule[];
  /** Rows that carry our labels. */
  ours(): Capsule[];
  foreignCount(): number;
  violations: string[];
}

/** Makes the model. Every create of a row is checked: a second one for a UID is the violation that all this is about. */
export function createZunModel(clock: VirtualClock, random: Random, faults: FaultPlan): ZunModel {
  const rows = new Map<string, Row>();
  const past: { at: number; rows: Capsule[] }[] = [];
  const violations: string[] = [];
  let made = 0;

  for (let n = 0; n < 3; n += 1) {
    const id = uuid(0xf000 + n);
    rows.set(id, {
      capsule: { ...blank(id), labels: { app: 'foreign' }, status: 'Running' },
      deleting: false,
      foreign: true,
    });
  }

  function remember(): void {
    const horizon = clock.monotonic() - faults.listLagMs - 1;
    while (past.length > 1 && (past[1]?.at ?? 0) < horizon) past.shift();
    past.push({ at: clock.monotonic(), rows: [...rows.values()].map(({ capsule }) => capsule) });
  }

  function insert(request: CreateRequest): Capsule {
    if (request.backend !== 'capsule') throw new Error('the model keeps capsules only');
    const { template } = request;
    const uid = template.metadata.labels[ownerLabel.uid] ?? '';
    made += 1;
    const capsule: Capsule = {
      ...blank(uuid(made)),
      name: template.metadata.name,
      labels: template.metadata.labels,
      created_at: new Date(clock.now())
        .toISOString()
        .replace('T', ' ')
        .replace('Z', `${String(made % 1000).padStart(3, '0')}`),
      containers: template.spec.containers.map(
        (container, index): ZunContainer => ({
          uuid: uuid(made * 100 + index + 0x100000),
          name: null,
          image: container.image,
          status: 'Creating',
          status_reason: null,
          status_detail: null,
          environment: container.env ?? {},
        }),
      ),
    };
    const there = [...rows.values()].filter((row) => row.capsule.labels[ownerLabel.uid] === uid);
    if (there.length > 0) violations.push(`second capsule for pod uid ${uid} at ${clock.monotonic()} ms`);
    rows.set(capsule.uuid, { capsule, deleting: false, foreign: false });
    remember();
    advance(capsule.uuid);
    return capsule;
  }

  function advance(id: string): void {
    clock.after(200 + random() * 4000, () => {
      const fails = random() < faults.startFails;
      const ranFirst = random() < 0.3;
      set(id, (capsule) =>
        fails
          ? {
              ...capsule,
              status: 'Error',
              status_reason: 'There are not enough hosts available.',
              containers: capsule.containers.map((one) => ({ ...one, status: ranFirst ? 'Running' : 'Creating' })),
            }
          : {
              ...capsule,
              status: 'Running',
              addresses: { net: [{ addr: `10.0.${made % 250}.5`, version: 4, port: uuid(made + 0x9000) }] },
              containers: capsule.containers.map((one) => ({ ...one, status: 'Running' })),
            },
      );
    });
  }

  function set(id: string, change: (capsule: Capsule) => Capsule): void {
    const row = rows.get(id);
    if (!row || row.deleting) return;
    row.capsule = change(row.capsule);
    remember();
  }

  function remove(id: string): void {
    const row = rows.get(id);
    if (!row) return;
    if (row.foreign) violations.push(`foreign capsule ${id} deleted`);
    row.deleting = true;
    clock.after(100 + random() * 5000, () => {
      // A deletion can fail on the compute host; the row stays and turns Error.
      if (random() < faults.deleteFails) {
        row.deleting = false;
        row.capsule = { ...row.capsule, status: 'Error', status_reason: 'deletion failed' };
      } else {
        rows.delete(id);
      }
      remember();
    });
  }

  function call<T>(isAlive: () => boolean, what: string, effect: () => T): Promise<T> {
    const fault = faults.draw();
    const latency = 1 + random() * 300;
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void) => clock.after(latency, () => isAlive() && settle());
      const refuse = (code: string, kind: 'none' | 'unknown') =>
        answer(() => reject(new AppError({ kind: 'retryable', code, message: `${what}: ${code}`, effect: kind })));
      switch (fault) {
        case 'refused':
          refuse('http.unreachable', 'none');
          return;
        case 'failed':
          refuse('zun.http-500', 'unknown');
          return;
        case 'lost':
          clock.after(latency / 2, () => void effect());
          refuse('http.no-answer', 'unknown');
          return;
        case 'late':
          clock.after(latency + random() * faults.lateMs, () => void effect());
          refuse('http.timeout', 'unknown');
          return;
        case 'none': {
          let value: T;
          clock.after(latency / 2, () => {
            value = effect();
          });
          answer(() => resolve(value));
          return;
        }
        default:
          fault satisfies never;
      }
    });
  }

  function listed(): Capsule[] {
    if (!faults.active()) return [...rows.values()].map(({ capsule }) => capsule);
    const at = clock.monotonic() - random() * faults.listLagMs;
    const snapshot = past.findLast((entry) => entry.at <= at) ?? past[0];
    return snapshot?.rows ?? [];
  }

  remember();
  return {
    violations,
    ofUid: (uid) =>
      [...rows.values()].map(({ capsule }) => capsule).filter((one) => one.labels[ownerLabel.uid] === uid),
    ours: () => [...rows.values()].filter(({ foreign }) => !foreign).map(({ capsule }) => capsule),
    foreignCount: () => [...rows.values()].filter(({ foreign }) => foreign).length,
    apiFor: (isAlive) => ({
      create: (request) => call(isAlive, 'creating capsule', () => insert(request)),
      get: (_backend: BackendName, id) => call(isAlive, 'reading capsule', () => rows.get(id)?.capsule),
      list: () => call(isAlive, 'listing capsules', listed),
      delete: (_backend: BackendName, id) => call(isAlive, 'deleting capsule', () => remove(id)),
    }),
  };
}

function blank(id: string): Capsule {
  return {
    backend: 'capsule',
    uuid: id,
    name: null,
    status: 'Creating',
    status_reason: null,
    labels: {},
    addresses: {},
    created_at: null,
    updated_at: null,
    containers: [],
    init_containers: [],
  };
}
