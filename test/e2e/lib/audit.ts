import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** One call that the API server answered. Source: audit.k8s.io/v1 Event. */
export interface AuditEvent {
  verb: string;
  user: { username: string };
  userAgent?: string;
  requestURI: string;
  objectRef?: { resource: string; namespace?: string; name?: string; subresource?: string; apiGroup?: string };
  responseStatus?: { code: number };
  requestReceivedTimestamp: string;
  stage: string;
}

/** Reads an audit log as it grows. */
export interface AuditLog {
  /** Every complete line from `mark` on. */
  since(mark: AuditMark): AuditEvent[];
  /** The end of the log as it is now. */
  mark(): AuditMark;
  /** The log's beginning. */
  start: AuditMark;
}

/** A position in an audit log, in bytes. */
export type AuditMark = number & { readonly position: unique symbol };

/** Opens an audit log; the file need not be there yet. */
export function openAuditLog(path: string): AuditLog {
  const size = () => (existsSync(path) ? statSync(path).size : 0);
  return {
    // The brand only keeps other numbers out.
    mark: () => size() as AuditMark,
    start: 0 as AuditMark,
    since(mark) {
      const bytes = Buffer.alloc(Math.max(0, size() - mark));
      if (bytes.length === 0) return [];
      const file = openSync(path, 'r');
      readSync(file, bytes, 0, bytes.length, mark);
      closeSync(file);
      const complete = bytes.subarray(0, bytes.lastIndexOf('\n'.charCodeAt(0)) + 1).toString('utf8');
      const lines = complete.split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as AuditEvent);
    },
  };
}

/** Names a call for counting: `patch pods/status`, `create events`. */
export function callName(event: AuditEvent): string {
  const { resource = event.requestURI, subresource } = event.objectRef ?? {};
  return `${event.verb} ${resource}${subresource ? `/${subresource}` : ''}`;
}

/** Counts calls by name; a long-running one (a watch) counts once, when it starts. */
export function countCalls(events: AuditEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const event of events) {
    if (event.verb === 'watch' && event.stage !== 'ResponseStarted') continue;
    counts[callName(event)] = (counts[callName(event)] ?? 0) + 1;
  }
  return counts;
}
