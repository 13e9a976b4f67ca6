import { cleanPath } from './files.ts';
import { type ByteSink, type ByteSource, bytesSource, emptySource, nullSink } from './pipe.ts';
import type { Scope, Streams } from './scope.ts';
import { type Expansion, expandOne } from './shell-expand.ts';
import type { Redirect } from './shell-tree.ts';

/** Opens what a command is redirected to; undefined, with a word on stderr, when it cannot be. */
export async function redirect(
  redirects: Redirect[],
  given: Streams,
  context: Expansion,
): Promise<{ streams: Streams; close(): void } | undefined> {
  const { scope } = context;
  const streams = { ...given };
  const closers: (() => void)[] = [];
  for (const { stream, kind, target } of redirects) {
    const text = await expandOne(target, context);
    if (kind === 'same') {
      assign(streams, stream, sinkOf(streams, text));
      continue;
    }
    const path = cleanPath(scope.folder, text);
    const opened = kind === 'read' ? openSource(path, scope) : openSink(path, kind, scope);
    if (!opened) {
      await given.stderr.write(Buffer.from(`sh: can't open ${text}: no such file\n`));
      return undefined;
    }
    if ('read' in opened) streams.stdin = opened;
    else {
      closers.push(opened.close);
      assign(streams, stream, opened);
    }
  }
  return {
    streams,
    close: () => {
      for (const close of closers) close();
    },
  };
}

/** What a descriptor points to; a closed one, and one that is closed by `-`, forgets. */
function sinkOf(streams: Streams, descriptor: string): ByteSink {
  if (descriptor === '1') return streams.stdout;
  if (descriptor === '2') return streams.stderr;
  return streams.numbered?.get(Number(descriptor)) ?? nullSink;
}

function assign(streams: Streams, descriptor: number, sink: ByteSink): void {
  if (descriptor === 1) streams.stdout = sink;
  else if (descriptor === 2) streams.stderr = sink;
  else streams.numbered = new Map([...(streams.numbered ?? []), [descriptor, sink]]);
}

function openSource(path: string, scope: Scope): ByteSource | undefined {
  if (path === '/dev/null') return emptySource;
  const content = scope.machine.files.read(path);
  return content && bytesSource(content);
}

/** Opens a file to be written; what was written arrives there when the command ends. */
function openSink(path: string, kind: 'write' | 'append', scope: Scope): (ByteSink & { close(): void }) | undefined {
  const { files } = scope.machine;
  if (path === '/dev/null') return { ...nullSink, close() {} };
  if (!(kind === 'write' ? files.write(path, Buffer.alloc(0)) : files.append(path, Buffer.alloc(0)))) return undefined;
  const pieces: Buffer[] = [];
  return {
    write(bytes) {
      pieces.push(bytes);
      return Promise.resolve();
    },
    close: () => files.append(path, Buffer.concat(pieces)),
  };
}
