import { badRequest, unsupportedMediaType } from './failures.ts';
import { type Json, type JsonObject, memberOf, microTime, timestamp } from './objects.ts';
import { messageFields } from './protobuf-fields.ts';

interface Field {
  name: string;
  /** A letter, or the name of a message. */
  type: string;
  shape: 'one' | 'list' | 'map';
  keepsEmpty: boolean;
  isInline: boolean;
}

type Scan = (field: number, wire: number, reader: Reader) => void;

interface Reader {
  varint(): bigint;
  bytes(): Buffer;
}

/**
 * Turns what typed Go clients send, kubectl's `create` among them, into the JSON that it stands for.
 * Errors: 400 for damaged content, 415 for kinds and fields that the table lacks.
 * Source: Kubernetes "API Concepts", Protobuf encoding; protobuf.dev/programming-guides/encoding.
 */
export function decodeProtobuf(content: Buffer): JsonObject {
  if (content.subarray(0, 4).toString('latin1') !== 'k8s\0')
    throw badRequest('the protobuf body has no Kubernetes prefix');
  let typeMeta: JsonObject = {};
  let raw: Buffer = Buffer.alloc(0);
  scan(content.subarray(4), (field, wire, reader) => {
    if (wire !== 2) throw badRequest('the protobuf envelope is damaged');
    if (field === 1) typeMeta = textFields(reader.bytes());
    else if (field === 2) raw = reader.bytes();
    else reader.bytes();
  });
  const { apiVersion = '', kind = '' } = typeMeta;
  return { apiVersion, kind, ...decodeMessage(raw, String(kind)) };
}

function textFields(content: Buffer): JsonObject {
  const result: JsonObject = {};
  scan(content, (field, _wire, reader) => {
    result[field === 1 ? 'apiVersion' : 'kind'] = reader.bytes().toString('utf8');
  });
  return result;
}

const tables = new Map<string, Map<number, Field>>();

function tableOf(message: string): Map<number, Field> {
  const known = tables.get(message);
  if (known) return known;
  const text = messageFields[message];
  if (text === undefined)
    throw unsupportedMediaType(`this emulated API server does not know ${message} in protobuf: send JSON`);
  const table = new Map<number, Field>();
  for (const line of text.split(', ')) {
    const [number = '', name = '', type = ''] = line.split(' ');
    table.set(Number.parseInt(number, 10), {
      name,
      type: type.replace(/[*{}]/g, ''),
      shape: type.startsWith('*') ? 'list' : type.startsWith('{') ? 'map' : 'one',
      keepsEmpty: number.endsWith('!'),
      isInline: number.endsWith('^'),
    });
  }
  tables.set(message, table);
  return table;
}

function decodeMessage(content: Buffer, message: string): JsonObject {
  const table = tableOf(message);
  const result: JsonObject = {};
  scan(content, (number, wire, reader) => {
    const field = table.get(number);
    if (!field) {
      // A status is the server's to write; everything else would be lost in silence.
      if (number === 3 && wire === 2) return void reader.bytes();
      throw unsupportedMediaType(
        `this emulated API server does not know field ${number} of ${message} in protobuf: send JSON`,
      );
    }
    const value = wire === 0 ? scalar(field, reader.varint()) : decodeValue(field, reader.bytes());
    place(result, field, value);
  });
  return result;
}

function place(result: JsonObject, field: Field, value: Json | undefined): void {
  if (value === undefined) return;
  if (field.shape === 'list') {
    const before = result[field.name];
    result[field.name] = Array.isArray(before) ? [...before, value] : [value];
  } else if (field.shape === 'map') Object.assign(memberOf(result, field.name), value);
  else if (field.isInline) Object.assign(result, value);
  else if (field.keepsEmpty || (value !== '' && value !== 0 && value !== false)) result[field.name] = value;
}

function scalar(field: Field, value: bigint): Json {
  return field.type === 'b' ? value !== 0n : Number(BigInt.asIntN(64, value));
}

function decodeValue(field: Field, content: Buffer): Json | undefined {
  if (field.shape !== 'map') return decodeOne(field.type, content);
  let key = '';
  let value: Json | undefined = '';
  scan(content, (number, _wire, reader) => {
    if (number === 1) key = reader.bytes().toString('utf8');
    else value = decodeOne(field.type, reader.bytes());
  });
  return { [key]: value ?? '' };
}

function decodeOne(type: string, content: Buffer): Json | undefined {
  switch (type) {
    case '-':
      return undefined;
    case 's':
      return content.toString('utf8');
    case 'y':
      return content.toString('base64');
    case 'quantity':
      return textFields(content)['apiVersion'] ?? '0';
    case 'time':
    case 'microtime': {
      const ms = instant(content);
      if (ms === undefined) return undefined;
      return type === 'time' ? timestamp(ms) : microTime(ms);
    }
    case 'intstr':
      return intOrText(content);
    default:
      return decodeMessage(content, type);
  }
}

/** A time message holds seconds and nanoseconds; an empty one is no time. */
function instant(content: Buffer): number | undefined {
  let ms: number | undefined;
  scan(content, (number, _wire, reader) => {
    const value = Number(BigInt.asIntN(64, reader.varint()));
    ms = (ms ?? 0) + (number === 1 ? value * 1000 : Math.trunc(value / 1e6));
  });
  return ms;
}

function intOrText(content: Buffer): Json {
  let isText = false;
  let number = 0;
  let text = '';
  scan(content, (field, wire, reader) => {
    if (wire === 2) text = reader.bytes().toString('utf8');
    else if (field === 1) isText = reader.varint() === 1n;
    else number = Number(BigInt.asIntN(64, reader.varint()));
  });
  return isText ? text : number;
}

/** Reads the fields of a message one after the other. */
function scan(content: Buffer, onField: Scan): void {
  let at = 0;
  const reader: Reader = {
    varint() {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = content[at++];
        if (byte === undefined) break;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
      throw badRequest('the protobuf body is damaged');
    },
    bytes() {
      const length = Number(reader.varint());
      if (at + length > content.length) throw badRequest('the protobuf body is cut short');
      at += length;
      return content.subarray(at - length, at);
    },
  };
  while (at < content.length) {
    const tag = Number(reader.varint());
    const wire = tag & 7;
    if (wire !== 0 && wire !== 2) throw badRequest(`the protobuf body has the unknown wire type ${wire}`);
    onField(tag >> 3, wire, reader);
  }
}
