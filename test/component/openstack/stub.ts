import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { type CallReport, createSession, type Session } from '../../../src/openstack/session.ts';

/** One request as the stub saw it. */
export interface Seen {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: unknown;
}

/** What the stub answers; `hang` never answers, `cut` breaks the connection. */
export type Reply =
  | { status: number; body?: unknown; text?: string; headers?: Record<string, string> }
  | 'hang'
  | 'cut';

/** Three services of one cloud on one socket: just enough of them to say exactly what a test wants said. */
export interface Stub {
  origin: string;
  session: Session;
  /** The `OS_*` variables. */
  env: Record<string, string>;
  /** Without logins and version documents. */
  calls: Seen[];
  logins: number;
  reports: CallReport[];
  close(): Promise<void>;
}

export interface StubOptions {
  reply(seen: Seen, stub: Stub): Reply | undefined;
  versions?: () => Reply;
  login?: (login: number) => Reply | undefined;
  env?: Record<string, string>;
}

/** Starts a stub on a free port and a session that talks to it. A call without a reply gets a 500. */
export async function startStub(options: StubOptions): Promise<Stub> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const seen = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      const reply = answer(seen);
      if (reply === 'hang') return;
      if (reply === 'cut') {
        request.socket.destroy();
        return;
      }
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.text ?? JSON.stringify(reply.body ?? null));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has a port

  function answer(seen: Seen): Reply {
    if (seen.url === '/identity/v3/auth/tokens') {
      stub.logins += 1;
      return options.login?.(stub.logins) ?? token(origin, stub.logins);
    }
    if (seen.url === '/container/') return options.versions?.() ?? versionDocument('1.1', '1.40');
    stub.calls.push(seen);
    return options.reply(seen, stub) ?? { status: 500 };
  }

  const env = {
    OS_AUTH_URL: `${origin}/identity`,
    OS_USERNAME: 'demo',
    OS_PASSWORD: 's3cr3t',
    OS_PROJECT_NAME: 'web',
    ...options.env,
  };
  const cloud = await loadCloud({ env, cwd: '/', readFile: async () => undefined });
  const reports: CallReport[] = [];
  const session = createSession({
    cloud,
    clock: systemClock,
    log: silentLog,
    userAgent: 'zunlet/test',
    onCall: (report) => reports.push(report),
  });
  const stub: Stub = {
    origin,
    session,
    env,
    calls: [],
    logins: 0,
    reports,
    async close() {
      await session.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return stub;
}

/** Zun's root document. */
export function versionDocument(min: string, max: string): Reply {
  return {
    status: 200,
    body: {
      name: 'OpenStack Zun API',
      versions: [{ id: 'v1', status: 'CURRENT', min_version: min, max_version: max }],
    },
  };
}

/** Zun's error envelope. */
export function zunError(status: number, code: string, detail: string): Reply {
  return {
    status,
    body: { errors: [{ request_id: '', code: `container.${code}`, status, title: detail, detail, links: [] }] },
  };
}

function token(origin: string, login: number): Reply {
  const service = (type: string, path: string) => ({
    type,
    name: type,
    endpoints: [{ interface: 'public', region: 'R', region_id: 'R', url: `${origin}${path}` }],
  });
  const now = Date.now();
  return {
    status: 201,
    headers: { 'x-subject-token': `token-${login}` },
    body: {
      token: {
        methods: ['password'],
        issued_at: new Date(now).toISOString(),
        expires_at: new Date(now + 3_600_000).toISOString(),
        user: { id: 'u1', name: 'demo' },
        project: { id: 'p1', name: 'web' },
        roles: [{ id: 'r1', name: 'member' }],
        catalog: [
          service('container', '/container/v1'),
          service('network', '/network'),
          service('volumev3', '/volume/v3/p1'),
        ],
      },
    },
  };
}
