import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RealZun } from './start.ts';

const run = promisify(execFile);

/** A capsule as python-zunclient shows it. */
export interface JudgedCapsule {
  uuid: string;
  name: string;
  status: string;
  labels: Record<string, string>;
  addresses: Record<string, { addr: string }[]>;
}

/** Outside witnesses of what zunlet did: OpenStack's own client, and the stand-in for Neutron. */
export interface Judge {
  capsules(): Promise<JudgedCapsule[]>;
  /** What `zun capsule-describe` prints. */
  describe(uuid: string): Promise<string>;
  /** How many Neutron ports there are. */
  ports(): Promise<number>;
}

/** Makes the witnesses of a running Zun; they log in as the user demo. */
export function createJudge(zun: RealZun): Judge {
  const env = { PATH: process.env['PATH'], ...zun.env, ZUN_URL: `${zun.zunUrl}/v1`, PYTHONWARNINGS: 'ignore' };
  const call = async (program: string, args: string[]) => {
    const { stdout } = await run(join(zun.venv, 'bin', program), args, { env, maxBuffer: 64 << 20 });
    return stdout;
  };
  return {
    capsules: async () =>
      JSON.parse(await call('python', [join(import.meta.dirname, 'list_capsules.py')])) as JudgedCapsule[],
    describe: (uuid) => call('zun', ['capsule-describe', uuid]),
    async ports() {
      const answer = await fetch(`${zun.controlUrl}/state`);
      return Object.keys(((await answer.json()) as { ports: object }).ports).length;
    },
  };
}
