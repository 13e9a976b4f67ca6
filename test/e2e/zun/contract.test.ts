/**
 * Replays the recorded conversations, which the emulator passes, against the real Zun of this bed. It keeps its data in
 * SQLite, they were recorded with MariaDB: where that shows, the difference is named here and must be there.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { replay } from '../../contract/replay.ts';
import { openTarget } from '../../contract/target.ts';
import { readVectors, type Vector } from '../../contract/vectors.ts';
import { startRealZun } from './start.ts';

const tooLong = 'SQLite takes texts of any length';
/** Conversations that go otherwise here, and why. */
const otherHere: Record<string, string> = {
  cmd_70k: tooLong,
  env_70k: tooLong,
  labels_70k: tooLong,
  name_255: tooLong,
  workDir_256: tooLong,
};
/** Conversations that show what can come of a race between two requests; the recorded outcome must turn up in so many tries. */
const races = { ids: ['delete_early', 'delete_during_create'], tries: 8 };
/** What a GET shows here depends on how far the compute host has come by then. */
const momentary = /body\.(\S+\.)?(task_state|host|hostname|ports|addresses\.<net>) /;

const zun = await startRealZun();
process.env['ZUN_URL'] = zun.zunUrl;
process.env['OS_AUTH_URL'] = zun.env['OS_AUTH_URL'];
process.env['ZUN_CONTROL'] = zun.controlUrl;
const target = await openTarget();
after(async () => {
  await target.close();
  await zun.stop();
});

/** Some conversations end with a capsule that Zun can never delete; the next one wants an empty project. */
function forgetCapsules(): void {
  const database = new DatabaseSync(join(zun.dir, 'zun.db'), { timeout: 10_000 });
  for (const table of ['volume_mapping', 'container']) database.exec(`DELETE FROM ${table}`);
  database.close();
}

async function differencesOf(vector: Vector): Promise<string[]> {
  forgetCapsules();
  return (await replay(vector, target)).differences.filter((text) => !momentary.test(text));
}

for (const vector of readVectors()) {
  test(`real zun: ${vector.id}: ${vector.claim}`, async (context) => {
    let differences = await differencesOf(vector);
    for (let tries = 1; races.ids.includes(vector.id) && differences.length > 0 && tries < races.tries; tries += 1) {
      differences = await differencesOf(vector);
    }
    const reason = otherHere[vector.id];
    if (reason === undefined) return assert.deepEqual(differences, []);
    context.diagnostic(`${vector.id} differs: ${reason}`);
    assert.notDeepEqual(differences, []);
  });
}
