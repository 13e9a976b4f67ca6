import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Pod } from '../kube/types.ts';
import type { CallReport } from '../openstack/session.ts';
import { createExporter, type SpanExporter } from './otlp.ts';
import { hasStarted } from './pod-starts.ts';

/** Follows each Pod from its binding to its start: one trace a Pod, whose id is the Pod's UID without dashes. */
export interface Traces {
  /** Hears of a Pod as it is now. */
  seen(pod: Pod): void;
  forget(uid: string): void;
  /** Runs the worker for a Pod; OpenStack calls inside belong to the Pod's trace. */
  around<T>(uid: string, run: () => Promise<T>): Promise<T>;
  /** Hears of each OpenStack call. */
  call(report: CallReport): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

interface Trace {
  traceId: string;
  spanId: string;
  startMs: number;
  attributes: Record<string, string>;
  spans: number;
}

const maxSpansOfTrace = 128;

/**
 * Makes traces if the environment names a collector, by the variables that OpenTelemetry has for it:
 * `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`.
 * Without them there is nothing: no store, no timer, no cost.
 * Source: opentelemetry.io/docs/specs/otel/protocol/exporter.
 */
export function tracesFrom(
  env: Readonly<Record<string, string | undefined>>,
  { clock, log, node, version }: { clock: Clock; log: Log; node: string; version: string },
): Traces | undefined {
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const url = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || (base && `${base.replace(/\/+$/, '')}/v1/traces`);
  if (!url) return undefined;
  const resource = {
    'service.name': env['OTEL_SERVICE_NAME'] || 'zunlet',
    'service.version': version,
    'k8s.node.name': node,
  };
  const headers = headersOf(env['OTEL_EXPORTER_OTLP_HEADERS'] ?? '');
  return createTraces(createExporter({ url, headers, resource, clock, log, send: fetch }), clock);
}

function headersOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      return name === undefined || value === undefined ? [] : [[name, decodeURIComponent(value)]];
    }),
  );
}

/** Makes traces that end in an exporter. */
export function createTraces(exporter: SpanExporter, clock: Clock): Traces {
  const running = new AsyncLocalStorage<string>();
  const open = new Map<string, Trace>();
  /** Pods whose start is over, or was before this process. */
  const over = new Set<string>();

  function close(uid: string, trace: Trace, error?: string): void {
    open.delete(uid);
    exporter.add({ ...trace, name: 'start pod', endMs: clock.now(), ...(error !== undefined && { error }) });
  }

  return {
    seen(pod) {
      const { uid } = pod.metadata;
      if (over.has(uid)) return;
      const phase = pod.status?.phase;
      const isOver = hasStarted(pod) || phase === 'Failed' || phase === 'Succeeded';
      if (isOver) {
        over.add(uid);
        const trace = open.get(uid);
        if (trace) close(uid, trace, phase === 'Failed' ? (pod.status?.message ?? 'the Pod failed') : undefined);
      } else if (!open.has(uid)) open.set(uid, traceOf(pod, clock.now()));
    },
    forget(uid) {
      const trace = open.get(uid);
      if (trace) close(uid, trace, 'the Pod was deleted before it had started');
      over.delete(uid);
    },
    around: (uid, run) => (open.has(uid) ? running.run(uid, run) : run()),
    call({ service, operation, code, durationMs, requestId }) {
      const trace = open.get(running.getStore() ?? '');
      if (!trace || ++trace.spans > maxSpansOfTrace) return;
      const endMs = clock.now();
      const status = /^\d{3}$/.test(code) ? { 'http.response.status_code': Number(code) } : { 'error.type': code };
      exporter.add({
        traceId: trace.traceId,
        spanId: randomBytes(8).toString('hex'),
        parentSpanId: trace.spanId,
        name: `${service} ${operation}`,
        isClient: true,
        startMs: endMs - durationMs,
        endMs,
        attributes: { ...status, ...(requestId !== undefined && { 'openstack.request_id': requestId }) },
        ...(!/^[23]/.test(code) && { error: code }),
      });
    },
    async stop() {
      await exporter.stop();
    },
  };
}

/** A trace begins when the scheduler bound the Pod; where nobody says when, now. */
function traceOf({ metadata, status }: Pod, now: number): Trace {
  const bound = status?.conditions?.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime;
  const boundMs = Date.parse(String(bound));
  return {
    traceId: metadata.uid.replaceAll('-', '').toLowerCase(),
    spanId: randomBytes(8).toString('hex'),
    startMs: Number.isFinite(boundMs) ? Math.min(boundMs, now) : now,
    attributes: {
      'k8s.pod.uid': metadata.uid,
      'k8s.pod.name': metadata.name,
      'k8s.namespace.name': metadata.namespace,
    },
    spans: 0,
  };
}
