import type { Container, EphemeralContainer, PodSpec } from '../kube/types.ts';
import {
  defaulted,
  type FieldContext,
  flag,
  ignored,
  inside,
  integer,
  integers,
  list,
  map,
  mapped,
  object,
  quantities,
  quantity,
  type Row,
  type Rows,
  type RowsOf,
  rejected,
  requiredRow,
  row,
  text,
  texts,
  unlessEmpty,
  unlessFalse,
  unlessIs,
  warned,
  when,
  wholeRow,
} from './fields.ts';
import { parseImage } from './image.ts';
import { isRecord } from './records.ts';
import { isSidecar } from './sidecar.ts';
import { lifecycleRows, probeRows } from './support-probes.ts';
import { schedulingRows } from './support-scheduling.ts';
import { podSecurityContextRows, securityContextRows } from './support-security.ts';
import { volumeMountRows, volumeRows } from './support-volumes.ts';

type Item<T> = NonNullable<T> extends readonly (infer U)[] ? U : never;
type EnvVar = Item<Container['env']>;
type EnvVarSource = NonNullable<EnvVar['valueFrom']>;
type EnvFromSource = Item<Container['envFrom']>;
type ContainerPort = Item<Container['ports']>;
type RestartRule = Item<Container['restartPolicyRules']>;
type Resources = NonNullable<Container['resources']>;

const variable = mapped('part of an environment variable');
const keyRefRows = {
  key: requiredRow(text, variable),
  name: row(text, variable),
  optional: row(flag, variable),
};
function isOptional(value: unknown): boolean {
  return isRecord(value) && value['optional'] === true;
}

const valueFromRows: Rows = {
  configMapKeyRef: row(
    object(keyRefRows satisfies RowsOf<NonNullable<EnvVarSource['configMapKeyRef']>>),
    mapped('the value when the Pod starts'),
  ),
  fieldRef: row(
    object({
      apiVersion: row(text, variable),
      fieldPath: requiredRow(
        text,
        variable,
        when(
          '`status.podIP`, `status.podIPs`',
          (value) => value === 'status.podIP' || value === 'status.podIPs',
          rejected(
            'correctness',
            'the address is not known before the start; read it inside the container, for example with `hostname -i`',
          ),
        ),
      ),
    } satisfies RowsOf<NonNullable<EnvVarSource['fieldRef']>>),
    variable,
  ),
  fileKeyRef: row(
    object({
      key: requiredRow(text, variable),
      optional: row(flag, variable),
      path: requiredRow(text, variable),
      volumeName: requiredRow(text, variable),
    } satisfies RowsOf<NonNullable<EnvVarSource['fileKeyRef']>>),
    rejected('impossible', 'no file of a volume can be read; use a ConfigMap or a Secret'),
    when('`optional: true`', isOptional, ignored('the variable is left out')),
  ),
  resourceFieldRef: row(
    object({
      containerName: row(text, variable),
      divisor: row(quantity, variable),
      resource: requiredRow(text, variable),
    } satisfies RowsOf<NonNullable<EnvVarSource['resourceFieldRef']>>),
    variable,
  ),
  secretKeyRef: row(
    object(keyRefRows satisfies RowsOf<NonNullable<EnvVarSource['secretKeyRef']>>),
    mapped("the value when the Pod starts; whoever may read the project's capsules can read it"),
  ),
} satisfies RowsOf<EnvVarSource>;

const envRows: Rows = {
  name: requiredRow(text, variable),
  value: row(text, mapped('with `$(NAME)` expanded as in Kubernetes')),
  valueFrom: row(object(valueFromRows), variable),
} satisfies RowsOf<EnvVar>;

const refRows = { name: row(text, variable), optional: row(flag, variable) };
const envFromRows: Rows = {
  configMapRef: row(object(refRows satisfies RowsOf<NonNullable<EnvFromSource['configMapRef']>>), variable),
  prefix: row(text, variable),
  secretRef: row(object(refRows satisfies RowsOf<NonNullable<EnvFromSource['secretRef']>>), variable),
} satisfies RowsOf<EnvFromSource>;

const noDevices = rejected('impossible', 'zun gives no devices; run the Pod on another node');
const claims: Row = wholeRow(
  list(inside<Item<Resources['claims']>>({ name: text, request: text })),
  noDevices,
  unlessEmpty,
);
const resourceRows: Rows = {
  claims,
  limits: row(
    quantities,
    mapped(
      "memory: a hard limit, rounded up to MiB; cpu: not enforced, since zun's cpu is a share; ephemeral-storage: not enforced",
    ),
  ),
  requests: row(
    quantities,
    mapped(
      "cpu: the container's share; memory: the limit where `limits` has none; ephemeral-storage: counted when the Pod arrives",
    ),
  ),
} satisfies RowsOf<Resources>;

const portRows: Rows = {
  containerPort: requiredRow(integer, ignored('it documents the port; security groups open it')),
  hostIP: row(
    text,
    rejected('impossible', "a Pod has no host address here; reach it by the Pod's address"),
    unlessEmpty,
  ),
  hostPort: row(
    integer,
    rejected('impossible', "a Pod has no host port here; reach it by the Pod's address"),
    unlessIs(0),
  ),
  name: row(text, ignored('Services and probes resolve it; zun need not know')),
  protocol: row(text, ignored('it documents the port; security groups open it')),
} satisfies RowsOf<ContainerPort>;

const restartRuleRows = inside<RestartRule>({
  action: text,
  exitCodes: object(inside<NonNullable<RestartRule['exitCodes']>>({ operator: text, values: integers })),
});

function hasWords(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.length > 0;
}

const commandRow = row(
  texts,
  {
    docker: mapped('the entry point and its arguments, expanded as in Kubernetes'),
    cri: rejected(
      'convenience',
      "the cri driver keeps the image's ENTRYPOINT and passes the command to it as arguments; use `args`, unless the image has no ENTRYPOINT or one that runs its arguments",
    ),
    container: mapped('the entry point, expanded as in Kubernetes'),
  },
  unlessEmpty,
  when(
    'one word without `args`',
    (value, { holder }) => hasWords(value) && value.length === 1 && !hasWords(holder['args']),
    {
      docker: mapped('the entry point'),
      cri: rejected(
        'convenience',
        "the cri driver keeps the image's ENTRYPOINT and passes the command to it as arguments; use `args`, unless the image has no ENTRYPOINT or one that runs its arguments",
      ),
      container: rejected('correctness', "zun adds the image's CMD to a command of one word; split it, or add `args`"),
    },
  ),
);

const argsRow = row(
  texts,
  mapped('the arguments, expanded as in Kubernetes'),
  unlessEmpty,
  when('without `command`', (value, { holder }) => hasWords(value) && !hasWords(holder['command']), {
    docker: rejected(
      'correctness',
      "the docker driver drops the image's ENTRYPOINT, so the arguments alone would be run; give `command` too, or use the container backend",
    ),
    cri: mapped("arguments of the image's ENTRYPOINT"),
    container: mapped("arguments of the image's ENTRYPOINT"),
  }),
);

function hasDigest(value: unknown): boolean {
  return typeof value === 'string' && parseImage(value)?.digest !== undefined;
}

const imageRow = row(
  text,
  mapped('the image'),
  when('by digest', hasDigest, {
    docker: rejected('security', "zun's docker driver drops the digest and pulls by tag; name the image by tag"),
    cri: mapped('the image'),
    container: rejected('security', "zun's docker driver drops the digest and pulls by tag; name the image by tag"),
  }),
);

const restartPolicyRow = row(
  text,
  rejected('correctness', 'zun restarts by one policy for the whole Pod; set `spec.restartPolicy`'),
  when(
    '`Always` on an init container',
    (value, { holder, pod }) =>
      value === 'Always' && (pod.spec.initContainers ?? []).some((container: object) => container === holder),
    mapped('a sidecar: a container of the capsule that starts first'),
  ),
  when(
    'that of the Pod',
    (value, { pod }) => value === (pod.spec.restartPolicy ?? 'Always'),
    mapped('the policy of the whole Pod'),
  ),
);

/** What becomes of a container, or of an init container. */
const containerRows = {
  args: argsRow,
  command: commandRow,
  env: row(list(envRows), variable),
  envFrom: row(list(envFromRows), variable),
  image: imageRow,
  imagePullPolicy: row(
    text,
    {
      capsule: defaulted('zun takes it from administrators only and pulls always for everybody else'),
      container: defaulted('zun takes it from administrators only; it pulls always'),
    },
    when('`Always`', (value) => value === 'Always', mapped('zun pulls always')),
    when(
      '`Never`',
      (value) => value === 'Never',
      warned('zun takes it from administrators only and pulls for everybody else'),
    ),
  ),
  lifecycle: row(object(lifecycleRows), mapped('see the fields inside')),
  livenessProbe: row(object(probeRows), mapped('see the fields inside')),
  name: requiredRow(text, mapped('carried in the variable `ZUNLET_CONTAINER`, because zun names containers itself')),
  ports: row(list(portRows), ignored('it documents ports; security groups open them')),
  readinessProbe: row(object(probeRows), mapped('see the fields inside')),
  resizePolicy: wholeRow(
    list(inside<Item<Container['resizePolicy']>>({ resourceName: text, restartPolicy: text })),
    ignored('resizing a running Pod is answered with “not supported” by the API server'),
  ),
  resources: row(object(resourceRows), mapped('see the fields inside')),
  restartPolicy: restartPolicyRow,
  restartPolicyRules: wholeRow(
    list(restartRuleRows),
    rejected('correctness', 'zun restarts by one policy for the whole Pod; leave the rules out'),
    unlessEmpty,
  ),
  securityContext: row(object(securityContextRows), mapped('see the fields inside')),
  startupProbe: row(object(probeRows), mapped('see the fields inside')),
  stdin: row(flag, mapped('the input stays open')),
  stdinOnce: row(flag, {
    capsule: ignored('nothing can be attached to a capsule'),
    container: ignored('zun keeps the input open after the first client'),
  }),
  terminationMessagePath: row(text, warned('the file is not read'), unlessIs('/dev/termination-log'), unlessEmpty),
  terminationMessagePolicy: row(text, warned('the logs are not read'), unlessIs('File'), unlessEmpty),
  tty: row(flag, mapped('a terminal')),
  volumeDevices: wholeRow(
    list(inside<Item<Container['volumeDevices']>>({ devicePath: text, name: text })),
    rejected('impossible', 'zun gives file systems only, no block devices; use `volumeMounts`'),
    unlessEmpty,
  ),
  volumeMounts: row(list(volumeMountRows), mapped('see the fields inside')),
  workingDir: row(text, mapped('the working directory')),
} satisfies RowsOf<Container>;

/** Types of an ephemeral container; the Pod's field decides its fate. */
const ephemeralContainerRows: Rows = {
  ...containerRows,
  targetContainerName: row(text, ignored('decided by the field that holds it')),
} satisfies RowsOf<EphemeralContainer>;

const noPolicy = "zun gives the resolver of the capsule's network;";

function isUnmounted(volume: unknown, { pod }: FieldContext): boolean {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const names = containers.flatMap(({ volumeMounts }) => (volumeMounts ?? []).map(({ name }) => name));
  return isRecord(volume) && !names.some((name) => name === volume['name']);
}

const noInit = rejected('impossible', 'a standalone container has none; use the capsule backend');

function onlySidecars(value: unknown): boolean {
  return Array.isArray(value) && value.every((container) => isRecord(container) && isSidecar(container));
}

const noDns = rejected(
  'convenience',
  `${noPolicy} set names of servers on the Neutron subnet, or use the container backend`,
);

function knowsServers({ holder, options }: FieldContext): boolean {
  const hasServers = (options.clusterDns ?? []).length > 0 && holder['dnsPolicy'] !== 'Default';
  return hasServers || holder['dnsPolicy'] === 'None';
}

/** What becomes of every field of a Pod's spec: the one table behind translation, `--explain` and the documentation. */
export const podSpecRows: Rows = {
  ...schedulingRows,
  activeDeadlineSeconds: row(integer, mapped('the node ends the Pod when it is over')),
  automountServiceAccountToken: row(flag, ignored('admission has acted on it')),
  containers: requiredRow(list(containerRows), mapped('see the fields inside')),
  dnsConfig: wholeRow(
    object(
      inside<NonNullable<PodSpec['dnsConfig']>>({
        nameservers: texts,
        options: list(inside<Item<NonNullable<PodSpec['dnsConfig']>['options']>>({ name: text, value: text })),
        searches: texts,
      }),
    ),
    {
      capsule: noDns,
      container: rejected(
        'convenience',
        'it cannot be added to the resolver of the network; use `dnsPolicy: None`, or set the option `clusterDns`',
      ),
    },
    unlessEmpty,
    when('with `dnsPolicy: None`, or the option `clusterDns`', (_value, context) => knowsServers(context), {
      capsule: noDns,
      container: mapped('written to /etc/resolv.conf'),
    }),
  ),
  dnsPolicy: row(
    text,
    {
      capsule: defaulted(`${noPolicy} cluster names resolve only if it knows them`),
      container: defaulted('the resolver of the network; with the option `clusterDns` as in Kubernetes'),
    },
    when('`Default`', (value) => value === 'Default', mapped('the resolver of the network')),
    when('`None`', (value) => value === 'None', {
      capsule: rejected('convenience', `${noPolicy} leave the policy out, or use the container backend`),
      container: mapped('/etc/resolv.conf is written from `dnsConfig`'),
    }),
  ),
  enableServiceLinks: row(flag, mapped("the variables of the namespace's Services")),
  ephemeralContainers: wholeRow(
    list(ephemeralContainerRows),
    warned('zun cannot add a container to what runs; its status says so'),
    unlessEmpty,
  ),
  hostAliases: wholeRow(
    list(inside<Item<PodSpec['hostAliases']>>({ hostnames: texts, ip: text })),
    {
      capsule: rejected('convenience', 'a file cannot be put into a capsule; use DNS, or the container backend'),
      container: mapped('written to /etc/hosts'),
    },
    unlessEmpty,
  ),
  hostIPC: row(flag, rejected('impossible', 'a Pod has no host here whose processes it could see'), unlessFalse),
  hostNetwork: row(
    flag,
    rejected('impossible', 'a Pod has no host network here; it gets a Neutron port of its own'),
    unlessFalse,
  ),
  hostPID: row(flag, rejected('impossible', 'a Pod has no host here whose processes it could see'), unlessFalse),
  hostUsers: row(
    flag,
    rejected('security', 'zun uses no user namespaces; leave the field out'),
    when('`true`', (value) => value === true, ignored('the value asks for nothing')),
  ),
  hostname: row(text, {
    capsule: warned('the host name in a capsule is chosen by zun; read `metadata.name` by the downward API'),
    container: mapped('the host name'),
  }),
  hostnameOverride: row(text, {
    capsule: warned('the host name in a capsule is chosen by zun; read `metadata.name` by the downward API'),
    container: mapped('the host name'),
  }),
  imagePullSecrets: wholeRow(
    list(inside<Item<PodSpec['imagePullSecrets']>>({ name: text })),
    {
      capsule: warned(
        'zun takes no registry credentials for a capsule; the cloud must be able to pull the image, or use the container backend',
      ),
      container: mapped('become a Zun registry'),
    },
    unlessEmpty,
  ),
  initContainers: row(
    list(containerRows),
    { capsule: mapped('run one after the other before the containers'), container: noInit },
    unlessEmpty,
    when('sidecars only', onlySidecars, {
      capsule: mapped('containers of the capsule that start first'),
      container: noInit,
    }),
    when('with the option `initContainers: reject`', (_value, { options }) => !options.initContainers, {
      capsule: rejected(
        'impossible',
        "init containers fail on this cloud ('Retrying' object has no attribute 'call'); do the work in the container itself, or set the option `initContainers` once the cloud is mended",
      ),
      container: noInit,
    }),
  ),
  overhead: wholeRow(map, mapped('counted when the Pod arrives')),
  readinessGates: wholeRow(
    list(inside<Item<PodSpec['readinessGates']>>({ conditionType: text })),
    mapped('the condition `Ready` waits for them'),
  ),
  resourceClaims: wholeRow(
    list(
      inside<Item<PodSpec['resourceClaims']>>({
        name: text,
        resourceClaimName: text,
        resourceClaimTemplateName: text,
      }),
    ),
    noDevices,
    unlessEmpty,
  ),
  resources: wholeRow(
    object(
      inside<NonNullable<PodSpec['resources']>>({ claims: claims.type, limits: quantities, requests: quantities }),
    ),
    {
      capsule: rejected('convenience', 'zun has no resources of a whole capsule; give them to each container'),
      container: mapped('used where the container has none of its own'),
    },
    unlessEmpty,
  ),
  restartPolicy: row(text, {
    docker: mapped('done by docker'),
    cri: defaulted('the cri driver never starts a container again'),
    container: mapped('done by docker'),
  }),
  runtimeClassName: row(text, mapped('the handler `zun` or `zun-container` chooses the backend; others are refused')),
  securityContext: row(object(podSecurityContextRows), mapped('see the fields inside')),
  serviceAccount: row(text, ignored('the old name of `serviceAccountName`')),
  serviceAccountName: row(text, mapped('tokens are asked for it; without files it only names the account')),
  setHostnameAsFQDN: row(
    flag,
    {
      capsule: rejected('convenience', 'the host name in a capsule is chosen by zun; leave the field out'),
      container: mapped('the host name is the full name'),
    },
    unlessFalse,
  ),
  shareProcessNamespace: row(
    flag,
    {
      docker: rejected(
        'correctness',
        'the docker driver gives each container its own processes; run the programs in one container',
      ),
      cri: mapped('containerd shares the processes of a sandbox unless asked not to, and zun does not ask'),
      container: mapped('there is one container'),
    },
    unlessFalse,
  ),
  subdomain: row(text, ignored("the cluster's DNS makes the name from the Service")),
  terminationGracePeriodSeconds: row(
    integer,
    {
      docker: warned('zun stops the containers of a capsule one after the other with 10 seconds each'),
      cri: warned('zun stops a capsule at once'),
      container: mapped('given to zun when it stops the container'),
    },
    when('`30`', (value) => value === 30, {
      docker: defaulted('zun stops the containers of a capsule one after the other with 10 seconds each'),
      cri: defaulted('zun stops a capsule at once'),
      container: mapped('given to zun when it stops the container'),
    }),
  ),
  volumes: {
    ...row(list(volumeRows), mapped('see the fields inside')),
    elements: [when('mounted by no container', isUnmounted, ignored('nothing can see it'))],
  },
} satisfies RowsOf<PodSpec>;
