import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServingView } from './tls.ts';

/** One request to the kubelet's API. */
export interface ServedRequest {
  method: string;
  /** The first part of the path, which is one of few. */
  path: string;
  longRunning: boolean;
}

/** Counts what the server does. */
export interface ServerMetrics {
  /** Counts a request; the returned function is called at its end. */
  begin(request: ServedRequest): () => void;
  webSocket(subresource: string): void;
}

const buckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];

/**
 * Registers the server's metrics under the kubelet's names. Source: pkg/kubelet/server/metrics/metrics.go,
 * pkg/kubelet/certificate/kubelet.go.
 */
export function createServerMetrics(options: {
  registry: Registry;
  serving: () => ServingView;
  now: () => number;
  monotonic: () => number;
}): ServerMetrics {
  const registers = [options.registry];
  const labelNames = ['method', 'path', 'server_type', 'long_running'];
  const requests = new Counter({
    name: 'kubelet_http_requests_total',
    help: 'Requests to the kubelet API since the start.',
    labelNames,
    registers,
  });
  const durations = new Histogram({
    name: 'kubelet_http_requests_duration_seconds',
    help: 'Duration of requests to the kubelet API.',
    labelNames,
    buckets,
    registers,
  });
  const inflight = new Gauge({
    name: 'kubelet_http_inflight_requests',
    help: 'Requests to the kubelet API that run.',
    labelNames,
    registers,
  });
  const webSockets = new Counter({
    name: 'kubelet_websocket_streaming_requests_total',
    help: 'Streaming requests over WebSocket.',
    labelNames: ['subresource'],
    registers,
  });
  registerCertificateMetrics(options);
  return {
    begin(request) {
      const labels = {
        method: request.method,
        path: request.path,
        server_type: 'readwrite',
        long_running: String(request.longRunning),
      };
      const startMs = options.monotonic();
      requests.inc(labels);
      inflight.inc(labels);
      return () => {
        inflight.dec(labels);
        durations.observe(labels, (options.monotonic() - startMs) / 1000);
      };
    },
    webSocket: (subresource) => webSockets.inc({ subresource }),
  };
}

function registerCertificateMetrics(options: {
  registry: Registry;
  serving: () => ServingView;
  now: () => number;
}): void {
  const registers = [options.registry];
  const gauge = (name: string, help: string, read: (view: ServingView) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(options.serving()));
      },
    });
  gauge(
    'kubelet_certificate_manager_server_ttl_seconds',
    'Seconds until the serving certificate ends; negative when it has.',
    (view) => (view.notAfterMs === 0 ? Number.POSITIVE_INFINITY : (view.notAfterMs - options.now()) / 1000),
  );
  gauge('kubelet_server_expiration_renew_errors', 'Failed renewals of the serving certificate.', (v) => v.renewErrors);
  gauge('zunlet_serving_certificate_self_signed', '1 while nobody vouches for the serving certificate.', (view) =>
    view.isSelfSigned ? 1 : 0,
  );
  let observed = 0;
  new Histogram({
    name: 'kubelet_certificate_manager_server_rotation_seconds',
    help: 'Age of serving certificates when they were replaced.',
    buckets: [60, 3600, 14_400, 86_400, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000, 124_416_000],
    registers,
    collect() {
      const ages = options.serving().rotationAgesSeconds;
      for (const age of ages.slice(observed)) this.observe(age);
      observed = ages.length;
    },
  });
}
