import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The root of the repository. */
export const repository = resolve(import.meta.dirname, '../..');

/** A page of the documentation. */
export interface Page {
  /** Relative to the root of the repository. */
  file: string;
  text: string;
}

/** A block between fences: its language, the word behind it, its lines. */
export interface Block {
  page: string;
  language: string;
  marker: string;
  lines: string[];
}

/** Every page that people read, except what packages bring. */
export function pages(): Page[] {
  const files = globSync(['*.md', 'docs/**/*.md', 'charts/**/*.md', 'deploy/**/*.md'], { cwd: repository });
  return files.sort().map((file) => ({ file, text: readFileSync(join(repository, file), 'utf8') }));
}

/** The blocks of a page; a line that ends with a backslash and its next are one. */
export function blocks({ file, text }: Page): Block[] {
  return [...text.matchAll(/^( *)```(\w*) ?(\w*)\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = '', language = '', marker = '', body = '']) => ({
      page: file,
      language,
      marker,
      lines: body
        .replaceAll(/\\\n\s*/g, '')
        .split('\n')
        .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
        .filter((line) => line !== ''),
    }),
  );
}

/** The anchors of a page, as GitHub makes them of its headings. */
export function anchors({ text }: Page): Set<string> {
  const seen = new Map<string, number>();
  const headings = [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
  return new Set(
    headings.map((anchor) => {
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    }),
  );
}

/** The targets of a page's links. */
export function links({ text }: Page): string[] {
  const plain = withoutBlocks(text).replaceAll(/`[^`\n]*`/g, '');
  return [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
}
