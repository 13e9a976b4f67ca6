/** A piece of a word. */
export type Part =
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'variable'; name: string; fallback: Word | undefined; quoted: boolean }
  | { kind: 'command'; script: List; quoted: boolean }
  | { kind: 'arithmetic'; text: Word };

export type Word = Part[];

export interface Redirect {
  /** The stream that goes elsewhere: 0, 1 or 2. */
  stream: number;
  kind: 'read' | 'write' | 'append' | 'same';
  target: Word;
}

export type Command =
  | { kind: 'simple'; assignments: { name: string; value: Word }[]; words: Word[]; redirects: Redirect[] }
  | { kind: 'loop'; until: boolean; condition: List; body: List; redirects: Redirect[] }
  | { kind: 'for'; name: string; words: Word[]; body: List; redirects: Redirect[] }
  | { kind: 'if'; branches: { condition: List; body: List }[]; otherwise: List | undefined; redirects: Redirect[] }
  | { kind: 'group'; body: List; isSubshell: boolean; redirects: Redirect[] };

export interface Pipeline {
  commands: Command[];
  isNegated: boolean;
}

export type List = { pipeline: Pipeline; then: ';' | '&&' | '||' | '&' }[];

/** Thrown for a script that the shell does not understand. */
export class ShellSyntaxError extends Error {}

/** Parses a script of the small shell. Errors: `ShellSyntaxError`. */
export function parseScript(script: string): List {
  const parser = createParser(script);
  const list = parser.list([]);
  if (!parser.isAtEnd()) throw new ShellSyntaxError(`syntax error: unexpected "${parser.rest().slice(0, 10)}"`);
  return list;
}

const closers = ['do', 'done', 'then', 'elif', 'else', 'fi', '}'];

function createParser(script: string) {
  let at = 0;
  const peek = (length = 1) => script.slice(at, at + length);

  function skipBlank(newlines = false): void {
    for (;;) {
      if (peek(2) === '\\\n') at += 2;
      else if (peek() === ' ' || peek() === '\t' || (newlines && (peek() === '\n' || peek() === ';'))) at++;
      else if (peek() === '#') while (at < script.length && peek() !== '\n') at++;
      else return;
    }
  }

  function keyword(): string {
    return /^(?:[a-z]+|[!{}])(?=[\s;&|()]|$)/.exec(script.slice(at))?.[0] ?? '';
  }

  function take(text: string): void {
    skipBlank(true);
    if (!script.startsWith(text, at)) throw new ShellSyntaxError(`syntax error: expected "${text}"`);
    at += text.length;
  }

  function list(ends: string[]): List {
    const items: List = [];
    for (;;) {
      skipBlank(true);
      const word = keyword();
      if (at >= script.length || peek() === ')' || ends.includes(word)) return items;
      if (closers.includes(word)) throw new ShellSyntaxError(`syntax error: unexpected "${word}"`);
      const parsed = pipeline();
      skipBlank();
      const two = peek(2);
      const then = two === '&&' || two === '||' ? two : peek() === '&' ? '&' : ';';
      if (then !== ';') {
        at += then.length;
        if (then !== '&') skipBlank(true);
      }
      items.push({ pipeline: parsed, then });
    }
  }

  function pipeline(): Pipeline {
    const isNegated = keyword() === '!';
    if (isNegated) {
      at++;
      skipBlank();
    }
    const commands = [command()];
    for (;;) {
      skipBlank();
      if (peek() !== '|' || peek(2) === '||') return { commands, isNegated };
      at++;
      skipBlank(true);
      commands.push(command());
    }
  }

  function block(start: string, end: string[]): List {
    take(start);
    return list(end);
  }

  function command(): Command {
    skipBlank();
    if (peek() === '(') {
      at++;
      const body = list([]);
      take(')');
      return { kind: 'group', body, isSubshell: true, redirects: redirects() };
    }
    switch (keyword()) {
      case '{': {
        const body = block('{', ['}']);
        take('}');
        return { kind: 'group', body, isSubshell: false, redirects: redirects() };
      }
      case 'while':
      case 'until': {
        const until = keyword() === 'until';
        const condition = block(until ? 'until' : 'while', ['do']);
        const body = block('do', ['done']);
        take('done');
        return { kind: 'loop', until, condition, body, redirects: redirects() };
      }
      case 'for':
        return forLoop();
      case 'if':
        return choice();
      default:
        return simple();
    }
  }

  function forLoop(): Command {
    take('for');
    skipBlank();
    const name = /^\w+/.exec(script.slice(at))?.[0] ?? '';
    at += name.length;
    skipBlank(true);
    const words: Word[] = [];
    if (keyword() === 'in') {
      at += 2;
      for (skipBlank(); !isWordEnd(); skipBlank()) words.push(word());
    }
    const body = block('do', ['done']);
    take('done');
    return { kind: 'for', name, words, body, redirects: redirects() };
  }

  function choice(): Command {
    const branches = [];
    let start = 'if';
    do {
      const condition = block(start, ['then']);
      branches.push({ condition, body: block('then', ['elif', 'else', 'fi']) });
      start = 'elif';
    } while (keyword() === 'elif');
    const otherwise = keyword() === 'else' ? block('else', ['fi']) : undefined;
    take('fi');
    return { kind: 'if', branches, otherwise, redirects: redirects() };
  }

  function simple(): Command {
    const made: Extract<Command, { kind: 'simple' }> = { kind: 'simple', assignments: [], words: [], redirects: [] };
    for (;;) {
      skipBlank();
      const more = redirects();
      made.redirects.push(...more);
      const assignment = made.words.length === 0 ? /^([A-Za-z_]\w*)=/.exec(script.slice(at, at + 200)) : null;
      if (assignment?.[1] !== undefined) {
        at += assignment[0].length;
        made.assignments.push({ name: assignment[1], value: isWordEnd() ? [] : word() });
      } else if (!isWordEnd()) made.words.push(word());
      else if (more.length === 0) break;
    }
    if (made.words.length + made.assignments.length + made.redirects.length === 0) {
      throw new ShellSyntaxError(`syntax error: unexpected "${peek()}"`);
    }
    return made;
  }

  function redirects(): Redirect[] {
    const found: Redirect[] = [];
    for (;;) {
      skipBlank();
      const match = /^(&|\d)?(>>|>&|>|<)/.exec(script.slice(at, at + 4));
      if (!match?.[2]) return found;
      at += match[0].length;
      skipBlank();
      const kinds = { '>>': 'append', '>&': 'same', '>': 'write', '<': 'read' } as const;
      const kind = kinds[match[2] as keyof typeof kinds];
      const target = word();
      if (match[1] === '&') {
        found.push({ stream: 1, kind, target }, { stream: 2, kind: 'same', target: [textPart('1', true)] });
      } else found.push({ stream: match[1] ? Number(match[1]) : kind === 'read' ? 0 : 1, kind, target });
    }
  }

  function isWordEnd(): boolean {
    return at >= script.length || /[\s;&|()<>]/.test(peek());
  }

  function word(): Word {
    const parts: Word = [];
    while (!isWordEnd()) {
      const char = peek();
      if (char === "'") {
        const end = script.indexOf("'", at + 1);
        if (end < 0) throw new ShellSyntaxError('syntax error: unterminated quoted string');
        parts.push(textPart(script.slice(at + 1, end), true));
        at = end + 1;
      } else if (char === '"') {
        at++;
        parts.push(textPart('', true));
        while (peek() !== '"') {
          if (at >= script.length) throw new ShellSyntaxError('syntax error: unterminated quoted string');
          parts.push(piece(true));
        }
        at++;
      } else parts.push(piece(false));
    }
    return parts;
  }

  function piece(quoted: boolean): Part {
    const char = peek();
    if (char === '\\') {
      const next = script[at + 1] ?? '';
      at += 2;
      const stays = quoted && !/["\\$`\n]/.test(next);
      return textPart(next === '\n' ? '' : stays ? char + next : next, true);
    }
    if (char === '`') {
      const end = script.indexOf('`', at + 1);
      const inner = script.slice(at + 1, end < 0 ? script.length : end);
      at = end < 0 ? script.length : end + 1;
      return { kind: 'command', script: parseScript(inner), quoted };
    }
    if (char === '$') return dollar(quoted);
    const run = (quoted ? /^[^"\\$`]+/ : /^[^\s;&|()<>'"\\$`]+/).exec(script.slice(at))?.[0] ?? char;
    at += run.length;
    return textPart(run, quoted);
  }

  function dollar(quoted: boolean): Part {
    if (peek(3) === '$((') {
      const end = script.indexOf('))', at);
      const text = script.slice(at + 3, end < 0 ? script.length : end);
      at = end < 0 ? script.length : end + 2;
      return { kind: 'arithmetic', text: createParser(text).allText() };
    }
    if (peek(2) === '$(') {
      at += 2;
      const inner = list([]);
      take(')');
      return { kind: 'command', script: inner, quoted };
    }
    const braced = /^\$\{(\w+|[?#@*$!])(:?-([^}]*))?\}/.exec(script.slice(at));
    if (braced?.[1] !== undefined) {
      at += braced[0].length;
      const fallback = braced[3] === undefined ? undefined : createParser(braced[3]).allText();
      return { kind: 'variable', name: braced[1], fallback, quoted };
    }
    const plain = /^\$([A-Za-z_]\w*|[0-9?#@*$!])/.exec(script.slice(at));
    if (plain?.[1] === undefined) {
      at++;
      return textPart('$', quoted);
    }
    at += plain[0].length;
    return { kind: 'variable', name: plain[1], fallback: undefined, quoted };
  }

  /** Everything as one quoted word. */
  function allText(): Word {
    const parts: Word = [];
    while (at < script.length) parts.push(piece(true));
    return parts;
  }

  return { list, allText, isAtEnd: () => at >= script.length, rest: () => script.slice(at) };
}

function textPart(text: string, quoted: boolean): Part {
  return { kind: 'text', text, quoted };
}
