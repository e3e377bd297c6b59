import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { sectionOf } from '../support/page-examples.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { type AlertCase, alertCases } from './support/alert-cases.ts';
import { type AlertRule, alertRules, alertsFile } from './support/alerts.ts';
import { mountOf, readCompose } from './support/compose.ts';
import { documentedSeries, seriesAskedFor } from './support/documented-metrics.ts';
import { isPrometheusInstalled } from './support/prometheus.ts';

const page = readFileSync('docs/production.md', 'utf8');

test('the page tells of every alert what it means and what to do, and of no others', () => {
  const rows = [...sectionOf(page, 'Alerts').matchAll(/^\| `(Kelp\w+)` +\| (.+?) +\| (.+?) +\|$/gm)];
  expect(rows.map(([, alert]) => alert)).toEqual(alertRules.map(({ alert }) => alert));
});

test('every alert says how urgent it is, and has cases that it is tried with', () => {
  expect(alertRules.map(({ labels }) => labels['severity']).filter((text) => text !== 'page')).toEqual(
    Array.from({ length: alertRules.length - 3 }, () => 'ticket'),
  );
  const tried = new Set(alertCases.map(({ alert }) => alert));
  expect([...tried]).toEqual(alertRules.map(({ alert }) => alert));
});

test('alerts ask for metrics that docs/metrics.md has', () => {
  for (const { alert, expr } of alertRules) {
    const asked = seriesAskedFor(expr);
    expect(asked.length, alert).toBeGreaterThan(0);
    expect(
      asked.filter((name) => !documentedSeries.has(name)),
      alert,
    ).toEqual([]);
  }
});

describe.runIf(isPrometheusInstalled)('by promtool', () => {
  test('the configuration and its rules are valid where the compose file puts them', async () => {
    const root = await temporaryDirectory();
    for (const { source, target, isFile } of readCompose('deploy/compose.yaml').services[
      'prometheus'
    ]?.volumes.map(mountOf) ?? []) {
      if (!isFile) continue;
      mkdirSync(join(root, dirname(target)), { recursive: true });
      cpSync(join('deploy', source), join(root, target));
    }
    const { stdout, stderr, status } = promtool(
      'check',
      'config',
      join(root, 'etc/prometheus/prometheus.yml'),
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(`${alertRules.length} rules found`);
  });

  test('each alert fires when it should, not a minute earlier, and not for a server that is well', async () => {
    const tests = alertCases.flatMap((alertCase) => {
      const rule = alertRules.find(({ alert }) => alert === alertCase.alert);
      return promtoolTests(rule as AlertRule, alertCase);
    });
    const path = join(await temporaryDirectory(), 'test.yaml');
    writeFileSync(path, stringify({ rule_files: [resolve(alertsFile)], evaluation_interval: '1m', tests }));
    const { stdout, stderr, status } = promtool('test', 'rules', path);
    expect(status, stdout + stderr).toBe(0);
  });
});

function promtool(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync('promtool', args, { encoding: 'utf8' });
}

/** Late enough that what happened before the first scrape is not taken for new. */
const WELL_MINUTES = [20, 40];

function promtoolTests(
  rule: AlertRule,
  { alert, firesAt, labels = {}, trouble, health }: AlertCase,
): unknown[] {
  const fired = {
    exp_labels: { job: 'kelpdb', instance: 'a:7379', ...rule.labels, ...labels },
    exp_annotations: rule.annotations,
  };
  const seriesOf = (values: Readonly<Record<string, string>>): unknown =>
    Object.entries(values).map(([series, text]) => ({ series, values: text }));
  return [
    {
      interval: '1m',
      input_series: seriesOf(trouble),
      alert_rule_test: [
        { alertname: alert, eval_time: `${firesAt - 1}m`, exp_alerts: [] },
        { alertname: alert, eval_time: `${firesAt}m`, exp_alerts: [fired] },
      ],
    },
    {
      interval: '1m',
      input_series: seriesOf(health),
      alert_rule_test: WELL_MINUTES.map((minute) => ({
        alertname: alert,
        eval_time: `${minute}m`,
        exp_alerts: [],
      })),
    },
  ];
}
