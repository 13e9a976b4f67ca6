import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Node, Pod } from '../../kube/types.ts';
import type { KeyedCertificate } from './certificates.ts';
import { ApiFailure, badRequest, internalError, notFound } from './failures.ts';
import { asPod } from './pod-defaults.ts';
import { resourceNamed } from './resources.ts';
import type { ApiRequest } from './server.ts';
import type { ObjectStore } from './store.ts';

/** A streaming sub-resource of a Pod: who is meant, and what the client asks. */
export interface StreamTarget {
  namespace: string;
  name: string;
  subresource: string;
  query: URLSearchParams;
}

export interface KubeletProxy {
  /** Answers `pods/log` and `nodes/proxy`; undefined for other calls. Errors: 400, 404, 500. */
  serve(request: ApiRequest, response: ServerResponse): 'streamed' | undefined;
  /** Joins an upgraded connection with the kubelet's, byte for byte. */
  upgrade(target: StreamTarget, incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

const pods = resourceNamed('pods');
const nodes = resourceNamed('nodes');
const extendedFeature = 'ExtendWebSocketsToKubelet';
/** Sub-protocols that the real server itself translates to SPDY for nodes that do not take them. */
const translated = ['v5.channel.k8s.io', 'SPDY/3.1+portforward.k8s.io'];

/**
 * Makes the part of the API server that talks to kubelets: over HTTPS, with a client certificate, without verifying theirs.
 * Two differences to the real one: loopback addresses of nodes are fine, and instead of translating WebSockets to SPDY it refuses
 * them, upon which kubectl speaks SPDY itself; the kubelet sees the same.
 */
export function createKubeletProxy(store: ObjectStore, client: KeyedCertificate): KubeletProxy {
  const agent = new Agent({ keepAlive: true, ...client, rejectUnauthorized: false });

  function nodeOptions(name: string): RequestOptions {
    // The registry keeps only well-formed nodes; the parts that are used may be missing all the same.
    const node = store.get(nodes.storage, '', name) as unknown as Node | undefined;
    if (!node) throw notFound(nodes, name);
    const addresses = node.status?.addresses ?? [];
    const address = addresses.find((one) => one.type === 'InternalIP') ?? addresses[0];
    if (!address) throw internalError(`no preferred addresses found; known addresses: []`);
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || 10250;
    return { host: address.address, port, agent };
  }

  function readPod(namespace: string, name: string): Pod {
    const found = store.get(pods.storage, namespace, name);
    if (!found) throw notFound(pods, name);
    return asPod(found);
  }

  function serve(request: ApiRequest, response: ServerResponse): 'streamed' | undefined {
    const { call, query } = request;
    if (call.resource.plural === 'nodes' && call.subresource === 'proxy') {
      const text = query.toString();
      relay(request, response, nodeOptions(call.name), `/${call.tail}${text === '' ? '' : `?${text}`}`);
      return 'streamed';
    }
    if (call.subresource !== 'log') {
      if (call.resource.plural === 'pods') throw badRequest('Upgrade request required');
      return undefined;
    }
    const pod = readPod(call.namespace, call.name);
    const container = containerOf(pod, query.get('container'));
    if (!pod.spec.nodeName) {
      response.writeHead(200, { 'content-type': 'text/plain' }).end();
      return 'streamed';
    }
    const asked = new URLSearchParams(query);
    for (const name of ['container', 'insecureSkipTLSVerifyBackend', 'pretty']) asked.delete(name);
    const path = `/containerLogs/${call.namespace}/${call.name}/${container}?${asked}`;
    relay(request, response, nodeOptions(pod.spec.nodeName), path);
    return 'streamed';
  }

  function relay(request: ApiRequest, response: ServerResponse, options: RequestOptions, path: string): void {
    const { method = 'GET' } = request.incoming;
    const call = httpsRequest({ ...options, method, path }, (answer) => {
      const status = answer.statusCode ?? 500;
      if (request.call.subresource === 'log' && (status < 200 || status > 206)) {
        collect(answer, (text) => fail(response, kubeletFailure(status, text, request.call.name)));
        return;
      }
      const type = request.call.subresource === 'log' ? 'text/plain' : answer.headers['content-type'];
      response.writeHead(status, type === undefined ? {} : { 'content-type': type });
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    call.on('error', (error) => {
      const what = `${method === 'GET' ? 'Get' : method} "https://${options.host}:${options.port}${path}": ${error.message}`;
      fail(response, new ApiFailure(500, '', what));
    });
    response.on('close', () => call.destroy());
    call.end(request.body.text === '' ? undefined : request.body.text);
  }

  function upgrade(target: StreamTarget, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const pod = readPod(target.namespace, target.name);
    if (!pod.spec.nodeName) throw badRequest(`pod ${target.name} does not have a host assigned`);
    const options = nodeOptions(pod.spec.nodeName);
    const node = store.get(nodes.storage, '', pod.spec.nodeName) as unknown as Node;
    const offered = incoming.headers['sec-websocket-protocol'] ?? '';
    const isExtended = node.status?.declaredFeatures?.includes(extendedFeature) === true;
    if (!isExtended && translated.some((name) => offered.includes(name))) {
      throw badRequest(`this emulated API server does not translate ${offered} for the node: use SPDY`);
    }
    const path = streamPath(target, pod);
    const headers = { ...incoming.headers, host: `${options.host}:${options.port}` };
    delete headers.authorization;
    // A connection that is upgraded is not one for the pool.
    const call = httpsRequest({
      ...options,
      ...client,
      rejectUnauthorized: false,
      agent: false,
      method: incoming.method ?? 'GET',
      path,
      headers,
    });
    call.on('upgrade', (answer, kubelet, kubeletHead) => {
      socket.write(headText(answer));
      join(socket, kubelet, head, kubeletHead);
    });
    call.on('response', (answer) => {
      collect(answer, (text) => {
        const body = Buffer.from(text);
        const status =
          (answer.statusCode ?? 500) >= 400
            ? `${answer.statusCode} ${answer.statusMessage}`
            : '500 Internal Server Error';
        const type = answer.headers['content-type'] ?? 'text/plain';
        socket.end(
          `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${text}`,
        );
      });
    });
    call.on('error', (error) => refuseUpgrade(socket, internalError(`error dialing backend: ${error.message}`)));
    socket.on('error', () => call.destroy());
    call.end();
  }

  return { serve, upgrade, close: () => agent.destroy() };
}

function join(client: Duplex, kubelet: Socket, clientHead: Buffer, kubeletHead: Buffer): void {
  kubelet.setNoDelay(true);
  if (kubeletHead.length > 0) client.write(kubeletHead);
  if (clientHead.length > 0) kubelet.write(clientHead);
  client.pipe(kubelet);
  kubelet.pipe(client);
  client.on('error', () => kubelet.destroy());
  kubelet.on('error', () => client.destroy());
  client.on('close', () => kubelet.destroy());
  kubelet.on('close', () => client.destroy());
}

function headText(answer: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
    lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Answers an upgrade request that failed before the connection changed hands. */
export function refuseUpgrade(socket: Duplex, failure: ApiFailure): void {
  const body = JSON.stringify(failure.status());
  const head = `HTTP/1.1 ${failure.code} ${failure.reason || 'Error'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.end(head + body);
}

const renamed: Record<string, string> = { stdin: 'input', stdout: 'output', stderr: 'error' };

function streamPath(target: StreamTarget, pod: Pod): string {
  const { namespace, name, subresource, query } = target;
  if (subresource === 'portforward')
    return `/portForward/${namespace}/${name}${withQuery(query.getAll('ports').map((port) => ['port', port]))}`;
  const container = containerOf(pod, query.get('container'));
  const asked: [string, string][] = [];
  for (const [option, value] of query) {
    if (option === 'command' && subresource === 'exec') asked.push(['command', value]);
    const isOn = value === 'true' || value === '1';
    if (isOn && (option === 'tty' || renamed[option])) asked.push([renamed[option] ?? option, '1']);
  }
  return `/${subresource}/${namespace}/${name}/${container}${withQuery(asked)}`;
}

/** In the order of the names, as Go writes them. */
function withQuery(given: [string, string][]): string {
  const pairs = given.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

/** The container that a call is about. Errors: 400. */
function containerOf(pod: Pod, asked: string | null): string {
  const { name } = pod.metadata;
  const mains = pod.spec.containers.map((one) => one.name);
  const inits = (pod.spec.initContainers ?? []).map((one) => one.name);
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map((one) => one.name);
  if (asked !== null && asked !== '') {
    if ([...mains, ...inits, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred && mains.includes(preferred)) return preferred;
  if (mains.length + inits.length === 1 && mains[0]) return mains[0];
  const more = inits.length > 0 ? ` or one of the init containers: [${inits.join(' ')}]` : '';
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${mains.join(' ')}]${more}`);
}

/** How the API server passes on what a kubelet refused. Source: k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go. */
function kubeletFailure(status: number, text: string, pod: string): ApiFailure {
  if (status === 400) return badRequest(text);
  if (status === 500) return internalError(text);
  const known: Record<number, [reason: string, message: string]> = {
    401: ['Unauthorized', text],
    403: ['Forbidden', text],
    404: ['NotFound', 'the server could not find the requested resource'],
    405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    422: ['Invalid', 'the server rejected our request due to an error in our request'],
    429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
    503: ['ServiceUnavailable', text === '' ? 'the server is currently unable to handle the request' : text],
  };
  // Source for the rest: k8s.io/apimachinery/pkg/api/errors/errors.go (NewGenericServerResponse).
  const other: [reason: string, message: string] =
    status >= 500
      ? ['InternalError', `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`]
      : ['', `the server responded with the status code ${status} but did not return more information`];
  const [reason, message] = known[status] ?? other;
  return new ApiFailure(status, reason, `${message} ( pods ${pod})`, { name: pod, kind: 'pods' });
}

function collect(answer: IncomingMessage, done: (text: string) => void): void {
  let text = '';
  answer.on('data', (chunk: Buffer) => {
    if (text.length < 50_000) text += chunk.toString();
  });
  answer.on('close', () => done(text));
}

function fail(response: ServerResponse, failure: ApiFailure): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(failure.status());
  response
    .writeHead(failure.code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
