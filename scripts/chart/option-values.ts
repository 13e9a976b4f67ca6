import { formatDuration } from '../../src/config/option-types.ts';
import { type OptionKey, options } from '../../src/config/options.ts';
import type { Leaf, Values } from './value-types.ts';

/** Where the chart chooses for the user, and why; everything else is the default of the program. */
export const chosenByChart: Partial<Record<OptionKey, { default: unknown; doc: string }>> = {
  nodeName: { default: '', doc: 'Here empty: the full name of the release.' },
  nodeAddresses: { default: [], doc: 'Here empty: the IP of the Pod.' },
  kubernetesVersion: {
    default: '',
    doc: 'Here empty: the version of the cluster, but never a newer one than this version of zunlet was made for.',
  },
  healthAddress: {
    default: '0.0.0.0:10248',
    doc: 'Here all addresses, because the probes and Prometheus call the IP of the Pod; [::]:10248 in a cluster with IPv6 alone. networkPolicy closes it to others.',
  },
};

// `Object.keys` widens the keys of the table to strings; the table has no others.
const keys = Object.keys(options) as OptionKey[];

/** The option table as values of the chart. */
export function optionValues(): Values {
  return Object.fromEntries(keys.map((key) => [key, optionValue(key)]));
}

function optionValue(key: OptionKey): Leaf {
  const spec: { type: { name: string; schema: object }; default: unknown; doc: string } = options[key];
  const chosen = chosenByChart[key];
  const value = chosen ? chosen.default : asWritten(spec.type.name, spec.default);
  return { doc: chosen ? `${spec.doc} ${chosen.doc}` : spec.doc, default: value, schema: spec.type.schema };
}

/** Durations are milliseconds in the program and text for people. */
function asWritten(type: string, value: unknown): unknown {
  return type === 'duration' && typeof value === 'number' ? formatDuration(value) : value;
}
