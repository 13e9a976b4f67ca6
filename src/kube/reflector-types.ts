/** Receives what a reflector sees. Handlers are synchronous and only store and poke; they never call out. */
export interface ReflectorSink<T> {
  /** The complete list replaces what was there. */
  replace(items: T[]): void;
  upsert(item: T): void;
  remove(item: T): void;
}
