import type { Lifecycle, LifecycleHandler, Probe } from '../kube/types.ts';
import {
  ignored,
  inside,
  integer,
  list,
  mapped,
  object,
  type Row,
  type Rows,
  type RowsOf,
  rejected,
  requiredRow,
  row,
  text,
  textOrInteger,
  texts,
  wholeRow,
} from './fields.ts';

type Exec = NonNullable<Probe['exec']>;
type Grpc = NonNullable<Probe['grpc']>;
type HttpGet = NonNullable<Probe['httpGet']>;
type TcpSocket = NonNullable<Probe['tcpSocket']>;
type Sleep = NonNullable<LifecycleHandler['sleep']>;

const byNode = mapped("the node runs the probe over the Pod's address, with the kubelet's semantics");

const exec = object(inside<Exec>({ command: texts }));
const httpGetRows: Rows = {
  host: row(text, byNode),
  httpHeaders: row(
    list({
      name: requiredRow(text, byNode),
      value: row(text, byNode),
    } satisfies RowsOf<NonNullable<HttpGet['httpHeaders']>[number]>),
    byNode,
  ),
  path: row(text, byNode),
  port: requiredRow(textOrInteger, byNode),
  scheme: row(text, byNode),
} satisfies RowsOf<HttpGet>;
const tcpSocketRows: Rows = {
  host: row(text, byNode),
  port: requiredRow(textOrInteger, byNode),
} satisfies RowsOf<TcpSocket>;
const grpcRows: Rows = {
  port: requiredRow(integer, byNode),
  service: row(text, byNode),
} satisfies RowsOf<Grpc>;

const noExec = 'nothing can be executed in a capsule;';

/** What becomes of a probe. */
export const probeRows: Rows = {
  exec: wholeRow(exec, {
    capsule: rejected('correctness', `${noExec} use \`httpGet\`, \`tcpSocket\` or \`grpc\`, or the container backend`),
    container: mapped('executed through zun, which allows 5 seconds by default and joins the arguments to one line'),
  }),
  failureThreshold: row(integer, byNode),
  grpc: row(object(grpcRows), byNode),
  httpGet: row(object(httpGetRows), byNode),
  initialDelaySeconds: row(integer, byNode),
  periodSeconds: row(integer, byNode),
  successThreshold: row(integer, byNode),
  tcpSocket: row(object(tcpSocketRows), byNode),
  terminationGracePeriodSeconds: row(integer, {
    capsule: ignored('zun stops the containers of a capsule with its own fixed time'),
    container: mapped('given to zun when the probe ends the container'),
  }),
  timeoutSeconds: row(integer, byNode),
} satisfies RowsOf<Probe>;

const hook = mapped("called by the node over the Pod's address");

function handlerRows(): Rows {
  return {
    exec: wholeRow(exec, {
      capsule: rejected('correctness', `${noExec} use \`httpGet\` or \`sleep\`, or the container backend`),
      container: mapped('executed through zun, which allows 5 seconds by default and joins the arguments to one line'),
    }),
    httpGet: wholeRow(
      object(
        inside<HttpGet>({
          host: text,
          httpHeaders: list(inside<NonNullable<HttpGet['httpHeaders']>[number]>({ name: text, value: text })),
          path: text,
          port: textOrInteger,
          scheme: text,
        }),
      ),
      hook,
    ),
    sleep: wholeRow(object(inside<Sleep>({ seconds: integer })), mapped('the node waits')),
    tcpSocket: wholeRow(
      object(inside<TcpSocket>({ host: text, port: textOrInteger })),
      rejected('impossible', 'Kubernetes itself does not run it; use `httpGet` or `sleep`'),
    ),
  } satisfies RowsOf<LifecycleHandler>;
}

/** What becomes of `lifecycle` of a container. */
export const lifecycleRows: Rows = {
  postStart: row(object(handlerRows()), mapped('see the fields inside')),
  preStop: row(object(handlerRows()), mapped('see the fields inside')),
  stopSignal: row(
    text,
    rejected('convenience', 'zun always stops with the signal of the image; set `STOPSIGNAL` there'),
  ) satisfies Row,
} satisfies RowsOf<Lifecycle>;
