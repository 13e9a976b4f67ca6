import type { KubeClient } from './client-types.ts';

interface CertificateRequest {
  metadata: { name: string };
  status?: { certificate?: string; conditions?: { type: string; status?: string; message?: string }[] };
}

/** What the API server says about a certificate request. */
export interface SigningState {
  /** PEM, with chain. */
  certificate?: string;
  /** Why it will never be signed. */
  refused?: string;
}

const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

/** Makes the calls on CertificateSigningRequests. Source: Kubernetes certificates.k8s.io/v1. */
export function createCertificateSigner(client: KubeClient) {
  const read = async (name: string, signal: AbortSignal) =>
    client.get<CertificateRequest>(`${path}/${name}`, { attempt: `reading certificate request ${name}`, signal });
  return {
    async create(request: {
      csr: string;
      signerName: string;
      usages: string[];
      expirationSeconds?: number;
      signal: AbortSignal;
    }): Promise<string> {
      const { csr, signal, ...spec } = request;
      const body = {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { generateName: 'zunlet-serving-' },
        spec: { ...spec, request: Buffer.from(csr).toString('base64') },
      };
      const attempt = 'asking for a serving certificate';
      const made = await client.create<CertificateRequest>(path, body, { attempt, signal });
      return made.metadata.name;
    },
    async read(name: string, signal: AbortSignal): Promise<SigningState> {
      const { status } = await read(name, signal);
      const refusal = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
      const certificate = status?.certificate;
      return {
        ...(certificate && { certificate: Buffer.from(certificate, 'base64').toString('utf8') }),
        ...(refusal && { refused: refusal.message || refusal.type }),
      };
    },
    async approve(name: string, signal: AbortSignal): Promise<void> {
      const request = await read(name, signal);
      const condition = {
        type: 'Approved',
        status: 'True',
        reason: 'ZunletServing',
        message: 'approved by the node itself, as its operator allows',
      };
      const conditions = [...(request.status?.conditions ?? []), condition];
      const body = { ...request, status: { ...request.status, conditions } };
      await client.replace(`${path}/${name}/approval`, body, {
        attempt: `approving certificate request ${name}`,
        signal,
      });
    },
  };
}
