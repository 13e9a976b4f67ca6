/** A straight line through samples, by least squares. */
export interface Slope {
  /** Change an hour. */
  perHour: number;
  /** Half the width of its 95 % interval, as if the samples were independent. */
  plusMinus: number;
}

/** Fits a line through `(ms, value)`. Needs three samples; with fewer it is flat and sure of nothing. */
export function fitSlope(samples: readonly { atMs: number; value: number }[]): Slope {
  const count = samples.length;
  if (count < 3) return { perHour: 0, plusMinus: Number.POSITIVE_INFINITY };
  const hours = samples.map(({ atMs }) => atMs / 3_600_000);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / count;
  const meanHour = mean(hours);
  const meanValue = mean(samples.map(({ value }) => value));
  let xx = 0;
  let xy = 0;
  for (const [index, { value }] of samples.entries()) {
    const dx = (hours[index] ?? meanHour) - meanHour;
    xx += dx * dx;
    xy += dx * (value - meanValue);
  }
  const perHour = xy / xx;
  const errors = samples.map(({ value }, index) => value - meanValue - perHour * ((hours[index] ?? 0) - meanHour));
  const variance = errors.reduce((sum, error) => sum + error * error, 0) / (count - 2);
  return { perHour, plusMinus: 1.96 * Math.sqrt(variance / xx) };
}
