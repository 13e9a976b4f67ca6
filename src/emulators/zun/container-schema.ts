import type { Schema } from './validate.ts';

/**
 * What Zun lets through as a standalone container (docs/zun.md §5.1).
 * Source: zun/api/controllers/v1/schemas/containers.py.
 */

const truth: Schema = {
  type: ['boolean', 'string', 'null'],
  enum: [true, 'True', 'true', false, 'False', 'false', null],
};
const text: Schema = { type: ['string', 'null'] };
const texts: Schema = { type: ['array', 'null'], items: { type: ['string'] } };

/** The body of `POST /v1/containers`. */
export const containerSchema: Schema = {
  type: 'object',
  properties: {
    name: { type: ['string', 'null'], minLength: 2, maxLength: 255, pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$' },
    image: { type: 'string', minLength: 2, maxLength: 255, pattern: '[a-zA-Z0-9][a-zA-Z0-9_.-]' },
    command: { type: ['array', 'string', 'null'], items: { type: ['string'] } },
    entrypoint: texts,
    cpu: {
      type: ['number', 'string', 'null'],
      pattern: '^[0-9]*(\\.([0-9]+))?$',
      minLength: 1,
      minimum: 0.1,
      maximum: { wholeFloat: 16 },
    },
    cpu_policy: { type: 'string', enum: ['dedicated', 'shared'] },
    memory: { type: ['string', 'integer', 'null'], minimum: 4, maximum: 8192, pattern: '^[0-9]+$' },
    workdir: text,
    image_pull_policy: { type: ['string', 'null'], enum: ['never', 'always', 'ifnotpresent', null] },
    labels: { type: ['object', 'null'] },
    environment: { type: ['object', 'null'], patternProperties: { '.+': { type: ['string'] } } },
    restart_policy: {
      type: ['object', 'null'],
      properties: {
        Name: { type: ['string'], enum: ['no', 'always', 'on-failure', 'unless-stopped', null] },
        MaximumRetryCount: { type: ['integer', 'string', 'null'], pattern: '^[0-9]+$', minimum: 0 },
      },
      additionalProperties: false,
      required: ['Name'],
    },
    interactive: truth,
    tty: truth,
    image_driver: { type: ['string', 'null'], enum: ['docker', 'glance', null] },
    security_groups: { type: ['array', 'null'], items: { type: 'string', minLength: 1, maxLength: 255 } },
    exposed_ports: { type: ['object', 'null'] },
    nets: {
      type: ['array', 'null'],
      items: {
        type: 'object',
        properties: { network: text, port: text, 'v4-fixed-ip': text, 'v6-fixed-ip': text },
        additionalProperties: false,
      },
    },
    mounts: {
      type: ['array', 'null'],
      items: {
        type: 'object',
        properties: {
          type: { type: ['string'] },
          source: text,
          destination: text,
          size: { type: ['string', 'integer'] },
        },
        additionalProperties: false,
        required: ['destination'],
      },
    },
    runtime: text,
    hostname: { type: ['string', 'null'], minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9-._]+$' },
    disk: { type: ['integer', 'string', 'null'], pattern: '^[0-9]+$', minimum: 0 },
    availability_zone: { type: ['string', 'null'], minLength: 1, maxLength: 255 },
    auto_remove: truth,
    auto_heal: truth,
    privileged: truth,
    healthcheck: { type: ['object', 'null'] },
    hints: { type: ['object', 'null'] },
    registry: text,
    host: text,
  },
  required: ['image'],
  additionalProperties: false,
};

/** From which minor version on a field may be sent; those not here always may. */
export const fieldSince: Record<string, number> = {
  hostname: 9,
  disk: 12,
  availability_zone: 17,
  auto_heal: 18,
  privileged: 21,
  healthcheck: 22,
  exposed_ports: 24,
  registry: 31,
  tty: 36,
  host: 39,
  entrypoint: 40,
};
