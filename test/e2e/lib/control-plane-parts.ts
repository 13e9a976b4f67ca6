import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Pki, writeKubeconfig } from './pki.ts';

/** The ports of one control plane, all on the loopback interface. */
export interface Ports {
  etcd: number;
  etcdPeer: number;
  apiServer: number;
  controllers: number;
  scheduler: number;
}

/** What the command lines of the parts are made from. */
export interface Layout {
  dir: string;
  pki: Pki;
  ports: Ports;
  /** An address of this machine that is not loopback: the API server's proxy refuses to call nodes on loopback. */
  hostIP: string;
  audit: boolean;
  /** How long certificates that the controller manager signs are good for; its default is a year. */
  signingDuration?: string;
}

const serviceNetwork = { range: '10.96.0.0/16', firstAddress: '10.96.0.1' };
const requestHeaderFlags = (pki: Pki) => [`--requestheader-client-ca-file=${pki.files('front-proxy-ca').cert}`];

/** Makes every key, certificate and kubeconfig that the parts need. */
export function makeIdentities({ dir, pki, ports, hostIP }: Layout): void {
  for (const authority of ['ca', 'front-proxy-ca', 'kubelet-ca']) pki.authority(authority);
  pki.keyPair('service-accounts');
  // The kubelet's serving certificate comes from its own authority, or, after a signing request, from the cluster's.
  pki.bundle('kubelet-ca-bundle.crt', ['kubelet-ca', 'ca']);
  const dns = ['', '.default', '.default.svc', '.default.svc.cluster.local'].map((part) => `DNS:kubernetes${part}`);
  const addresses = ['127.0.0.1', serviceNetwork.firstAddress, hostIP].map((address) => `IP:${address}`);
  pki.certificate({
    name: 'apiserver',
    commonName: 'kube-apiserver',
    signer: 'ca',
    serverNames: [...dns, 'DNS:localhost', ...addresses],
  });
  pki.certificate({ name: 'front-proxy', commonName: 'front-proxy-client', signer: 'front-proxy-ca' });
  const masters = ['system:masters'];
  pki.certificate({ name: 'to-kubelet', commonName: 'kube-apiserver', organizations: masters, signer: 'ca' });
  pki.certificate({ name: 'admin', commonName: 'admin', organizations: masters, signer: 'ca' });
  for (const part of ['controller-manager', 'scheduler']) {
    pki.certificate({ name: part, commonName: `system:kube-${part}`, signer: 'ca' });
  }
  for (const user of ['admin', 'controller-manager', 'scheduler']) {
    writeKubeconfig(kubeconfigFile(dir, user), serverUrl(ports), pki.files('ca').cert, pki.files(user));
  }
}

export function kubeconfigFile(dir: string, user: string): string {
  return join(dir, `${user.replaceAll(/[^\w.-]/g, '_')}.kubeconfig`);
}

export function serverUrl(ports: Ports): string {
  return `https://127.0.0.1:${ports.apiServer}`;
}

export function etcdArgs({ dir, ports }: Layout): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    'etcd',
    '--name=test',
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=test=${peer}`,
    // A test needs no crash safety; the disk of a test machine would set the pace otherwise.
    '--unsafe-no-fsync',
    '--quota-backend-bytes=4294967296',
    '--log-level=warn',
  ];
}

export function apiServerArgs({ dir, pki, ports, hostIP, audit }: Layout): string[] {
  const accounts = { private: pki.files('service-accounts').key, public: join(dir, 'pki', 'service-accounts.pub') };
  return [
    'kube-apiserver',
    '--bind-address=127.0.0.1',
    `--advertise-address=${hostIP}`,
    '--endpoint-reconciler-type=none',
    `--secure-port=${ports.apiServer}`,
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--client-ca-file=${pki.files('ca').cert}`,
    `--tls-cert-file=${pki.files('apiserver').cert}`,
    `--tls-private-key-file=${pki.files('apiserver').key}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    '--enable-bootstrap-token-auth=true',
    `--service-cluster-ip-range=${serviceNetwork.range}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${accounts.public}`,
    `--service-account-signing-key-file=${accounts.private}`,
    `--kubelet-client-certificate=${pki.files('to-kubelet').cert}`,
    `--kubelet-client-key=${pki.files('to-kubelet').key}`,
    `--kubelet-certificate-authority=${join(dir, 'pki', 'kubelet-ca-bundle.crt')}`,
    '--kubelet-preferred-address-types=InternalIP,Hostname',
    ...requestHeaderFlags(pki),
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${pki.files('front-proxy').cert}`,
    `--proxy-client-key-file=${pki.files('front-proxy').key}`,
    '--profiling=false',
    '--v=1',
    ...(audit ? auditArgs(dir) : []),
  ];
}

export function auditFile(dir: string): string {
  return join(dir, 'audit.log');
}

function auditArgs(dir: string): string[] {
  const policy = join(dir, 'audit-policy.yaml');
  writeFileSync(
    policy,
    [
      'apiVersion: audit.k8s.io/v1',
      'kind: Policy',
      // Each call once: when it is answered. A watch has no end yet, so its start is the one line.
      'omitStages: [RequestReceived]',
      'rules:',
      '- level: None',
      '  nonResourceURLs: ["/healthz*", "/readyz*", "/livez*", "/metrics"]',
      '- level: Metadata',
      '',
    ].join('\n'),
  );
  return [
    `--audit-policy-file=${policy}`,
    `--audit-log-path=${auditFile(dir)}`,
    // Blocking: a call that was answered is in the file.
    '--audit-log-mode=blocking',
    '--audit-log-maxsize=4000',
  ];
}

export function controllerArgs({ dir, pki, ports, signingDuration }: Layout): string[] {
  return [
    'kube-controller-manager',
    ...delegatedAuth(dir, 'controller-manager'),
    `--secure-port=${ports.controllers}`,
    '--controllers=*,bootstrap-signer-controller,token-cleaner-controller',
    '--kube-api-qps=300',
    '--kube-api-burst=600',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${pki.files('service-accounts').key}`,
    `--root-ca-file=${pki.files('ca').cert}`,
    ...signerFlags(pki),
    ...(signingDuration === undefined ? [] : [`--cluster-signing-duration=${signingDuration}`]),
    `--client-ca-file=${pki.files('ca').cert}`,
    ...requestHeaderFlags(pki),
  ];
}

/** Clients are signed by one authority and kubelet servers by another, so that a test sees which it was. */
function signerFlags(pki: Pki): string[] {
  const signers = {
    'kube-apiserver-client': 'ca',
    'kubelet-client': 'ca',
    'legacy-unknown': 'ca',
    'kubelet-serving': 'kubelet-ca',
  };
  return Object.entries(signers).flatMap(([signer, authority]) => [
    `--cluster-signing-${signer}-cert-file=${pki.files(authority).cert}`,
    `--cluster-signing-${signer}-key-file=${pki.files(authority).key}`,
  ]);
}

export function schedulerArgs({ dir, ports }: Layout): string[] {
  return ['kube-scheduler', ...delegatedAuth(dir, 'scheduler'), `--secure-port=${ports.scheduler}`];
}

function delegatedAuth(dir: string, user: string): string[] {
  const kubeconfig = kubeconfigFile(dir, user);
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--profiling=false',
    '--v=1',
  ];
}
