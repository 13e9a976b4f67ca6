import type { Api } from './api.ts';

const [id, secret] = ['abcdef', '0123456789abcdef'];

/** The token that `allowBootstrap` makes. */
export const bootstrapToken = `${id}.${secret}`;

/** The Secret of the token. */
export const bootstrapSecret = `/api/v1/namespaces/kube-system/secrets/bootstrap-token-${id}`;

/** What kubeadm does: a token, and the bindings by which its holder may ask and is approved, the first time and later. */
export async function allowBootstrap(api: Api): Promise<void> {
  await api.post('/api/v1/namespaces/kube-system/secrets', {
    metadata: { name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:zun',
    },
  });
  const roles = {
    ask: ['system:node-bootstrapper', 'system:bootstrappers'],
    'approve-first': ['system:certificates.k8s.io:certificatesigningrequests:nodeclient', 'system:bootstrappers'],
    'approve-next': ['system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', 'system:nodes'],
  };
  for (const [name, [role, group]] of Object.entries(roles)) {
    await api.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
    });
  }
}
