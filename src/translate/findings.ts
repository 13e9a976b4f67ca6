import type { Note, Problem } from '../base/problem.ts';
import { annotation } from './annotations.ts';
import type { Concern } from './fields.ts';
import { podReason } from './reasons.ts';

/** A field that cannot be honoured. */
interface Refusal {
  path: string;
  code: string;
  /** What is wrong and what to use instead. */
  message: string;
  concern: Concern;
  container?: string | undefined;
}

/** Gathers what is found out about one Pod while it is translated. */
export interface Findings {
  problem(problem: Problem): void;
  /** A later note on the same path and a note of the translation replace what the table said. */
  note(note: Note): void;
  /** A note that speaks for everything inside the path as well. */
  cover(note: Note): void;
  /**
   * Adds a problem, or a warning where the policy or the Pod itself accepts the loss. True when it is accepted. One problem
   * for a path is enough: the first says it.
   */
  refuse(refusal: Refusal): boolean;
  problems(): Problem[];
  notes(): Note[];
}

/** What may be left out without a refusal. */
export interface Leniency {
  unsupported: 'reject' | 'warn';
  /** From the annotation `zunlet.io/accept-unsupported`. */
  accepted: readonly string[];
}

const byAnnotation = `annotation ${annotation.accept}`;
/** How a refusal can be lifted, as the end of its sentence. */
const wayOut: Record<Concern, string> = {
  impossible: '',
  security: `; or accept it (${byAnnotation})`,
  correctness: `; or accept it (${byAnnotation})`,
  convenience: `; or have it left out (option unsupported: warn, or ${byAnnotation})`,
};

function withoutIndices(path: string): string {
  return path.replace(/\["[^"]*"\]|\[[^\]]*\]/g, '');
}

/** Tells whether an accepted field name covers a path: its words occur in the path, one after the other. */
export function isAccepted(path: string, accepted: readonly string[]): boolean {
  const words = `.${withoutIndices(path)}.`;
  return accepted.some((name) => words.includes(`.${withoutIndices(name)}.`));
}

/** Tells whether a path is another one or inside of it. */
export function isInside(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}

function isRelaxed(refusal: Refusal, leniency: Leniency): boolean {
  if (refusal.concern === 'impossible') return false;
  if (refusal.concern === 'convenience' && leniency.unsupported === 'warn') return true;
  return isAccepted(refusal.path, leniency.accepted);
}

/** Starts an empty collection. */
export function createFindings(leniency: Leniency): Findings {
  const problems: Problem[] = [];
  const notes = new Map<string, Note>();
  const findings: Findings = {
    problem: (problem) => {
      const known = problems.some((other) => other.path === problem.path && other.message === problem.message);
      if (!known) problems.push(problem);
    },
    note: (note) => {
      notes.set(note.path, note);
    },
    cover: (note) => {
      for (const path of notes.keys()) if (isInside(path, note.path)) notes.delete(path);
      notes.set(note.path, note);
    },
    refuse: (refusal) => {
      const { path, code, message, container } = refusal;
      if (problems.some((known) => known.path === path)) return false;
      if (isRelaxed(refusal, leniency)) {
        findings.cover({ path, code, message, level: 'warned' });
        return true;
      }
      findings.problem({
        path,
        code,
        message: `${message}${wayOut[refusal.concern]}`,
        heals: false,
        reason: podReason.unsupported,
        ...(container === undefined ? {} : { container }),
      });
      return false;
    },
    problems: () => problems,
    notes: () => {
      const isRefused = (path: string) => problems.some((problem) => isInside(path, problem.path));
      return [...notes.values()].filter((note) => !isRefused(note.path));
    },
  };
  return findings;
}
