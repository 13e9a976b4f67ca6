import type { Schema } from './validate.ts';

/**
 * What Zun lets through as a capsule template, in the order in which it checks (docs/zun.md §2.1 to §2.8).
 * Source: zun/api/controllers/v1/schemas/parameter_types.py, seen in the texts of recorded errors.
 */

const name: Schema = {
  type: ['string', 'null'],
  minLength: 2,
  maxLength: 255,
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$',
};
const volumeName: Schema = { ...name, type: ['string'] };
const truth: Schema = { type: ['boolean', 'string'], enum: [true, 'True', 'true', false, 'False', 'false'] };
const texts: Schema = { type: ['array'], items: { type: ['string', 'null'] } };
const portNumber: Schema = { type: ['integer', 'string'], pattern: '^[0-9]*$', minimum: 0 };
const restartPolicy: Schema = { type: ['string'], enum: ['Always', 'OnFailure', 'Never'] };

const resources: Schema = {
  type: ['object'],
  properties: {
    requests: {
      type: ['object'],
      properties: {
        cpu: {
          type: ['number', 'string', 'null'],
          pattern: '^[0-9]*(\\.([0-9]+))?$',
          minLength: 1,
          minimum: 0.1,
          maximum: { wholeFloat: 16 },
        },
        memory: { type: ['string', 'integer', 'null'], minimum: 4, maximum: 8192, pattern: '^[0-9]+$' },
      },
      additionalProperties: false,
    },
  },
  additionalProperties: false,
};

const container: Schema = {
  type: 'object',
  properties: {
    name,
    image: { type: 'string', minLength: 2, maxLength: 255, pattern: '[a-zA-Z0-9][a-zA-Z0-9_.-]' },
    command: texts,
    args: texts,
    resources,
    ports: {
      type: ['array'],
      items: {
        type: 'object',
        properties: {
          name,
          containerPort: portNumber,
          hostPort: portNumber,
          protocol: { type: ['string'], enum: ['TCP', 'UDP'] },
        },
        additionalProperties: false,
        required: ['containerPort'],
      },
    },
    volumeMounts: {
      type: ['array'],
      items: {
        type: 'object',
        properties: { name: volumeName, mountPath: { type: ['string'] }, readOnly: truth },
        additionalProperties: false,
        required: ['name', 'mountPath'],
      },
    },
    env: { type: ['object', 'null'], patternProperties: { '.+': { type: ['string'] } } },
    workDir: { type: ['string', 'null'] },
    imagePullPolicy: {
      type: ['string', 'null'],
      enum: ['never', 'always', 'ifnotpresent', 'Never', 'Always', 'IfNotPresent', null],
    },
    stdin: truth,
    tty: truth,
  },
  additionalProperties: false,
  required: ['image'],
};

const volume: Schema = {
  type: 'object',
  properties: {
    name: volumeName,
    cinder: {
      type: 'object',
      properties: {
        volumeID: { type: 'string', maxLength: 36, minLength: 36 },
        size: { type: ['number'], pattern: '^[0-9]*$', minLength: 1 },
        autoRemove: truth,
      },
      additionalProperties: false,
    },
  },
  additionalProperties: true,
  required: ['name', 'cinder'],
};

/** The value of `template`. Its third type is one that no validator knows: null, lists and numbers end in a 500. */
export const templateSchema: Schema = {
  type: ['object', 'string', 'unicode'],
  properties: {
    kind: { type: ['string'], enum: ['capsule', 'Capsule'] },
    capsuleVersion: { type: ['string'], enum: ['beta', 'Beta'] },
    metadata: {
      type: ['object'],
      properties: { labels: { type: ['object', 'null'] }, annotations: { type: ['object', 'null'] }, name },
    },
    restartPolicy,
    spec: {
      type: ['object'],
      properties: {
        containers: { type: ['array'], items: container },
        volumes: { type: ['array', 'null'], items: volume },
        restartPolicy,
      },
      additionalProperties: true,
      required: ['containers'],
    },
    availabilityZone: { type: ['string', 'null'], minLength: 1, maxLength: 255 },
  },
  additionalProperties: false,
  required: ['kind', 'spec', 'metadata'],
};

/** The body of `POST /v1/capsules`. */
export const capsuleBodySchema: Schema = {
  type: 'object',
  properties: { template: templateSchema },
  required: ['template'],
  additionalProperties: false,
};
