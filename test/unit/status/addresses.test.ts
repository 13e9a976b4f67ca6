import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ZunAddress } from '../../../src/openstack/types.ts';
import { canonicalIP, onePerFamily, podAddresses } from '../../../src/status/addresses.ts';

function address(addr: string): ZunAddress {
  return { addr, version: addr.includes(':') ? 6 : 4, port: 'p' };
}

const texts: [string, string | undefined][] = [
  ['10.0.0.5', '10.0.0.5'],
  ['0.0.0.0', '0.0.0.0'],
  ['10.0.0.05', undefined],
  ['10.0.0.256', undefined],
  ['10.0.0', undefined],
  ['', undefined],
  ['2001:DB8::1', '2001:db8::1'],
  ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
  ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
  ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['1::2::3', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4::5:6:7:8', undefined],
  ['fe80::1%eth0', undefined],
  ['::ffff:10.0.0.1', undefined],
  ['::ffff:a00:1', undefined],
  ['12345::', undefined],
];

for (const [text, canonical] of texts) {
  test(`addresses: ${JSON.stringify(text)}: ${canonical ?? 'refused'}`, () => {
    assert.equal(canonicalIP(text), canonical);
  });
}

test('addresses: any IPv6 address: the canonical text is the one that the URL parser writes', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const ours = canonicalIP(text);
      if (ours === undefined) return; // mapped and dotted forms
      const theirs = new URL(`http://[${text}]/`).hostname.slice(1, -1);
      assert.equal(ours, theirs);
    }),
  );
});

test('addresses: any text: what is accepted is an address', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/)), (text) => {
      const ours = canonicalIP(text);
      assert.ok(ours === undefined || isIPv4(ours) || isIPv6(ours));
    }),
  );
});

test('addresses: several of each family: one of each is kept, in order', () => {
  assert.deepEqual(onePerFamily(['10.0.0.1', '10.0.0.2', 'fd00::1', 'fd00::2']), ['10.0.0.1', 'fd00::1']);
  assert.deepEqual(onePerFamily(['fd00::1', '10.0.0.1']), ['fd00::1', '10.0.0.1']);
  assert.deepEqual(onePerFamily(['nonsense']), []);
});

test('addresses: IPv6 is listed first: IPv4 comes first in the Pod', () => {
  assert.deepEqual(podAddresses({ n: [address('FD00::1'), address('10.0.0.5')] }, []), ['10.0.0.5', 'fd00::1']);
});

test('addresses: two networks in any order: the choice is the same', () => {
  const a = { net1: [address('10.0.0.1')], net2: [address('10.0.1.1')] };
  const b = { net2: [address('10.0.1.1')], net1: [address('10.0.0.1')] };
  assert.deepEqual(podAddresses(a, []), podAddresses(b, []));
});

test('addresses: the published one is still there: it stays', () => {
  const addresses = { net1: [address('10.0.0.1')], net2: [address('10.0.1.1')] };
  assert.deepEqual(podAddresses(addresses, ['10.0.1.1']), ['10.0.1.1']);
  assert.deepEqual(podAddresses(addresses, ['10.9.9.9']), ['10.0.0.1']);
});
