import type { Volume, VolumeMount } from '../kube/types.ts';
import {
  anything,
  type Exception,
  type FieldContext,
  type FieldType,
  flag,
  ignored,
  inside,
  integer,
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
  type Verdict,
  warned,
  when,
  wholeRow,
} from './fields.ts';
import { labelSelectorRows } from './support-scheduling.ts';
import { fillsVolumes, isAdmissionVolume, isFiles } from './volume-kinds.ts';

type Item<T> = NonNullable<T> extends readonly (infer U)[] ? U : never;
type Source<K extends keyof Volume> = NonNullable<Volume[K]>;
type Template = NonNullable<Source<'ephemeral'>['volumeClaimTemplate']>;
type ClaimSpec = Template['spec'];
type ClaimMeta = NonNullable<Template['metadata']>;
type Projection = Item<Source<'projected'>['sources']>;

const secretRef = object(inside<NonNullable<Source<'iscsi'>['secretRef']>>({ name: text }));

/** A source of storage that only a kubelet can mount. */
function foreign<K extends keyof Volume>(types: Readonly<{ [F in keyof Required<Source<K>>]: FieldType }>): Row {
  return wholeRow(
    object(inside<Source<K>>(types)),
    rejected(
      'impossible',
      'zun mounts Cinder volumes only; use `cinder`, a claim of the Cinder CSI driver, `emptyDir` or `ephemeral`',
    ),
  );
}

const instead =
  'a file cannot be put into a capsule; use environment variables (`envFrom`), a Cinder volume that holds the file, or the container backend (annotation `zunlet.io/backend: container`)';
const asFiles = { capsule: rejected('impossible', instead), container: mapped('written as files') };
/** Of fields inside a volume that was not refused as a whole. */
const asVolumeSays = mapped('as the volume says');
const filled = when(
  'with the options `initContainers: allow` and `filesImage`',
  (_value, { options }) => fillsVolumes(options),
  {
    capsule: mapped(
      "a Cinder volume of 1 GiB that a generated init container fills before the others start; whoever may read the project's capsules can read the content",
    ),
    container: mapped('written as files'),
  },
);
const plainMode = 0o644;

function fileMode(): Row {
  const only = 'zun writes files with mode 0644; leave the mode out';
  const set = mapped('the mode of the file');
  return row(
    integer,
    asVolumeSays,
    when('more than 0644', (value) => typeof value === 'number' && value > plainMode, {
      capsule: set,
      container: rejected('correctness', `${only}, and start scripts by their interpreter`),
    }),
    when('less than 0644', (value) => typeof value === 'number' && value < plainMode, {
      capsule: set,
      container: rejected('security', only),
    }),
  );
}

const itemRows = list({
  key: requiredRow(text, asVolumeSays),
  mode: fileMode(),
  path: requiredRow(text, asVolumeSays),
} satisfies RowsOf<NonNullable<Source<'configMap'>['items']>[number]>);
const defaultMode: Row = fileMode();
const optional: Row = row(flag, asVolumeSays);

const fieldRefRows: Rows = {
  apiVersion: row(text, asVolumeSays),
  fieldPath: requiredRow(text, asVolumeSays),
} satisfies RowsOf<NonNullable<Item<Source<'downwardAPI'>['items']>['fieldRef']>>;
const resourceFieldRefRows: Rows = {
  containerName: row(text, asVolumeSays),
  divisor: row(quantity, asVolumeSays),
  resource: requiredRow(text, asVolumeSays),
} satisfies RowsOf<NonNullable<Item<Source<'downwardAPI'>['items']>['resourceFieldRef']>>;
const downwardItems = list({
  fieldRef: row(object(fieldRefRows), asVolumeSays),
  mode: fileMode(),
  path: requiredRow(text, asVolumeSays),
  resourceFieldRef: row(object(resourceFieldRefRows), asVolumeSays),
} satisfies RowsOf<Item<Source<'downwardAPI'>['items']>>);

const projectionRows: Rows = {
  clusterTrustBundle: wholeRow(
    object(
      inside<NonNullable<Projection['clusterTrustBundle']>>({
        labelSelector: object(labelSelectorRows),
        name: text,
        optional: flag,
        path: text,
        signerName: text,
      }),
    ),
    rejected('correctness', 'zunlet does not read trust bundles; put the certificates into a ConfigMap'),
  ),
  configMap: row(
    object({ items: row(itemRows, asVolumeSays), name: row(text, asVolumeSays), optional } satisfies RowsOf<
      NonNullable<Projection['configMap']>
    >),
    asVolumeSays,
  ),
  downwardAPI: row(
    object({ items: row(downwardItems, asVolumeSays) } satisfies RowsOf<NonNullable<Projection['downwardAPI']>>),
    asVolumeSays,
  ),
  podCertificate: wholeRow(
    object(
      inside<NonNullable<Projection['podCertificate']>>({
        certificateChainPath: text,
        credentialBundlePath: text,
        keyPath: text,
        keyType: text,
        maxExpirationSeconds: integer,
        signerName: text,
        userAnnotations: map,
      }),
    ),
    rejected('correctness', 'zunlet asks for no Pod certificates; put the certificate into a Secret'),
  ),
  secret: row(
    object({ items: row(itemRows, asVolumeSays), name: row(text, asVolumeSays), optional } satisfies RowsOf<
      NonNullable<Projection['secret']>
    >),
    asVolumeSays,
  ),
  serviceAccountToken: row(
    object({
      audience: row(text, asVolumeSays),
      expirationSeconds: row(integer, asVolumeSays),
      path: requiredRow(text, asVolumeSays),
    } satisfies RowsOf<NonNullable<Projection['serviceAccountToken']>>),
    asVolumeSays,
  ),
} satisfies RowsOf<Projection>;

const cinder = mapped('the Cinder volume is attached; it must be free, of this project, and hold ext4 or nothing');
const fsType: Row = row(
  text,
  rejected('correctness', 'zun formats a volume with ext4 when it cannot mount it; use `ext4`'),
  when('`ext4` or empty', (value) => value === 'ext4' || value === '', ignored('it is what zun mounts')),
);
const readOnlySource: Row = row(
  flag,
  rejected('security', 'zun mounts volumes for writing; leave the field out'),
  unlessFalse,
);

const claimMetaRows = inside<ClaimMeta>({
  annotations: map,
  creationTimestamp: text,
  deletionGracePeriodSeconds: integer,
  deletionTimestamp: text,
  finalizers: texts,
  generateName: text,
  generation: integer,
  labels: map,
  managedFields: list(
    inside<Item<ClaimMeta['managedFields']>>({
      apiVersion: text,
      fieldsType: text,
      fieldsV1: anything,
      manager: text,
      operation: text,
      subresource: text,
      time: text,
    }),
  ),
  name: text,
  namespace: text,
  ownerReferences: list(
    inside<Item<ClaimMeta['ownerReferences']>>({
      apiVersion: text,
      blockOwnerDeletion: flag,
      controller: flag,
      kind: text,
      name: text,
      uid: text,
    }),
  ),
  resourceVersion: text,
  selfLink: text,
  uid: text,
});

const sized = mapped('a new Cinder volume of this size, rounded up to GiB, that goes with the Pod');
const noCopy = rejected('correctness', 'the volume starts empty; make a claim and use it by `persistentVolumeClaim`');
const claimSpecRows: Rows = {
  accessModes: row(texts, ignored('a new volume belongs to this Pod alone')),
  dataSource: wholeRow(
    object(inside<NonNullable<ClaimSpec['dataSource']>>({ apiGroup: text, kind: text, name: text })),
    noCopy,
  ),
  dataSourceRef: wholeRow(
    object(
      inside<NonNullable<ClaimSpec['dataSourceRef']>>({ apiGroup: text, kind: text, name: text, namespace: text }),
    ),
    noCopy,
  ),
  resources: row(
    object({
      limits: row(quantities, ignored('the size is that of `requests`')),
      requests: row(quantities, sized),
    } satisfies RowsOf<NonNullable<ClaimSpec['resources']>>),
    sized,
  ),
  selector: wholeRow(object(labelSelectorRows), ignored('a new volume is made, none is looked for')),
  storageClassName: row(text, {
    support: 'warned',
    text: "zun makes the volume with Cinder's default type",
  }),
  volumeAttributesClassName: row(text, { support: 'warned', text: "zun makes the volume with Cinder's default type" }),
  volumeMode: row(
    text,
    rejected('impossible', 'zun gives file systems only, no block devices'),
    unlessIs('Filesystem'),
  ),
  volumeName: row(text, noCopy, unlessEmpty),
} satisfies RowsOf<ClaimSpec>;

/** What becomes of a volume. */
export const volumeRows: Rows = {
  awsElasticBlockStore: foreign<'awsElasticBlockStore'>({
    fsType: text,
    partition: integer,
    readOnly: flag,
    volumeID: text,
  }),
  azureDisk: foreign<'azureDisk'>({
    cachingMode: text,
    diskName: text,
    diskURI: text,
    fsType: text,
    kind: text,
    readOnly: flag,
  }),
  azureFile: foreign<'azureFile'>({ readOnly: flag, secretName: text, shareName: text }),
  cephfs: foreign<'cephfs'>({
    monitors: texts,
    path: text,
    readOnly: flag,
    secretFile: text,
    secretRef,
    user: text,
  }),
  cinder: row(
    object({
      fsType,
      readOnly: readOnlySource,
      secretRef: wholeRow(secretRef, ignored('zun attaches the volume with the credentials of this node')),
      volumeID: requiredRow(text, cinder),
    } satisfies RowsOf<Source<'cinder'>>),
    cinder,
  ),
  configMap: row(
    object({
      defaultMode,
      items: row(itemRows, asVolumeSays),
      name: row(text, asVolumeSays),
      optional,
    } satisfies RowsOf<Source<'configMap'>>),
    asFiles,
    filled,
  ),
  csi: foreign<'csi'>({
    driver: text,
    fsType: text,
    nodePublishSecretRef: secretRef,
    readOnly: flag,
    volumeAttributes: map,
  }),
  downwardAPI: row(
    object({ defaultMode, items: row(downwardItems, asVolumeSays) } satisfies RowsOf<Source<'downwardAPI'>>),
    asFiles,
    filled,
  ),
  emptyDir: row(
    object({
      medium: row(
        text,
        rejected('convenience', 'zun has no memory-backed volumes; leave `medium` out to get a Cinder volume'),
        unlessEmpty,
        when(
          '`HugePages…`',
          (value) => typeof value === 'string' && value.startsWith('HugePages'),
          rejected('impossible', 'zun has no huge pages'),
        ),
      ),
      sizeLimit: row(quantity, sized),
    } satisfies RowsOf<Source<'emptyDir'>>),
    mapped('a new Cinder volume that goes with the Pod, 1 GiB without `sizeLimit`'),
    when(
      'with the option `emptyDir: reject`',
      (_value, { options }) => options.emptyDir === 'reject',
      rejected(
        'impossible',
        'this node makes no Cinder volumes for emptyDir (option `emptyDir: reject`); write into the container, or use a claim',
      ),
    ),
  ),
  ephemeral: row(
    object({
      volumeClaimTemplate: row(
        object({
          metadata: wholeRow(object(claimMetaRows), ignored("zun's volume takes no labels")),
          spec: requiredRow(object(claimSpecRows), sized),
        } satisfies RowsOf<Template>),
        sized,
      ),
    } satisfies RowsOf<Source<'ephemeral'>>),
    sized,
  ),
  fc: foreign<'fc'>({ fsType: text, lun: integer, readOnly: flag, targetWWNs: texts, wwids: texts }),
  flexVolume: foreign<'flexVolume'>({ driver: text, fsType: text, options: map, readOnly: flag, secretRef }),
  flocker: foreign<'flocker'>({ datasetName: text, datasetUUID: text }),
  gcePersistentDisk: foreign<'gcePersistentDisk'>({
    fsType: text,
    partition: integer,
    pdName: text,
    readOnly: flag,
  }),
  gitRepo: foreign<'gitRepo'>({ directory: text, repository: text, revision: text }),
  glusterfs: foreign<'glusterfs'>({ endpoints: text, path: text, readOnly: flag }),
  hostPath: wholeRow(
    object(inside<Source<'hostPath'>>({ path: text, type: text })),
    rejected(
      'impossible',
      'a Pod has no host here whose files it could see; use `cinder`, a claim, `emptyDir`, or run it on another node',
    ),
  ),
  image: wholeRow(
    object(inside<Source<'image'>>({ pullPolicy: text, reference: text })),
    rejected('impossible', 'zun cannot mount an image; copy the files into the image of the container'),
  ),
  iscsi: foreign<'iscsi'>({
    chapAuthDiscovery: flag,
    chapAuthSession: flag,
    fsType: text,
    initiatorName: text,
    iqn: text,
    iscsiInterface: text,
    lun: integer,
    portals: texts,
    readOnly: flag,
    secretRef,
    targetPortal: text,
  }),
  name: requiredRow(text, mapped('the name of the volume in the template, with `v-` before it')),
  nfs: foreign<'nfs'>({ path: text, readOnly: flag, server: text }),
  persistentVolumeClaim: row(
    object({
      claimName: requiredRow(
        text,
        mapped('the Cinder volume behind the claim: `cinder.csi.openstack.org` or in-tree `cinder`'),
      ),
      readOnly: readOnlySource,
    } satisfies RowsOf<Source<'persistentVolumeClaim'>>),
    cinder,
  ),
  photonPersistentDisk: foreign<'photonPersistentDisk'>({ fsType: text, pdID: text }),
  portworxVolume: foreign<'portworxVolume'>({ fsType: text, readOnly: flag, volumeID: text }),
  projected: row(
    object({ defaultMode, sources: row(list(projectionRows), asVolumeSays) } satisfies RowsOf<Source<'projected'>>),
    asFiles,
    when('the token that admission adds to every Pod', (_value, { holder }) => isAdmissionVolume(asVolume(holder)), {
      capsule: warned(
        'it is left out, since a file cannot be put into a capsule; use the container backend if the program talks to the API server, or `automountServiceAccountToken: false` if not',
      ),
      container: mapped('written as files'),
    }),
    filled,
  ),
  quobyte: foreign<'quobyte'>({
    group: text,
    readOnly: flag,
    registry: text,
    tenant: text,
    user: text,
    volume: text,
  }),
  rbd: foreign<'rbd'>({
    fsType: text,
    image: text,
    keyring: text,
    monitors: texts,
    pool: text,
    readOnly: flag,
    secretRef,
    user: text,
  }),
  scaleIO: foreign<'scaleIO'>({
    fsType: text,
    gateway: text,
    protectionDomain: text,
    readOnly: flag,
    secretRef,
    sslEnabled: flag,
    storageMode: text,
    storagePool: text,
    system: text,
    volumeName: text,
  }),
  secret: row(
    object({
      defaultMode,
      items: row(itemRows, asVolumeSays),
      optional,
      secretName: row(text, asVolumeSays),
    } satisfies RowsOf<Source<'secret'>>),
    asFiles,
    filled,
  ),
  storageos: foreign<'storageos'>({
    fsType: text,
    readOnly: flag,
    secretRef,
    volumeName: text,
    volumeNamespace: text,
  }),
  vsphereVolume: foreign<'vsphereVolume'>({
    fsType: text,
    storagePolicyID: text,
    storagePolicyName: text,
    volumePath: text,
  }),
} satisfies RowsOf<Volume>;

/** The holder of a field of a volume is the volume; the walk sees objects. */
function asVolume(holder: Readonly<Record<string, unknown>>): Volume {
  return holder as unknown as Volume;
}

function volumeOf({ holder, pod }: FieldContext): Volume | undefined {
  return (pod.spec.volumes ?? []).find(({ name }) => name === holder['name']);
}

const onToken = when(
  'on the token that admission adds',
  (_value, context) => {
    const volume = volumeOf(context);
    return volume !== undefined && isAdmissionVolume(volume);
  },
  { capsule: ignored('left out with its volume'), container: ignored("the files are the container's own copy") },
);

function onFiles(verdicts: Verdict | { capsule: Verdict; container: Verdict }): Exception {
  const isOnFiles = (_value: unknown, context: FieldContext) => {
    const volume = volumeOf(context);
    return volume !== undefined && isFiles(volume);
  };
  return when('on a volume of files', isOnFiles, verdicts);
}

function subPath(): Row {
  return row(
    text,
    rejected('correctness', 'zun always mounts the root of a volume; use a volume of its own'),
    unlessEmpty,
    onFiles({
      capsule: rejected('correctness', 'zun always mounts the root of a volume; use a volume of its own'),
      container: mapped('that file, or the files of that folder'),
    }),
  );
}

/** What becomes of a volume mount. */
export const volumeMountRows: Rows = {
  mountPath: requiredRow(text, mapped('the path of the mount')),
  mountPropagation: row(text, rejected('correctness', 'zun propagates no mounts'), unlessIs('None')),
  name: requiredRow(text, mapped('names the volume')),
  readOnly: row(
    flag,
    rejected('security', 'zun mounts Cinder volumes for writing; leave the field out'),
    unlessFalse,
    onToken,
    onFiles(ignored("the files are the container's own copy")),
  ),
  recursiveReadOnly: row(
    text,
    rejected('security', 'zun mounts volumes for writing; leave the field out'),
    unlessIs('Disabled'),
    when('`IfPossible`', (value) => value === 'IfPossible', ignored('it is not possible')),
  ),
  subPath: subPath(),
  subPathExpr: subPath(),
} satisfies RowsOf<VolumeMount>;
