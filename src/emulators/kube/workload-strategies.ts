import type { PodSpec } from '../../kube/types.ts';
import type { FieldCause } from './failures.ts';
import { at, isObject, type JsonObject, type KubeObject, memberOf, objectOf, textOf } from './objects.ts';
import { defaultPodSpec } from './pod-defaults.ts';
import { matchesLabels, requirementsOf } from './selectors.ts';
import type { Strategy } from './strategy.ts';

type SpecCheck = (spec: PodSpec | undefined, path: string) => FieldCause[];

/** The rules of the objects that hold Pod templates. */
export function workloadStrategies(check: SpecCheck): Record<string, Strategy> {
  const template = (object: KubeObject) => memberOf(memberOf(object, 'spec'), 'template');

  function defaultTemplate(object: KubeObject): void {
    const spec = template(object)['spec'];
    // The template's specification is JSON that the check below has not seen yet; defaults only add members.
    if (isObject(spec)) defaultPodSpec(spec as unknown as PodSpec);
  }
  function templateCauses(object: KubeObject): FieldCause[] {
    const spec = at(object, 'spec', 'template', 'spec');
    return check(isObject(spec) ? (spec as unknown as PodSpec) : undefined, 'spec.template.spec');
  }
  function selectorCauses(object: KubeObject): FieldCause[] {
    const selector = at(object, 'spec', 'selector');
    if (!isObject(selector))
      return [{ reason: 'FieldValueRequired', field: 'spec.selector', message: 'Required value' }];
    const labels = objectOf(at(object, 'spec', 'template', 'metadata', 'labels'));
    if (matchesLabels(labels, requirementsOf(selector))) return [];
    const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``;
    return [{ reason: 'FieldValueInvalid', field: 'spec.template.metadata.labels', message }];
  }
  function selectorIsFixed(object: KubeObject, old: KubeObject): FieldCause[] {
    if (JSON.stringify(at(object, 'spec', 'selector')) === JSON.stringify(at(old, 'spec', 'selector'))) return [];
    return [{ reason: 'FieldValueInvalid', field: 'spec.selector', message: 'Invalid value: field is immutable' }];
  }

  const scaled = (more: (spec: JsonObject) => void): Strategy => ({
    hasGeneration: true,
    prepareCreate(object) {
      const spec = memberOf(object, 'spec');
      spec['replicas'] ??= 1;
      more(spec);
      defaultTemplate(object);
      object['status'] = {};
    },
    prepareUpdate(object) {
      const spec = memberOf(object, 'spec');
      spec['replicas'] ??= 1;
      more(spec);
      defaultTemplate(object);
    },
    validate: (object) => [...selectorCauses(object), ...templateCauses(object)],
    validateUpdate: selectorIsFixed,
  });

  return {
    'apps/deployments': scaled(defaultDeployment),
    'apps/replicasets': scaled(() => {}),
    'apps/statefulsets': scaled((spec) => {
      spec['podManagementPolicy'] ??= 'OrderedReady';
      spec['revisionHistoryLimit'] ??= 10;
    }),
    'apps/daemonsets': { hasGeneration: true, prepareCreate: defaultTemplate, validate: templateCauses },
    'batch/jobs': jobStrategy(defaultTemplate, templateCauses),
    'batch/cronjobs': { hasGeneration: true },
    replicationcontrollers: { hasGeneration: true, prepareCreate: defaultTemplate },
  };
}

function defaultDeployment(spec: JsonObject): void {
  spec['progressDeadlineSeconds'] ??= 600;
  spec['revisionHistoryLimit'] ??= 10;
  const strategy = memberOf(spec, 'strategy');
  strategy['type'] ??= 'RollingUpdate';
  if (strategy['type'] !== 'RollingUpdate') return;
  const rolling = memberOf(strategy, 'rollingUpdate');
  rolling['maxSurge'] ??= '25%';
  rolling['maxUnavailable'] ??= '25%';
}

/** A Job finds its Pods by a label with its own UID. */
function jobStrategy(
  defaultTemplate: (object: KubeObject) => void,
  check: (object: KubeObject) => FieldCause[],
): Strategy {
  return {
    hasGeneration: true,
    returnsDeleted: false,
    orphansByDefault: false,
    prepareCreate(object) {
      const spec = memberOf(object, 'spec');
      spec['completions'] ??= 1;
      spec['parallelism'] ??= 1;
      spec['backoffLimit'] ??= 6;
      spec['completionMode'] ??= 'NonIndexed';
      spec['suspend'] ??= false;
      spec['manualSelector'] ??= false;
      spec['podReplacementPolicy'] ??= 'TerminatingOrFailed';
      const own = { 'batch.kubernetes.io/controller-uid': object.metadata.uid };
      if (spec['manualSelector'] !== true) {
        spec['selector'] = { matchLabels: own };
        const labels = memberOf(memberOf(memberOf(spec, 'template'), 'metadata'), 'labels');
        Object.assign(labels, own, {
          'batch.kubernetes.io/job-name': object.metadata.name,
          'controller-uid': object.metadata.uid,
          'job-name': object.metadata.name,
        });
      }
      const labels = objectOf(at(spec, 'template', 'metadata', 'labels'));
      if (Object.keys(objectOf(object.metadata['labels'])).length === 0) object.metadata['labels'] = { ...labels };
      defaultTemplate(object);
      object['status'] = {};
    },
    validate(object) {
      const causes = check(object);
      const policy = textOf(at(object, 'spec', 'template', 'spec', 'restartPolicy'));
      if (policy === 'OnFailure' || policy === 'Never') return causes;
      const message = 'Required value: valid values: "OnFailure", "Never"';
      return [...causes, { reason: 'FieldValueRequired', field: 'spec.template.spec.restartPolicy', message }];
    },
  };
}
