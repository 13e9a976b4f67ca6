import type { PodSecurityContext, SecurityContext } from '../kube/types.ts';
import {
  flag,
  ignored,
  inside,
  integer,
  integers,
  list,
  mapped,
  object,
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

type Seccomp = NonNullable<SecurityContext['seccompProfile']>;
type AppArmor = NonNullable<SecurityContext['appArmorProfile']>;
type SeLinux = NonNullable<SecurityContext['seLinuxOptions']>;
type Windows = NonNullable<SecurityContext['windowsOptions']>;
type Capabilities = NonNullable<SecurityContext['capabilities']>;

const profileRows = { localhostProfile: text, type: text };
const isType = (type: string) => (value: unknown) =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === type;

const noUser = rejected(
  'security',
  'zun cannot set the user of a process; build the user into the image (`USER`) and leave the field out',
);

const seccompProfile: Row = wholeRow(
  object(inside<Seccomp>(profileRows)),
  rejected(
    'security',
    'zun takes no seccomp profile; leave it out, or use `RuntimeDefault` where docker runs the container',
  ),
  when('`type: RuntimeDefault`', isType('RuntimeDefault'), {
    docker: mapped('docker applies its default profile to every container'),
    cri: rejected(
      'security',
      'the cri driver asks for no profile, so containerd runs the container without one; leave the field out to accept that',
    ),
    container: mapped('docker applies its default profile to every container'),
  }),
  when('`type: Unconfined`', isType('Unconfined'), {
    docker: warned("docker's default profile applies all the same"),
    cri: mapped('containerd runs the container without a profile'),
    container: warned("docker's default profile applies all the same"),
  }),
);

const appArmorProfile: Row = wholeRow(
  object(inside<AppArmor>(profileRows)),
  rejected('security', 'zun takes no AppArmor profile; leave it out, or use `RuntimeDefault`'),
  when(
    '`type: RuntimeDefault`',
    isType('RuntimeDefault'),
    warned("whether the host has AppArmor and a default profile is the cloud's business"),
  ),
  when('`type: Unconfined`', isType('Unconfined'), warned("the runtime's default profile applies all the same")),
);

const seLinuxOptions: Row = wholeRow(
  object(inside<SeLinux>({ level: text, role: text, type: text, user: text })),
  rejected('security', 'zun sets no SELinux label; leave it out'),
  unlessEmpty,
);

const windowsOptions: Row = wholeRow(
  object(
    inside<Windows>({ gmsaCredentialSpec: text, gmsaCredentialSpecName: text, hostProcess: flag, runAsUserName: text }),
  ),
  rejected('impossible', 'zun runs Linux containers only'),
  unlessEmpty,
);

const runAsNonRoot: Row = row(
  flag,
  rejected(
    'security',
    'zun starts the user of the image and zunlet cannot see which one that is; leave the field out once the image has a `USER` that is not root',
  ),
  unlessFalse,
);

const capabilityRows: Rows = {
  add: row(texts, rejected('correctness', 'zun adds no capabilities; leave it out'), unlessEmpty),
  drop: row(
    texts,
    rejected('security', "zun drops no capabilities beyond the runtime's default set; leave it out"),
    unlessEmpty,
  ),
} satisfies RowsOf<Capabilities>;

/** What becomes of `securityContext` of a container. None of these is ever ignored where it asks for something. */
export const securityContextRows: Rows = {
  allowPrivilegeEscalation: row(
    flag,
    rejected('security', 'zun cannot set `no_new_privs`; leave the field out'),
    when('`true`', (value) => value === true, ignored('the value asks for nothing')),
  ),
  appArmorProfile,
  capabilities: row(object(capabilityRows), mapped('see the fields inside')),
  privileged: row(
    flag,
    rejected('impossible', "zun's policy forbids privileged containers; leave the field out"),
    unlessFalse,
  ),
  procMount: row(text, rejected('security', 'zun leaves /proc masked; leave the field out'), unlessIs('Default')),
  readOnlyRootFilesystem: row(
    flag,
    rejected('security', 'zun always gives a writable root file system; leave the field out'),
    unlessFalse,
  ),
  runAsGroup: row(integer, noUser),
  runAsNonRoot,
  runAsUser: row(integer, noUser),
  seLinuxOptions,
  seccompProfile,
  windowsOptions,
} satisfies RowsOf<SecurityContext>;

const groups = rejected(
  'correctness',
  'zun sets neither groups nor the owner of a volume; make the files accessible to the user of the image and leave the field out',
);

/** What becomes of `spec.securityContext`. */
export const podSecurityContextRows: Rows = {
  appArmorProfile,
  fsGroup: row(integer, groups),
  fsGroupChangePolicy: row(text, ignored('it only says how `fsGroup` is applied, which is decided there')),
  runAsGroup: row(integer, noUser),
  runAsNonRoot,
  runAsUser: row(integer, noUser),
  seLinuxChangePolicy: row(text, ignored('it only says how `seLinuxOptions` are applied, which is decided there')),
  seLinuxOptions,
  seccompProfile,
  supplementalGroups: row(integers, groups, unlessEmpty),
  supplementalGroupsPolicy: row(
    text,
    rejected('security', 'zun always merges the groups of the image; leave the field out'),
    unlessIs('Merge'),
  ),
  sysctls: row(
    list({
      name: requiredRow(text, rejected('correctness', 'decided by the list')),
      value: requiredRow(text, rejected('correctness', 'decided by the list')),
    } satisfies RowsOf<NonNullable<PodSecurityContext['sysctls']>[number]>),
    rejected('correctness', 'zun sets no kernel parameters; leave them out'),
    unlessEmpty,
  ),
  windowsOptions,
} satisfies RowsOf<PodSecurityContext>;
