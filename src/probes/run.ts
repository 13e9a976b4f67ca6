import { type OneShotRequest, servingStatus } from '../base/one-shot.ts';
import type { Container, Pod, Probe } from '../kube/types.ts';
import type { ProbePorts } from './ports.ts';
import { httpGetRequest, ProbeError, podHost, redirected, requestUrl, resolvePort } from './target.ts';

/** What one run of a probe found. A warning counts as success. */
export interface ProbeOutcome {
  result: 'success' | 'warning' | 'failure';
  output: string;
}

const userAgent = 'kube-probe/1.37';
const maxRedirects = 10;
const grpcUnimplemented = 12;
const grpcDeadlineExceeded = 4;

/** Where a probe is run. */
export interface ProbeTarget {
  pod: Pod;
  container: Container;
  probe: Probe;
  timeoutMs: number;
  /** Monotonic milliseconds. */
  monotonic: () => number;
}

/**
 * GETs and follows redirects on the same host, all within the one time limit.
 * Source: Kubernetes pkg/probe/http/http.go.
 */
async function runHttp(
  ports: ProbePorts,
  target: ProbeTarget,
  httpGet: NonNullable<Probe['httpGet']>,
): Promise<ProbeOutcome> {
  const deadline = target.monotonic() + target.timeoutMs;
  let request: OneShotRequest = httpGetRequest(target.pod, target.container, httpGet, userAgent, target.timeoutMs);
  for (let hop = 0; hop < maxRedirects; hop += 1) {
    const answer = await ports.get(request);
    if (answer.kind === 'failed')
      return { result: 'failure', output: `Get "${requestUrl(request)}": ${answer.message}` };
    const { status, location, body } = answer;
    const isRedirect = status >= 300 && status < 400;
    const next = isRedirect && location !== undefined ? redirected(request, location) : undefined;
    if (next) {
      request = { ...next, timeoutMs: Math.max(1, deadline - target.monotonic()) };
      continue;
    }
    if (isRedirect) return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
    if (status >= 200 && status < 300) return { result: 'success', output: body };
    return { result: 'failure', output: `HTTP probe failed with statuscode: ${status}` };
  }
  return { result: 'failure', output: `Get "${requestUrl(request)}": stopped after ${maxRedirects} redirects` };
}

async function runTcp(
  ports: ProbePorts,
  target: ProbeTarget,
  tcp: NonNullable<Probe['tcpSocket']>,
): Promise<ProbeOutcome> {
  const port = resolvePort(tcp.port, target.container);
  const failure = await ports.dial(podHost(target.pod, tcp.host || undefined), port, target.timeoutMs);
  return failure === undefined ? { result: 'success', output: '' } : { result: 'failure', output: failure };
}

/** Source: Kubernetes pkg/probe/grpc/grpc.go. */
async function runGrpc(
  ports: ProbePorts,
  target: ProbeTarget,
  grpc: NonNullable<Probe['grpc']>,
): Promise<ProbeOutcome> {
  const host = podHost(target.pod, undefined);
  const { timeoutMs } = target;
  const answer = await ports.health({ host, port: grpc.port, service: grpc.service ?? '', userAgent, timeoutMs });
  const failure = (output: string): ProbeOutcome => ({ result: 'failure', output });
  const late = `timeout: health rpc did not complete within ${timeoutMs / 1000}s`;
  if (answer.kind === 'timeout') return failure(late);
  if (answer.kind === 'failed')
    return failure(`error: failed to connect service "${host}:${grpc.port}": ${answer.message}`);
  if (answer.grpcStatus === grpcUnimplemented) {
    return failure(
      `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${answer.grpcMessage}`,
    );
  }
  if (answer.grpcStatus === grpcDeadlineExceeded) return failure(late);
  if (answer.grpcStatus !== 0) return failure(`error: health rpc probe failed: ${answer.grpcMessage}`);
  const word = servingStatus[answer.serving ?? 0] ?? String(answer.serving);
  if (word === 'SERVING') return { result: 'success', output: 'service healthy' };
  return failure(`service unhealthy (responded with "${word}")`);
}

async function runExec(ports: ProbePorts, target: ProbeTarget, command: string[]): Promise<ProbeOutcome> {
  if (!ports.exec) throw new ProbeError('commands cannot be run on this node');
  const { exitCode, output } = await ports.exec.run(target.pod, target.container.name, command, target.timeoutMs);
  return { result: exitCode === 0 ? 'success' : 'failure', output };
}

/** Tells whether a probe can be run at all: a command needs a backend that runs commands. */
export function isRunnable(ports: ProbePorts, pod: Pod, probe: Probe): boolean {
  if (probe.exec) return ports.exec?.supports(pod) ?? false;
  return Boolean(probe.httpGet ?? probe.tcpSocket ?? probe.grpc);
}

/** Runs a probe once. Rejects when it could not be run; that says nothing about the container. */
export async function runProbe(ports: ProbePorts, target: ProbeTarget): Promise<ProbeOutcome> {
  const { httpGet, tcpSocket, grpc, exec } = target.probe;
  if (exec) return runExec(ports, target, exec.command ?? []);
  if (httpGet) return runHttp(ports, target, httpGet);
  if (tcpSocket) return runTcp(ports, target, tcpSocket);
  if (grpc) return runGrpc(ports, target, grpc);
  throw new ProbeError('missing probe handler');
}
