import { styleText } from 'node:util';
import type { Pod } from '../../kube/types.ts';
import { capsuleNamedBy } from '../../status/named-capsule.ts';
import type { Io } from '../io.ts';

/** One thing that happened to a Pod, as the demo shows it. */
export interface Happening {
  /** Seconds since the demo began. */
  atSeconds: number;
  pod: string;
  /** `Pending`, `Running`, `Terminating`, `gone`, … */
  state: string;
  detail: string;
}

/** Shows happenings as they come: a line each for people, an object each for machines. */
export interface View {
  say(text: string): void;
  happened(happening: Happening): void;
}

type Style = Parameters<typeof styleText>[0];
const styles: Record<string, Style> = {
  Pending: 'yellow',
  Running: 'green',
  Succeeded: 'cyan',
  Failed: 'red',
  Terminating: 'magenta',
  gone: 'dim',
};

/** Makes the view. Colours only on a terminal; in JSON only happenings go to stdout. */
export function createView(io: Io, json: boolean): View {
  const colour = io.stdout.isTTY === true && !io.env['NO_COLOR'];
  const paint = (style: Style, text: string) => (colour ? styleText(style, text, { validateStream: false }) : text);
  return {
    say(text) {
      if (json) io.stderr.write(`${text}\n`);
      else io.stdout.write(`${text}\n`);
    },
    happened(happening) {
      if (json) {
        io.stdout.write(`${JSON.stringify(happening)}\n`);
        return;
      }
      const { atSeconds, pod, state, detail } = happening;
      const time = `${atSeconds.toFixed(1)}s`.padStart(8);
      io.stdout.write(
        `${paint('dim', time)}  ${pod.padEnd(34)} ${paint(styles[state] ?? 'bold', state.padEnd(11))}  ${detail}\n`,
      );
    },
  };
}

/** The one word that a Pod's row would show, and what a person would want to know beside it. */
export function describe(pod: Pod): { state: string; detail: string } {
  const { phase, reason, message, podIP } = pod.status ?? {};
  const state = pod.metadata.deletionTimestamp ? 'Terminating' : (phase ?? 'Unknown');
  const capsule = capsuleNamedBy(pod.status);
  const containers = pod.status?.containerStatuses ?? [];
  const waiting = containers.find(({ state: now }) => now?.waiting?.message)?.state?.waiting;
  const exits = containers.flatMap(({ name, state: now }) =>
    now?.terminated ? [`${name} exit ${now.terminated.exitCode}`] : [],
  );
  const ready = containers.filter((one) => one.ready).length;
  const parts = [
    ...(state === 'Running' ? [`${ready}/${containers.length} ready`] : []),
    ...(podIP ? [`ip ${podIP}`] : []),
    ...(capsule ? [`${capsule.backend} ${capsule.uuid.slice(0, 8)}`] : []),
    ...exits,
    ...(waiting ? [`${waiting.reason}: ${waiting.message}`] : []),
    ...(reason ? [`${reason}: ${message ?? ''}`] : []),
  ];
  return { state, detail: parts.join(', ') };
}
