/** Columns and rows of a terminal. Range 1 to 65535. */
export interface TerminalSize {
  width: number;
  height: number;
}

const maxPendingBytes = 4096;

/**
 * Makes a decoder for the resize stream: JSON documents one after another, cut anywhere. What is not a size is skipped.
 * Source: k8s.io/client-go/tools/remotecommand (TerminalSize).
 */
export function createTerminalSizeDecoder(): (chunk: Buffer) => TerminalSize[] {
  let pending = '';
  return (chunk) => {
    pending += chunk.toString('latin1');
    const sizes: TerminalSize[] = [];
    for (let end = pending.indexOf('}'); end >= 0; end = pending.indexOf('}')) {
      const size = terminalSize(pending.slice(0, end + 1));
      if (size) sizes.push(size);
      pending = pending.slice(end + 1);
    }
    if (pending.length > maxPendingBytes) pending = '';
    return sizes;
  };
}

function terminalSize(text: string): TerminalSize | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null) return undefined;
  const fields = new Map(Object.entries(document).map(([name, value]) => [name.toLowerCase(), value as unknown]));
  const width = fields.get('width');
  const height = fields.get('height');
  return isSide(width) && isSide(height) ? { width, height } : undefined;
}

function isSide(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}
