import type { Clock } from '../base/clock.ts';

/** Something that is due at a moment and only then. */
export interface Scheduled {
  /** Monotonic ms; undefined while it is not scheduled. */
  dueAt: number | undefined;
}

/** One timer for many things that are due. */
export interface Schedule<T extends Scheduled> {
  /** Sets when an item is due; an earlier setting no longer counts. */
  set(item: T, dueAt: number): void;
  clear(item: T): void;
  close(): void;
}

interface Slot<T> {
  item: T;
  dueAt: number;
}

/** What is due within this time of another is run with it, so that thousands of items need few timers. */
const slackMs = 20;

/**
 * Makes a schedule: a binary heap over the due times, and a single timer for the first. A changed or cleared item leaves its
 * old place in the heap, which is skipped when it comes up; with a new time for each run the heap stays within twice its
 * items.
 */
export function createSchedule<T extends Scheduled>(clock: Clock, run: (item: T) => void): Schedule<T> {
  const heap: Slot<T>[] = [];
  let cancelTimer: (() => void) | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  let closed = false;
  let firing = false;

  function swap(a: number, b: number): void {
    const [first, second] = [heap[a], heap[b]];
    if (first && second) [heap[a], heap[b]] = [second, first];
  }
  function at(index: number): number {
    return heap[index]?.dueAt ?? Number.POSITIVE_INFINITY;
  }
  function push(slot: Slot<T>): void {
    heap.push(slot);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (at(parent) <= at(index)) return;
      swap(parent, index);
      index = parent;
    }
  }
  function pop(): Slot<T> | undefined {
    const [first] = heap;
    const last = heap.pop();
    if (heap.length === 0 || !last) return first;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const child = at(left + 1) < at(left) ? left + 1 : left;
      if (at(child) >= at(index)) return first;
      swap(child, index);
      index = child;
    }
  }
  function arm(): void {
    const next = at(0);
    if (closed || firing || next >= timerAt) return;
    cancelTimer?.();
    timerAt = next;
    cancelTimer =
      next === Number.POSITIVE_INFINITY ? undefined : clock.after(Math.max(0, next - clock.monotonic()), fire);
  }
  function fire(): void {
    timerAt = Number.POSITIVE_INFINITY;
    cancelTimer = undefined;
    firing = true;
    const until = clock.monotonic() + slackMs;
    while (at(0) <= until && !closed) {
      const slot = pop();
      if (!slot || slot.item.dueAt !== slot.dueAt) continue;
      slot.item.dueAt = undefined;
      run(slot.item);
    }
    firing = false;
    arm();
  }

  return {
    set(item, dueAt) {
      if (item.dueAt === dueAt) return;
      item.dueAt = dueAt;
      push({ item, dueAt });
      arm();
    },
    clear(item) {
      item.dueAt = undefined;
    },
    close() {
      closed = true;
      cancelTimer?.();
      heap.length = 0;
    },
  };
}
