/**
 * Grafana does not run here. Its rules for a dashboard are held as far as they can be told from its schema (`Dashboard`, `Panel` and the
 * options of each kind of panel in the package `@grafana/schema` 12.4); what else it could refuse is not tested.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { dashboardJson } from '../../tools/dashboard/dashboard.ts';
import { rows } from '../../tools/dashboard/rows.ts';
import { dashboard, dashboardText, expressions, type Panel, panels } from './support/dashboard.ts';
import { documentedSeries, seriesAskedFor } from './support/documented-metrics.ts';

/** Of all that the schema has; what is not among them would be passed over without a word. */
const dashboardKeys = words(
  'annotations description editable graphTooltip panels refresh schemaVersion tags templating time timezone title uid version',
);
const panelKeys = words('datasource description fieldConfig gridPos id options targets title type');
const rowKeys = words('collapsed gridPos id panels title type');
const fieldKeys = words('color custom mappings max min thresholds unit');
/** The ids of `@grafana/data`'s table of units that the dashboard uses. */
const units = ['none', 'short', 'percentunit', 's', 'bytes', 'Bps', 'reqps', 'cps'];

/** What the options of a kind of panel must have; the schema gives no default for these. */
const optionKeysByType: Readonly<Record<string, readonly string[]>> = {
  timeseries: ['legend', 'tooltip'],
  stat: ['colorMode', 'graphMode', 'justifyMode', 'orientation', 'reduceOptions', 'textMode'],
  gauge: ['orientation', 'reduceOptions', 'showThresholdLabels', 'showThresholdMarkers'],
  heatmap: ['color', 'exemplars', 'legend', 'showValue', 'tooltip', 'yAxis'],
};

const COLUMN_COUNT = 24;
/** Of Grafana 8, which brought the kinds of panels that are used. Grafana brings older ones up by itself. */
const SCHEMA_VERSION_MIN = 30;

function words(text: string): string[] {
  return text.split(' ');
}

test('the dashboard is what the generator makes of its rows', () => {
  expect(dashboardText, 'run npm run generate').toBe(dashboardJson(rows));
});

describe('the whole', () => {
  test('has the parts that Grafana knows, and a schema that has its panels', () => {
    expect(Object.keys(dashboard).filter((key) => !dashboardKeys.includes(key))).toEqual([]);
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(SCHEMA_VERSION_MIN);
    // One that is provisioned gets its number from Grafana.
    expect('id' in dashboard).toBe(false);
    expect(dashboard.uid).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
    expect(dashboard.refresh).toMatch(/^\d+[smh]$/);
    expect(dashboard.time).toEqual({ from: expect.stringMatching(/^now-\d+[mhd]$/) as string, to: 'now' });
  });

  test('names no host: where Prometheus is, is said where it is provisioned', () => {
    expect(dashboardText).not.toMatch(/https?:|localhost|\d+\.\d+\.\d+\.\d+|:\d{4}\b/);
  });

  test('takes its data from the source that is provisioned, unless another is chosen', () => {
    const path = 'deploy/grafana/provisioning/datasources/prometheus.yaml';
    const { datasources } = parse(readFileSync(path, 'utf8')) as {
      datasources: readonly { uid: string; type: string }[];
    };
    const variable = dashboard.templating.list.find(({ type }) => type === 'datasource');
    expect(datasources.map(({ uid, type }) => [uid, type])).toEqual([
      [variable?.current.value, variable?.query],
    ]);
    const asked = [
      ...panels.flatMap(({ datasource, targets = [] }) => [
        datasource,
        ...targets.map((target) => target.datasource),
      ]),
      ...dashboard.templating.list.filter(({ type }) => type === 'query').map(({ datasource }) => datasource),
      ...dashboard.annotations.list.map(({ datasource }) => datasource),
    ];
    const source = { type: variable?.query, uid: `\${${variable?.name}}` };
    expect(asked.filter((each) => JSON.stringify(each) !== JSON.stringify(source))).toEqual([]);
  });

  test('uses each of its variables, and none that there is not', () => {
    const ownNames = dashboard.templating.list.map(({ name }) => name);
    const used = new Set(
      [...dashboardText.matchAll(/\$\{?(\w+)\}?/g)]
        .map(([, name = '']) => name)
        .filter((name) => !name.startsWith('__')),
    );
    expect([...used].toSorted()).toEqual(ownNames.toSorted());
    const builtIn = new Set([...dashboardText.matchAll(/\$__\w+/g)].map(([name]) => name));
    expect([...builtIn].toSorted()).toEqual(['$__all', '$__interval', '$__rate_interval']);
  });
});

describe('panels', () => {
  test('have ids of their own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
  });

  test('lie within the columns, and none over another', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      expect([x, y, w, h].every(Number.isSafeInteger)).toBe(true);
      expect(w > 0 && h > 0 && x >= 0 && y >= 0 && x + w <= COLUMN_COUNT, title).toBe(true);
      for (let row = y; row < y + h; row++) {
        for (let column = x; column < x + w; column++) {
          expect(taken.get(`${column} ${row}`), `${title} lies over`).toBeUndefined();
          taken.set(`${column} ${row}`, title);
        }
      }
    }
  });

  test('are of kinds, with options and fields, that Grafana knows', () => {
    for (const panel of panels) {
      expect(
        Object.keys(panel).filter((key) => !panelKeys.includes(key)),
        panel.title,
      ).toEqual([]);
      const required = optionKeysByType[panel.type];
      expect(required, `${panel.title}: ${panel.type}`).toBeDefined();
      expect(Object.keys(panel.options ?? {}), panel.title).toEqual(
        expect.arrayContaining([...(required ?? [])]),
      );
      const { defaults, overrides } = panel.fieldConfig ?? {};
      expect(
        Object.keys(defaults ?? {}).filter((key) => !fieldKeys.includes(key)),
        panel.title,
      ).toEqual([]);
      expect(overrides).toEqual([]);
    }
    for (const row of dashboard.panels.filter(({ type }) => type === 'row')) {
      expect(Object.keys(row).toSorted()).toEqual(rowKeys);
      // Panels of a row that is open stand behind it, not in it.
      expect(row.panels).toEqual([]);
    }
  });

  test('have a unit that there is; a heat map has it on its axis', () => {
    const unitOf = ({ options, fieldConfig }: Panel): unknown =>
      (options?.['yAxis'] as { unit?: string } | undefined)?.unit ?? fieldConfig?.defaults.unit;
    expect(panels.filter((panel) => !units.includes(unitOf(panel) as string))).toEqual([]);
    expect(new Set(panels.map(unitOf))).toEqual(new Set(units));
  });

  test('say what they answer, each under a title of its own', () => {
    const titles = dashboard.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(panels.filter(({ description = '' }) => description === '')).toEqual([]);
  });

  test('have thresholds that ascend from nothing', () => {
    for (const { title, fieldConfig } of panels) {
      const [first, ...steps] = fieldConfig?.defaults.thresholds.steps.map(({ value }) => value) ?? [];
      expect(first, title).toBeNull();
      expect(steps, title).toEqual(steps.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
    }
  });

  test('ask for something, by letters that differ, and name the series', () => {
    for (const { title, targets = [], type } of panels) {
      expect(targets.length, title).toBeGreaterThan(0);
      const ids = targets.map(({ refId }) => refId);
      expect(new Set(ids).size, title).toBe(ids.length);
      expect(ids.every((id) => /^[A-Z]$/.test(id))).toBe(true);
      expect(targets.filter(({ legendFormat, expr }) => legendFormat === '' || expr === '')).toEqual([]);
      const format = type === 'heatmap' ? 'heatmap' : 'time_series';
      expect(targets.map((target) => target.format)).toEqual(targets.map(() => format));
    }
  });
});

describe('expressions', () => {
  test('ask for metrics that docs/metrics.md has', () => {
    const asked = expressions.flatMap(({ expr }) => seriesAskedFor(expr));
    expect(asked.length).toBeGreaterThan(50);
    expect([...new Set(asked)].filter((name) => !documentedSeries.has(name))).toEqual([]);
  });

  test('are of the servers that are chosen alone', () => {
    const selectors = expressions.flatMap(
      ({ expr }) => expr.match(/\b(?:kelp|process|nodejs)_\w+(?:\{[^}]*\})?/g) ?? [],
    );
    expect(selectors.filter((selector) => !selector.includes('{instance=~"$instance"'))).toEqual([]);
  });

  test('have what an operator asks first', () => {
    const asked = (pattern: RegExp): boolean => expressions.some(({ expr }) => pattern.test(expr));
    for (const share of ['0.5', '0.9', '0.99']) {
      expect(asked(new RegExp(`^histogram_quantile\\(${share}, sum by \\(le, method\\)`))).toBe(true);
      for (const method of ['Get', 'Put', 'Delete'])
        expect(asked(new RegExp(`^histogram_quantile\\(${share}, .*method="${method}"`))).toBe(true);
    }
    expect(asked(/status_class="4xx"/)).toBe(true);
    expect(asked(/status_class="5xx"/)).toBe(true);
    const heatMaps = panels.filter(({ type }) => type === 'heatmap').map(({ title }) => title);
    expect(heatMaps).toEqual(['Latency of all calls', 'Flushes of the log']);
  });
});
