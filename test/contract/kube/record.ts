/**
 * Holds the conversations with a real API server and writes its answers to `test/data/kube-answers`:
 * `node test/contract/kube/record.ts`. The suite `test/e2e/kube-answers.test.ts` checks that they are still true.
 */
import { Pool } from 'undici';
import { readKubeconfig } from '../../e2e/lib/api.ts';
import { startControlPlane } from '../../e2e/lib/control-plane.ts';
import { conversations } from './conversations.ts';
import { converse, writeRecorded } from './replay.ts';

const plane = await startControlPlane({ scheduler: false, controllers: false });
const { server, ca, cert, key } = readKubeconfig(plane.kubeconfig);
const pool = new Pool(server, { connections: 4, connect: { ca, cert, key } });
for (const conversation of conversations) {
  writeRecorded(conversation.name, await converse({ pool }, conversation, 'run'));
}
await pool.close();
await plane.stop();
process.stdout.write(`recorded ${conversations.length} conversations\n`);
