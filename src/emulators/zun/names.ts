import type { Random } from '../../base/random.ts';

const greek = [
  'alpha',
  'beta',
  'gamma',
  'delta',
  'epsilon',
  'zeta',
  'eta',
  'theta',
  'iota',
  'kappa',
  'lambda',
  'mu',
  'nu',
  'xi',
  'omicron',
  'pi',
  'rho',
  'sigma',
  'tau',
  'upsilon',
  'phi',
  'chi',
  'psi',
  'omega',
];

/** Makes the part of a name that Zun makes up: a Greek letter and a number up to 24 (docs/zun.md §2.2). */
export function generatedName(random: Random): string {
  return `${greek[Math.floor(random() * greek.length)]}-${1 + Math.floor(random() * 24)}`;
}

/** Tells whether Zun takes a text for a uuid: with or without dashes, in any case (docs/zun.md §8 B21). */
export function isUuidLike(text: string): boolean {
  return /^[0-9a-f]{32}$/i.test(text.replace(/^urn:|^uuid:/g, '').replace(/[-{}]/g, ''));
}
