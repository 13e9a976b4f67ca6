import { z } from 'zod';
import { unlessGone, zunSaid } from './capsules.ts';
import { readAllPages } from './paging.ts';
import { parseAnswer, uuidPath } from './wire.ts';
import type { Zun } from './zun.ts';

/** Credentials of an image registry that Zun keeps for standalone containers; the password comes back as `***`. */
export interface ZunRegistry {
  uuid: string;
  name: string | null;
  domain: string | null;
  username: string | null;
}

/** One limit of the project; -1 is none. Capsules count neither against it nor in it. */
export interface ZunQuota {
  limit: number;
  /** Undefined where Zun does not say. */
  inUse: number | undefined;
}

/** What a member may ask about the project and the cloud. Source: zun/api/controllers/v1/{registries,quotas,availability_zone}.py. */
export interface ZunProject {
  createRegistry(
    registry: { name: string; domain: string; username: string; password: string },
    signal?: AbortSignal,
  ): Promise<ZunRegistry>;
  listRegistries(signal?: AbortSignal): Promise<ZunRegistry[]>;
  /** Gone counts as success. */
  deleteRegistry(uuid: string, signal?: AbortSignal): Promise<void>;
  /** By resource: `containers`, `cpu`, `memory` (MiB), `disk` (GiB). */
  quotas(signal?: AbortSignal): Promise<Record<string, ZunQuota>>;
  availabilityZones(signal?: AbortSignal): Promise<string[]>;
}

const text = z.string().max(1024);
const registry = z
  .looseObject({ uuid: text, name: text.nullish(), domain: text.nullish(), username: text.nullish() })
  .transform(
    (value): ZunRegistry => ({
      uuid: value.uuid,
      name: value.name ?? null,
      domain: value.domain ?? null,
      username: value.username ?? null,
    }),
  );
const registryItem = z.looseObject({ registry });
const registryPage = z.looseObject({ registries: z.array(registry).max(10_000), next: z.string().max(4096).nullish() });
const quotas = z.record(
  z.string().max(64),
  z.union([z.number(), z.looseObject({ limit: z.number(), in_use: z.number().optional() })]),
);
const zones = z.looseObject({ availability_zones: z.array(z.looseObject({ availability_zone: text })).max(10_000) });

/** Makes the client of the smaller parts of Zun's API. */
export function createZunProject(zun: Zun): ZunProject {
  return {
    async createRegistry(asked, signal) {
      const attempt = `creating registry ${asked.name}`;
      const body = { registry: asked };
      const answer = await zun.call({
        operation: 'registries.create',
        attempt,
        method: 'POST',
        path: '/registries',
        body,
        signal,
      });
      return parseAnswer(registryItem, answer.body, zunSaid(attempt, 'unknown')).registry;
    },
    listRegistries(signal) {
      const attempt = 'listing registries';
      return readAllPages('zun', attempt, async (marker) => {
        const query = { limit: 200, marker };
        const answer = await zun.call({
          operation: 'registries.list',
          attempt,
          method: 'GET',
          path: '/registries',
          query,
          signal,
        });
        const page = parseAnswer(registryPage, answer.body, zunSaid(attempt, 'none'));
        return { items: page.registries, next: page.next };
      });
    },
    async deleteRegistry(uuid, signal) {
      const attempt = `deleting registry ${uuid}`;
      const path = `/registries/${uuidPath(uuid, attempt)}`;
      await unlessGone(zun.call({ operation: 'registries.delete', attempt, method: 'DELETE', path, signal }));
    },
    async quotas(signal) {
      const attempt = 'reading the quota of the project';
      const { projectId } = await zun.session.token(signal);
      const path = `/quotas/${encodeURIComponent(projectId)}`;
      const query = { usages: true };
      const answer = await zun.call({ operation: 'quotas.get', attempt, method: 'GET', path, query, signal });
      const found = parseAnswer(quotas, answer.body, zunSaid(attempt, 'none'));
      return Object.fromEntries(
        Object.entries(found).map(([name, value]): [string, ZunQuota] => [
          name,
          typeof value === 'number' ? { limit: value, inUse: undefined } : { limit: value.limit, inUse: value.in_use },
        ]),
      );
    },
    async availabilityZones(signal) {
      const attempt = 'listing the availability zones';
      const answer = await zun.call({
        operation: 'zones.list',
        attempt,
        method: 'GET',
        path: '/availability_zones',
        signal,
      });
      const found = parseAnswer(zones, answer.body, zunSaid(attempt, 'none'));
      return found.availability_zones.map((zone) => zone.availability_zone);
    },
  };
}
