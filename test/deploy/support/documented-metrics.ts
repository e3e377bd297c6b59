/** The metrics that docs/metrics.md has, and which of them an expression of PromQL asks for. */
import { readFileSync } from 'node:fs';

/** The names of series: of a histogram these are three. */
export const documentedSeries: ReadonlySet<string> = new Set(
  [
    ...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(\w+)` +\| (gauge|counter|histogram)/gm),
  ].flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => `${name}${end}`) : [name],
  ),
);

export function seriesAskedFor(expression: string): string[] {
  return expression.match(/\b(?:kelp|process|nodejs)_\w+/g) ?? [];
}
