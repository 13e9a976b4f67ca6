/** A piece of a word. */
export type Part =
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'variable'; name: string; fallback: Word | undefined; edit?: VariableEdit; quoted: boolean }
  | { kind: 'command'; script: List; quoted: boolean }
  | { kind: 'arithmetic'; text: Word };

/** `${#name}`, `${name#prefix}` and `${name%suffix}`; the pattern is a text. */
export type VariableEdit = { kind: 'length' } | { kind: 'prefix' | 'suffix'; pattern: Word };

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
