import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { zipEntries } from '../lib/zip.ts';

/** Makes a zip archive with one file. */
function archive(name: string, content: Buffer, method: number, checksum = crc32(content)): Buffer {
  const packed = method === 8 ? deflateRawSync(content) : content;
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt16LE(method, 10);
  entry.writeUInt32LE(checksum, 16);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]);
}

test('zip: a stored and a deflated file: their content', () => {
  for (const method of [0, 8]) {
    const [entry] = zipEntries(archive('kubectl/kubectl', Buffer.from('x'.repeat(1000)), method));
    assert.equal(entry?.name, 'kubectl/kubectl');
    assert.equal(entry?.content().toString(), 'x'.repeat(1000));
  }
});

test('zip: damaged, packed otherwise, or no archive: refused', () => {
  assert.throws(() => zipEntries(archive('a', Buffer.from('a'), 8, 7))[0]?.content(), /a has a wrong checksum/);
  assert.throws(() => zipEntries(archive('a', Buffer.from('a'), 12))[0]?.content(), /unknown method 12/);
  assert.throws(() => zipEntries(Buffer.from('nothing of the kind')), /not a zip archive/);
});
