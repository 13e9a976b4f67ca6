/** What Zun's `status_detail` says, with the bounds of the age it names: the truth lies in [ageMs, ageMs + unitMs). */
export type StatusDetail =
  | { kind: 'exited'; exitCode: number; withError: boolean; ageMs: number; unitMs: number }
  | { kind: 'up'; ageMs: number; unitMs: number };

const unitMs: Record<string, number> = { day: 86_400_000, hour: 3_600_000, min: 60_000, second: 1_000 };

/** Reads an age: `3 seconds`, `5 mins`, `2 hours`, `9 days`, or `None` for less than a second. */
function parseAge(age: string): { ageMs: number; unitMs: number } | undefined {
  if (age === 'None') return { ageMs: 0, unitMs: 1_000 };
  const match = /^(\d+) (day|hour|min|second)s?$/.exec(age);
  const unit = unitMs[match?.[2] ?? ''];
  if (!match || unit === undefined) return undefined;
  return { ageMs: Number(match[1]) * unit, unitMs: unit };
}

/**
 * Reads the exits and ages in Zun's `status_detail`. Undefined for words that say no more than the status itself.
 * Source: zun/container/docker/driver.py (`_populate_container_state`).
 */
export function parseStatusDetail(detail: string | null | undefined): StatusDetail | undefined {
  const text = detail?.trim();
  if (!text) return undefined;
  const exited = /^Exited\((-?\d+)\) (.*?) ago ?(\(error\))?$/.exec(text);
  if (exited) {
    const age = parseAge(exited[2] ?? '') ?? { ageMs: 0, unitMs: 1_000 };
    return { kind: 'exited', exitCode: Number(exited[1]), withError: exited[3] !== undefined, ...age };
  }
  const up = /^Up (.*?)(?: \(paused\))?$/.exec(text);
  const age = up ? parseAge(up[1] ?? '') : undefined;
  return age ? { kind: 'up', ...age } : undefined;
}
