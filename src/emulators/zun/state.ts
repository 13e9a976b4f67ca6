import type { Random } from '../../base/random.ts';
import type { MovableClock } from '../clock.ts';
import type { NetworkState } from '../networks.ts';
import type { VolumeState } from '../volumes.ts';
import type { CapsuleTexts } from './capsules.ts';
import type { Sessions } from './executions.ts';
import type { CapsuleRow, ContainerRow } from './model.ts';
import type { ResolvedOptions } from './options.ts';
import type { Process } from './process.ts';
import type { RegistryRow } from './registries.ts';
import type { Usage } from './stats.ts';
import type { Store } from './store.ts';
import type { Tasks } from './tasks.ts';

/** Something that goes on existing in a compute host although no row knows of it any more (docs/zun.md §2.10, §4.5). */
export interface Leftover {
  kind: 'sandbox' | 'container' | 'port' | 'volume';
  id: string;
  capsule: string;
  since: number;
}

/** Everything that the handlers and the compute's tasks share. */
export interface ZunState {
  clock: MovableClock;
  options: ResolvedOptions;
  isFaithful: boolean;
  random: Random;
  store: Store;
  networks: NetworkState;
  volumes: VolumeState;
  tasks: Tasks;
  compute: { hostname: string; isUp: boolean; hasSandboxImage: boolean };
  leftovers: Leftover[];
  registries: RegistryRow[];
  texts: CapsuleTexts;
  sessions: Sessions;
  /** Project of the member who called first; litter goes there. */
  memberProject: string;
  usages: Map<string, Usage>;
  /** Where the WebSocket proxy listens. */
  proxyUrl(): string;
  /** The period in which standalone containers were last looked at. */
  syncedPeriod: number;
  /** A process started or ended: real ports open and close with it. */
  processChanged(process: Process, owner: CapsuleRow | ContainerRow): void;
}
