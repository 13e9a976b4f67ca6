import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { CertificateSigner, SigningState } from '../../../src/server/serving-csr.ts';
import { createServingCertificate, type ServingMode } from '../../../src/server/tls.ts';
import { noRuntime, startKubeletBed } from '../../lib/kubelet-bed.ts';
import { createTestAuthority } from '../../lib/kubelet-certificates.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'zunlet-certificates-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function serving(mode: ServingMode, clock = createManualClock(Date.now()), addresses = ['127.0.0.1']) {
  return createServingCertificate({
    mode,
    identity: () => ({ node: 'zun-1', addresses }),
    clock,
    random: seededRandom(1),
    randomBytes,
    log: silentLog,
  });
}

function peerSerial(port: number): Promise<{ serial: string; socket: TLSSocket }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve({ serial: socket.getPeerX509Certificate()?.serialNumber ?? '', socket });
    });
    socket.on('error', reject);
  });
}

test('serving certificate: changed while connections are open: new ones get the new one, old ones go on', async () => {
  const bed = await startKubeletBed({ runtime: noRuntime });
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, ...bed.admin });
  const get = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port: bed.port, path: '/healthz', agent }, (response) => {
        const { localPort } = response.socket;
        response.resume();
        response.on('end', () => resolve(localPort));
      });
      call.on('error', reject);
      call.end();
    });
  const first = await get();
  const before = await peerSerial(bed.port);
  bed.server.setTls(bed.authority.issue('server', { commonName: 'system:node:zun-1', ipAddresses: ['127.0.0.1'] }));
  const afterwards = await peerSerial(bed.port);
  assert.notEqual(before.serial, afterwards.serial);
  assert.equal(await get(), first);
  before.socket.destroy();
  afterwards.socket.destroy();
  agent.destroy();
  await bed.close();
});

test('client authorities: changed: the old certificate is refused, on an open connection too', async () => {
  const next = createTestAuthority('next-ca');
  let pem = '';
  const clock = createManualClock(Date.now());
  const bed = await startKubeletBed({
    runtime: noRuntime,
    options: {
      clock: { ...systemClock, after: (ms, run) => clock.after(ms, run) },
      clientCa: { read: () => Promise.resolve(pem || undefined) },
    },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, ...bed.admin });
  const get = (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const call = request({ host: '127.0.0.1', port: bed.port, path: '/healthz', agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      });
      call.on('error', reject);
      call.end();
    });
  assert.equal(await get(), 401);
  pem = bed.authority.cert;
  await clock.advance(61_000);
  assert.equal(await get(), 200);
  pem = next.cert;
  await clock.advance(61_000);
  assert.equal(await get(), 401);
  assert.equal((await bed.get('/healthz', next.issue('client', { commonName: 'x' }))).status, 200);
  agent.destroy();
  await bed.close();
});

test('certificate files: replaced: read again; half replaced: left for the next look', async () => {
  const authority = createTestAuthority('files-ca');
  const certFile = join(folder, 'tls.crt');
  const keyFile = join(folder, 'tls.key');
  const [one, two] = [authority.issue('server', { commonName: 'a' }), authority.issue('server', { commonName: 'b' })];
  const write = (pair: { cert: string; key: string }): void => {
    writeFileSync(certFile, pair.cert);
    writeFileSync(keyFile, pair.key);
  };
  write(one);
  const clock = createManualClock(Date.now());
  const certificate = serving({ kind: 'files', certFile, keyFile }, clock);
  const seen: string[] = [];
  const look = async (): Promise<void> => {
    await clock.advance(30_001);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    await new Promise((resolve) => setTimeout(resolve, 20));
  };
  assert.equal((await certificate.start((pair) => seen.push(pair.cert))).cert, one.cert);
  writeFileSync(certFile, two.cert);
  await look();
  assert.deepEqual(seen, []);
  assert.equal(certificate.view().renewErrors, 1);
  write(two);
  await look();
  assert.deepEqual(seen, [two.cert]);
  certificate.stop();
});

test('certificate files: missing: the start fails and names them', async () => {
  const files = { certFile: join(folder, 'none.crt'), keyFile: join(folder, 'none.key') };
  await assert.rejects(
    serving({ kind: 'files', ...files }).start(() => {}),
    { code: 'serving.files' },
  );
});

/** An API server that signs when told to. */
function signer(state: (name: string) => SigningState) {
  const requests: string[] = [];
  const approved: string[] = [];
  const self: CertificateSigner = {
    create: ({ csr, signerName, usages }) => {
      assert.equal(signerName, 'kubernetes.io/kubelet-serving');
      assert.deepEqual(usages, ['digital signature', 'server auth']);
      requests.push(csr);
      return Promise.resolve(`csr-${requests.length}`);
    },
    read: (name) => Promise.resolve(state(name)),
    approve: (name) => {
      approved.push(name);
      return Promise.resolve();
    },
  };
  return { self, requests, approved };
}

test('certificate request: signed after a while: self-signed until then; renewed late in its life', async () => {
  const authority = createTestAuthority('signer-ca');
  const clock = createManualClock(Date.now());
  let isSigned = false;
  const api = signer(() =>
    isSigned ? { certificate: issueFor(authority, api.requests.at(-1) ?? '', clock.now()) } : {},
  );
  const certificate = serving({ kind: 'csr', signer: api.self, approve: true }, clock);
  const seen: string[] = [];
  const first = await certificate.start((pair) => seen.push(pair.cert));
  assert.match(new X509Certificate(first.cert).issuer, /CN=zun-1@/);
  assert.ok(certificate.view().isSelfSigned);
  await clock.advance(60_000);
  assert.deepEqual(seen, []);
  isSigned = true;
  await clock.advance(60_000);
  assert.equal(seen.length, 1);
  assert.ok(!certificate.view().isSelfSigned);
  assert.deepEqual(api.approved, ['csr-1']);
  await clock.advance(0.65 * lifeMs);
  assert.equal(seen.length, 1);
  await clock.advance(0.3 * lifeMs);
  assert.equal(seen.length, 2);
  assert.equal(certificate.view().rotationAgesSeconds.length, 2);
  certificate.stop();
});

test('certificate request: refused: counted, asked again later', async () => {
  const clock = createManualClock(Date.now());
  const api = signer(() => ({ refused: 'no' }));
  const certificate = serving({ kind: 'csr', signer: api.self, approve: false }, clock);
  await certificate.start(() => {});
  await clock.advance(1_000);
  assert.equal(certificate.view().renewErrors, 1);
  await clock.advance(120_000);
  assert.ok(api.requests.length >= 2);
  assert.deepEqual(api.approved, []);
  certificate.stop();
});

test('certificate request: the addresses change: a new one is asked for', async () => {
  const authority = createTestAuthority('signer-ca');
  const clock = createManualClock(Date.now());
  const addresses = ['127.0.0.1'];
  const api = signer(() => ({ certificate: issueFor(authority, api.requests.at(-1) ?? '', clock.now()) }));
  const certificate = serving({ kind: 'csr', signer: api.self, approve: false }, clock, addresses);
  await certificate.start(() => {});
  await clock.advance(5_000);
  assert.equal(api.requests.length, 1);
  addresses.push('10.0.0.1');
  await clock.advance(65_000);
  assert.equal(api.requests.length, 2);
  certificate.stop();
});

const lifeMs = 24 * 3_600_000;

/** Signs what a request asks for; its key stands at the end of its subject. */
function issueFor(authority: ReturnType<typeof createTestAuthority>, csr: string, nowMs: number): string {
  const der = Buffer.from(csr.replace(/-----.*-----|\s/g, ''), 'base64');
  const start = der.indexOf(Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex'));
  const publicKey = createPublicKey({ key: der.subarray(start, start + 91), format: 'der', type: 'spki' });
  return authority.sign(publicKey, { notBeforeMs: nowMs, notAfterMs: nowMs + lifeMs });
}
