import { isKind, toAppError } from '../../base/errors.ts';

/** One line of the doctor. */
export interface Finding {
  /** Stable dotted name, also in docs/troubleshooting.md. */
  check: string;
  result: 'pass' | 'warn' | 'fail' | 'skip';
  /** What was tried. */
  tried: string;
  /** What came back. */
  found: string;
  /** What to do; only where there is something to do. */
  cure?: string;
}

/** Collects findings and shows each as it comes. */
export interface Examination {
  /** Runs one check; whatever it throws is a failure with its message. Answers the value, undefined after a failure. */
  check<T>(check: string, tried: string, look: () => Promise<Looked<T>>, cures?: Cures): Promise<T | undefined>;
  skip(check: string, tried: string, why: string): void;
  findings: readonly Finding[];
}

/** What a look brought: a value, how it is told, and whether it is only half well. */
export interface Looked<T> {
  value: T;
  found: string;
  warn?: string;
  /** Not well although nothing was thrown: what to do. */
  fail?: string;
}

/** What to do about an error, by its code or its kind; `other` for the rest. */
export type Cures = Record<string, string>;

/** Makes an examination; `show` gets each finding at once. */
export function createExamination(show: (finding: Finding) => void): Examination {
  const findings: Finding[] = [];
  const add = (finding: Finding) => {
    findings.push(finding);
    show(finding);
  };
  return {
    findings,
    async check(check, tried, look, cures = {}) {
      try {
        const { value, found, warn, fail } = await look();
        const cure = fail ?? warn;
        add({ check, tried, found, result: fail ? 'fail' : warn ? 'warn' : 'pass', ...(cure && { cure }) });
        return fail ? undefined : value;
      } catch (thrown) {
        const error = toAppError(thrown);
        const cure = cures[error.code] ?? cures[error.kind] ?? cures['other'] ?? generalCure(thrown);
        add({ check, tried, found: error.message, result: 'fail', ...(cure && { cure }) });
        return undefined;
      }
    },
    skip(check, tried, why) {
      add({ check, tried, found: why, result: 'skip' });
    },
  };
}

function generalCure(thrown: unknown): string | undefined {
  if (isKind(thrown, 'retryable'))
    return 'see that the service runs and that this machine reaches it (DNS, firewall, proxy, CA)';
  if (isKind(thrown, 'unauthorized')) return 'renew the credentials';
  if (isKind(thrown, 'forbidden')) return 'ask for the right that the message names';
  return undefined;
}

/** Writes a finding as the doctor's line. */
export function findingLine({ check, result, tried, found, cure }: Finding, paint: (word: string) => string): string {
  const word = { pass: 'ok', warn: 'warn', fail: 'FAIL', skip: 'skip' }[result];
  const head = `${paint(word.padEnd(5))} ${check.padEnd(26)} ${tried}: ${found}\n`;
  return cure === undefined ? head : `${head}${' '.repeat(33)}→ ${cure}\n`;
}
