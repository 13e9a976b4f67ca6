import { pino } from 'pino';
import type { Log, LogFields } from '../base/log.ts';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Names of fields whose values never reach the log, wherever they stand. */
const secretNames =
  /^(authorization|cookie|password|passwd|secret|token|x-auth-token|x-subject-token|application_credential_secret|client-key-data|\.dockerconfigjson)$/i;
/** Texts that are credentials by their form: Keystone's Fernet tokens, JSON web tokens, bearer headers. */
const secretTexts = /(gAAAAA[\w-]{20,}={0,2}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|\bBearer\s+\S+)/g;

export interface LogSinkOptions {
  level: Level;
  format: 'json' | 'text';
  write: (line: string) => void;
  /** Wall time, ms. */
  now: () => number;
}

/** Makes the log: one line an event, JSON or text, secrets replaced by `***`. */
export function createLog(options: LogSinkOptions): Log {
  const sink =
    options.format === 'text'
      ? textSink(options)
      : pino(
          {
            level: options.level,
            base: null,
            timestamp: () => `,"time":"${new Date(options.now()).toISOString()}"`,
            formatters: { level: (label) => ({ level: label }) },
            messageKey: 'msg',
          },
          { write: options.write },
        );
  const make = (bound: LogFields): Log => {
    const line = (level: Level) => (message: string, fields?: LogFields) =>
      sink[level](redact({ ...bound, ...fields }), message);
    return {
      debug: line('debug'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return make({});
}

function textSink(options: LogSinkOptions): Record<Level, (fields: object, message: string) => void> {
  const levels: Level[] = ['debug', 'info', 'warn', 'error'];
  const from = levels.indexOf(options.level);
  const line = (level: Level) => (fields: object, message: string) => {
    if (levels.indexOf(level) < from) return;
    const time = new Date(options.now()).toISOString().slice(11, 23);
    const shown = Object.entries(fields)
      .map(([name, value]) => `${name}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`)
      .join(' ');
    options.write(`${time} ${level.toUpperCase().padEnd(5)} ${message}${shown ? `  ${shown}` : ''}\n`);
  };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

function quoted(value: string): string {
  return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

const maxDepth = 6;
const maxText = 4096;

/** Copies log fields with every secret replaced, long texts cut, and errors as plain objects. */
export function redact(fields: LogFields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, secretNames.test(name) ? '***' : redactValue(value, 0)]),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    const shown = value.replace(secretTexts, '***');
    return shown.length > maxText ? `${shown.slice(0, maxText)}… (${shown.length} characters)` : shown;
  }
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '…';
  if (value instanceof Error) {
    return redactValue(
      { message: value.message, stack: value.stack, ...('code' in value && { code: value.code }), cause: value.cause },
      depth + 1,
    );
  }
  if (value instanceof Map) return redactValue(Object.fromEntries(value), depth);
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redactValue(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, secretNames.test(name) ? '***' : redactValue(item, depth + 1)]),
  );
}
