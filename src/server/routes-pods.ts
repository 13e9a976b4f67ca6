import type { Express } from 'express';
import type { Pod } from '../kube/types.ts';
import { queryOf, sendText } from './answers.ts';
import { isRefusal } from './log-options.ts';
import { execTarget, findPod, type PodSources } from './pod-container.ts';
import type { RouteTools } from './routes.ts';

const runMs = 30_000;

/** Adds `/pods`, `/runningpods/` and `/run`. Source: pkg/kubelet/server/server.go. */
export function addPodRoutes(app: Express, tools: RouteTools): void {
  const { options } = tools;
  app.get('/pods', (_request, response) => {
    response.json(podList(options.sources.pods.all()));
  });
  app.get('/runningpods/', (_request, response) => {
    response.json(podList(options.sources.pods.all().flatMap((pod) => runningPod(options.sources, pod))));
  });
  app.post(['/run/:namespace/:pod/:container', '/run/:namespace/:pod/:uid/:container'], async (request, response) => {
    if (!options.enableRun) {
      sendText(response, { status: 405, text: 'Debug endpoints are disabled.' });
      return;
    }
    const {
      namespace = '',
      pod: name = '',
      container = '',
      uid,
    } = request.params as Record<string, string | undefined>;
    const pod = findPod(options.sources, { namespace, pod: name, uid }, 'pod does not exist');
    const target = isRefusal(pod) ? pod : execTarget(options.sources, pod, container);
    if (isRefusal(target)) {
      sendText(response, target);
      return;
    }
    const signal = AbortSignal.timeout(runMs);
    await options.runtime.ensureServed(target, signal);
    const command = (queryOf(request).get('cmd') ?? '').split(' ');
    const { output } = await options.runtime.execute(target, command, signal);
    response.type('text/plain').send(output);
  });
}

function podList(items: object[]): object {
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
}

/** A Pod as the runtime knows it: no status, no more than names. */
function runningPod(sources: PodSources, pod: Pod): object[] {
  const capsule = sources.capsules.ofPod(pod.metadata.uid).find(({ status }) => status === 'Running');
  if (!capsule) return [];
  const { name, namespace, uid } = pod.metadata;
  const members = [...sources.members(pod, capsule)].filter(([, member]) => member.status === 'Running');
  const containers = members.map(([container, member]) => ({
    name: container,
    image: member.image ?? '',
    resources: {},
  }));
  return [{ metadata: { name, namespace, uid, creationTimestamp: null }, spec: { containers }, status: {} }];
}
