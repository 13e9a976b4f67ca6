/** One sample of a family. Values are decimal texts or integers, so that 64 bits survive. */
export interface Sample {
  labels: Record<string, string>;
  value: bigint | string;
  /** Wall-clock ms; absent means now. */
  timestampMs?: number;
}

export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge';
  samples: Sample[];
}

/** Writes families in Prometheus' text format 0.0.4; families without samples are left out. */
export function prometheusText(families: Family[]): string {
  return families
    .filter((family) => family.samples.length > 0)
    .map((family) => {
      const head = `# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n`;
      return head + family.samples.map((sample) => sampleLine(family.name, sample)).join('');
    })
    .join('');
}

function sampleLine(name: string, sample: Sample): string {
  const labels = Object.entries(sample.labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  const set = labels.length === 0 ? '' : `{${labels.join(',')}}`;
  const time = sample.timestampMs === undefined ? '' : ` ${Math.round(sample.timestampMs)}`;
  return `${name}${set} ${sample.value}${time}\n`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** Writes nanoseconds as seconds, exactly. */
export function secondsText(nanoseconds: bigint): string {
  const whole = nanoseconds / 1_000_000_000n;
  const fraction = (nanoseconds % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? whole.toString() : `${whole}.${fraction}`;
}
