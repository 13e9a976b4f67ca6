import type { TLSSocket } from 'node:tls';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { errorAnswer, queryOf, sendText } from './answers.ts';
import type { Auth } from './auth.ts';
import { type LogsHandlerOptions, serveLogs } from './logs-handler.ts';
import type { ServerMetrics } from './metrics.ts';
import { requestPath } from './request-attributes.ts';
import { addPodRoutes } from './routes-pods.ts';
import { addStatsRoutes } from './routes-stats.ts';
import type { KubeletServerOptions } from './server-options.ts';
import type { StatsCache } from './stats.ts';

/** What the routes share. */
export interface RouteTools {
  options: KubeletServerOptions;
  auth: Auth;
  metrics: ServerMetrics;
  stats: StatsCache;
  logs: LogsHandlerOptions;
}

const counted = new Set([
  'containerLogs',
  'pods',
  'runningpods',
  'stats',
  'metrics',
  'healthz',
  'configz',
  'exec',
  'attach',
  'portForward',
  'run',
]);

/**
 * Makes the routes of the kubelet's API that answer in one piece or by a long text; upgrades are apart. Every request is
 * authorised before its path means anything. Source: pkg/kubelet/server/server.go.
 */
export function createRoutes(tools: RouteTools): Express {
  const { options } = tools;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.use((request, response, next) => admit(tools, { request, response, next }));
  app.get('/containerLogs/:namespace/:pod/:container', async (request, response) => {
    await serveLogs(tools.logs, request.params, { query: queryOf(request), request, response });
  });
  addHealthRoutes(app, options);
  addPodRoutes(app, tools);
  addStatsRoutes(app, tools);
  app.get('/configz', (_request, response) => {
    response.json({ kubeletconfig: options.configz() });
  });
  app.all(['/exec/*rest', '/attach/*rest', '/portForward/*rest'], (_request, response) => {
    sendText(response, { status: 400, text: 'unable to upgrade: missing upgrade headers in request' });
  });
  app.all('/checkpoint/*rest', (_request, response) => {
    sendText(response, { status: 404, text: 'checkpointing containers is not supported' });
  });
  for (const path of readOnly) {
    app.all(path, (_request, response) => {
      sendText(response, { status: 405, text: 'method not allowed' }, { Allow: 'GET' });
    });
  }
  app.use((_request, response) => sendText(response, { status: 404, text: '404 page not found' }));
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    options.log.error('answering a request failed', { err: error });
    sendText(response, errorAnswer(error));
  });
  return app;
}

/** Paths with a GET and nothing else; registered last, so that only the wrong methods arrive there. */
const readOnly = [
  '/containerLogs/:namespace/:pod/:container',
  '/pods',
  '/runningpods/',
  '/healthz{/:check}',
  '/configz',
  '/metrics{/:kind}',
];

async function admit(
  tools: RouteTools,
  exchange: { request: Request; response: Response; next: NextFunction },
): Promise<void> {
  const { request, response, next } = exchange;
  const path = requestPath(request.url);
  const first = path?.split('/')[1] ?? '';
  const isFollow = first === 'containerLogs';
  const end = tools.metrics.begin({
    method: request.method,
    path: counted.has(first) ? first : 'other',
    longRunning: isFollow,
  });
  response.once('close', end);
  if (path === undefined) {
    sendText(response, { status: 400, text: 'malformed path' });
    return;
  }
  // The server listens on TLS only.
  const socket = request.socket as TLSSocket;
  const { authorization } = request.headers;
  const decision = await tools.auth.decide({ method: request.method, path, socket, authorization });
  if (decision.allowed) {
    next();
    return;
  }
  sendText(response, { status: decision.status, text: decision.body }, { Connection: 'close' });
}

function addHealthRoutes(app: Express, options: KubeletServerOptions): void {
  app.get('/healthz', (request, response) => {
    const checks = options.health();
    const isHealthy = checks.every((check) => check.isHealthy);
    const lines = checks.map(({ name, isHealthy: ok }) =>
      ok ? `[+]${name} ok` : `[-]${name} failed: reason withheld`,
    );
    if (isHealthy && !queryOf(request).has('verbose')) sendText(response, { status: 200, text: 'ok' });
    else {
      const text = `${lines.join('\n')}\nhealthz check ${isHealthy ? 'passed' : 'failed'}\n`;
      sendText(response, { status: isHealthy ? 200 : 500, text });
    }
  });
  app.get('/healthz/ping', (_request, response) => sendText(response, { status: 200, text: 'ok' }));
  app.get('/healthz/:check', (request, response) => {
    const check = options.health().find(({ name }) => name === request.params.check);
    if (!check) sendText(response, { status: 404, text: '404 page not found' });
    else if (check.isHealthy) sendText(response, { status: 200, text: 'ok' });
    else sendText(response, { status: 500, text: `internal server error: ${check.name} failed` });
  });
}
