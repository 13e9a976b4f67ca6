import type { Express, Request, Response } from 'express';
import { queryOf } from './answers.ts';
import { cadvisorMetrics } from './cadvisor-metrics.ts';
import { resourceMetrics } from './resource-metrics.ts';
import type { RouteTools } from './routes.ts';
import { jsonText, statsSummary } from './summary.ts';

const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';

/** Adds `/stats/summary` and `/metrics`. Measurements come from memory, never from a call to the cloud. */
export function addStatsRoutes(app: Express, tools: RouteTools): void {
  const { options, stats } = tools;
  const startedMs = options.clock.now();
  const summary = async (request: Request, response: Response): Promise<void> => {
    const only = queryOf(request).get('only_cpu_and_memory') === 'true';
    const node = { name: options.node, startedMs };
    response.type('application/json').send(jsonText(statsSummary(await stats.read(), node, only)));
  };
  app.get(['/stats/summary', '/stats/summary/'], summary);
  app.post(['/stats/summary', '/stats/summary/'], summary);
  const sendMetrics = (response: Response, text: string): void => {
    response.setHeader('Content-Type', prometheusType);
    response.end(text);
  };
  app.get('/metrics', async (_request, response) => {
    sendMetrics(response, await options.registry.metrics());
  });
  app.get('/metrics/probes', async (_request, response) => {
    sendMetrics(response, await options.probeRegistry.metrics());
  });
  app.get('/metrics/resource', async (_request, response) => {
    sendMetrics(response, resourceMetrics(await stats.read()));
  });
  app.get('/metrics/cadvisor', async (_request, response) => {
    sendMetrics(response, cadvisorMetrics(await stats.read(), options.machine()));
  });
}
