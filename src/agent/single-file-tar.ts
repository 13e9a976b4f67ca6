/** Tar archives as Docker's archive calls take and give them. Source: POSIX pax, ustar interchange format. */

const block = 512;

/** Makes an archive of plain files, readable by root alone; names are short and relative. */
export function tarOf(files: readonly { name: string; content: Uint8Array }[], modifiedSeconds: number): Buffer {
  const parts = files.flatMap(({ name, content }) => [
    header(name, content.length, modifiedSeconds),
    Buffer.from(content),
    Buffer.alloc(padding(content.length)),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

/** Reads the first plain file of an archive; undefined when there is none. */
export function firstFileOf(tar: Buffer): Buffer | undefined {
  for (let at = 0; at + block <= tar.length; ) {
    if (tar[at] === 0) return undefined;
    const size = Number.parseInt(
      tar
        .toString('latin1', at + 124, at + 136)
        .replaceAll('\0', ' ')
        .trim(),
      8,
    );
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    const type = tar.toString('latin1', at + 156, at + 157);
    const from = at + block;
    if (type === '0' || type === '\0') {
      return from + size <= tar.length ? tar.subarray(from, from + size) : undefined;
    }
    at = from + size + padding(size);
  }
  return undefined;
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}

function header(name: string, size: number, modifiedSeconds: number): Buffer {
  const made = Buffer.alloc(block);
  const octal = (value: number, digits: number) => `${Math.trunc(value).toString(8).padStart(digits, '0')}\0`;
  const put = (text: string, at: number) => made.write(text, at, 'latin1');
  put(name, 0);
  put(octal(0o600, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(size, 11), 124);
  put(octal(modifiedSeconds, 11), 136);
  put('        ', 148);
  put('0', 156);
  put('ustar\x0000', 257);
  const sum = made.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return made;
}
