import type { ContainerContext } from './env.ts';
import { podReason } from './reasons.ts';

/** What fits into one of zun's TEXT columns, in bytes. Source: zun/db/sqlalchemy/models.py. */
export const columnBytes = 65_535;

const shortEscapes = new Set(['"', '\\', '\n', '\r', '\t', '\f', '\b']);

function textBytes(text: string): number {
  let bytes = 2;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (shortEscapes.has(text.charAt(index))) bytes += 2;
    else bytes += code >= 0x20 && code < 0x7f ? 1 : 6;
  }
  return bytes;
}

/** How many bytes a map or a list of texts takes as zun stores it: JSON with spaces, everything beyond ASCII escaped. */
export function storedBytes(value: Readonly<Record<string, string>> | readonly string[]): number {
  const separators = 4;
  const parts: number[] = Array.isArray(value)
    ? value.map((item: string) => textBytes(item) + 2)
    : Object.entries(value).map(([key, item]: [string, string]) => textBytes(key) + textBytes(item) + separators);
  return parts.reduce((sum, bytes) => sum + bytes, 2);
}

/** Notes a problem for text that cannot be carried: a NUL, or half of a surrogate pair. */
export function checkText(text: string, path: string, context: ContainerContext): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  context.findings.problem({
    path,
    code: 'text.not-carried',
    message: 'holds a NUL or is not well-formed text, which zun cannot store',
    heals: false,
    reason: podReason.unsupported,
    container: context.container.name,
  });
}

function usesReferences({ container, pod }: ContainerContext): boolean {
  const refers = (container.env ?? []).some(({ valueFrom }) => valueFrom !== undefined);
  return refers || (container.envFrom ?? []).length > 0 || pod.spec.enableServiceLinks !== false;
}

/** Notes a problem when the environment does not fit zun's column. It may heal where objects outside the Pod make it large. */
export function checkEnvironment(environment: Record<string, string>, context: ContainerContext): void {
  for (const [name, value] of Object.entries(environment)) checkText(`${name}${value}`, `${context.path}.env`, context);
  if (storedBytes(environment) <= columnBytes) return;
  context.findings.problem({
    path: `${context.path}.env`,
    code: 'env.too-large',
    message:
      'the environment takes more than the 64 KiB that zun stores; use fewer variables, or `enableServiceLinks: false`',
    heals: usesReferences(context),
    reason: podReason.config,
    container: context.container.name,
  });
}

/** Notes a problem when a command does not fit zun's column. */
export function checkCommand(words: readonly string[], path: string, context: ContainerContext): void {
  for (const word of words) checkText(word, path, context);
  if (storedBytes(words) <= columnBytes) return;
  context.findings.problem({
    path,
    code: 'command.too-large',
    message: 'the command takes more than the 64 KiB that zun stores; put it into the image',
    heals: false,
    reason: podReason.unsupported,
    container: context.container.name,
  });
}
