/** Writes a time as Kubernetes' `Time`: RFC 3339, whole seconds. Source: apimachinery/pkg/apis/meta/v1/time.go. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/**
 * Writes a time as Kubernetes' `MicroTime`, which is parsed with exactly six fractional digits.
 * Source: apimachinery/pkg/apis/meta/v1/micro_time.go (RFC3339Micro).
 */
export function microTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
