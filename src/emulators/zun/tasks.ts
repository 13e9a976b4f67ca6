import type { Clock } from '../../base/clock.ts';

/** Work of a compute host: yields how many milliseconds pass before it goes on. */
export type Task = Generator<number, void, void>;

/** Runs work; one piece at a time for a key, as zun-compute does under its lock (docs/zun.md §4.5). */
export interface Tasks {
  run(key: string, task: Task): void;
  isBusy(key: string): boolean;
  /** Forgets all work that is under way, as a restart of zun-compute does. */
  abandon(): void;
}

/** Makes a host with nothing to do. */
export function createTasks(clock: Clock): Tasks {
  const queues = new Map<string, Task[]>();
  let generation = 0;

  function step(key: string, task: Task, from: number): void {
    if (from !== generation) return;
    for (;;) {
      const { done, value } = task.next();
      if (done) break;
      if (value > 0) {
        clock.after(value, () => step(key, task, from));
        return;
      }
    }
    const queue = queues.get(key);
    queue?.shift();
    const next = queue?.[0];
    if (next) step(key, next, from);
    else queues.delete(key);
  }

  return {
    run(key, task) {
      const queue = queues.get(key);
      if (queue) {
        queue.push(task);
        return;
      }
      queues.set(key, [task]);
      step(key, task, generation);
    },
    isBusy: (key) => queues.has(key),
    abandon() {
      generation++;
      queues.clear();
    },
  };
}
