import { timestamp } from '../base/timestamp.ts';
import type { EventSubject } from '../sync/ports.ts';
import type { KubeEvent } from './types.ts';

/** One thing to tell. */
export interface Occurrence {
  subject: EventSubject;
  type: string;
  reason: string;
  message: string;
}

/** Equal occurrences, which share one Event object with a count. */
export interface EventSeries {
  event: KubeEvent & { metadata: { name: string; namespace: string } };
  /** True once the API server has the object: further occurrences are patches. */
  isStored: boolean;
}

/** Decides which Event object an occurrence belongs to. */
export interface EventCorrelator {
  /** Counts the occurrence; undefined when its subject has told too much lately. Times: wall and monotonic, ms. */
  observe(occurrence: Occurrence, nowMs: number, monotonicMs: number): EventSeries | undefined;
}

const cacheSize = 4096;
/** From this many different messages of one reason on, they share one Event. */
const similarLimit = 10;
const similarWindowMs = 600_000;
const spamBurst = 25;
const spamRefillMs = 300_000;
const messageLimit = 1024;
const reasonLimit = 128;
const nameLimit = 253;

/**
 * Makes a correlator with client-go's rules: equal occurrences raise a count; ten different messages of one reason about one
 * subject within ten minutes go on as "(combined from similar events)"; a subject may tell 25 things at once and then one
 * every five minutes.
 * Source: client-go tools/record/events_cache.go.
 */
export function createEventCorrelator(component: string, host: string): EventCorrelator {
  let named = 0;
  const similar = createRecent<{ messages: Set<string>; atMs: number }>(cacheSize);
  const series = createRecent<EventSeries>(cacheSize);
  const spam = createRecent<{ tokens: number; atMs: number }>(cacheSize);

  function isCombined(key: string, message: string, monotonicMs: number): boolean {
    let record = similar.get(key);
    if (!record || monotonicMs - record.atMs > similarWindowMs) record = { messages: new Set(), atMs: monotonicMs };
    record.messages.add(message);
    record.atMs = monotonicMs;
    similar.set(key, record);
    if (record.messages.size < similarLimit) return false;
    record.messages.delete(message);
    return true;
  }
  function mayTell(subject: string, monotonicMs: number): boolean {
    const bucket = spam.get(subject) ?? { tokens: spamBurst, atMs: monotonicMs };
    bucket.tokens = Math.min(spamBurst, bucket.tokens + (monotonicMs - bucket.atMs) / spamRefillMs);
    bucket.atMs = monotonicMs;
    spam.set(subject, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  return {
    observe(occurrence, nowMs, monotonicMs) {
      const { subject, type, reason } = occurrence;
      const subjectKey = JSON.stringify([subject.kind, subject.namespace, subject.name, subject.uid]);
      const reasonKey = JSON.stringify([subjectKey, type, reason]);
      const combined = isCombined(reasonKey, occurrence.message, monotonicMs);
      const message = combined ? `(combined from similar events): ${occurrence.message}` : occurrence.message;
      const key = combined ? reasonKey : JSON.stringify([reasonKey, subject.fieldPath, occurrence.message]);
      const known = series.get(key);
      const current = known ?? newSeries(occurrence, { component, host }, nowMs, named++);
      current.event.message = cut(message, messageLimit);
      current.event.lastTimestamp = timestamp(nowMs);
      current.event.count = (known?.event.count ?? 0) + 1;
      series.set(key, current);
      return mayTell(subjectKey, monotonicMs) ? current : undefined;
    },
  };
}

function newSeries(
  occurrence: Occurrence,
  source: { component: string; host: string },
  nowMs: number,
  ordinal: number,
): EventSeries {
  const { subject } = occurrence;
  // Nodes have no namespace; their Events live in `default`.
  const namespace = subject.namespace || 'default';
  return {
    isStored: false,
    event: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: eventName(subject.name, nowMs, ordinal), namespace },
      involvedObject: {
        apiVersion: 'v1',
        kind: subject.kind,
        name: subject.name,
        uid: subject.uid,
        ...(subject.namespace !== '' && { namespace: subject.namespace }),
        ...(subject.resourceVersion !== undefined && { resourceVersion: subject.resourceVersion }),
        ...(subject.fieldPath !== undefined && { fieldPath: subject.fieldPath }),
      },
      type: occurrence.type,
      reason: cut(occurrence.reason, reasonLimit),
      source,
      reportingComponent: source.component,
      reportingInstance: source.host,
      firstTimestamp: timestamp(nowMs),
      count: 0,
    },
  };
}

/** `<subject>.<hex nanoseconds>`, as client-go names them; the clock has milliseconds, so the rest is an ordinal. */
function eventName(subject: string, nowMs: number, ordinal: number): string {
  const suffix = `.${(BigInt(Math.floor(nowMs)) * 1_000_000n + BigInt(ordinal % 1_000_000)).toString(16)}`;
  return `${subject.slice(0, nameLimit - suffix.length).replace(/[-.]+$/, '')}${suffix}`;
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

interface Recent<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

/** A map that forgets what was set longest ago. */
function createRecent<V>(size: number): Recent<V> {
  const entries = new Map<string, V>();
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= size) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
  };
}
