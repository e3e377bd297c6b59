/** Is it healthy: one line that is green, or says where to look. */
import type { RowDefinition } from './dashboard.ts';
import { rate, series } from './expressions.ts';

/** Codes that say that the server is at fault, or could not serve; with all others the request is. */
export const SERVER_FAULTS = 'code=~"Unknown|Internal|Unavailable|DataLoss"';

export const healthRow: RowDefinition = {
  title: 'Is it healthy?',
  panels: [
    {
      title: 'Serving',
      description: 'Whether reads and writes are served. If not: /readyz and the log say why.',
      kind: 'stat',
      unit: 'none',
      width: 4,
      targets: [[series('kelp_serving'), '{{instance}}']],
      texts: { 0: { text: 'not serving', color: 'red' }, 1: { text: 'serving', color: 'green' } },
    },
    {
      title: 'Alerts that fire',
      description: 'Of deploy/alerts.yaml. docs/production.md says what each means and what to do.',
      kind: 'stat',
      unit: 'none',
      width: 4,
      targets: [['count(ALERTS{alertname=~"Kelp.+", alertstate="firing"}) or vector(0)', 'firing']],
      thresholds: [1, 2],
    },
    {
      title: 'Calls that the server failed',
      description:
        'The share of calls that ended with Unknown, Internal, Unavailable or DataLoss: not by what was asked.',
      kind: 'stat',
      unit: 'percentunit',
      width: 4,
      targets: [
        [
          `(sum(${rate('kelp_calls_total', SERVER_FAULTS)}) or vector(0)) / sum(${rate('kelp_calls_total')})`,
          'failed',
        ],
      ],
      thresholds: [0.001, 0.01],
    },
    {
      title: 'Memory of the limit',
      description: 'At the limit, writes that need memory are refused.',
      kind: 'gauge',
      unit: 'percentunit',
      width: 4,
      targets: [
        [`${series('kelp_memory_used_bytes')} / ${series('kelp_memory_limit_bytes')}`, '{{instance}}'],
      ],
      max: 1,
      thresholds: [0.75, 0.9],
    },
    {
      title: 'Up for',
      description: 'Since the process started.',
      kind: 'stat',
      unit: 's',
      width: 4,
      targets: [[`time() - ${series('process_start_time_seconds')}`, '{{instance}}']],
    },
    {
      title: 'Version',
      description: 'What runs.',
      kind: 'stat',
      unit: 'none',
      width: 4,
      targets: [[`sum by (version) (${series('kelp_build_info')})`, '{{version}}']],
      isNameShown: true,
    },
  ],
};
