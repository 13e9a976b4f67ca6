import { dashboardJson } from '../chart/dashboard.ts';
import { chartReadme, valuesSchema, valuesYaml } from '../chart/render.ts';
import { errorsPage } from './errors-page.ts';
import { eventsPage } from './events-page.ts';
import { metricsPage } from './metrics-page.ts';
import { optionsPage } from './options-page.ts';
import { podSupportPage } from './pod-support.ts';

/** A page that is made from a table in the source. */
export interface GeneratedPage {
  /** Relative to the root of the repository. */
  file: string;
  render(): string;
}

/** The generated pages by name. A new one is a line here. */
export const generatedPages: Readonly<Record<string, GeneratedPage>> = {
  'pod-support': { file: 'docs/reference/pod-support.md', render: podSupportPage },
  options: { file: 'docs/reference/options.md', render: optionsPage },
  errors: { file: 'docs/reference/errors.md', render: errorsPage },
  events: { file: 'docs/reference/events.md', render: eventsPage },
  metrics: { file: 'docs/reference/metrics.md', render: metricsPage },
  'chart-values': { file: 'charts/zunlet/values.yaml', render: valuesYaml },
  'chart-schema': { file: 'charts/zunlet/values.schema.json', render: valuesSchema },
  'chart-dashboard': { file: 'charts/zunlet/files/dashboard.json', render: dashboardJson },
  'chart-readme': { file: 'charts/zunlet/README.md', render: chartReadme },
};

/** Where a page stands on disk. */
export function pageUrl(page: GeneratedPage): URL {
  return new URL(`../../${page.file}`, import.meta.url);
}
