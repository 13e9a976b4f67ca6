import type { Verdict } from './judge.ts';

/** What one run came to. */
export interface Report {
  seed: number;
  minutes: number;
  protectionOff: string | undefined;
  /** How long after the last fault everything was at rest. */
  restSeconds: number;
  pods: number;
  removedByCluster: number;
  /** Containers and sandboxes that Zun's docker driver left on its host when a capsule was deleted during its creation. */
  leftOnHosts: number;
  verdict: Verdict;
  /** How many faults struck, by where and kind. */
  faults: Record<'zun' | 'keystone' | 'neutron' | 'cinder' | 'api' | 'world', Record<string, number>>;
  /** What users did. */
  users: Record<string, number>;
}

const titles: Record<keyof Verdict, string> = {
  lostPods: 'lost Pods',
  doubleCapsules: 'double capsules at any moment',
  leaks: 'leaked capsules, ports, volumes or floating IPs',
  phasesTakenBack: 'terminal phases taken back',
};

/** Prints a report: the four numbers, then what they were wrung from. */
export function print(report: Report, asJson: boolean): void {
  if (asJson) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const { verdict, faults, seed, minutes, protectionOff, users } = report;
  const lines = Object.entries(titles).flatMap(([key, title]) => {
    // The keys of the table are those of a verdict.
    const found = verdict[key as keyof Verdict];
    return [`${found.length} ${title}`, ...found.slice(0, 20).map((line) => `    ${line}`)];
  });
  const tables = Object.entries({ ...faults, users }).map(([where, counts]) => `${where}: ${row(counts)}`);
  const total = Object.values(faults).flatMap((counts) => Object.values(counts));
  lines.push(
    `${report.pods} Pods, ${report.removedByCluster} of them removed by the cluster itself; at rest ${report.restSeconds} s after the last fault`,
    `${report.leftOnHosts} containers left on the compute host by zun's docker driver (deletion during creation)`,
    `${total.reduce((sum, count) => sum + count, 0)} faults struck, by kind:`,
    ...tables.map((line) => `  ${line}`),
  );
  if (Object.values(verdict).some((found) => found.length > 0)) {
    const flag = protectionOff === undefined ? '' : ` --protection-off ${protectionOff}`;
    lines.push(`replay the plan with: npm run chaos -- --minutes ${minutes} --seed ${seed}${flag}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

function row(counts: Record<string, number>): string {
  return Object.entries(counts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');
}
