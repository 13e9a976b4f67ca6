import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Registers what tells whether this process leaks or stalls, under the names that clients of Prometheus use in Node.js. */
export function registerProcessGauges(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('nodejs_heap_size_used_bytes', 'Memory of objects, dead ones included.', () => process.memoryUsage().heapUsed);
  gauge('process_start_time_seconds', 'Start of the process, seconds since 1970.', () => performance.timeOrigin / 1000);
  gauge('process_open_fds', 'Open files and sockets; -1 where the system does not tell.', openFiles);
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time used.',
    registers: [registry],
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'nodejs_active_resources',
    help: 'What keeps the event loop busy, by type: timers, sockets, requests.',
    labelNames: ['type'],
    registers: [registry],
    collect() {
      this.reset();
      for (const type of process.getActiveResourcesInfo()) this.inc({ type });
    },
  });
  registerLag(gauge);
}

function registerLag(gauge: (name: string, help: string, read: () => number) => unknown): void {
  const resolutionMs = 10;
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  gauge('nodejs_eventloop_lag_p99_seconds', 'Delay of the event loop since the last scrape, 99th percentile.', () => {
    // What is recorded is the time between two samples, not how late the second was.
    const lateMs = delays.percentile(99) / 1e6 - resolutionMs;
    delays.reset();
    return Math.max(0, lateMs) / 1000;
  });
}

/** Counts this process's open files; the directory that is read for it is not counted. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return -1;
  }
}
