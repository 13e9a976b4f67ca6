import type { ContainerContext } from './env.ts';
import { expand } from './expansion.ts';
import type { Target } from './fields.ts';
import { checkCommand } from './limits.ts';
import { own } from './records.ts';

/** What a container runs, expanded. */
export interface CommandLine {
  command: string[];
  args: string[];
}

/** The docker driver runs an image's CMD without its ENTRYPOINT, which a field that is absent cannot say in the table. */
function noteAbsence({ command, args }: CommandLine, target: Target, context: ContainerContext): void {
  if (target !== 'docker' || command.length > 0 || args.length > 0) return;
  context.findings.note({
    path: `${context.path}.command`,
    code: 'container.no-command',
    message:
      "is not given: the docker driver drops the image's ENTRYPOINT and runs its CMD alone; give `command` if the image needs its ENTRYPOINT",
    level: 'warned',
  });
}

/**
 * Expands `command` and `args` with the container's final environment. What the driver makes of an image's ENTRYPOINT is in
 * the support table: docker always drops it, cri always keeps it, a standalone container does as told.
 * Source: zun/container/docker/driver.py (_create_container_in_capsule, create), zun/container/cri/driver.py.
 */
export function commandLine(
  environment: Readonly<Record<string, string>>,
  target: Target,
  context: ContainerContext,
): CommandLine {
  const words = (list: string[] | undefined) =>
    (list ?? []).map((word) => expand(word, (name) => own(environment, name)));
  const line = { command: words(context.container.command), args: words(context.container.args) };
  noteAbsence(line, target, context);
  checkCommand([...line.command, ...line.args], `${context.path}.command`, context);
  return line;
}
