import { ShellSyntaxError } from './shell-syntax.ts';

/** Splits a command line as Python's `shlex` does: quotes and backslashes, nothing else. Errors: `ShellSyntaxError`. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? '';
    if (quote === "'") {
      if (char === "'") quote = '';
      else word = (word ?? '') + char;
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else if (char === '\\' && /["\\]/.test(line[at + 1] ?? '')) word = (word ?? '') + (line[++at] ?? '');
      else word = (word ?? '') + char;
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word ??= '';
      if (char === '"' || char === "'") quote = char;
      else if (char === '\\') word += line[++at] ?? '';
      else word += char;
    }
  }
  if (quote !== '') throw new ShellSyntaxError('No closing quotation');
  if (word !== undefined) words.push(word);
  return words;
}
