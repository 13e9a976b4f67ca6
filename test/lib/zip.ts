import { crc32, inflateRawSync } from 'node:zlib';

/** One file of a zip archive. */
export interface ZipEntry {
  name: string;
  /** Unpacks the file. Throws when it is damaged or packed in a way that is not known here. */
  content(): Buffer;
}

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localHeaderBytes = 30;

/** Lists the files of a zip archive: stored or deflated, no encryption, below 4 GiB. Source: PKWARE APPNOTE 4.3. */
export function zipEntries(archive: Buffer): ZipEntry[] {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || archive.readUInt32LE(end) !== endSignature) throw new Error('not a zip archive');
  const count = archive.readUInt16LE(end + 10);
  const entries: ZipEntry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    if (archive.readUInt32LE(at) !== entrySignature) throw new Error('the zip archive has a damaged directory');
    const nameBytes = archive.readUInt16LE(at + 28);
    entries.push(entryAt(archive, at, nameBytes));
    at += 46 + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return entries;
}

function entryAt(archive: Buffer, at: number, nameBytes: number): ZipEntry {
  const name = archive.toString('utf8', at + 46, at + 46 + nameBytes);
  const method = archive.readUInt16LE(at + 10);
  const checksum = archive.readUInt32LE(at + 16);
  const packedBytes = archive.readUInt32LE(at + 20);
  const local = archive.readUInt32LE(at + 42);
  return {
    name,
    content() {
      const start = local + localHeaderBytes + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const packed = archive.subarray(start, start + packedBytes);
      if (method !== 0 && method !== 8) throw new Error(`${name} is packed by the unknown method ${method}`);
      const content = method === 0 ? packed : inflateRawSync(packed);
      if (crc32(content) !== checksum) throw new Error(`${name} has a wrong checksum`);
      return content;
    },
  };
}
