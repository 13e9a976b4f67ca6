import { AppError } from '../base/errors.ts';

/** Waits for work that others wait for too, but no longer than this caller wants to. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined, attempt: string): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(abortedError(attempt));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Says that the caller gave up before anything was sent. */
function abortedError(attempt: string): AppError {
  return new AppError({
    kind: 'retryable',
    code: 'http.aborted',
    message: `${attempt}: given up by the caller`,
    effect: 'none',
  });
}
