import { type ApiFailure, badRequest, type Subject } from './failures.ts';
import { at, type Json, type JsonObject, listOf, objectOf, objectsOf, textOf } from './objects.ts';

/** Tells whether an object is one of those asked for. */
export type Predicate = (object: JsonObject) => boolean;

export interface Requirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values: string[];
}

const name = /^([A-Za-z0-9][-A-Za-z0-9_./]*)/;

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Source: Kubernetes "Labels and Selectors". Errors: 400. */
export function parseLabelSelector(text: string): Requirement[] {
  const requirements: Requirement[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const { requirement, after } = readRequirement(rest, text);
    requirements.push(requirement);
    rest = after.trim();
    if (rest === '') break;
    if (!rest.startsWith(',')) throw unparsable(text);
    rest = rest.slice(1).trim();
  }
  return requirements;
}

function unparsable(text: string): ApiFailure {
  return badRequest(`unable to parse requirement: found '${text}', expected: a label selector`);
}

function readRequirement(text: string, whole: string): { requirement: Requirement; after: string } {
  const absent = text.startsWith('!');
  const body = absent ? text.slice(1).trimStart() : text;
  const key = name.exec(body)?.[1];
  if (key === undefined) throw unparsable(whole);
  const after = body.slice(key.length).trimStart();
  if (absent) return { requirement: { key, operator: 'DoesNotExist', values: [] }, after };
  const set = /^(in|notin)\s*\(([^)]*)\)/.exec(after);
  if (set) {
    const values = (set[2] ?? '').split(',').map((value) => value.trim());
    const operator = set[1] === 'in' ? 'In' : 'NotIn';
    return { requirement: { key, operator, values }, after: after.slice(set[0].length) };
  }
  const equality = /^(==|=|!=)\s*([-A-Za-z0-9_.]*)/.exec(after);
  if (equality) {
    const operator = equality[1] === '!=' ? 'NotIn' : 'In';
    return { requirement: { key, operator, values: [equality[2] ?? ''] }, after: after.slice(equality[0].length) };
  }
  return { requirement: { key, operator: 'Exists', values: [] }, after };
}

/** Reads a `LabelSelector` object (matchLabels, matchExpressions). */
export function requirementsOf(selector: Json | undefined): Requirement[] {
  const labels = Object.entries(objectOf(at(selector, 'matchLabels')));
  return [
    ...labels.map(([key, value]): Requirement => ({ key, operator: 'In', values: [textOf(value)] })),
    ...objectsOf(at(selector, 'matchExpressions')).map(requirementOf),
  ];
}

function requirementOf(expression: JsonObject): Requirement {
  const operator = textOf(expression['operator']);
  return {
    key: textOf(expression['key']),
    operator: operator === 'NotIn' || operator === 'Exists' || operator === 'DoesNotExist' ? operator : 'In',
    values: listOf(expression['values']).map((value) => textOf(value)),
  };
}

export function matchesLabels(labels: JsonObject, requirements: Requirement[]): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels[key];
    switch (operator) {
      case 'Exists':
        return value !== undefined;
      case 'DoesNotExist':
        return value === undefined;
      case 'In':
        return typeof value === 'string' && values.includes(value);
      case 'NotIn':
        return typeof value !== 'string' || !values.includes(value);
      default:
        return operator satisfies never;
    }
  });
}

/** The fields that a resource can be selected by, beside the name and the namespace. */
const selectable: Record<string, string[]> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  nodes: ['spec.unschedulable'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  secrets: ['type'],
  namespaces: ['status.phase'],
  replicasets: ['status.replicas'],
  jobs: ['status.successful'],
  certificatesigningrequests: ['spec.signerName'],
  services: ['spec.clusterIP', 'spec.type'],
};

/** Parses `a=b,c!=d` for one resource. Errors: 400 for a field that this resource cannot be selected by. */
export function fieldPredicate(text: string, subject: Subject): Predicate {
  const known = ['metadata.name', 'metadata.namespace', ...(selectable[subject.plural] ?? [])];
  const terms = text
    .split(',')
    .filter((term) => term.trim() !== '')
    .map((term) => {
      const parts = /^\s*([^!=\s]+)\s*(==|=|!=)(.*)$/.exec(term);
      if (!parts) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const field = parts[1] ?? '';
      if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return { field, equals: parts[2] !== '!=', value: (parts[3] ?? '').trim().replace(/\\(.)/g, '$1') };
    });
  return (object) => terms.every(({ field, equals, value }) => (fieldText(object, field) === value) === equals);
}

function fieldText(object: JsonObject, field: string): string {
  if (field === 'source') return textOf(at(object, 'source', 'component')) || textOf(object['reportingComponent']);
  const value = at(object, ...field.split('.'));
  if (value === undefined || value === null) {
    if (field === 'spec.unschedulable' || field === 'spec.hostNetwork') return 'false';
    return field === 'status.replicas' ? '0' : '';
  }
  return typeof value === 'object' ? '' : String(value);
}

/** Joins both selectors of a list or watch call into one predicate; undefined when everything is asked for. */
export function selection(query: URLSearchParams, subject: Subject): Predicate | undefined {
  const labels = query.get('labelSelector') ?? '';
  const fields = query.get('fieldSelector') ?? '';
  const requirements = labels === '' ? [] : parseLabelSelector(labels);
  const byField = fields === '' ? undefined : fieldPredicate(fields, subject);
  if (requirements.length === 0) return byField;
  const byLabel: Predicate = (object) => matchesLabels(objectOf(at(object, 'metadata', 'labels')), requirements);
  return byField ? (object) => byField(object) && byLabel(object) : byLabel;
}
