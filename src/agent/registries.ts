import { createHash, scrypt } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Pod, Secret } from '../kube/types.ts';
import type { ZunProject, ZunRegistry } from '../openstack/zun-project.ts';
import { isTerminal } from '../sync/plan.ts';
import type { CapsuleReader, PodReader } from '../sync/ports.ts';
import { imageCredentials, type RegistryCredential } from '../translate/registries.ts';

/** Keeps Zun registries for the image pull Secrets of this node's Pods. */
export interface RegistryKeeper {
  /**
   * Finds or makes the registry for the image of a Pod; its uuid under the name of the Secret that gives the login, nothing
   * where no Secret fits. Errors: those of Zun.
   */
  registriesOf(pod: Pod, secrets: Readonly<Record<string, Secret | null>>): Promise<Record<string, string>>;
  start(): void;
  stop(): void;
}

export interface RegistryKeeperOptions {
  project: Pick<ZunProject, 'createRegistry' | 'listRegistries' | 'deleteRegistry'>;
  cluster: string;
  node: string;
  clock: Clock;
  log: Log;
  pods: Pick<PodReader, 'get' | 'isComplete'>;
  capsules: Pick<CapsuleReader, 'all'>;
  /** When the last complete list of capsules began, monotonic ms. */
  listedAt: () => number;
  /** How long a call without an answer may still take effect, ms. */
  settleMs: number;
}

const sweepEveryMs = 300_000;
/** A registry that somebody deleted by hand is noticed when a Pod asks and the list is older than this. */
const listLifeMs = 60_000;

/**
 * Makes the keeper. A registry belongs to one namespace of this cluster on this node and to one login; its name says so, and is
 * the only memory. It goes when neither a container nor a Pod that is being started uses it, also after a restart.
 * Source: zun/api/controllers/v1/registries.py; containers show theirs as `registry_id`.
 */
export function createRegistryKeeper(options: RegistryKeeperOptions): RegistryKeeper {
  const { project, clock, log } = options;
  const prefix = `zunlet-${digest([options.cluster, options.node], 16)}-`;
  const startedAt = clock.monotonic();
  /** Registry names by the Pods that were given them. */
  const uses = new Map<string, string>();
  const names = new Map<string, Promise<string>>();
  const pending = new Map<string, Promise<ZunRegistry>>();
  let known: { at: number; registries: Promise<ZunRegistry[]> } | undefined;
  let cancel: () => void = () => {};

  async function readOurs(): Promise<ZunRegistry[]> {
    const all = await project.listRegistries();
    return all.filter(({ name }) => name?.startsWith(prefix));
  }
  function ours(lifeMs: number): Promise<ZunRegistry[]> {
    const now = clock.monotonic();
    if (known && now - known.at < lifeMs) return known.registries;
    const registries = readOurs();
    known = { at: now, registries };
    registries.catch(() => {
      if (known?.registries === registries) known = undefined;
    });
    return registries;
  }

  async function make(name: string, credential: RegistryCredential, pod: Pod): Promise<ZunRegistry> {
    const { domain, username, password, secret } = credential;
    try {
      const made = await project.createRegistry({ name, domain, username, password });
      (await known?.registries)?.push(made);
      log.info('registry made', { namespace: pod.metadata.namespace, secret, registry: made.uuid, domain });
      return made;
    } catch (thrown) {
      known = undefined; // it may be there all the same
      throw thrown;
    }
  }

  async function ensure(name: string, credential: RegistryCredential, pod: Pod): Promise<ZunRegistry> {
    const running = pending.get(name);
    if (running) return running;
    const task = ours(listLifeMs).then(
      (registries) => registries.find((registry) => registry.name === name) ?? make(name, credential, pod),
    );
    pending.set(name, task);
    return task.finally(() => pending.delete(name));
  }

  /** The name hides the password behind a slow hash: all members of the project can read names. */
  function nameOf(namespace: string, { domain, username, password }: RegistryCredential): Promise<string> {
    const key = digest([namespace, domain, username, password], 64);
    const found = names.get(key);
    if (found) return found;
    const salt = JSON.stringify([prefix, namespace, domain, username]);
    const made = new Promise<string>((resolve, reject) => {
      scrypt(password, salt, 12, (error, hash) => {
        if (error) reject(error);
        else resolve(`${prefix}${namespace}-${hash.toString('hex')}`);
      });
    });
    names.set(key, made);
    return made;
  }

  function isUsed({ uuid, name }: ZunRegistry): boolean {
    for (const uid of [...uses.keys()]) if (!isLive(options.pods.get(uid))) uses.delete(uid);
    const starting = [...uses.values()].some((used) => used === name);
    return starting || options.capsules.all().some(({ containers }) => containers[0]?.registry_id === uuid);
  }

  async function sweep(): Promise<void> {
    // What an earlier process asked for may only now show up.
    if (!options.pods.isComplete() || options.listedAt() <= startedAt + options.settleMs) return;
    const registries = await ours(Number.POSITIVE_INFINITY);
    for (const registry of [...registries]) {
      if (isUsed(registry)) continue;
      // Out of the list first: a Pod that asks from now on gets a new one.
      registries.splice(registries.indexOf(registry), 1);
      await drop(registry.uuid);
    }
    if (registries.length === 0) names.clear();
  }
  async function drop(uuid: string): Promise<void> {
    try {
      await project.deleteRegistry(uuid);
      log.info('registry deleted', { registry: uuid });
    } catch (thrown) {
      known = undefined;
      const { code, message } = toAppError(thrown);
      log.warn('registry not deleted', { registry: uuid, code, err: message });
    }
  }

  function arm(): void {
    cancel = clock.after(sweepEveryMs, () => {
      void sweep()
        .catch((thrown: unknown) => {
          const { code, message } = toAppError(thrown);
          log.warn('registries not swept', { code, err: message });
        })
        .finally(arm);
    });
  }

  return {
    async registriesOf(pod, secrets) {
      const secretNames = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
      const [credential] = imageCredentials(pod.spec.containers[0]?.image ?? '', secretNames, secrets);
      if (!credential) return {};
      const name = await nameOf(pod.metadata.namespace, credential);
      uses.set(pod.metadata.uid, name);
      const { uuid } = await ensure(name, credential, pod);
      return { [credential.secret]: uuid };
    },
    start: arm,
    stop: () => cancel(),
  };
}

function isLive(pod: Pod | undefined): boolean {
  return pod !== undefined && !isTerminal(pod);
}

function digest(parts: readonly string[], length: number): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, length);
}
