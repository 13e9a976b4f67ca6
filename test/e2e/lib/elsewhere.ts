/** Commands of the documentation that no test bed can run, or that another test runs: what they begin with, and why. */
export const elsewhere: readonly (readonly [start: string, reason: string])[] = [
  ['npm ', 'test/component/docs/commands.test.ts sees to it that .ci/run runs it'],
  [
    'helm test ',
    'its Pod needs a second node; test/e2e/rbac.test.ts runs the doctor with its account, options and rights',
  ],
  ['kubectl --namespace zunlet logs deployment/', 'the Pod of the Deployment needs a second node'],
  ['docker push ', 'there is no registry'],
  ['docker ', '.ci/image builds the image, runs it and its demo'],
  ['kind create ', 'there is no kind'],
  ['openstack ', 'there is no OpenStack client; the doctor and zunlet use the same APIs'],
];

/** Why a command is not run by the tests of the documentation; undefined for one that is. */
export function reasonElsewhere(command: string): string | undefined {
  return elsewhere.find(([start]) => command.startsWith(start))?.[1];
}
