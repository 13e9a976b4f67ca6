import type { ByteSink } from './pipe.ts';
import type { Scope } from './scope.ts';
import type { List, VariableEdit, Word } from './shell-tree.ts';

/** What expansion needs: the variables, and somebody who runs `$(…)` with its output going to a sink. */
export interface Expansion {
  scope: Scope;
  substitute(script: List, stdout: ByteSink): Promise<void>;
}

/** Expands words to arguments. */
export async function expandAll(words: Word[], context: Expansion): Promise<string[]> {
  const found: string[] = [];
  for (const word of words) found.push(...(await expandWord(word, context)));
  return found;
}

/** Expands a word to one text, as in quotes. */
export async function expandOne(word: Word, context: Expansion): Promise<string> {
  const quoted = word.map((part) => (part.kind === 'arithmetic' ? part : { ...part, quoted: true }));
  return (await expandWord(quoted, context))[0] ?? '';
}

/** Expands a word; what is not quoted splits at blanks. */
async function expandWord(word: Word, context: Expansion): Promise<string[]> {
  const fields: string[] = [];
  let field: string | undefined;
  for (const part of word) {
    const text = await expandPart(part, context);
    const isWhole = part.kind === 'text' || part.kind === 'arithmetic' || part.quoted;
    if (isWhole) {
      field = (field ?? '') + text;
      continue;
    }
    const pieces = text.split(/[ \t\n]+/);
    for (const [index, piece] of pieces.entries()) {
      if (index > 0 && field !== undefined) {
        fields.push(field);
        field = undefined;
      }
      if (piece !== '') field = (field ?? '') + piece;
    }
  }
  if (field !== undefined) fields.push(field);
  return fields;
}

async function expandPart(part: Word[number], context: Expansion): Promise<string> {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'variable': {
      const value = variable(part.name, context.scope);
      if (part.edit) return edited(value ?? '', part.edit, context);
      if (value !== undefined && value !== '') return value;
      return part.fallback ? expandOne(part.fallback, context) : '';
    }
    case 'command': {
      const pieces: Buffer[] = [];
      await context.substitute(part.script, {
        write(bytes) {
          pieces.push(bytes);
          return Promise.resolve();
        },
      });
      return Buffer.concat(pieces).toString().replace(/\n+$/, '');
    }
    case 'arithmetic':
      return String(calculate(await expandOne(part.text, context), context.scope));
    default:
      return part satisfies never;
  }
}

async function edited(value: string, edit: VariableEdit, context: Expansion): Promise<string> {
  if (edit.kind === 'length') return String(value.length);
  const pattern = globSource(await expandOne(edit.pattern, context));
  return value.replace(new RegExp(edit.kind === 'prefix' ? `^${pattern}` : `${pattern}$`, 's'), '');
}

/** A pattern of the shell with `?` and `*`, which takes as little as it can, as a regular expression. */
function globSource(pattern: string): string {
  return pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('?', '.')
    .replaceAll('*', '.*?');
}

function variable(name: string, scope: Scope): string | undefined {
  if (/^\d+$/.test(name)) return scope.arguments[Number(name)];
  switch (name) {
    case '?':
      return String(scope.lastStatus);
    case '$':
      return '1';
    case '#':
      return String(Math.max(0, scope.arguments.length - 1));
    case '@':
    case '*':
      return scope.arguments.slice(1).join(' ');
    default:
      return scope.variables.get(name);
  }
}

/** Whole numbers with + - * / % and parentheses. */
function calculate(expression: string, scope: Scope): number {
  const tokens = expression.match(/\d+|[A-Za-z_]\w*|[-+*/%()]/g) ?? [];
  let at = 0;
  const atom = (): number => {
    const token = tokens[at++] ?? '0';
    if (token === '-') return -atom();
    if (token === '(') {
      const value = sum();
      at++;
      return value;
    }
    return Number(/^\d/.test(token) ? token : (scope.variables.get(token) ?? 0)) || 0;
  };
  const product = (): number => {
    let value = atom();
    while (/^[*/%]$/.test(tokens[at] ?? '')) {
      const operator = tokens[at++];
      const right = atom();
      value = operator === '*' ? value * right : Math.trunc(operator === '/' ? value / right : value % right);
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (/^[-+]$/.test(tokens[at] ?? '')) value = tokens[at++] === '+' ? value + product() : value - product();
    return value;
  };
  return sum();
}
