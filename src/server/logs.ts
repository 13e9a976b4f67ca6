import { type Clock, sleep } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import {
  emptyFollow,
  type FollowState,
  type LogLine,
  newestOf,
  parseLog,
  secondOf,
  takeNewLines,
} from './log-merge.ts';
import type { LogOptions } from './log-options.ts';
import type { LogQuery } from './runtime.ts';

/** Where the lines come from: one container. */
export interface LogSource {
  fetch(query: LogQuery, signal: AbortSignal): Promise<string>;
  isRunning(signal: AbortSignal): Promise<boolean>;
}

/** Where they go. */
export interface LogSink {
  /** Called before the first byte, after the first answer of the cloud: from now on errors cannot be told. */
  begin(): void;
  /** Resolves when more may be sent. */
  write(bytes: Buffer): Promise<void>;
}

const firstPollMs = 1_000;
const slowestPollMs = 4_000;
const batchBytes = 64 * 1024;

/**
 * Sends a container's log: first what is there, then, with `follow`, what comes, until the container has ended and all
 * was sent. Zun cannot follow, so it is asked again and again, every second while lines come and at most every four.
 * Errors: those of the source, before `begin` or when they do not pass.
 */
export async function sendLogs(
  options: LogOptions,
  source: LogSource,
  rest: { sink: LogSink; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { clock, signal } = rest;
  const first = await firstLines(options, source, signal);
  rest.sink.begin();
  const out = createLineSender(options, rest.sink);
  let isOpen = await out.send(first.lines);
  if (!options.follow) return;
  let state = first.state;
  let pollMs = firstPollMs;
  let isLast = false;
  while (isOpen) {
    if (!isLast) await sleep(clock, pollMs, signal);
    const answer = await fetchPatiently(source, query(options, { sinceSeconds: state.sinceSeconds }), rest);
    if (answer === undefined) return;
    const taken = takeNewLines(state, parseLog(answer), isLast);
    state = taken.state;
    isOpen = await out.send(taken.fresh);
    if (isLast) return;
    pollMs = taken.fresh.length > 0 ? firstPollMs : Math.min(slowestPollMs, pollMs * 1.5);
    // Once more after it has ended: lines may have come between the answer and the end.
    if (taken.fresh.length === 0) isLast = !(await isRunning(source, signal));
  }
}

/** A cloud that does not answer for a while, or a container that is gone, is no reason to cut a follower off with an error. */
async function fetchPatiently(
  source: LogSource,
  question: LogQuery,
  rest: { clock: Clock; signal: AbortSignal },
): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await source.fetch(question, rest.signal);
    } catch (error) {
      if (isKind(error, 'not-found')) return undefined;
      if (!isKind(error, 'retryable') || attempt >= 10 || rest.signal.aborted) throw error;
      await sleep(rest.clock, slowestPollMs * (attempt + 1), rest.signal);
    }
  }
}

async function isRunning(source: LogSource, signal: AbortSignal): Promise<boolean> {
  try {
    return await source.isRunning(signal);
  } catch (error) {
    if (isKind(error, 'retryable')) return true;
    if (isKind(error, 'not-found')) return false;
    throw error;
  }
}

function query(options: LogOptions, part: { tail?: number | undefined; sinceSeconds: number | undefined }): LogQuery {
  return {
    stdout: options.stream !== 'Stderr',
    stderr: options.stream !== 'Stdout',
    ...(part.tail !== undefined && { tail: part.tail }),
    ...(part.sinceSeconds !== undefined && { sinceSeconds: part.sinceSeconds }),
  };
}

async function firstLines(
  options: LogOptions,
  source: LogSource,
  signal: AbortSignal,
): Promise<{ lines: LogLine[]; state: FollowState }> {
  const { tailLines, follow } = options;
  const sinceSeconds = options.since === undefined ? undefined : secondOf(options.since);
  const from = { ...emptyFollow, sinceSeconds };
  if (tailLines === 0 && !follow) return { lines: [], state: from };
  const ask = async (part: { tail?: number | undefined; sinceSeconds: number | undefined }): Promise<LogLine[]> =>
    parseLog(await source.fetch(query(options, part), signal));
  if (tailLines === undefined || !follow) {
    const lines = await ask({ tail: tailLines, sinceSeconds });
    const taken = takeNewLines(from, lines, !follow);
    return { lines: lastLines(sinceOnly(taken.fresh, options), tailLines), state: taken.state };
  }
  // The last lines, then everything of the newest one's second: only so is it known how many of that second there are.
  const tail = await ask({ tail: Math.max(1, tailLines), sinceSeconds });
  const newestKey = newestOf(tail);
  if (newestKey === undefined) return { lines: [], state: from };
  const newestSecond = secondOf(newestKey);
  const recent = await ask({ sinceSeconds: newestSecond });
  const taken = takeNewLines({ ...emptyFollow, sinceSeconds: newestSecond }, recent, false);
  const older = tail.filter((line) => secondOf(line.key) < newestSecond);
  return { lines: lastLines(sinceOnly([...older, ...taken.fresh], options), tailLines), state: taken.state };
}

function sinceOnly(lines: LogLine[], options: LogOptions): LogLine[] {
  const { since } = options;
  return since === undefined ? lines : lines.filter((line) => line.key >= since);
}

function lastLines(lines: LogLine[], count: number | undefined): LogLine[] {
  if (count === undefined) return lines;
  return count === 0 ? [] : lines.slice(-count);
}

/** Makes the last two filters: the time before each line, and the limit of bytes, which may cut a line. */
function createLineSender(options: LogOptions, sink: LogSink): { send(lines: LogLine[]): Promise<boolean> } {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const flush = async (text: string): Promise<boolean> => {
    const bytes = Buffer.from(text, 'utf8');
    if (bytes.length > 0) await sink.write(bytes.length > left ? bytes.subarray(0, left) : bytes);
    left -= bytes.length;
    return left > 0;
  };
  return {
    async send(lines) {
      let batch = '';
      for (const line of lines) {
        if (options.since !== undefined && line.key < options.since) continue;
        batch += `${options.timestamps ? `${line.key} ` : ''}${line.text}${line.isWhole ? '\n' : ''}`;
        if (batch.length < batchBytes) continue;
        if (!(await flush(batch))) return false;
        batch = '';
      }
      return flush(batch);
    },
  };
}
