import type { KubeObject } from './objects.ts';
import { decodeObject, type Registry } from './registry.ts';
import { resourceNamed } from './resources.ts';

const user = { name: 'system:apiserver', groups: ['system:masters'] };

/** Makes what a fresh cluster holds: the namespaces, the Service `kubernetes`, and what kubelets trust clients by. */
export function bootstrap(registry: Registry, rootCertificate: string): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    create(registry, 'namespaces', '', { metadata: { name } });
  }
  create(registry, 'services', 'default', {
    metadata: { name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }] },
  });
  create(registry, 'configmaps', 'kube-system', {
    metadata: { name: 'extension-apiserver-authentication' },
    data: { 'client-ca-file': rootCertificate },
  });
}

/** Gives a namespace what controllers give every namespace: its default service account and the cluster's root certificate. */
export function furnishNamespace(registry: Registry, namespace: string, rootCertificate: string): void {
  create(registry, 'serviceaccounts', namespace, { metadata: { name: 'default' } });
  create(registry, 'configmaps', namespace, {
    metadata: {
      name: 'kube-root-ca.crt',
      annotations: {
        'kubernetes.io/description':
          'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
      },
    },
    data: { 'ca.crt': rootCertificate },
  });
}

function create(registry: Registry, plural: string, namespace: string, body: object): KubeObject {
  const resource = resourceNamed(plural);
  // The literals above are JSON.
  return registry.create({ resource, namespace, user }, decodeObject(structuredClone(body) as KubeObject, resource));
}
