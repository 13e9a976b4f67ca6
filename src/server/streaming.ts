import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Pod } from '../kube/types.ts';
import { attach } from './attach.ts';
import type { Exec } from './exec.ts';
import { isRefusal, type Refusal } from './log-options.ts';
import { containerSpecs, execTarget, findPod } from './pod-container.ts';
import { portForwarder } from './pod-dial.ts';
import type { ContainerTarget } from './runtime.ts';
import type { KubeletServerOptions } from './server-options.ts';
import { acceptSpdyCommand, spdyCommandProtocols } from './streams/command-spdy.ts';
import type { CommandStatus } from './streams/command-status.ts';
import { acceptWebSocketCommand, webSocketCommandProtocols } from './streams/command-websocket.ts';
import type { RemoteStreams, WantedStreams } from './streams/remote-command.ts';
import type { WebSocketAcceptor } from './streams/websocket.ts';
import { answerSpdyUpgrade, chooseProtocol, isWebSocketRequest, type UpgradeRefusal } from './upgrade-protocol.ts';

/** A streaming request of which everything has been checked. */
export interface Prepared {
  isWebSocket: boolean;
  /** Sends the 101 and serves; resolves when it is over. */
  serve(socket: TLSSocket, head: Buffer): Promise<void>;
}

/** What streaming requests are served with. */
export interface StreamingTools {
  exec: Exec;
  webSockets: WebSocketAcceptor;
  stopping: AbortSignal;
}

/** A streaming request. */
export interface StreamingRequest {
  request: IncomingMessage;
  query: URLSearchParams;
  namespace: string;
  pod: string;
  uid: string | undefined;
}

type CommandRequest = StreamingRequest & { container: string };

const notFound = 'pod does not exist';

/** Checks a request to run a command. Source: k8s.io/kubelet/pkg/cri/streaming/remotecommand (NewOptions). */
export async function prepareExec(
  options: KubeletServerOptions,
  asked: CommandRequest,
  tools: StreamingTools,
): Promise<Prepared | UpgradeRefusal> {
  const wanted = wantedStreams(asked.query);
  if (isRefusal(wanted)) return wanted;
  const command = asked.query.getAll('command');
  if (command.length === 0) return { status: 400, text: 'you must specify at least one command' };
  if (command.some((word) => word.includes('\u0000'))) return { status: 400, text: 'a command cannot contain NUL' };
  const pod = findPod(options.sources, asked, notFound);
  if (isRefusal(pod)) return pod;
  return prepareCommand(options, { asked, pod, wanted }, tools, (target, streams) =>
    tools.exec.run({ target, command, wanted }, streams),
  );
}

/** Checks a request to join a main process. Whether it has a terminal and stdin is up to its spec, not to the request. */
export async function prepareAttach(
  options: KubeletServerOptions,
  asked: CommandRequest,
  tools: StreamingTools,
): Promise<Prepared | UpgradeRefusal> {
  const requested = wantedStreams(asked.query);
  if (isRefusal(requested)) return requested;
  const pod = findPod(options.sources, asked, notFound);
  if (isRefusal(pod)) return pod;
  const spec = containerSpecs(pod).find((container) => container.name === asked.container);
  const tty = spec?.tty ?? false;
  const wanted = { ...requested, tty, stderr: requested.stderr && !tty };
  return prepareCommand(options, { asked, pod, wanted }, tools, (target, streams) => {
    if (spec?.stdin) return attach(options.runtime, options.clock, { target, streams });
    streams.stdin?.resume();
    return attach(options.runtime, options.clock, { target, streams: { ...streams, stdin: undefined } });
  });
}

async function prepareCommand(
  options: KubeletServerOptions,
  checked: { asked: CommandRequest; pod: Pod; wanted: WantedStreams },
  tools: StreamingTools,
  run: (target: ContainerTarget, streams: RemoteStreams) => Promise<CommandStatus>,
): Promise<Prepared | UpgradeRefusal> {
  const { asked, wanted } = checked;
  const target = execTarget(options.sources, checked.pod, asked.container);
  if (isRefusal(target)) return target;
  await options.runtime.ensureServed(target, AbortSignal.any([tools.stopping, AbortSignal.timeout(served)]));
  const isWebSocket = isWebSocketRequest(asked.request);
  const protocol = chooseProtocol(
    asked.request,
    isWebSocket ? webSocketCommandProtocols : spdyCommandProtocols,
    isWebSocket,
  );
  if (typeof protocol === 'object') return protocol;
  return {
    isWebSocket,
    async serve(socket, head) {
      const accept = { asked, wanted, tools, protocol, isWebSocket };
      const streams = await acceptCommand(options, accept, { socket, head }).catch((error: unknown) => {
        options.log.debug('a client opened no streams', { err: error });
      });
      if (!streams) return;
      const gone = AbortSignal.any([streams.gone, tools.stopping]);
      await streams.finish(await run(target, { ...streams, gone }));
    },
  };
}

const served = 30_000;

async function acceptCommand(
  options: KubeletServerOptions,
  accept: {
    asked: CommandRequest;
    wanted: WantedStreams;
    tools: StreamingTools;
    protocol: string | undefined;
    isWebSocket: boolean;
  },
  connection: { socket: TLSSocket; head: Buffer },
): Promise<RemoteStreams> {
  const { limits, clock } = options;
  const { wanted, protocol } = accept;
  const { socket, head } = connection;
  const shared = { wanted, clock, graceMs: limits.streamGraceMs };
  if (accept.isWebSocket) {
    const webSocket = await accept.tools.webSockets.accept(accept.asked.request, socket, head, protocol);
    return acceptWebSocketCommand({ ...shared, webSocket, protocol, idleMs: limits.streamIdleMs });
  }
  answerSpdyUpgrade(socket, protocol ?? '');
  return acceptSpdyCommand({
    ...shared,
    transport: socket,
    head,
    protocol: protocol ?? '',
    limits: { ...limits.spdy, maxStreams: 8, idleMs: limits.streamIdleMs },
    creationMs: limits.streamCreationMs,
  });
}

function wantedStreams(query: URLSearchParams): WantedStreams | Refusal {
  const has = (name: string): boolean => query.get(name) === '1';
  const tty = has('tty');
  const wanted = { stdin: has('input'), stdout: has('output'), stderr: has('error') && !tty, tty };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    return { status: 400, text: 'you must specify at least 1 of stdin, stdout, stderr' };
  }
  return wanted;
}

/** Checks a request to forward ports. */
export async function preparePortForward(
  options: KubeletServerOptions,
  asked: StreamingRequest,
  tools: StreamingTools,
): Promise<Prepared | UpgradeRefusal> {
  const pod = findPod(options.sources, asked, notFound);
  if (isRefusal(pod)) return pod;
  return portForwarder(options, { ...asked, target: pod }, tools);
}
