import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { type Execution, notFoundText, type Session, type Sessions } from './executions.ts';
import { createTerminal } from './guest/terminal.ts';
import type { Process } from './process.ts';

export interface WebSocketProxy {
  /** `ws://127.0.0.1:6784` */
  url: string;
  /** Resets every connection, as a proxy that dies does; returns how many there were. */
  cut(): number;
  close(): Promise<void>;
}

/** Bytes that may wait for a slow reader before the program has to. */
const maxBufferedBytes = 1024 * 1024;

/**
 * Starts what zun-wsproxy is: raw terminal bytes in binary frames, nothing but a token at the door (docs/zun.md §5.3). The
 * connection ends with 1000 when the program does; its exit code is not told.
 */
export async function startWebSocketProxy(sessions: Sessions, host: string, port = 0): Promise<WebSocketProxy> {
  const server = createServer((_request, response) => response.writeHead(405).end());
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const webSockets = new WebSocketServer({
    server,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('binary') ? 'binary' : offered.has('base64') ? 'base64' : false),
    verifyClient: ({ origin, req }: { origin: string | undefined; req: IncomingMessage }) =>
      !origin || origin.replace(/^\w+:\/\//, '') === req.headers.host,
  });
  webSockets.on('connection', (socket, request) => {
    const query = new URL(request.url ?? '/', 'ws://proxy').searchParams;
    const session = sessions.get(query.get('token') ?? '');
    const isGood =
      session?.container === query.get('uuid') && (session?.execution?.id ?? null) === query.get('exec_id');
    if (!session || !isGood) return socket.close(1011, 'Failed to connect to websocket: invalid token');
    if (session.execution) serveExecution(socket, session, session.execution, () => sessions.delete(session.token));
    else serveMain(socket, session.process);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  // An IP listener's address is never a string or null.
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `ws://${host}:${bound}`,
    cut() {
      const count = sockets.size;
      for (const socket of sockets) socket.resetAndDestroy();
      return count;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Runs a program behind a terminal of its own, as Zun does for every interactive exec. */
function serveExecution(socket: WebSocket, session: Session, execution: Execution, forget: () => void): void {
  const { process } = session;
  const terminal = createTerminal({ write: (bytes) => sendBytes(socket, bytes) }, execution.size);
  execution.terminal = terminal;
  const keys = createDetachKeys();
  receive(socket, async (typed) => {
    const { bytes, isDetached } = keys(typed);
    await terminal.type(bytes);
    if (isDetached) socket.terminate();
  });
  const end = () => {
    terminal.hangUp();
    socket.close(1000, 'Target closed');
  };
  process.life.addEventListener('abort', end, { once: true });
  const streams = { stdin: terminal.input, stdout: terminal.output, stderr: terminal.output, terminal };
  const guest = process.guest();
  const name = execution.words[0] ?? '';
  const running = guest.knows(name)
    ? guest.run(execution.words, streams, process.life)
    : sendBytes(socket, Buffer.from(notFoundText(name)));
  void running.then(() => {
    process.life.removeEventListener('abort', end);
    forget();
    end();
  });
}

/**
 * Docker's detach keys: Ctrl-P Ctrl-Q ends the connection, not the program, and a Ctrl-P waits until the next byte comes.
 * Zun names no others when it makes an exec, so these are in force (zun/container/docker/driver.py, execute_create).
 */
function createDetachKeys(): (typed: Buffer) => { bytes: Buffer; isDetached: boolean } {
  let held: Buffer = Buffer.alloc(0);
  return (typed) => {
    const all = Buffer.concat([held, typed]);
    held = Buffer.alloc(0);
    const at = all.indexOf(Buffer.from([0x10, 0x11]));
    if (at >= 0) return { bytes: all.subarray(0, at), isDetached: true };
    if (all.at(-1) !== 0x10) return { bytes: all, isDetached: false };
    held = all.subarray(-1);
    return { bytes: all.subarray(0, -1), isDetached: false };
  };
}

/** Connects to the main process: what it writes from now on, and its standard input. */
function serveMain(socket: WebSocket, process: Process): void {
  const stopFollowing = process.log.follow((bytes) => void sendBytes(socket, bytes));
  receive(socket, async (bytes) => {
    if (process.terminal) await process.terminal.type(bytes);
    else await process.stdin?.write(bytes);
  });
  socket.on('close', stopFollowing);
  process.life.addEventListener('abort', () => socket.close(1000, 'Target closed'), { once: true });
}

function sendBytes(socket: WebSocket, bytes: Buffer): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  const isText = socket.protocol === 'base64';
  return new Promise((resolve) => {
    socket.send(isText ? bytes.toString('base64') : bytes, { binary: !isText }, () => resolve());
    if (socket.bufferedAmount < maxBufferedBytes) resolve();
  });
}

/** Takes frames in order, and no more from the network while the program does not read. */
function receive(socket: WebSocket, use: (bytes: Buffer) => Promise<void>): void {
  let last = Promise.resolve();
  let waiting = 0;
  socket.on('message', (data: RawData, isBinary) => {
    const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
    waiting += bytes.length;
    if (waiting > maxBufferedBytes) socket.pause();
    last = last.then(async () => {
      await use(isBinary || socket.protocol !== 'base64' ? bytes : Buffer.from(bytes.toString(), 'base64'));
      waiting -= bytes.length;
      if (waiting <= maxBufferedBytes && socket.isPaused) socket.resume();
    });
  });
  socket.on('error', () => socket.terminate());
}
