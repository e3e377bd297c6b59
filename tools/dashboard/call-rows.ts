/** Is it fast, and what fails: calls by method and door. Probes and scrapes of the door `http` do not count. */
import type { PanelDefinition, RowDefinition } from './dashboard.ts';
import { buckets, quantile, rate, series } from './expressions.ts';

const CALLS = 'door!="http"';
const DURATION = 'kelp_call_duration_seconds';

export const fastRow: RowDefinition = {
  title: 'Is it fast?',
  panels: [
    {
      title: 'Requests by method',
      description:
        'Calls that ended in a second; the operations of a Pipeline count as the calls they stand for.',
      kind: 'timeseries',
      unit: 'reqps',
      width: 12,
      targets: [[`sum by (method) (${rate('kelp_calls_total', CALLS)})`, '{{method}}']],
      isStacked: true,
    },
    {
      title: 'Requests by door',
      description: 'Through which protocol they came.',
      kind: 'timeseries',
      unit: 'reqps',
      width: 6,
      targets: [[`sum by (door) (${rate('kelp_calls_total')})`, '{{door}}']],
      isStacked: true,
    },
    {
      title: 'Under way',
      description: 'Calls and streams that are open. At the limit, new ones are refused.',
      kind: 'timeseries',
      unit: 'short',
      width: 6,
      targets: [
        [`sum(${series('kelp_calls_in_progress', CALLS)})`, 'calls'],
        [`sum(${series('kelp_streams_open')})`, 'streams among them'],
        [`sum(${series('kelp_calls_limit')})`, 'limit'],
      ],
    },
    {
      title: 'Latency of all calls',
      description:
        'How many calls took how long, from the head of a request to the end of its reply. Two bands are two kinds of calls.',
      kind: 'heatmap',
      unit: 's',
      width: 12,
      targets: [[buckets(DURATION, CALLS), '{{le}}']],
    },
    {
      title: 'Delay of the event loop',
      description: 'One thread serves all calls: what it does longest, all others wait for.',
      kind: 'timeseries',
      unit: 's',
      width: 12,
      targets: [
        [`max(${series('nodejs_eventloop_lag_p50_seconds')})`, 'p50'],
        [`max(${series('nodejs_eventloop_lag_p99_seconds')})`, 'p99'],
        [`max(${series('nodejs_eventloop_lag_max_seconds')})`, 'longest'],
      ],
    },
    byMethod('p50', 0.5),
    byMethod('p90', 0.9),
    byMethod('p99', 0.99),
    ofMethod('Get'),
    ofMethod('Put'),
    ofMethod('Delete'),
  ],
};

export const failureRow: RowDefinition = {
  title: 'What fails?',
  panels: [
    {
      title: 'Calls that failed, by code',
      description:
        'NotFound, FailedPrecondition, Aborted and Canceled are part of daily life; Internal and DataLoss never are.',
      kind: 'timeseries',
      unit: 'reqps',
      width: 12,
      targets: [[`sum by (code) (${rate('kelp_calls_total', 'code!="Ok"')})`, '{{code}}']],
      isStacked: true,
    },
    {
      title: '4xx and 5xx',
      description:
        'Replies of HTTP, for doors whose protocol uses its status. gRPC tells by codes, see beside.',
      kind: 'timeseries',
      unit: 'reqps',
      width: 6,
      targets: [
        [`sum by (door) (${rate('kelp_http_responses_total', 'status_class="4xx"')})`, '4xx, {{door}}'],
        [`sum by (door) (${rate('kelp_http_responses_total', 'status_class="5xx"')})`, '5xx, {{door}}'],
      ],
    },
    {
      title: 'Refused and broken off',
      description:
        'Requests that would have looked at more than one may, and replies that their clients did not read.',
      kind: 'timeseries',
      unit: 'cps',
      width: 6,
      targets: [
        [`sum(${rate('kelp_work_budget_refusals_total')})`, 'too much for one request'],
        [`sum(${rate('kelp_replies_cut_total')})`, 'replies broken off'],
      ],
    },
  ],
};

function byMethod(name: string, share: number): PanelDefinition {
  return {
    title: `${name} by method`,
    description: `What ${share * 100} of 100 calls do not exceed. Puts wait for the disk, gets do not.`,
    kind: 'timeseries',
    unit: 's',
    width: 8,
    targets: [[quantile(share, DURATION, CALLS, 'method'), '{{method}}']],
  };
}

function ofMethod(method: string): PanelDefinition {
  const matchers = `${CALLS}, method="${method}"`;
  return {
    title: method,
    description: `How long ${method} takes, through whatever door.`,
    kind: 'timeseries',
    unit: 's',
    width: 8,
    targets: [
      [quantile(0.5, DURATION, matchers), 'p50'],
      [quantile(0.9, DURATION, matchers), 'p90'],
      [quantile(0.99, DURATION, matchers), 'p99'],
    ],
  };
}
