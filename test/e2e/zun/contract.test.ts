/** Replays the recorded conversations, which the emulator passes, against the real Zun of this bed. */
import { after } from 'node:test';
import { startRealZun } from './start.ts';

const zun = await startRealZun();
after(() => zun.stop());
process.env['ZUN_URL'] = zun.zunUrl;
process.env['OS_AUTH_URL'] = zun.env['OS_AUTH_URL'];
process.env['ZUN_CONTROL'] = zun.controlUrl;
await import('../../contract/zun.test.ts');
