import { main } from './cli/main.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // A second signal means: now.
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error(name));
  });
}
// `zunlet … | head` closes the pipe; that is the reader's right and no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});
// A full disk or a reader that went away costs the log, never the node.
process.stderr.on('error', () => {});

process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  signal: stop.signal,
});
