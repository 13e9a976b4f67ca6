import { type ByteSink, type ByteSource, createPipe } from './pipe.ts';

/** A terminal's size in characters. */
export interface TerminalSize {
  rows: number;
  columns: number;
}

/** What `stty` can switch. */
interface TerminalModes {
  /** What is typed is shown. */
  echo: boolean;
  /** Input comes in lines; backspace, Ctrl-D and Ctrl-U work; a line holds 4095 bytes at most. */
  canonical: boolean;
  /** Ctrl-C interrupts. */
  signals: boolean;
  /** A carriage return that is typed becomes a newline. */
  crToNewline: boolean;
  /** A newline that is written becomes carriage return and newline. */
  newlineToCrNewline: boolean;
}

/**
 * A terminal's line discipline between a connection and a program. Zun gives every interactive exec one, so that bytes are not
 * carried as they are until a program says `stty raw -echo` (docs/zun.md §5.3).
 */
export interface Terminal {
  size: TerminalSize;
  modes: TerminalModes;
  /** The program's side. */
  input: ByteSource;
  output: ByteSink;
  /** The connection's side: bytes that were typed, and where the screen's bytes go. */
  type(bytes: Buffer): Promise<void>;
  onInterrupt(run: () => void): void;
  /** The connection is over. */
  hangUp(): void;
}

const maxLineBytes = 4095;
const modesAtFirst: TerminalModes = {
  echo: true,
  canonical: true,
  signals: true,
  crToNewline: true,
  newlineToCrNewline: true,
};

/** What a terminal holds between two bytes. */
interface Line {
  typed: number[];
  isOver: boolean;
}

/** Makes a terminal in its usual modes; `screen` takes what is to be shown. */
export function createTerminal(screen: ByteSink, size: TerminalSize = { rows: 24, columns: 80 }): Terminal {
  const input = createPipe();
  const modes = { ...modesAtFirst };
  const line: Line = { typed: [], isOver: false };
  let interrupt = () => {};

  async function show(bytes: Buffer): Promise<void> {
    if (!modes.newlineToCrNewline || !bytes.includes(10)) return screen.write(bytes);
    return screen.write(Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'));
  }

  return {
    size,
    modes,
    input,
    output: { write: show },
    async type(bytes) {
      const given = modes.crToNewline ? Buffer.from(bytes.map((byte) => (byte === 13 ? 10 : byte))) : bytes;
      if (modes.signals && given.includes(3)) interrupt();
      if (!modes.canonical) {
        if (modes.echo) await show(given);
        return input.write(given);
      }
      const ready: number[] = [];
      const shown: number[] = [];
      for (const byte of given) editLine(byte, line, modes.signals, ready, shown);
      if (modes.echo && shown.length > 0) await show(Buffer.from(shown));
      if (ready.length > 0) await input.write(Buffer.from(ready));
      if (line.isOver) input.end();
    },
    onInterrupt(run) {
      interrupt = run;
    },
    hangUp: () => input.end(),
  };
}

/** Takes one byte in canonical mode; what is complete goes to `ready`, what is to be shown to `shown`. */
function editLine(byte: number, line: Line, signals: boolean, ready: number[], shown: number[]): void {
  const { typed } = line;
  const erase = () => shown.push(8, 32, 8);
  if (byte === 3 && signals) {
    typed.length = 0;
    shown.push(94, 67);
  } else if (byte === 4) {
    // Ctrl-D on an empty line is the end of the input; else it hands over what there is.
    line.isOver = typed.length === 0;
    for (const held of typed.splice(0)) ready.push(held);
  } else if (byte === 127 || byte === 8) {
    if (typed.pop() !== undefined) erase();
  } else if (byte === 21) {
    for (const _ of typed.splice(0)) erase();
  } else if (byte === 10) {
    for (const held of typed.splice(0)) ready.push(held);
    ready.push(byte);
    shown.push(byte);
  } else if (typed.length < maxLineBytes) {
    typed.push(byte);
    shown.push(byte);
  }
}

const savedMark = 'saved:';

/** Applies the arguments of `stty`; returns what it prints, or undefined for an argument it does not know. */
export function setTerminal(terminal: Terminal, settings: string[]): string | undefined {
  const { modes, size } = terminal;
  for (const setting of settings) {
    if (setting === '-g') return `${savedMark}${JSON.stringify(modes)}\n`;
    if (setting.startsWith(savedMark)) {
      // What `-g` printed before.
      Object.assign(modes, JSON.parse(setting.slice(savedMark.length)));
      continue;
    }
    const isOn = !setting.startsWith('-');
    switch (setting.replace(/^-/, '')) {
      case 'size':
        return `${size.rows} ${size.columns}\n`;
      case 'raw': {
        const cooked = !isOn;
        modes.canonical = modes.signals = modes.crToNewline = modes.newlineToCrNewline = cooked;
        break;
      }
      case 'sane':
        Object.assign(modes, modesAtFirst);
        break;
      case 'echo':
        modes.echo = isOn;
        break;
      case 'icanon':
        modes.canonical = isOn;
        break;
      case 'isig':
        modes.signals = isOn;
        break;
      case 'icrnl':
        modes.crToNewline = isOn;
        break;
      case 'opost':
      case 'onlcr':
        modes.newlineToCrNewline = isOn;
        break;
      default:
        return undefined;
    }
  }
  return settings.length === 0 ? 'speed 38400 baud; line = 0;\n' : '';
}
