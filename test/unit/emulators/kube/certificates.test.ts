import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority } from '../../../../src/emulators/kube/authority.ts';

test('certificates: of one authority: signed by it, for the right names and purposes', () => {
  const authority = createAuthority(Date.UTC(2026, 0, 1));
  const root = new X509Certificate(authority.ca);
  const server = new X509Certificate(authority.server.cert);
  const client = new X509Certificate(
    authority.clientFor({ name: 'system:node:n', groups: ['system:nodes', 'system:authenticated'] }).cert,
  );
  assert.equal(root.ca, true);
  assert.ok(root.verify(root.publicKey) && server.verify(root.publicKey) && client.verify(root.publicKey));
  assert.equal(server.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(server.checkHost('kubernetes.default.svc'), 'kubernetes.default.svc');
  assert.equal(client.subject, 'O=system:nodes\nCN=system:node:n');
  assert.deepEqual([server.keyUsage, client.keyUsage], [['1.3.6.1.5.5.7.3.1'], ['1.3.6.1.5.5.7.3.2']]);
  assert.equal(new Date(root.validFrom).getTime(), Date.UTC(2025, 11, 31, 23));
});
