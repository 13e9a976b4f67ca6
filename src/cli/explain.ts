import type { Note, Problem } from '../base/problem.ts';
import type { Translation } from '../translate/types.ts';
import { wrap } from './option-flags.ts';

const order = ['refused', 'waiting', 'warned', 'defaulted', 'ignored', 'mapped'] as const;
type Word = (typeof order)[number];

/** One field and what became of it. */
export interface Explanation {
  field: string;
  word: Word;
  text: string;
}

function ofProblem({ path, message, heals }: Problem): Explanation {
  return { field: path, word: heals ? 'waiting' : 'refused', text: message };
}

function ofNote({ path, message, level }: Note): Explanation {
  return { field: path, word: level, text: message };
}

/** Names every field that is present in a Pod and what became of it; what needs attention first. */
export function explanations({ problems, notes }: Translation): Explanation[] {
  const all = [...problems.map(ofProblem), ...notes.map(ofNote)];
  return order.flatMap((word) => all.filter((explanation) => explanation.word === word));
}

/** Writes explanations as a table for people. */
export function explanationTable(rows: Explanation[]): string {
  return rows
    .map(({ field, word, text }) => {
      const [first = '', ...rest] = wrap(text, 100);
      return [`${word.padEnd(10)}${field}`, `          ${first}`, ...rest.map((line) => `          ${line}`)].join(
        '\n',
      );
    })
    .join('\n');
}
