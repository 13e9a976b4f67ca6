import { isKind } from '../../base/errors.ts';
import type { Options } from '../../config/options.ts';
import type { KubeClient } from '../../kube/client-types.ts';
import type { Lease, Node } from '../../kube/types.ts';
import type { Examination } from './finding.ts';
import { isByGraph, type Right, rightsOf } from './rights.ts';

/** Oldest minor version of Kubernetes whose node contract is met. */
const oldestMinor = 30;

/** The user name of a node, before its name. */
const nodeUser = 'system:node:';

interface Review {
  status?: { userInfo?: { username?: string } };
}

/** What is not tried without an API server. */
export const kubernetesChecks = ['rights', 'cluster-id', 'node', 'kubelet'].map((name) => `kubernetes.${name}`);

/** Looks at the API server: reachable, in range, every right there, the node's name free. */
export async function checkKubernetes(exam: Examination, kube: KubeClient, options: Options): Promise<void> {
  const version = await exam.check(
    'kubernetes.version',
    'GET /version',
    async () => {
      const found = await kube.get<{ gitVersion?: string; major?: string; minor?: string }>('/version', { retries: 0 });
      const minor = Number.parseInt(found.minor ?? '', 10);
      const looked = { value: minor, found: found.gitVersion ?? 'no version' };
      const own = Number(/^v1\.(\d+)\./.exec(options.kubernetesVersion)?.[1] ?? 0);
      if (minor < oldestMinor) return { ...looked, fail: `Kubernetes 1.${oldestMinor} or newer is needed` };
      return minor < own
        ? {
            ...looked,
            warn: `the node would report ${options.kubernetesVersion}, newer than the API server: set kubernetesVersion to v1.${minor}.0`,
          }
        : looked;
    },
    { unauthorized: 'see that the kubeconfig, its token or certificate is still good: kubectl get nodes' },
  );
  if (version === undefined) {
    for (const check of kubernetesChecks) exam.skip(check, 'needs the API server', 'not tried');
    return;
  }
  await checkRights(exam, kube, options);
  await exam.check(
    'kubernetes.cluster-id',
    options.clusterId ? 'option clusterId' : 'UID of namespace kube-system',
    async () => {
      if (options.clusterId) return { value: options.clusterId, found: options.clusterId };
      const found = await kube.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system');
      return { value: found.metadata.uid, found: found.metadata.uid };
    },
    { forbidden: 'allow "get" on the namespace kube-system, or set clusterId' },
  );
  await checkNode(exam, kube, options);
}

async function checkRights(exam: Examination, kube: KubeClient, options: Options): Promise<void> {
  const rights = rightsOf(options);
  await exam.check('kubernetes.rights', `${rights.length} SelfSubjectAccessReviews`, async () => {
    const user = await whoAmI(kube);
    const isNode = user?.startsWith(nodeUser) ?? false;
    if (isNode && user !== nodeUser + options.nodeName) {
      const fail = 'a node may write only its own Node: use its own identity, or that of the chart';
      return { value: rights, found: `these are credentials of ${user}`, fail };
    }
    const asked = isNode ? rights.filter((right) => !isByGraph(right)) : rights;
    const answers = await Promise.all(asked.map(async (right) => ({ right, allowed: await mayI(kube, right) })));
    const missing = answers.filter(({ allowed }) => !allowed).map(({ right }) => right);
    const byGraph = isNode ? '; what its Pods name, the Node authorizer allows when they name it' : '';
    if (missing.length === 0) return { value: missing, found: `all are there${byGraph}` };
    return {
      value: missing,
      found: `${missing.length} missing: ${missing.map(shown).join(', ')}`,
      fail: isNode
        ? 'a node may not do this: docs/install.md names the options that do without'
        : 'grant them: charts/zunlet and deploy/ have the least rights, each with its reason',
    };
  });
}

/** The user that the API server takes us for; undefined where it does not say (before Kubernetes 1.28, or not allowed). */
async function whoAmI(kube: KubeClient): Promise<string | undefined> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  try {
    const attempt = 'asking who these credentials are';
    const answer = await kube.create<Review>(path, body, { attempt, repeatable: true });
    return answer.status?.userInfo?.username;
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'forbidden')) return undefined;
    throw error;
  }
}

function shown({ verb, group, resource, subresource, namespace, name }: Right): string {
  const full = `${resource}${subresource ? `/${subresource}` : ''}${group ? `.${group}` : ''}`;
  return `${verb} ${full}${name ? ` ${name}` : ''}${namespace ? ` in ${namespace}` : ''}`;
}

async function mayI(kube: KubeClient, right: Right): Promise<boolean> {
  const { ofNode, ...attributes } = right;
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { ...attributes, ...(ofNode !== undefined && selectorOf(ofNode)) } },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const attempt = `asking whether ${shown(right)} is allowed`;
  const answer = await kube.create<{ status?: { allowed?: boolean } }>(path, body, { attempt, repeatable: true });
  return answer.status?.allowed === true;
}

/** API servers before Kubernetes 1.31 do not know it and ask about all of them. */
function selectorOf(node: string): object {
  return { fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: [node] }] } };
}

async function checkNode(exam: Examination, kube: KubeClient, options: Options): Promise<void> {
  const isWorking = await exam.check<true | undefined>('kubernetes.node', `Node ${options.nodeName}`, async () => {
    const node = await unlessMissing(kube.get<Node>(`/api/v1/nodes/${options.nodeName}`));
    if (!node) return { value: undefined, found: 'the name is free' };
    if (node.spec?.providerID && !node.spec.providerID.startsWith('zun://')) {
      return {
        value: undefined,
        found: `belongs to another machine (${node.spec.providerID})`,
        fail: 'choose another nodeName',
      };
    }
    const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${options.nodeName}`;
    const lease = await unlessMissing(kube.get<Lease>(path));
    const renewed = Date.parse(lease?.spec?.renewTime ?? '');
    const age = Math.round((Date.now() - renewed) / 1000);
    return Number.isFinite(renewed) && age < 40
      ? {
          value: true,
          found: `is ours, and its Lease was renewed ${age} s ago`,
          warn: 'another zunlet works for it right now; a second one waits until that ends',
        }
      : { value: undefined, found: 'is ours and nobody works for it' };
  });
  if (!options.kubeletApi) return;
  const tried = 'the kubelet API through the API server';
  if (!isWorking) return exam.skip('kubernetes.kubelet', tried, 'only a node that works can be reached');
  await exam.check(
    'kubernetes.kubelet',
    tried,
    async () => {
      try {
        await kube.get(`/api/v1/nodes/${options.nodeName}/proxy/pods`, { retries: 0 });
      } catch (error) {
        if (!isKind(error, 'forbidden')) throw error;
        const warn = `ask as an administrator: kubectl get --raw /api/v1/nodes/${options.nodeName}/proxy/pods`;
        return { value: undefined, found: 'these credentials may not look', warn };
      }
      return { value: undefined, found: 'is reached' };
    },
    {
      other: 'kubectl logs and exec will fail: see nodeAddresses, a firewall for the kubelet port, servingCertificate',
    },
  );
}

async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}
