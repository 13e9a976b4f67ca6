import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { addressBytes, certificateRequest } from '../../../src/server/der.ts';
import { selfSignedPair, servingSubject } from '../../../src/server/self-signed.ts';

const identity = { node: 'zun-1', addresses: ['10.0.0.7', 'fd00::7', 'zun-1.example.org'] };
const nowMs = Date.UTC(2026, 10, 25);

function openssl(args: string[], input: string): { status: number | null; text: string; missing: boolean } {
  const { status, stdout, stderr, error } = spawnSync('openssl', args, { input, encoding: 'utf8' });
  return { status, text: `${stdout}${stderr}`, missing: error !== undefined };
}

test('certificate request: read by openssl: verifies, with subject and names in order', () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = certificateRequest(servingSubject(identity), keys);
  const checked = openssl(['req', '-verify', '-noout', '-text'], pem);
  // Where there is no openssl the API server is the judge, in the end-to-end tests.
  if (checked.missing) return;
  assert.equal(checked.status, 0);
  assert.match(checked.text, /self-signature verify OK|verify OK/);
  assert.match(checked.text, /Subject: O ?= ?system:nodes, CN ?= ?system:node:zun-1/);
  assert.match(checked.text, /DNS:zun-1\.example\.org, IP Address:10\.0\.0\.7, IP Address:FD00:0:0:0:0:0:0:7/);
});

test('self-signed certificate: read back: is for the node, for a year, with its own key', () => {
  const pair = selfSignedPair(identity, nowMs, (bytes) => Buffer.alloc(bytes, 0xff));
  const certificate = new X509Certificate(pair.cert);
  assert.match(certificate.subject, /CN=zun-1@1795564800/);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.checkIP('10.0.0.7'), '10.0.0.7');
  assert.equal(certificate.checkIP('fd00::7'), 'fd00::7');
  assert.equal(certificate.checkHost('zun-1.example.org'), 'zun-1.example.org');
  assert.equal(new Date(certificate.validTo).getTime(), nowMs + 365 * 86_400_000);
  assert.equal(certificate.serialNumber, '7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF');
});

for (const [address, hex] of [
  ['192.168.1.254', 'c0a801fe'],
  ['::', '00000000000000000000000000000000'],
  ['::1', '00000000000000000000000000000001'],
  ['2001:db8::ff00:42:8329', '20010db8000000000000ff0000428329'],
  ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ['fe80::', 'fe800000000000000000000000000000'],
  ['::ffff:10.1.2.3', '00000000000000000000ffff0a010203'],
] as const) {
  test(`address bytes: ${address}: ${hex}`, () => {
    assert.equal(addressBytes(address).toString('hex'), hex);
  });
}

test('address bytes: not an address: refused', () => {
  assert.throws(() => addressBytes('node-1'), { code: 'certificate.address' });
});
