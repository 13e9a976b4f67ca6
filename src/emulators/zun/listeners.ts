import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { CapsuleRow, ContainerRow } from './model.ts';
import type { Process } from './process.ts';

/** How a container's HTTP server answers; for probes. */
export interface Serving {
  status: number;
  delayMs: number;
}

/** Real ports on the Pods' addresses. */
export interface Listeners {
  /** Opens or closes the ports of a process, as its state has it. */
  follow(process: Process, owner: CapsuleRow | ContainerRow): void;
  /** Changes how the HTTP servers of a capsule or container answer, from the next request on. */
  serve(uuid: string, serving: Partial<Serving>): void;
  /** Ports that could not be opened, and why. */
  failures(): string[];
  close(): void;
}

interface Opened {
  servers: Server[];
  sockets: Set<Socket>;
}

const wellServing: Serving = { status: 200, delayMs: 0 };

/** Makes listeners with nothing open. */
export function createListeners(): Listeners {
  const opened = new Map<Process, Opened>();
  const servings = new Map<string, Serving>();
  const failures: string[] = [];

  function shut(process: Process): void {
    const open = opened.get(process);
    opened.delete(process);
    for (const server of open?.servers ?? []) server.close();
    for (const socket of open?.sockets ?? []) socket.destroy();
  }

  function start(server: Server, open: Opened, address: string, port: number): void {
    open.servers.push(server);
    server.unref();
    server.on('connection', (socket) => {
      open.sockets.add(socket);
      socket.once('close', () => open.sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    server.on('error', (error) => failures.push(`${address}:${port}: ${error.message}`));
    server.listen(port, address);
  }

  return {
    follow(process, owner) {
      if (process.state !== 'running') {
        shut(process);
        return;
      }
      const address = Object.values(owner.addresses ?? {}).flat()[0]?.addr;
      const { web, echo } = portsOf(process);
      if (address === undefined || opened.has(process) || web.length + echo.length === 0) return;
      const open: Opened = { servers: [], sockets: new Set() };
      opened.set(process, open);
      const serving = () => servings.get(owner.uuid) ?? wellServing;
      for (const port of web) start(webServer(process, serving), open, address, port);
      for (const port of echo) start(echoServer(), open, address, port);
    },
    serve(uuid, serving) {
      servings.set(uuid, { ...wellServing, ...servings.get(uuid), ...serving });
    },
    failures: () => [...failures],
    close() {
      for (const process of [...opened.keys()]) shut(process);
    },
  };
}

/** Which ports a container serves: 80 for nginx and httpd images with their own command, and what its environment says. */
function portsOf(process: Process): { web: number[]; echo: number[] } {
  const { image, command, environment } = process.spec;
  const isWebServer = /nginx|httpd/.test(image) && (command.length === 0 || /nginx|httpd/.test(command[0] ?? ''));
  const listed = (name: string) =>
    (environment[name] ?? '')
      .split(',')
      .map(Number)
      .filter((port) => port > 0);
  return { web: [...(isWebServer ? [80] : []), ...listed('PEER_LISTEN')], echo: listed('PEER_ECHO') };
}

function webServer(process: Process, serving: () => Serving): Server {
  return createHttpServer((request, response) => {
    const { status, delayMs } = serving();
    process.log.write(
      'stdout',
      `${request.socket.remoteAddress} "${request.method} ${request.url} HTTP/1.1" ${status}\n`,
    );
    const text = `<h1>Welcome to nginx!</h1>\n<p>${process.spec.hostname} ${request.method} ${request.url}</p>\n`;
    const answer = () => response.writeHead(status, { 'content-type': 'text/html' }).end(text);
    if (delayMs > 0) setTimeout(answer, delayMs).unref();
    else answer();
  });
}

function echoServer(): Server {
  return createTcpServer({ allowHalfOpen: true }, (socket) => {
    socket.pipe(socket);
  });
}
