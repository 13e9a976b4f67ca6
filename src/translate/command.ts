import type { ContainerContext } from './env.ts';
import { expand } from './expansion.ts';
import type { Concern, Target } from './fields.ts';
import { checkCommand } from './limits.ts';
import { own } from './shape.ts';

export interface CommandLine {
  command: string[];
  args: string[];
}

const dockerDropsEntrypoint = "the docker driver drops the image's ENTRYPOINT";

function refuse(
  context: ContainerContext,
  field: 'command' | 'args',
  message: string,
  concern: Concern = 'correctness',
): void {
  context.findings.refuse({
    path: `${context.path}.${field}`,
    code: `container.${field}`,
    message,
    concern,
    container: context.container.name,
  });
}

function checkEntrypoint({ command, args }: CommandLine, target: Target, context: ContainerContext): void {
  if (target === 'docker' && command.length === 0 && args.length > 0) {
    refuse(
      context,
      'args',
      `${dockerDropsEntrypoint}, so the arguments alone would be run; give \`command\` too, or use the container backend`,
    );
  }
  if (target === 'docker' && command.length === 0 && args.length === 0) {
    context.findings.note({
      path: `${context.path}.command`,
      code: 'container.no-command',
      message: `is not given: ${dockerDropsEntrypoint} and runs its CMD alone; give \`command\` if the image needs its ENTRYPOINT`,
      level: 'warned',
    });
  }
  if (target === 'cri' && command.length > 0) {
    refuse(
      context,
      'command',
      "the cri driver keeps the image's ENTRYPOINT and passes the command to it as arguments; use `args`, unless the image has no ENTRYPOINT or one that runs its arguments",
      // Only the image knows whether this does any harm.
      'convenience',
    );
  }
  if (target === 'container' && command.length === 1 && args.length === 0) {
    refuse(context, 'command', "zun adds the image's CMD to a command of one word; split it, or add `args`");
  }
}

/**
 * Expands `command` and `args` with the container's final environment and checks them against what the driver makes of an
 * image's ENTRYPOINT: docker always drops it, cri always keeps it, a standalone container does as told.
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
  checkEntrypoint(line, target, context);
  checkCommand([...line.command, ...line.args], `${context.path}.command`, context);
  return line;
}
