import { optionValues } from './option-values.ts';
import { flag, free, list, text, texts, type Values, whole, words } from './value-types.ts';

const labels = 'Labels that your monitoring selects by.';

/**
 * Every value of the chart. values.yaml, values.schema.json and the chart's README are written from this table and from
 * the option table of the program.
 */
export const chartValues: Values = {
  nameOverride: text('', 'Replaces the name of the chart in the names of objects.'),
  fullnameOverride: text('', 'Replaces the whole name of objects.'),
  commonLabels: words({}, 'Labels of every object.'),
  image: {
    doc: 'The image of zunlet.',
    keys: {
      repository: text(
        'zunlet',
        'Registry and name. Build it from the Dockerfile of this repository and push it to yours.',
      ),
      tag: text('', 'Empty: the appVersion of the chart.'),
      digest: text('', 'Wins over the tag: sha256:….', { pattern: '^(sha256:[0-9a-f]{64})?$' }),
      pullPolicy: text('IfNotPresent', 'When the image is pulled.', { enum: ['Always', 'IfNotPresent', 'Never'] }),
      pullSecrets: list([], 'Secrets for pulling: a list of maps with a name.'),
    },
  },
  openstack: {
    doc: 'How zunlet logs in to OpenStack. One of existingSecret, cloudsYaml and extraEnvFrom is needed.',
    keys: {
      existingSecret: text(
        '',
        'Name of a Secret in the namespace of the release. All its keys become files in /etc/openstack: clouds.yaml, and where you have them secure.yaml and the CA that clouds.yaml names. A change of it takes effect at the next login, without a restart.',
      ),
      cloudsYaml: text(
        '',
        'The text of a clouds.yaml, best by --set-file openstack.cloudsYaml=clouds.yaml; a Secret is made of it. It stays in the release that Helm stores: existingSecret keeps it out.',
      ),
    },
  },
  options: {
    doc: 'The options of zunlet, by the names of its option table. zunlet run --help tells the same.',
    keys: optionValues(),
  },
  replicas: whole(
    1,
    'How many processes run for the node. One of them works, the others take over within 40 s of its death.',
    { minimum: 0, maximum: 10 },
  ),
  hostNetwork: flag(
    false,
    'Uses the network of the machine: where the API server cannot reach Pod IPs, or probes must reach a network that only machines reach.',
  ),
  dnsPolicy: text('', 'Empty: ClusterFirst, or ClusterFirstWithHostNet with hostNetwork.', {
    enum: ['', 'ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'],
  }),
  dnsConfig: free({}, 'DNS parameters of the Pod.'),
  hostAliases: list([], 'Entries for /etc/hosts, for endpoints of OpenStack without DNS.'),
  extraEnv: list([], 'Environment variables, as in a Pod: proxies, or OS_* variables from Secrets.'),
  extraEnvFrom: list([], 'Sources of environment variables, as in a Pod; an openrc as a Secret works.'),
  extraVolumes: list([], 'Volumes, as in a Pod: certificates for servingCertificate files, a CA.'),
  extraVolumeMounts: list([], 'Where they are mounted.'),
  resources: free(
    { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    'CPU and memory of the container. docs/scale.md has measured numbers.',
  ),
  podAnnotations: words({}, 'Annotations of the Pod.'),
  podLabels: words({}, 'Labels of the Pod.'),
  priorityClassName: text('system-cluster-critical', 'Without zunlet no capsule is looked after. Empty: the default.'),
  terminationGracePeriodSeconds: whole(30, 'Time for running steps to end.', { minimum: 1, maximum: 600 }),
  nodeSelector: words({ 'kubernetes.io/os': 'linux' }, 'Which machines zunlet itself runs on.'),
  tolerations: list([], 'Taints that zunlet itself tolerates.'),
  affinity: free(
    {},
    'Where zunlet itself runs. Empty: not on a virtual node, and two replicas on different machines where possible.',
  ),
  topologySpreadConstraints: list([], 'How replicas are spread.'),
  serviceAccount: {
    doc: 'The identity of zunlet in the cluster.',
    keys: {
      create: flag(true, 'Makes the ServiceAccount.'),
      name: text('', 'Its name. Empty: the full name of the release.'),
      annotations: words({}, 'Its annotations.'),
    },
  },
  rbac: {
    doc: 'The rights of the ServiceAccount: only what zunlet calls, each rule with its reason.',
    keys: {
      create: flag(true, 'Makes the roles and their bindings.'),
      namespaces: texts(
        [],
        'Namespaces whose ConfigMaps, Secrets, claims and ServiceAccount tokens may be read for Pods. Empty: all.',
      ),
      serviceAccountTokens: flag(
        true,
        'Lets zunlet make tokens of ServiceAccounts for the Pods of its node. RBAC cannot limit this to those Pods: whoever holds the identity of zunlet can become any ServiceAccount in these namespaces. Switch it off if no Pod needs a token.',
      ),
    },
  },
  runtimeClasses: {
    doc: 'RuntimeClasses: a Pod with runtimeClassName zun gets the node selector and the toleration by itself.',
    keys: {
      create: flag(true, 'Makes them. They belong to the whole cluster: only one release may.'),
      capsule: text('zun', 'Name of the RuntimeClass for capsules.'),
      container: text('zun-container', 'Name of the RuntimeClass for standalone containers.'),
    },
  },
  flowSchema: {
    doc: 'Lets the API server treat the calls of zunlet like those of a kubelet when it is busy.',
    keys: { create: flag(true, 'Makes the FlowSchemas.') },
  },
  podDisruptionBudget: {
    doc: 'Keeps one process alive when machines are drained; made only with two replicas or more.',
    keys: { create: flag(true, 'Makes it.') },
  },
  networkPolicy: {
    doc: 'Who may reach zunlet. Without hostNetwork only.',
    keys: {
      create: flag(false, 'Makes it.'),
      kubeletFrom: list([], 'Peers that may call the kubelet API, which asks everybody for credentials. Empty: all.'),
      metricsFrom: list(
        [],
        'Peers that may call the page of health and metrics, which asks nobody. Empty: none but the machine.',
      ),
      egress: list(
        [],
        'Rules for what zunlet may call: the API server, OpenStack, Pod IPs for probes, DNS. Empty: everything.',
      ),
    },
  },
  podMonitor: {
    doc: 'Lets the Prometheus operator scrape /metrics.',
    keys: {
      create: flag(false, 'Makes it; needs the CRDs of the Prometheus operator.'),
      interval: text('30s', 'Between scrapes.', { pattern: '^[0-9]+(ms|s|m)$' }),
      labels: words({}, labels),
      relabelings: list([], 'Changes of labels before the scrape.'),
      metricRelabelings: list([], 'Changes of labels after the scrape.'),
    },
  },
  prometheusRule: {
    doc: 'Alerts, from files/alerts.yaml.',
    keys: {
      create: flag(false, 'Makes it; needs the CRDs of the Prometheus operator.'),
      labels: words({}, labels),
    },
  },
  dashboard: {
    doc: 'A Grafana dashboard, from files/dashboard.json, as a ConfigMap that the sidecar of Grafana finds.',
    keys: {
      create: flag(false, 'Makes it.'),
      labels: words({ grafana_dashboard: '1' }, 'Labels that the sidecar selects by.'),
      annotations: words({}, 'Annotations, for example the folder.'),
    },
  },
  daemonSetGuard: {
    doc: 'An admission policy that keeps Pods of DaemonSets which tolerate everything away from this node.',
    keys: {
      create: flag(
        false,
        'Makes it. Without it such Pods are treated as options.daemonSetPods says. With it the DaemonSet shows an Event and counts one Pod as missing.',
      ),
      failurePolicy: text('Ignore', 'What happens when the policy itself fails.', { enum: ['Ignore', 'Fail'] }),
    },
  },
  tests: {
    doc: 'The Pod of helm test, which runs zunlet check.',
    keys: { create: flag(true, 'Makes it.') },
  },
};
