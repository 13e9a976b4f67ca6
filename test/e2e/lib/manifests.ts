import type * as k8s from '@kubernetes/client-node';
import type { Wire } from '../../../src/kube/types.ts';

type PodSpec = Wire<k8s.V1PodSpec>;
type Template = { metadata: { labels: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec };

/** What matters of a Pod in these tests; everything else is the same for all. */
export interface PodWish {
  /** Command of the only container; absent: the image's own, which never ends. */
  command?: string[];
  image?: string;
  env?: PodSpec['containers'][number]['env'];
  /** A terminal with its input open. */
  interactive?: boolean;
  /** Straight to this node, past the scheduler. */
  nodeName?: string;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  restartPolicy?: PodSpec['restartPolicy'];
  /** Anything else of the spec. */
  spec?: Partial<PodSpec>;
}

/** Annotation of Pods whose process end must be seen: only Zun's standalone containers report it. */
export const asContainer = { 'zunlet.io/backend': 'container' };

/** Makes the spec of a Pod that zunlet's node may run. */
export function podSpec(wish: PodWish = {}): PodSpec {
  return {
    containers: [
      {
        name: 'main',
        image: wish.image ?? 'nginx:1.27',
        ...(wish.command && { command: wish.command }),
        ...(wish.env && { env: wish.env }),
        ...(wish.interactive && { stdin: true, tty: true }),
        resources: { requests: { cpu: '100m', memory: '32Mi' } },
      },
    ],
    tolerations: [{ key: 'virtual-kubelet.io/provider', operator: 'Exists', effect: 'NoSchedule' }],
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(wish.restartPolicy && { restartPolicy: wish.restartPolicy }),
    ...(wish.nodeName && { nodeName: wish.nodeName }),
    ...wish.spec,
  };
}

/** Makes a Pod. */
export function pod(name: string, wish: PodWish = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: { app: name, ...wish.labels },
      ...(wish.annotations && { annotations: wish.annotations }),
    },
    spec: podSpec(wish),
  };
}

function template(app: string, wish: PodWish): Template {
  return {
    metadata: { labels: { app, ...wish.labels }, ...(wish.annotations && { annotations: wish.annotations }) },
    spec: podSpec(wish),
  };
}

/** Makes a Deployment. */
export function deployment(name: string, replicas: number, wish: PodWish = {}): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name, wish) },
  };
}

/** Makes a StatefulSet whose Pods start one after the other. */
export function statefulSet(name: string, replicas: number, wish: PodWish = {}): object {
  const selector = { matchLabels: { app: name } };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: { replicas, serviceName: name, selector, template: template(name, wish) },
  };
}

/** Makes a Job that may not fail once. */
export function job(name: string, wish: PodWish = {}): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: template(name, { restartPolicy: 'Never', ...wish }) },
  };
}
