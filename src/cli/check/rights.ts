import type { Options } from '../../config/options.ts';

/** One right, as SelfSubjectAccessReview takes it. */
export interface Right {
  verb: string;
  group: string;
  resource: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  /** Only of objects that this node is named in, which is all that the Node authorizer allows. */
  ofNode?: string;
}

/**
 * Every right that the node uses with these options. The chart's ClusterRole grants these and no others; a test compares
 * both with what an API server's audit log shows.
 */
export function rightsOf(
  options: Pick<
    Options,
    | 'nodeName'
    | 'kubeletApi'
    | 'insecureKubeletApi'
    | 'servingCertificate'
    | 'clusterId'
    | 'clientCaFile'
    | 'approveOwnCsr'
  >,
): Right[] {
  const node = options.nodeName;
  const leases = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease' };
  const core = (verb: string, resource: string, more: Partial<Right> = {}): Right => ({
    verb,
    group: '',
    resource,
    ...more,
  });
  const rights: Right[] = [
    core('create', 'nodes'),
    core('get', 'nodes', { name: node }),
    core('patch', 'nodes', { name: node }),
    core('patch', 'nodes', { subresource: 'status', name: node }),
    { verb: 'create', ...leases },
    { verb: 'get', ...leases, name: node },
    { verb: 'update', ...leases, name: node },
    core('get', 'pods'),
    core('list', 'pods', { ofNode: node }),
    core('watch', 'pods', { ofNode: node }),
    core('delete', 'pods'),
    core('patch', 'pods', { subresource: 'status' }),
    core('get', 'configmaps'),
    core('get', 'secrets'),
    core('list', 'services'),
    core('watch', 'services'),
    core('create', 'serviceaccounts', { subresource: 'token' }),
    core('get', 'persistentvolumeclaims'),
    core('get', 'persistentvolumes'),
    { verb: 'get', group: 'node.k8s.io', resource: 'runtimeclasses' },
    core('create', 'events'),
    core('patch', 'events'),
  ];
  if (!options.clusterId) rights.push(core('get', 'namespaces', { name: 'kube-system' }));
  if (options.kubeletApi && !options.insecureKubeletApi) {
    rights.push(
      { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' },
      { verb: 'create', group: 'authorization.k8s.io', resource: 'subjectaccessreviews' },
    );
    if (!options.clientCaFile) {
      rights.push(core('get', 'configmaps', { namespace: 'kube-system', name: 'extension-apiserver-authentication' }));
    }
  }
  if (options.kubeletApi && options.servingCertificate === 'csr') {
    const requests = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests' };
    rights.push({ verb: 'create', ...requests }, { verb: 'get', ...requests });
    if (options.approveOwnCsr) {
      rights.push(
        { verb: 'update', ...requests, subresource: 'approval' },
        { verb: 'approve', group: 'certificates.k8s.io', resource: 'signers', name: 'kubernetes.io/kubelet-serving' },
      );
    }
  }
  return rights;
}

/** Whether the Node authorizer decides about a right by the objects that Pods of the node name: it cannot be asked in advance. */
export function isByGraph({ verb, group, resource, subresource, name }: Right): boolean {
  if (group !== '' || name !== undefined) return false;
  if (resource === 'serviceaccounts') return subresource === 'token';
  return (
    verb === 'get' &&
    ['pods', 'configmaps', 'secrets', 'persistentvolumeclaims', 'persistentvolumes'].includes(resource)
  );
}
