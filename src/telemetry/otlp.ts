import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';

/** A span that has ended. Ids are lower-case hex; times are ms since 1970. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** Whether it is a call to another service. */
  isClient?: boolean;
  startMs: number;
  endMs: number;
  attributes: Record<string, string | number>;
  /** What went wrong, if anything did. */
  error?: string;
}

/** Sends spans to a collector, in batches and never in the way of anything. */
export interface SpanExporter {
  add(span: Span): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

export interface ExporterOptions {
  /** URL of OTLP over HTTP, JSON encoding. */
  url: string;
  headers: Record<string, string>;
  /** Attributes of the process, such as `service.name`. */
  resource: Record<string, string>;
  clock: Clock;
  log: Log;
  send: typeof fetch;
}

const everyMs = 5000;
const timeoutMs = 5000;
const maxSpans = 2048;

/**
 * Makes an exporter. Spans that a collector does not take are lost, with one line in the log for each time that it goes away.
 * Source: OpenTelemetry Protocol 1.x, OTLP/HTTP with JSON.
 */
export function createExporter(options: ExporterOptions): SpanExporter {
  const { clock, log } = options;
  let waiting: Span[] = [];
  let sending = Promise.resolve();
  let cancel: (() => void) | undefined;
  let isAway = false;

  async function post(spans: Span[]): Promise<void> {
    try {
      const answer = await options.send(options.url, {
        method: 'POST',
        headers: { ...options.headers, 'content-type': 'application/json' },
        body: JSON.stringify(exportRequest(options.resource, spans)),
        signal: AbortSignal.timeout(timeoutMs),
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
      isAway = false;
    } catch (thrown) {
      const err = thrown instanceof Error ? thrown.message : String(thrown);
      if (!isAway) log.warn('traces not sent', { url: options.url, spans: spans.length, err });
      isAway = true;
    }
  }

  function flush(): Promise<void> {
    cancel?.();
    cancel = undefined;
    const spans = waiting;
    waiting = [];
    if (spans.length > 0) sending = sending.then(() => post(spans));
    return sending;
  }

  return {
    add(span) {
      if (waiting.length >= maxSpans) return;
      waiting.push(span);
      cancel ??= clock.after(everyMs, () => void flush());
    },
    stop: flush,
  };
}

function exportRequest(resource: Record<string, string>, spans: Span[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: pairs(resource) },
        scopeSpans: [{ scope: { name: 'zunlet' }, spans: spans.map(wire) }],
      },
    ],
  };
}

function wire(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: span.isClient ? 3 : 1,
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(span.endMs),
    attributes: pairs(span.attributes),
    status: span.error === undefined ? { code: 1 } : { code: 2, message: span.error },
  };
}

/** Whole microseconds, so that the number stays exact. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}

function pairs(attributes: Record<string, string | number>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(Math.round(value)) } : { stringValue: value },
  }));
}
