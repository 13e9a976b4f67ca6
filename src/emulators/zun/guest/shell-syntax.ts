import type { Command, List, Part, Pipeline, Redirect, Word } from './shell-tree.ts';

/** Thrown for a script that the shell does not understand. */
export class ShellSyntaxError extends Error {}

/** Where the parser is. */
interface Cursor {
  script: string;
  at: number;
}

/** Parses a script of the small shell. Errors: `ShellSyntaxError`. */
export function parseScript(script: string): List {
  const cursor: Cursor = { script, at: 0 };
  const list = readList(cursor, []);
  if (cursor.at < script.length) throw new ShellSyntaxError(`syntax error: unexpected "${rest(cursor).slice(0, 10)}"`);
  return list;
}

const closers = ['do', 'done', 'then', 'elif', 'else', 'fi', '}'];

function rest(cursor: Cursor): string {
  return cursor.script.slice(cursor.at);
}

function peek(cursor: Cursor, length = 1): string {
  return cursor.script.slice(cursor.at, cursor.at + length);
}

function isAtEnd(cursor: Cursor): boolean {
  return cursor.at >= cursor.script.length;
}

/** Skips blanks and comments; with `newlines` also what separates commands. */
function skipBlank(cursor: Cursor, newlines = false): void {
  for (;;) {
    const char = peek(cursor);
    if (peek(cursor, 2) === '\\\n') cursor.at += 2;
    else if (char === ' ' || char === '\t' || (newlines && (char === '\n' || char === ';'))) cursor.at++;
    else if (char === '#') while (!isAtEnd(cursor) && peek(cursor) !== '\n') cursor.at++;
    else return;
  }
}

function keyword(cursor: Cursor): string {
  return /^(?:[a-z]+|[!{}])(?=[\s;&|()]|$)/.exec(rest(cursor))?.[0] ?? '';
}

function take(cursor: Cursor, text: string): void {
  skipBlank(cursor, true);
  if (!cursor.script.startsWith(text, cursor.at)) throw new ShellSyntaxError(`syntax error: expected "${text}"`);
  cursor.at += text.length;
}

function readList(cursor: Cursor, ends: string[]): List {
  const items: List = [];
  for (;;) {
    skipBlank(cursor, true);
    const word = keyword(cursor);
    if (isAtEnd(cursor) || peek(cursor) === ')' || ends.includes(word)) return items;
    if (closers.includes(word)) throw new ShellSyntaxError(`syntax error: unexpected "${word}"`);
    const pipeline = readPipeline(cursor);
    skipBlank(cursor);
    const two = peek(cursor, 2);
    const then = two === '&&' || two === '||' ? two : peek(cursor) === '&' ? '&' : ';';
    if (then !== ';') {
      cursor.at += then.length;
      if (then !== '&') skipBlank(cursor, true);
    }
    items.push({ pipeline, then });
  }
}

function readPipeline(cursor: Cursor): Pipeline {
  const isNegated = keyword(cursor) === '!';
  if (isNegated) {
    cursor.at++;
    skipBlank(cursor);
  }
  const commands = [readCommand(cursor)];
  for (;;) {
    skipBlank(cursor);
    if (peek(cursor) !== '|' || peek(cursor, 2) === '||') return { commands, isNegated };
    cursor.at++;
    skipBlank(cursor, true);
    commands.push(readCommand(cursor));
  }
}

/** Reads from a keyword to one of those that end its part. */
function readBlock(cursor: Cursor, start: string, ends: string[]): List {
  take(cursor, start);
  return readList(cursor, ends);
}

function readCommand(cursor: Cursor): Command {
  skipBlank(cursor);
  if (peek(cursor) === '(') {
    cursor.at++;
    const body = readList(cursor, []);
    take(cursor, ')');
    return { kind: 'group', body, isSubshell: true, redirects: readRedirects(cursor) };
  }
  switch (keyword(cursor)) {
    case '{': {
      const body = readBlock(cursor, '{', ['}']);
      take(cursor, '}');
      return { kind: 'group', body, isSubshell: false, redirects: readRedirects(cursor) };
    }
    case 'while':
    case 'until': {
      const until = keyword(cursor) === 'until';
      const condition = readBlock(cursor, until ? 'until' : 'while', ['do']);
      const body = readBlock(cursor, 'do', ['done']);
      take(cursor, 'done');
      return { kind: 'loop', until, condition, body, redirects: readRedirects(cursor) };
    }
    case 'for':
      return readFor(cursor);
    case 'if':
      return readChoice(cursor);
    default:
      return readSimple(cursor);
  }
}

function readFor(cursor: Cursor): Command {
  take(cursor, 'for');
  skipBlank(cursor);
  const name = /^\w+/.exec(rest(cursor))?.[0] ?? '';
  cursor.at += name.length;
  skipBlank(cursor, true);
  const words: Word[] = [];
  if (keyword(cursor) === 'in') {
    cursor.at += 2;
    for (skipBlank(cursor); !isWordEnd(cursor); skipBlank(cursor)) words.push(readWord(cursor));
  }
  const body = readBlock(cursor, 'do', ['done']);
  take(cursor, 'done');
  return { kind: 'for', name, words, body, redirects: readRedirects(cursor) };
}

function readChoice(cursor: Cursor): Command {
  const branches = [];
  let start = 'if';
  do {
    const condition = readBlock(cursor, start, ['then']);
    branches.push({ condition, body: readBlock(cursor, 'then', ['elif', 'else', 'fi']) });
    start = 'elif';
  } while (keyword(cursor) === 'elif');
  const otherwise = keyword(cursor) === 'else' ? readBlock(cursor, 'else', ['fi']) : undefined;
  take(cursor, 'fi');
  return { kind: 'if', branches, otherwise, redirects: readRedirects(cursor) };
}

function readSimple(cursor: Cursor): Command {
  const made: Extract<Command, { kind: 'simple' }> = { kind: 'simple', assignments: [], words: [], redirects: [] };
  for (;;) {
    skipBlank(cursor);
    const more = readRedirects(cursor);
    made.redirects.push(...more);
    const assignment = made.words.length === 0 ? /^([A-Za-z_]\w*)=/.exec(rest(cursor).slice(0, 200)) : null;
    if (assignment?.[1] !== undefined) {
      cursor.at += assignment[0].length;
      made.assignments.push({ name: assignment[1], value: isWordEnd(cursor) ? [] : readWord(cursor) });
    } else if (!isWordEnd(cursor)) made.words.push(readWord(cursor));
    else if (more.length === 0) break;
  }
  if (made.words.length + made.assignments.length + made.redirects.length === 0) {
    throw new ShellSyntaxError(`syntax error: unexpected "${peek(cursor)}"`);
  }
  return made;
}

function readRedirects(cursor: Cursor): Redirect[] {
  const found: Redirect[] = [];
  for (;;) {
    skipBlank(cursor);
    const match = /^(&|\d)?(>>|>&|>|<)/.exec(rest(cursor).slice(0, 4));
    if (!match?.[2]) return found;
    cursor.at += match[0].length;
    skipBlank(cursor);
    const kinds = { '>>': 'append', '>&': 'same', '>': 'write', '<': 'read' } as const;
    const kind = kinds[match[2] as keyof typeof kinds];
    const target = readWord(cursor);
    if (match[1] === '&') {
      found.push({ stream: 1, kind, target }, { stream: 2, kind: 'same', target: [textPart('1', true)] });
    } else found.push({ stream: match[1] ? Number(match[1]) : kind === 'read' ? 0 : 1, kind, target });
  }
}

function isWordEnd(cursor: Cursor): boolean {
  return isAtEnd(cursor) || /[\s;&|()<>]/.test(peek(cursor));
}

function readWord(cursor: Cursor): Word {
  const parts: Word = [];
  while (!isWordEnd(cursor)) {
    const char = peek(cursor);
    if (char === "'") {
      const end = cursor.script.indexOf("'", cursor.at + 1);
      if (end < 0) throw new ShellSyntaxError('syntax error: unterminated quoted string');
      parts.push(textPart(cursor.script.slice(cursor.at + 1, end), true));
      cursor.at = end + 1;
    } else if (char === '"') {
      cursor.at++;
      parts.push(textPart('', true));
      while (peek(cursor) !== '"') {
        if (isAtEnd(cursor)) throw new ShellSyntaxError('syntax error: unterminated quoted string');
        parts.push(readPart(cursor, true));
      }
      cursor.at++;
    } else parts.push(readPart(cursor, false));
  }
  return parts;
}

function readPart(cursor: Cursor, quoted: boolean): Part {
  const char = peek(cursor);
  if (char === '\\') {
    const next = cursor.script[cursor.at + 1] ?? '';
    cursor.at += 2;
    const stays = quoted && !/["\\$`\n]/.test(next);
    return textPart(next === '\n' ? '' : stays ? char + next : next, true);
  }
  if (char === '`') {
    const inner = takeUntil(cursor, 1, '`');
    return { kind: 'command', script: parseScript(inner), quoted };
  }
  if (char === '$') return readDollar(cursor, quoted);
  const run = (quoted ? /^[^"\\$`]+/ : /^[^\s;&|()<>'"\\$`]+/).exec(rest(cursor))?.[0] ?? char;
  cursor.at += run.length;
  return textPart(run, quoted);
}

/** Takes what stands behind `skip` characters up to an end mark, and the mark. */
function takeUntil(cursor: Cursor, skip: number, mark: string): string {
  const found = cursor.script.indexOf(mark, cursor.at + skip);
  const end = found < 0 ? cursor.script.length : found;
  const text = cursor.script.slice(cursor.at + skip, end);
  cursor.at = Math.min(cursor.script.length, end + mark.length);
  return text;
}

function readDollar(cursor: Cursor, quoted: boolean): Part {
  if (peek(cursor, 3) === '$((') return { kind: 'arithmetic', text: wholeText(takeUntil(cursor, 3, '))')) };
  if (peek(cursor, 2) === '$(') {
    cursor.at += 2;
    const script = readList(cursor, []);
    take(cursor, ')');
    return { kind: 'command', script, quoted };
  }
  const braced = /^\$\{(\w+|[?#@*$!])(:?-([^}]*))?\}/.exec(rest(cursor));
  if (braced?.[1] !== undefined) {
    cursor.at += braced[0].length;
    const fallback = braced[3] === undefined ? undefined : wholeText(braced[3]);
    return { kind: 'variable', name: braced[1], fallback, quoted };
  }
  const edited = readEdited(cursor, quoted);
  if (edited) return edited;
  const plain = /^\$([A-Za-z_]\w*|[0-9?#@*$!])/.exec(rest(cursor));
  if (plain?.[1] === undefined) {
    cursor.at++;
    return textPart('$', quoted);
  }
  cursor.at += plain[0].length;
  return { kind: 'variable', name: plain[1], fallback: undefined, quoted };
}

function readEdited(cursor: Cursor, quoted: boolean): Part | undefined {
  const counted = /^\$\{#(\w+)\}/.exec(rest(cursor));
  if (counted?.[1] !== undefined) {
    cursor.at += counted[0].length;
    return { kind: 'variable', name: counted[1], fallback: undefined, edit: { kind: 'length' }, quoted };
  }
  const cut = /^\$\{(\w+)(##?|%%?)/.exec(rest(cursor));
  if (cut?.[1] === undefined) return undefined;
  cursor.at += cut[0].length;
  const pattern = wholeText(takeUntil(cursor, 0, '}').replace(/^"(.*)"$/s, '$1'));
  const kind = cut[2]?.startsWith('#') ? 'prefix' : 'suffix';
  return { kind: 'variable', name: cut[1], fallback: undefined, edit: { kind, pattern }, quoted };
}

/** Reads a text as one quoted word. */
function wholeText(text: string): Word {
  const cursor: Cursor = { script: text, at: 0 };
  const parts: Word = [];
  while (!isAtEnd(cursor)) parts.push(readPart(cursor, true));
  return parts;
}

function textPart(text: string, quoted: boolean): Part {
  return { kind: 'text', text, quoted };
}
