/** How often an operation was called and what it answered. */
export interface OperationCount {
  calls: number;
  /** By status code; a call that got no answer counts under `none`. */
  answers: Record<string, number>;
}

/** Calls by operation. Budgets are counted here. */
export interface Counters {
  called(operation: string): void;
  answered(operation: string, status: number | 'none'): void;
  read(): Record<string, OperationCount>;
  reset(): void;
}

/** Makes counters at zero. */
export function createCounters(): Counters {
  let counts: Record<string, OperationCount> = {};
  function count(operation: string): OperationCount {
    counts[operation] ??= { calls: 0, answers: {} };
    return counts[operation];
  }
  return {
    called(operation) {
      count(operation).calls++;
    },
    answered(operation, status) {
      const { answers } = count(operation);
      answers[status] = (answers[status] ?? 0) + 1;
    },
    read: () => structuredClone(counts),
    reset() {
      counts = {};
    },
  };
}
