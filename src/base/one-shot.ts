/** The calls on single connections that probes and lifecycle hooks make, as `http/` does them. */

/** An HTTP GET on a connection of its own: no proxy, no keep-alive, no check of certificates. */
export interface OneShotRequest {
  scheme: 'http' | 'https';
  host: string;
  port: number;
  /** Path with its query. */
  path: string;
  /** Sent as they stand, in order, a name more than once if it stands more than once. */
  headers: [name: string, value: string][];
  /** For all of it, body included. 0 means no limit. */
  timeoutMs: number;
  /** More of the body is not read. */
  maxBodyBytes: number;
}

/**
 * What came back, or why nothing did. That nothing came is an answer too, so it is not thrown. `isPlain`: the request was for
 * TLS, and what answered does not speak it.
 */
export type OneShotAnswer =
  | { kind: 'answer'; status: number; location: string | undefined; body: string }
  | { kind: 'failed'; message: string; isPlain?: true };

/** A gRPC health check. */
export interface HealthRequest {
  host: string;
  port: number;
  /** Empty asks for the server as a whole. */
  service: string;
  userAgent: string;
  timeoutMs: number;
}

/**
 * What a health check answered: the serving status where the call succeeded (`grpcStatus` 0), else gRPC's status and
 * words; or why no answer came.
 */
export type HealthAnswer =
  | { kind: 'answer'; grpcStatus: number; grpcMessage: string; serving: number | undefined }
  | { kind: 'failed'; message: string }
  | { kind: 'timeout' };

/** Values of HealthCheckResponse.ServingStatus. Source: grpc-proto grpc/health/v1/health.proto. */
export const servingStatus = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
