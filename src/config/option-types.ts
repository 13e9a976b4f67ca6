import { isIP } from 'node:net';

/** How the text of an option becomes a value, and how a value is shown. */
export interface OptionType<T> {
  /** Shown in help and docs: `duration`, `integer`, … */
  name: string;
  /** JSON schema of the value in a configuration file. */
  schema: object;
  /** Errors are thrown as plain sentences; the loader adds option and layer. */
  parse(raw: unknown): T;
}

/** One row of the option table. */
export interface OptionSpec<T> {
  type: OptionType<T>;
  default: NoInfer<T>;
  /** One or two sentences for help and docs; says the unit. */
  doc: string;
  /** Heading in help and docs. */
  group: 'Node' | 'Kubernetes' | 'OpenStack' | 'Pods' | 'Timing' | 'Kubelet API' | 'Operation';
  secret?: boolean;
}

/** Makes a row; only here so that each row's type is inferred. */
export function option<T>(spec: OptionSpec<T>): OptionSpec<T> {
  return spec;
}

function text(raw: unknown): string {
  if (typeof raw === 'string') return raw.trim();
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw);
  throw new Error(`expected text, got ${kindOf(raw)}`);
}

function kindOf(raw: unknown): string {
  if (raw === null) return 'null';
  return Array.isArray(raw) ? 'a list' : typeof raw === 'object' ? 'a map' : typeof raw;
}

/** Any text up to 4,096 characters. */
export const stringType: OptionType<string> = {
  name: 'string',
  schema: { type: 'string' },
  parse(raw) {
    const value = text(raw);
    if (value.length > 4096) throw new Error('longer than 4096 characters');
    if (value.includes('\0')) throw new Error('contains a NUL character');
    return value;
  },
};

/** `true` or `false`. */
export const booleanType: OptionType<boolean> = {
  name: 'boolean',
  schema: { type: 'boolean' },
  parse(raw) {
    const value = text(raw).toLowerCase();
    if (value === 'true' || value === '1' || value === 'yes') return true;
    if (value === 'false' || value === '0' || value === 'no') return false;
    throw new Error(`expected true or false, got "${value}"`);
  },
};

/** A whole number within bounds. */
export function integerType(minimum: number, maximum: number): OptionType<number> {
  return {
    name: `integer ${minimum} to ${maximum}`,
    schema: { type: 'integer', minimum, maximum },
    parse(raw) {
      const value = text(raw);
      const number = Number(value);
      if (value === '' || !Number.isInteger(number) || number < minimum || number > maximum) {
        throw new Error(`expected a whole number from ${minimum} to ${maximum}, got "${value}"`);
      }
      return number;
    },
  };
}

/** A number within bounds. */
export function numberType(minimum: number, maximum: number): OptionType<number> {
  return {
    name: `number ${minimum} to ${maximum}`,
    schema: { type: 'number', minimum, maximum },
    parse(raw) {
      const value = text(raw);
      const number = Number(value);
      if (value === '' || !Number.isFinite(number) || number < minimum || number > maximum) {
        throw new Error(`expected a number from ${minimum} to ${maximum}, got "${value}"`);
      }
      return number;
    },
  };
}

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration such as `500ms`, `10s`, `5m`, `1h`; the value is in milliseconds. */
export const durationType: OptionType<number> = {
  name: 'duration',
  schema: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$' },
  parse(raw) {
    const value = text(raw);
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value);
    const factor = unitMs[match?.[2] ?? ''];
    if (!match?.[1] || factor === undefined) throw new Error(`expected a duration such as 10s or 5m, got "${value}"`);
    const ms = Math.round(Number(match[1]) * factor);
    if (ms > 7 * 24 * 3_600_000) throw new Error(`longer than seven days: "${value}"`);
    return ms;
  },
};

/** Writes milliseconds as a duration. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms > 0 && ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** One word of a fixed set. */
export function enumType<const T extends string>(...words: T[]): OptionType<T> {
  return {
    name: words.join(' | '),
    schema: { type: 'string', enum: words },
    parse(raw) {
      const value = text(raw);
      const found = words.find((word) => word === value);
      if (found === undefined) throw new Error(`expected ${words.join(', ')}, got "${value}"`);
      return found;
    },
  };
}

/** A Kubernetes quantity, kept as text. */
export const quantityType: OptionType<string> = {
  name: 'quantity',
  schema: { type: ['string', 'number'] },
  parse(raw) {
    const value = text(raw);
    if (!/^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE]\d+)?$/.test(value)) {
      throw new Error(`expected a Kubernetes quantity such as 16 or 64Gi, got "${value}"`);
    }
    return value;
  },
};

/** IP addresses, separated by commas or as a list. */
export const addressesType: OptionType<string[]> = {
  name: 'IP addresses',
  schema: { type: ['string', 'array'], items: { type: 'string' } },
  parse(raw) {
    const items = Array.isArray(raw) ? raw.map(text) : text(raw).split(',');
    const addresses = items.map((item) => item.trim()).filter((item) => item !== '');
    for (const address of addresses) if (isIP(address) === 0) throw new Error(`not an IP address: "${address}"`);
    return addresses;
  },
};

/** `key=value,key=value`, or a map. */
export const mapType: OptionType<Record<string, string>> = {
  name: 'key=value,…',
  schema: { type: ['string', 'object'], additionalProperties: { type: 'string' } },
  parse(raw) {
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) {
      return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, text(value)]));
    }
    const map: Record<string, string> = {};
    for (const pair of text(raw).split(',')) {
      if (pair.trim() === '') continue;
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`expected key=value, got "${pair.trim()}"`);
      map[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
    }
    return map;
  },
};
