/** The text of `docs/metrics.md`: every metric with its type, its labels and what it says. */
import { type Options, format, resolveConfig } from 'prettier';
import { nameOfCode, grpcCode } from '../src/grpc-code.ts';
import { serverFixed } from '../src/limits.ts';
import type { MetricFacts } from '../src/server/metrics/metric.ts';
import { serverSections, storeSections } from '../src/server/metrics/metric-table.ts';
import { processMetrics } from '../src/server/metrics/process/process-metrics.ts';
import { doors, methodNames, otherMethods } from '../src/server/metrics/calls/routes.ts';
import { protocols } from '../src/server/metrics/calls/traffic.ts';

export const METRICS_PAGE = 'docs/metrics.md';

const opening = `# Metrics

\`GET /metrics\` on the one port, in the text format of Prometheus; [deploy/](../deploy) has a scrape configuration, alert rules and a
dashboard. What to watch first, and what to do, is in [production.md](production.md). \`kelp stats\` and \`kelp top\` show the same to a
person; what the busiest keys begin with stands only there, never in a metric.

Made by \`npm run generate\` from the table in \`src/server/metrics/metric-table.ts\`. Names are part of the API. Counters and histograms
begin at 0 when the process starts. Every label has a closed set of values, so nothing that clients send makes new rows; a row of
\`door\` and \`method\` is there from its first call on. A histogram has \`_bucket\`, \`_sum\` and \`_count\`.

Rates and quantiles, such as:

\`\`\`promql
sum by (method) (rate(kelp_calls_total[1m]))
sum by (code) (rate(kelp_calls_total{code!="Ok"}[1m]))
histogram_quantile(0.99, sum by (method, le) (rate(kelp_call_duration_seconds_bucket{method=~"Get|Put|Delete"}[1m])))
sum by (status_class) (rate(kelp_http_responses_total{door="rest"}[1m]))
histogram_quantile(0.99, rate(kelp_log_fsync_duration_seconds_bucket[1m]))
\`\`\`

While the store recovers, only those of the server, calls, connections and the process are there.
`;

export async function metricsPage(): Promise<string> {
  const sections = [...serverSections, ...storeSections].map(
    ({ title, metrics }) => `## ${title}\n\n${tableOf(metrics)}`,
  );
  const text = [opening, ...sections, labelSection(), bucketSection(), await processSection()].join('\n');
  const options: Options = { ...(await resolveConfig(METRICS_PAGE)), parser: 'markdown' };
  return format(text, options);
}

type Row = readonly string[];

function markdownTable(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

function tableOf(metrics: readonly MetricFacts[]): string {
  const rows = metrics.map(({ name, type, labels = {}, help }) => {
    const names = Object.keys(labels).map((label) => `\`${label}\``);
    return [`\`${name}\``, type, names.join(', '), help];
  });
  return markdownTable(['metric', 'type', 'labels', 'what it says'], rows);
}

function labelSection(): string {
  const labels = new Map(
    [...serverSections, ...storeSections]
      .flatMap(({ metrics }): readonly MetricFacts[] => metrics)
      .flatMap(({ labels = {} }) => Object.entries(labels)),
  );
  const isOther = (name: string): boolean => name in otherMethods;
  const methods = [
    ['methods of `kelp.v1`', methodNames.filter((name) => !isOther(name))],
    ...Object.entries(otherMethods).map(([name, what]) => [what, [name]] as const),
  ] as const;
  const codes = Object.values(grpcCode).map(nameOfCode);
  const named = (rows: Readonly<Record<string, string>>): Row[] =>
    Object.entries(rows).map(([value, what]) => [`\`${value}\``, what]);
  return [
    '## Labels\n',
    markdownTable(
      ['label', 'values'],
      [...labels].map(([label, values]) => [`\`${label}\``, label === 'code' ? codes.join(', ') : values]),
    ),
    '`door`, what a call came through:\n',
    markdownTable(['door', 'is'], named(doors)),
    '`method`, one name through whatever door; `rest` and `scripts` use those of `kelp.v1` for what does the same:\n',
    markdownTable(
      ['method', 'is'],
      methods.map(([what, names]) => [names.map((name) => `\`${name}\``).join(', '), what]),
    ),
    '`protocol`, what a connection speaks:\n',
    markdownTable(['protocol', 'is'], named(protocols)),
  ].join('\n');
}

function bucketSection(): string {
  const rows: (readonly [string, readonly number[]])[] = [
    ['kelp_call_duration_seconds', serverFixed.callDurationBounds],
    ['kelp_log_fsync_duration_seconds', serverFixed.flushDurationBounds],
    ['kelp_log_batch_records', serverFixed.batchRecordsBounds],
    ['kelp_log_batch_bytes', serverFixed.batchBytesBounds],
    ['kelp_snapshot_duration_seconds', serverFixed.snapshotDurationBounds],
  ];
  const table = markdownTable(
    ['histogram', 'upper bounds, besides +Inf'],
    rows.map(([name, bounds]) => [`\`${name}\``, bounds.join(', ')]),
  );
  return `## Buckets\n\n${table}`;
}

async function processSection(): Promise<string> {
  const metrics = await processMetrics().getMetricsAsJSON();
  const rows = metrics.map(({ name, type, help }) => [`\`${name}\``, String(type), help]);
  const table = markdownTable(['metric', 'type', 'what it says'], rows);
  return `## The process\n\nUnder the names that dashboards for Node know.\n\n${table}`;
}
