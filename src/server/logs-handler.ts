import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { errorAnswer, sendText } from './answers.ts';
import type { LogArchive } from './log-archive.ts';
import { parseLog } from './log-merge.ts';
import { isRefusal, type LogOptions, logOptions, momentKey, type Refusal, timeKey } from './log-options.ts';
import { type LogSource, sendLogs } from './logs.ts';
import { containerSpecs, findPod, type LogTarget, logTarget, type PodSources } from './pod-container.ts';
import type { ContainerRuntime } from './runtime.ts';
import { writeAll } from './terminal-copy.ts';

export interface LogsHandlerOptions {
  sources: PodSources;
  runtime: ContainerRuntime;
  archive: LogArchive;
  clock: Clock;
  log: Log;
  stopping: AbortSignal;
}

/** The parts of a path `/containerLogs/<namespace>/<pod>/<container>`. */
export interface LogPath {
  namespace: string;
  pod: string;
  container: string;
}

/** Answers a log request. Source: pkg/kubelet/server/server.go (getContainerLogs). */
export async function serveLogs(
  handler: LogsHandlerOptions,
  path: LogPath,
  exchange: { query: URLSearchParams; request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { response } = exchange;
  const options = logOptions(exchange.query, handler.clock.now());
  const found = isRefusal(options) ? options : findLog(handler, path, options.previous);
  if (isRefusal(options) || isRefusal(found)) {
    sendText(response, isRefusal(options) ? options : isRefusal(found) ? found : errorAnswer(undefined));
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort(new Error('the client has gone')));
  const signal = AbortSignal.any([gone.signal, handler.stopping]);
  const sink = {
    begin(): void {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'X-Content-Type-Options': 'nosniff' });
      response.flushHeaders();
    },
    write: (bytes: Buffer) => writeAll(response, bytes),
  };
  const rest = { sink, clock: handler.clock, signal };
  const effective: LogOptions = found.hasEnded ? { ...options, follow: false } : options;
  try {
    await handler.runtime.ensureServed(found.target, signal);
    await sendLogs(effective, logSource(handler.runtime, found), rest).catch((error: unknown) => {
      const text = isKind(error, 'not-found') ? handler.archive.read(found.target.container) : undefined;
      if (text === undefined || response.headersSent) throw error;
      return sendLogs({ ...options, follow: false }, keptSource(text, found), rest);
    });
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    handler.log.info('sending logs failed', { ...path, err: error });
    const isGone = isKind(error, 'not-found');
    const subject = `container "${path.container}" in pod "${path.pod}"`;
    sendText(response, isGone ? { status: 400, text: `${subject} is terminated` } : errorAnswer(error));
  }
}

function findLog(handler: LogsHandlerOptions, path: LogPath, previous: boolean): LogTarget | Refusal {
  const pod = findPod(handler.sources, path, `pod "${path.pod}" does not exist`);
  if (isRefusal(pod)) return pod;
  if (!containerSpecs(pod).some((container) => container.name === path.container)) {
    return { status: 404, text: `container "${path.container}" not found in pod "${path.pod}"` };
  }
  return logTarget(handler.sources, pod, { name: path.container, previous });
}

function logSource(runtime: ContainerRuntime, found: LogTarget): LogSource {
  const { target, endedAt } = found;
  return {
    async fetch({ tail, ...query }, signal) {
      if (endedAt === undefined) return runtime.logs(target, { ...query, ...(tail !== undefined && { tail }) }, signal);
      // Runs of one container share one log; the end of the earlier run is known to the second.
      return linesUntil(await runtime.logs(target, query, signal), endedAt);
    },
    isRunning: (signal) => runtime.isRunning(target, signal),
  };
}

function keptSource(text: string, found: LogTarget): LogSource {
  const whole = found.endedAt === undefined ? text : linesUntil(text, found.endedAt);
  return { fetch: () => Promise.resolve(whole), isRunning: () => Promise.resolve(false) };
}

function linesUntil(text: string, endedAt: string): string {
  const ms = Date.parse(timeKey(endedAt) ?? endedAt);
  const limit = momentKey((Number.isNaN(ms) ? 0 : ms) + 1000);
  return parseLog(text)
    .filter((line) => line.key < limit)
    .map((line) => `${line.time} ${line.text}${line.isWhole ? '\n' : ''}`)
    .join('');
}
