/** How a remote command ended, for the client's error stream. */
export type CommandStatus =
  | { kind: 'success' }
  | { kind: 'exit'; code: number }
  /** It could not be started, or its end cannot be told. `cause` is one sentence. */
  | { kind: 'failure'; cause: string };

/** `json` since protocol version 4, `text` before. */
export type StatusFormat = 'json' | 'text';

/**
 * Writes the last message of a remote command. Empty in the text format means success.
 * Source: k8s.io/kubelet/pkg/cri/streaming/remotecommand (v4WriteStatusFunc), client-go's error decoder for v4.
 */
export function statusMessage(status: CommandStatus, format: StatusFormat): string {
  switch (status.kind) {
    case 'success':
      return format === 'json' ? JSON.stringify({ metadata: {}, status: 'Success' }) : '';
    case 'exit': {
      if (status.code === 0) return statusMessage({ kind: 'success' }, format);
      const message = `command terminated with non-zero exit code: exit status ${status.code}`;
      if (format === 'text') return message;
      return JSON.stringify({
        metadata: {},
        status: 'Failure',
        message,
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: String(status.code) }] },
      });
    }
    case 'failure': {
      const cause = `error executing command in container: ${status.cause}`;
      if (format === 'text') return cause;
      return JSON.stringify({
        metadata: {},
        status: 'Failure',
        message: `Internal error occurred: ${cause}`,
        reason: 'InternalError',
        details: { causes: [{ message: cause }] },
        code: 500,
      });
    }
    default:
      return status satisfies never;
  }
}
