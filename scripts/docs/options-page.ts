import { defaultText } from '../../src/cli/option-flags.ts';
import { envOf, flagOf, type OptionKey, options } from '../../src/config/options.ts';

/** Renders docs/reference/options.md. */
export function optionsPage(): string {
  // `Object.keys` widens the keys of the table to strings; the table has no others.
  const keys = Object.keys(options) as OptionKey[];
  const groups = [...new Set(keys.map((key) => options[key].group))];
  const sections = groups.map((group) => {
    const rows = keys.filter((key) => options[key].group === group).map(row);
    return `## ${group}\n\n| Key | Flag and variable | Values | Default | Meaning |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`;
  });
  return `<!-- Generated from src/config/options.ts by: node scripts/generate-docs.ts options -->

# Options

Every option can stand in four places; a later one wins: its default, a YAML file named by \`--config\` (by its key), the
environment (its variable), the command line (its flag). In the chart the keys stand under \`options\`. An unknown key or a bad
value in any place ends the start, and all of them are named at once. What is in force, and where it came from, is shown by:

\`\`\`sh local
zunlet run --print-config
\`\`\`

Durations are written \`500ms\`, \`10s\`, \`5m\`, \`1h\`; quantities as in Kubernetes; maps as \`key=value,key=value\` or as a YAML map;
a boolean flag is switched off by \`--no-\`. Credentials are no options: see [credentials](../credentials.md).

${sections.join('\n')}`;
}

function row(key: OptionKey): string {
  const { type, doc }: { type: { name: string }; doc: string } = options[key];
  const shown = defaultText(key);
  const cells = [`\`${key}\``, `\`--${flagOf(key)}\`<br>\`${envOf(key)}\``, type.name, shown && `\`${shown}\``, doc];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}
