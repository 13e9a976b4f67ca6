import { momentKey, timeKey } from './log-options.ts';

/** One line of a log as the cloud gives it. */
export interface LogLine {
  /** UTC with nine decimals, see `timeKey`. */
  key: string;
  /** The time as it was written. */
  time: string;
  /** Without its line end. */
  text: string;
  /** False for the last line when its end has not come yet. */
  isWhole: boolean;
}

/** Docker cuts lines at this many bytes and writes a time before each part. */
const partBytes = 16 * 1024;
const stampPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/;

/**
 * Splits a log with times into lines. A line without a time, which a cloud that was asked for times does not write, gets
 * the time of the one before it. Times that stand inside of long lines, where Docker cut them, are taken out.
 */
export function parseLog(text: string): LogLine[] {
  if (text === '') return [];
  const pieces = text.split('\n');
  const last = pieces.pop() ?? '';
  const lines: LogLine[] = [];
  const add = (piece: string, isWhole: boolean): void => {
    const match = stampPattern.exec(piece);
    const time = match?.[1] ?? lines.at(-1)?.time ?? '1970-01-01T00:00:00.000000000Z';
    const content = match ? piece.slice(match[0].length) : piece;
    lines.push({ key: timeKey(time) ?? time, time, text: joinParts(content), isWhole });
  };
  for (const piece of pieces) add(piece, true);
  if (last !== '') add(last, false);
  return lines;
}

function joinParts(content: string): string {
  if (content.length <= partBytes) return content;
  const bytes = Buffer.from(content, 'utf8');
  const parts: Buffer[] = [];
  let offset = 0;
  while (bytes.length - offset > partBytes) {
    parts.push(bytes.subarray(offset, offset + partBytes));
    offset += partBytes;
    const match = stampPattern.exec(bytes.toString('latin1', offset, offset + 40));
    if (match) offset += match[0].length;
  }
  parts.push(bytes.subarray(offset));
  return Buffer.concat(parts).toString('utf8');
}

/** What has been delivered of a log that grows. */
export interface FollowState {
  /** The next question: lines of this second and later; undefined asks for all. */
  sinceSeconds: number | undefined;
  /** Delivered lines by second, for that second and later. */
  counts: ReadonlyMap<number, number>;
  /** The newest time delivered. */
  newestKey: string | undefined;
}

/** Nothing delivered yet. */
export const emptyFollow: FollowState = { sinceSeconds: undefined, counts: new Map(), newestKey: undefined };

/**
 * Lines of stdout and stderr get their times before they are written one after the other, so a line can stand behind a
 * later one. The question reaches this many seconds back; a line that is later than that is lost.
 */
const reachSeconds = 2;

/**
 * Takes the answer to the state's question and says which of its lines are new. A log only grows at its end, so among
 * the lines since a fixed second those delivered before are the first ones: counting them is exact, where comparing
 * times or texts would lose or repeat lines that share both. When fewer are there than were delivered (the log was
 * rotated away) lines after the newest time count as new. Lines without an end are left for later unless `isFinal`.
 */
export function takeNewLines(
  state: FollowState,
  lines: LogLine[],
  isFinal: boolean,
): { fresh: LogLine[]; state: FollowState } {
  const whole = isFinal ? lines : lines.filter((line) => line.isWhole);
  let delivered = 0;
  for (const count of state.counts.values()) delivered += count;
  const fresh =
    whole.length >= delivered
      ? whole.slice(delivered)
      : whole.filter((line) => state.newestKey === undefined || line.key > state.newestKey);
  return { fresh, state: stateAfter(state, whole) };
}

/** Counts everything that stands in an answer as delivered, and moves the question forward. */
function stateAfter(before: FollowState, lines: LogLine[]): FollowState {
  const newestKey = newestOf(lines, before.newestKey);
  if (newestKey === undefined) return before;
  const sinceSeconds = Math.max(before.sinceSeconds ?? 0, secondOf(newestKey) - reachSeconds);
  const sinceKey = momentKey(sinceSeconds * 1000);
  const counts = new Map<number, number>();
  for (const line of lines) {
    if (line.key < sinceKey) continue;
    const second = secondOf(line.key);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return { sinceSeconds, counts, newestKey };
}

/** The newest time among lines; clouds do not write them quite in order. */
export function newestOf(lines: LogLine[], atLeast?: string): string | undefined {
  let newest = atLeast;
  for (const { key } of lines) if (newest === undefined || key > newest) newest = key;
  return newest;
}

/** Seconds since 1970. */
export function secondOf(key: string): number {
  return Math.floor(Date.parse(`${key.slice(0, 19)}Z`) / 1000);
}
