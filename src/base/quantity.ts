/** An exact Kubernetes quantity in billionths of its unit, so that no value on the wire loses a digit. */
export type Quantity = bigint;

const nano = 1_000_000_000n;
const maximumLength = 64;
const maximumExponent = 64n;

const decimalSuffixes: Record<string, bigint> = {
  n: 1n,
  u: 1_000n,
  m: 1_000_000n,
  '': nano,
  k: nano * 10n ** 3n,
  M: nano * 10n ** 6n,
  G: nano * 10n ** 9n,
  T: nano * 10n ** 12n,
  P: nano * 10n ** 15n,
  E: nano * 10n ** 18n,
};

const binarySuffixes: Record<string, bigint> = {
  Ki: nano * 2n ** 10n,
  Mi: nano * 2n ** 20n,
  Gi: nano * 2n ** 30n,
  Ti: nano * 2n ** 40n,
  Pi: nano * 2n ** 50n,
  Ei: nano * 2n ** 60n,
};

const shape = /^([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))([A-Za-z]{0,2}|[eE][+-]?[0-9]{1,4})$/;

/** Divides towards positive infinity; the divisor is positive. */
export function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor > 0n ? quotient + 1n : quotient;
}

/** Says how many billionths one of the suffix stands for, as a fraction. */
function scaleOf(suffix: string): { times: bigint; over: bigint } | undefined {
  const plain = decimalSuffixes[suffix] ?? binarySuffixes[suffix];
  if (plain !== undefined) return { times: plain, over: 1n };
  if (!/^[eE][+-]?[0-9]+$/.test(suffix)) return undefined;
  const exponent = BigInt(suffix.slice(1).replace('+', ''));
  if (exponent > maximumExponent || exponent < -maximumExponent) return undefined;
  return exponent >= 0n ? { times: nano * 10n ** exponent, over: 1n } : { times: nano, over: 10n ** -exponent };
}

/**
 * Reads a Kubernetes quantity exactly: decimal and binary suffixes, exponents, signs. What is finer than a billionth is
 * rounded away from zero, as Kubernetes does. Undefined when it is not a quantity, is longer than 64 characters, or has an
 * exponent beyond ±64. Numbers are taken as well, since YAML has them.
 * Source: k8s.io/apimachinery/pkg/api/resource/quantity.go.
 */
export function parseQuantity(input: unknown): Quantity | undefined {
  const text = typeof input === 'number' && Number.isFinite(input) ? String(input) : input;
  if (typeof text !== 'string' || text.length > maximumLength) return undefined;
  const match = shape.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', onlyFraction = '', suffix = ''] = match;
  const scale = scaleOf(suffix);
  if (!scale) return undefined;
  const decimals = fraction + onlyFraction;
  const digits = BigInt(whole + decimals);
  const magnitude = divideUp(digits * scale.times, scale.over * 10n ** BigInt(decimals.length));
  return sign === '-' ? -magnitude : magnitude;
}

/** Makes a quantity of a whole number of units. */
export function wholeQuantity(units: number | bigint): Quantity {
  return BigInt(units) * nano;
}

function toNumber(value: bigint): number {
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > limit ? limit : value < -limit ? -limit : value);
}

/** Whole units, rounded up; saturates at 2^53 - 1. */
export function wholeUnits(quantity: Quantity): number {
  return toNumber(divideUp(quantity, nano));
}

/** Thousandths of a core, rounded up; saturates at 2^53 - 1. */
export function cpuMillicores(quantity: Quantity): number {
  return toNumber(divideUp(quantity, 1_000_000n));
}

/** Whole MiB of a quantity in bytes, rounded up; saturates at 2^53 - 1. */
export function memoryMiB(quantity: Quantity): number {
  return toNumber(divideUp(quantity, nano * 2n ** 20n));
}

/** Whole GiB of a quantity in bytes, rounded up; saturates at 2^53 - 1. */
export function storageGiB(quantity: Quantity): number {
  return toNumber(divideUp(quantity, nano * 2n ** 30n));
}

/** Orders two quantities: negative when the first is smaller, 0 when equal. */
export function compareQuantities(left: Quantity, right: Quantity): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Adds quantities; nothing adds up to 0. */
export function addQuantities(...quantities: Quantity[]): Quantity {
  return quantities.reduce((sum, quantity) => sum + quantity, 0n);
}

/** Answers the larger of two quantities. */
export function largerQuantity(left: Quantity, right: Quantity): Quantity {
  return left > right ? left : right;
}

/**
 * Writes a quantity in its canonical form: the largest suffix that leaves a whole number. `binary` uses Ki, Mi, … where the
 * value has them; what is finer than one unit always takes a decimal suffix.
 */
export function formatQuantity(quantity: Quantity, form: 'decimal' | 'binary' = 'decimal'): string {
  if (quantity === 0n) return '0';
  const magnitude = quantity < 0n ? -quantity : quantity;
  const sign = quantity < 0n ? '-' : '';
  const suffixes = form === 'binary' && magnitude % nano === 0n ? { ...binarySuffixes, '': nano } : decimalSuffixes;
  const fitting = Object.entries(suffixes)
    .filter(([, size]) => magnitude % size === 0n)
    .sort(([, left], [, right]) => (left < right ? 1 : -1));
  const [suffix, size] = fitting[0] ?? ['n', 1n];
  return `${sign}${magnitude / size}${suffix}`;
}
