/** The life of a service account token when a Pod does not say. */
export const defaultExpirationSeconds = 3600;

/** Names a service account token in `PodInputs.tokens`: what it is for and how long it lives. */
export function tokenKey(audience: string | undefined, expirationSeconds: number | undefined): string {
  return `${audience ?? ''}|${expirationSeconds ?? defaultExpirationSeconds}`;
}
