/**
 * Formats a wall time as the API server stores it: UTC, whole seconds.
 * Source: Kubernetes apimachinery pkg/apis/meta/v1/time.go.
 */
export function kubeTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Reads a time written by Kubernetes; undefined for nothing and for nonsense. */
export function kubeTimeMs(time: string | null | undefined): number | undefined {
  if (!time) return undefined;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * Reads a time written by Zun: naive UTC, `YYYY-MM-DD HH:MM:SS` with an optional fraction; older servers add an offset.
 * Undefined for nothing and for nonsense.
 */
export function zunTimeMs(time: string | null | undefined): number | undefined {
  if (!time) return undefined;
  const iso = time.trim().replace(' ', 'T');
  return kubeTimeMs(/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}
