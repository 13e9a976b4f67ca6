import type { PodSpec } from '../kube/types.ts';
import {
  ignored,
  inside,
  integer,
  list,
  map,
  mapped,
  object,
  type Row,
  type Rows,
  type RowsOf,
  requiredRow,
  row,
  text,
  texts,
  wholeRow,
} from './fields.ts';

type Item<T> = NonNullable<T> extends readonly (infer U)[] ? U : never;
type Affinity = NonNullable<PodSpec['affinity']>;
type NodeAffinity = NonNullable<Affinity['nodeAffinity']>;
type NodeSelector = NonNullable<NodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']>;
type NodeSelectorTerm = Item<NodeSelector['nodeSelectorTerms']>;
type PodAffinity = NonNullable<Affinity['podAffinity']>;
type WeightedTerm = Item<PodAffinity['preferredDuringSchedulingIgnoredDuringExecution']>;
type LabelSelector = NonNullable<WeightedTerm['podAffinityTerm']['labelSelector']>;

const scheduler = ignored('the scheduler has acted on it before the Pod is bound');

/** Fields of a label selector; what holds the selector decides its fate. */
export const labelSelectorRows = inside<LabelSelector>({
  matchExpressions: list(inside<Item<LabelSelector['matchExpressions']>>({ key: text, operator: text, values: texts })),
  matchLabels: map,
});

const requirements = list(
  inside<Item<NodeSelectorTerm['matchExpressions']>>({ key: text, operator: text, values: texts }),
);
const termRows = inside<NodeSelectorTerm>({ matchExpressions: requirements, matchFields: requirements });

const podAffinityTermRows = inside<WeightedTerm['podAffinityTerm']>({
  labelSelector: object(labelSelectorRows),
  matchLabelKeys: texts,
  mismatchLabelKeys: texts,
  namespaceSelector: object(labelSelectorRows),
  namespaces: texts,
  topologyKey: text,
});

const podAffinityRows = inside<PodAffinity>({
  preferredDuringSchedulingIgnoredDuringExecution: list(
    inside<WeightedTerm>({ podAffinityTerm: object(podAffinityTermRows), weight: integer }),
  ),
  requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTermRows),
});

const nodeAffinityRows = {
  preferredDuringSchedulingIgnoredDuringExecution: wholeRow(
    list(
      inside<Item<NodeAffinity['preferredDuringSchedulingIgnoredDuringExecution']>>({
        preference: object(termRows),
        weight: integer,
      }),
    ),
    scheduler,
  ),
  requiredDuringSchedulingIgnoredDuringExecution: wholeRow(
    object(inside<NodeSelector>({ nodeSelectorTerms: list(termRows) })),
    mapped('compared with the node when the Pod arrives, as the kubelet does'),
  ),
} satisfies RowsOf<NodeAffinity>;

/** What becomes of `spec.affinity`. */
const affinityRows: Rows = {
  nodeAffinity: row(object(nodeAffinityRows), mapped('see the fields inside')),
  podAffinity: wholeRow(object(podAffinityRows), scheduler),
  podAntiAffinity: wholeRow(object(podAffinityRows), scheduler),
} satisfies RowsOf<Affinity>;

/** The fields of the Pod that are the scheduler's or another controller's business. */
export const schedulingRows = {
  affinity: row(object(affinityRows), mapped('see the fields inside')),
  nodeName: row(text, mapped("the Pod is this node's because of it")),
  nodeSelector: wholeRow(map, mapped("compared with the node's labels when the Pod arrives, as the kubelet does")),
  os: row(
    object({
      name: requiredRow(text, mapped('must be `linux`; the Pod is refused with `PodOSNotSupported` otherwise')),
    } satisfies RowsOf<NonNullable<PodSpec['os']>>),
    mapped('see the field inside'),
  ),
  preemptionPolicy: row(text, scheduler),
  priority: row(integer, scheduler),
  priorityClassName: row(text, scheduler),
  schedulerName: row(text, scheduler),
  schedulingGates: wholeRow(
    list(inside<Item<PodSpec['schedulingGates']>>({ name: text })),
    ignored('a Pod with gates left is never bound to a node'),
  ),
  schedulingGroup: wholeRow(object(inside<NonNullable<PodSpec['schedulingGroup']>>({ podGroupName: text })), scheduler),
  tolerations: wholeRow(
    list(
      inside<Item<PodSpec['tolerations']>>({
        effect: text,
        key: text,
        operator: text,
        tolerationSeconds: integer,
        value: text,
      }),
    ),
    ignored('the scheduler and the taint manager act on it'),
  ),
  topologySpreadConstraints: wholeRow(
    list(
      inside<Item<PodSpec['topologySpreadConstraints']>>({
        labelSelector: object(labelSelectorRows),
        matchLabelKeys: texts,
        maxSkew: integer,
        minDomains: integer,
        nodeAffinityPolicy: text,
        nodeTaintsPolicy: text,
        topologyKey: text,
        whenUnsatisfiable: text,
      }),
    ),
    scheduler,
  ),
} satisfies Partial<Record<keyof PodSpec, Row>>;
