import type { TestContext } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { TlsIdentity } from '../../../src/http/transport.ts';
import { createKubeClient, type KubeClientOptions } from '../../../src/kube/client.ts';
import type { KubeAuth, KubeCallRecord, KubeClient } from '../../../src/kube/client-types.ts';
import { createFastClock } from '../../lib/fast-clock.ts';
import { type Answer, type ScriptedServer, startServer } from '../../lib/scripted-server.ts';

/** Credentials that the test changes by hand. */
export function fakeAuth(
  server: string,
  tls: TlsIdentity = {},
): KubeAuth & { token: string; forgotten: number; use(tls: TlsIdentity): void } {
  const listeners: ((tls: TlsIdentity) => void)[] = [];
  const auth = {
    server,
    source: 'test',
    context: undefined,
    proxy: undefined,
    tls: () => tls,
    token: 'good',
    forgotten: 0,
    authorization: () => Promise.resolve(`Bearer ${auth.token}`),
    headers: {},
    forget() {
      auth.forgotten += 1;
    },
    onTlsChange: (listener: (next: TlsIdentity) => void) => listeners.push(listener),
    use(next: TlsIdentity) {
      for (const tell of listeners) tell(next);
    },
  };
  return auth;
}

export interface Setup {
  server: ScriptedServer;
  client: KubeClient;
  auth: ReturnType<typeof fakeAuth>;
  clock: Clock;
  calls: KubeCallRecord[];
}

/** A client and the server it talks to; both end with the test. */
export async function setup(
  test: TestContext,
  answer: Answer,
  parts: Partial<KubeClientOptions> & { prefix?: string } = {},
): Promise<Setup> {
  const server = await startServer(answer);
  const clock = parts.clock ?? createFastClock(100);
  const auth = fakeAuth(`${server.origin}${parts.prefix ?? ''}`);
  const calls: KubeCallRecord[] = [];
  const client = createKubeClient({
    auth,
    clock,
    random: seededRandom(1),
    log: silentLog,
    version: '0.1.0',
    qps: 0,
    onCall: (record) => calls.push(record),
    ...parts,
  });
  test.after(async () => {
    await client.close();
    await server.close();
  });
  return { server, client, auth, clock, calls };
}
