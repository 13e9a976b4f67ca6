import { backoffMs } from '../base/backoff.ts';
import { sleep, systemClock } from '../base/clock.ts';
import { AppError, isKind } from '../base/errors.ts';
import { systemRandom } from '../base/random.ts';
import { findCapsule } from '../openstack/capsule-api.ts';
import { readTextFile } from '../openstack/cloud-files.ts';
import type { Capsule } from '../openstack/types.ts';
import { isInCreation } from '../sync/plan.ts';
import { type CapsuleCall, durationFlag, textFlag, usage } from './capsule-call.ts';
import { addresses, capsuleRows, describeCapsule, outputFormat, plain, podRows, render } from './capsule-show.ts';
import { ignoredFields, readTemplate } from './capsule-template.ts';
import { type CloudClients, withCloud } from './cloud.ts';
import type { Io } from './io.ts';

/** How often a capsule that changes is asked for: a read costs Zun three queries. */
const pace = { firstMs: 1000, maxMs: 10_000 };
/** A list costs Zun about 5 ms a capsule. */
const listPeriodMs = 5000;

/** `create -f FILE`. */
export async function createCapsule({ io, flags, names }: CapsuleCall): Promise<number> {
  const format = outputFormat(flags['output']);
  const file = textFlag(flags, 'file');
  if (file === undefined || names.length > 0) throw usage('create needs a template: -f FILE, or -f - for stdin');
  const template = readTemplate(file === '-' ? 'stdin' : file, await readInput(file, io));
  for (const warning of ignoredFields(template)) io.stderr.write(`warning: ${warning}\n`);
  return await withCloud(io, textFlag(flags, 'cloud'), async (clients) => {
    const made = await clients.capsules.create(template, `creating a capsule from ${file}`, io.signal);
    const last = flags['watch'] ? await follow(clients, made, io) : made;
    if (!last) return 1;
    io.stdout.write(render(format, last, () => capsuleRows([last], systemClock.now())));
    if (last.status !== 'Error') return 0;
    io.stderr.write(`capsule ${last.uuid} failed: ${plain(last.status_reason) || 'Zun gives no reason'}\n`);
    return 1;
  });
}

async function readInput(file: string, io: Io): Promise<string> {
  if (file !== '-') {
    const text = await readTextFile(file);
    if (text === undefined)
      throw new AppError({
        kind: 'not-found',
        code: 'template.missing',
        message: `reading ${file}: it does not exist`,
      });
    return text;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of io.stdin) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > 1024 * 1024) break; // readTemplate refuses it
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Shows on stderr what becomes of a new capsule until it runs, fails or vanishes. */
async function follow({ capsules }: CloudClients, made: Capsule, io: Io): Promise<Capsule | undefined> {
  const last = await untilCreated(capsules, made, io, (line) => io.stderr.write(`${line}\n`));
  if (!last) io.stderr.write(`capsule ${made.uuid} is gone\n`);
  return last;
}

/** Reads a capsule, more slowly while nothing changes, until its creation is over. Undefined: it vanished. */
async function untilCreated(
  capsules: CloudClients['capsules'],
  made: Capsule,
  io: Io,
  onChange?: (line: string) => void,
): Promise<Capsule | undefined> {
  let seen = '';
  let current = made;
  for (let reads = 0; ; reads += 1) {
    const line = summary(current);
    if (line !== seen) {
      onChange?.(line);
      seen = line;
      reads = 0;
    }
    if (!isInCreation(current)) return current;
    await sleep(systemClock, backoffMs(reads, pace, systemRandom), io.signal);
    const found = await capsules.get(made.uuid, io.signal);
    if (!found) return undefined;
    current = found;
  }
}

function summary(capsule: Capsule): string {
  const members = [...capsule.init_containers, ...capsule.containers].map((each) => each.status);
  const parts = [
    capsule.status,
    members.length > 0 ? `(${members.join(', ')})` : '',
    addresses(capsule),
    plain(capsule.status_reason),
  ];
  return plain(`capsule ${capsule.uuid} ${parts.filter(Boolean).join(' ')}`);
}

/** `list`. */
export async function listCapsules({ io, flags, names }: CapsuleCall): Promise<number> {
  const format = outputFormat(flags['output']);
  if (names.length > 0) throw usage('list takes no name; use describe');
  return await withCloud(io, textFlag(flags, 'cloud'), async ({ capsules }) => {
    if (flags['watch']) return await watchList(() => capsules.list(io.signal), io);
    const all = await capsules.list(io.signal);
    io.stdout.write(render(format, all, () => capsuleRows(all, systemClock.now())));
    return 0;
  });
}

/** Writes the rows that changed, until the signal aborts. */
async function watchList(list: () => Promise<Capsule[]>, io: Io): Promise<number> {
  let before = new Map<string, string>();
  while (!io.signal.aborted) {
    const now = new Map<string, string>();
    for (const capsule of await list()) {
      const line = summary(capsule);
      now.set(capsule.uuid, line);
      if (before.get(capsule.uuid) !== line) io.stdout.write(`${line}\n`);
    }
    for (const uuid of before.keys()) {
      if (!now.has(uuid)) io.stdout.write(`capsule ${uuid} is gone\n`);
    }
    before = now;
    await sleep(systemClock, listPeriodMs, io.signal).catch(() => {}); // ended by Ctrl-C: the loop's condition sees it
  }
  return 0;
}

/** `describe ID`. */
export async function describeOne({ io, flags, names }: CapsuleCall): Promise<number> {
  const format = outputFormat(flags['output']);
  const [name] = names;
  if (name === undefined || names.length > 1) throw usage('describe needs one uuid or name');
  return await withCloud(io, textFlag(flags, 'cloud'), async ({ api }) => {
    const capsule = await findCapsule(api, name, io.signal);
    io.stdout.write(
      format === 'table' ? describeCapsule(capsule, systemClock.now()) : render(format, capsule, () => []),
    );
    return 0;
  });
}

/** `delete ID …`. Goes on after a failure; exit 1 if there was one. */
export async function deleteCapsules({ io, flags, names }: CapsuleCall): Promise<number> {
  if (names.length === 0) throw usage('delete needs at least one uuid or name');
  const graceSeconds = durationFlag(flags, 'grace', 10_000) / 1000;
  const waits = flags['watch'] === true;
  return await withCloud(io, textFlag(flags, 'cloud'), async ({ api, capsules }) => {
    const asked: Capsule[] = [];
    let failures = 0;
    for (const name of names) {
      try {
        const capsule = await settled(capsules, await findCapsule(api, name, io.signal), waits, io);
        await requestDeletion(api, capsule, { graceSeconds, waits }, io);
        asked.push(capsule);
        io.stdout.write(`${capsule.backend} ${capsule.uuid} ${waits ? 'is being deleted' : 'will be deleted'}\n`);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind === 'unauthorized') throw error;
        failures += 1;
        io.stderr.write(`${error.message}\n`);
      }
    }
    if (waits) for (const capsule of asked) failures += (await untilGone(api, capsule, io)) ? 0 : 1;
    return failures === 0 ? 0 : 1;
  });
}

/** Waits for the end of a capsule's creation: what Zun starts after a DELETE it does not stop (docs/zun.md §4.5). */
async function settled(capsules: CloudClients['capsules'], capsule: Capsule, waits: boolean, io: Io): Promise<Capsule> {
  if (capsule.backend !== 'capsule' || !isInCreation(capsule)) return capsule;
  if (!waits) {
    io.stderr.write(
      `warning: capsule ${capsule.uuid} is still ${capsule.status}: Zun may leave running what it starts after the DELETE; --watch waits for the end of the creation first\n`,
    );
    return capsule;
  }
  io.stderr.write(
    `waiting: capsule ${capsule.uuid} is still ${capsule.status}; without --watch it is deleted at once\n`,
  );
  return (await untilCreated(capsules, capsule, io)) ?? capsule;
}

/** A container that is being created cannot be deleted yet. */
async function requestDeletion(
  api: CloudClients['api'],
  capsule: Capsule,
  { graceSeconds, waits }: { graceSeconds: number; waits: boolean },
  io: Io,
): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await api.delete(capsule.backend, capsule.uuid, graceSeconds, io.signal);
    } catch (error) {
      if (!waits || !isKind(error, 'conflict')) throw error;
      if (tries === 0) io.stderr.write(`waiting: ${error.message}\n`);
      await sleep(systemClock, backoffMs(tries, pace, systemRandom), io.signal);
    }
  }
}

/** Zun shows nothing while it deletes; only a 404, or the status Error, tells the end. */
async function untilGone(api: CloudClients['api'], capsule: Capsule, io: Io): Promise<boolean> {
  for (let reads = 0; ; reads += 1) {
    const found = await api.get(capsule.backend, capsule.uuid, io.signal);
    if (!found) {
      io.stdout.write(`${capsule.backend} ${capsule.uuid} is gone\n`);
      return true;
    }
    if (found.status === 'Error' && capsule.status !== 'Error') {
      io.stderr.write(
        `${capsule.backend} ${capsule.uuid} cannot be deleted: ${plain(found.status_reason) || 'Zun gives no reason'}\n`,
      );
      return false;
    }
    await sleep(systemClock, backoffMs(reads, pace, systemRandom), io.signal);
  }
}

/** `pods`. */
export async function listPods({ io, flags }: CapsuleCall): Promise<number> {
  const format = outputFormat(flags['output']);
  return await withCloud(io, textFlag(flags, 'cloud'), async ({ api }) => {
    const all = await api.list(io.signal);
    const rows = podRows(all, systemClock.now());
    io.stdout.write(render(format, rows.slice(1).map(toRecord(rows[0] ?? [])), () => rows));
    return 0;
  });
}

/** Makes a record of a row, its keys after the heads of the columns: `POD UID` becomes `podUid`. */
function toRecord(heads: string[]): (row: string[]) => Record<string, string> {
  const keys = heads.map((head) =>
    head.toLowerCase().replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase()),
  );
  return (row) => Object.fromEntries(keys.map((key, column) => [key, row[column] ?? '']));
}
