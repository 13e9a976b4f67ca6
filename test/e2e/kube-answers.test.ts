import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Pool } from 'undici';
import { conversations } from '../contract/kube/conversations.ts';
import { converse, disagreements } from '../contract/kube/replay.ts';
import { readKubeconfig } from './lib/api.ts';
import { type ControlPlane, startControlPlane } from './lib/control-plane.ts';

let plane: ControlPlane;
let pool: Pool;

before(async () => {
  plane = await startControlPlane({ scheduler: false, controllers: false });
  const { server, ca, cert, key } = readKubeconfig(plane.kubeconfig);
  pool = new Pool(server, { connections: 4, connect: { ca, cert, key } });
});
after(async () => {
  await pool.close();
  await plane.stop();
});

for (const conversation of conversations) {
  test(`real API server: ${conversation.name}: answers as recorded for the emulator`, async () => {
    assert.deepEqual(disagreements(conversation, await converse({ pool }, conversation, 'run')), []);
  });
}
