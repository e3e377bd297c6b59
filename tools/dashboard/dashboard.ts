/**
 * Makes a dashboard of Grafana out of rows of panels: ids, places and what all panels have alike. The form is that of
 * Grafana's dashboards in JSON (`schemaVersion` 41, Grafana 12).
 */

/** What a panel shows; `heatmap` takes one target, by `le`. */
type PanelKind = 'timeseries' | 'stat' | 'gauge' | 'heatmap';

export interface PanelDefinition {
  readonly title: string;
  /** What it answers, and what to look for; behind the panel's "i". */
  readonly description: string;
  readonly kind: PanelKind;
  /** The id of a unit of Grafana. */
  readonly unit: string;
  /** Of 24 columns. */
  readonly width: number;
  /** PromQL and the name of each of its series, with labels as `{{label}}`. */
  readonly targets: readonly (readonly [expression: string, legend: string])[];
  readonly isStacked?: boolean;
  /** A gauge's end. */
  readonly max?: number;
  /** Green below the first, then yellow, then red; the other way round with `isLowBad`. */
  readonly thresholds?: readonly [yellow: number, red: number];
  /** By value. */
  readonly texts?: Readonly<Record<string, { readonly text: string; readonly color: string }>>;
  /** A `stat` shows the name of its series. */
  readonly isNameShown?: boolean;
}

export interface RowDefinition {
  readonly title: string;
  readonly panels: readonly PanelDefinition[];
}

const COLUMN_COUNT = 24;
const SCHEMA_VERSION = 41;
const heightByKind: Readonly<Record<PanelKind, number>> = { timeseries: 8, stat: 4, gauge: 4, heatmap: 8 };
const dataSource = { type: 'prometheus', uid: '${datasource}' };

/** The dashboard as it stands in `deploy/grafana/dashboards/`. */
export function dashboardJson(rows: readonly RowDefinition[]): string {
  const dashboard = {
    uid: 'kelpdb',
    title: 'KelpDB',
    description: 'Is it healthy, is it fast, what fills it.',
    tags: ['kelpdb'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: [dataSourceVariable, instanceVariable] },
    annotations: { list: [restarts] },
    panels: placed(rows),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

const dataSourceVariable = {
  name: 'datasource',
  label: 'Prometheus',
  type: 'datasource',
  query: 'prometheus',
  current: { text: 'Prometheus', value: 'prometheus' },
  hide: 0,
  includeAll: false,
  multi: false,
};

/** "All" becomes all that the query found, so that panels show no other process of the same Prometheus. */
const instanceVariable = {
  name: 'instance',
  label: 'Server',
  type: 'query',
  datasource: dataSource,
  query: { query: 'label_values(kelp_serving, instance)', refId: 'instance' },
  current: { text: ['All'], value: ['$__all'] },
  hide: 0,
  includeAll: true,
  multi: true,
  refresh: 2,
  sort: 1,
};

const restarts = {
  name: 'Starts',
  datasource: dataSource,
  enable: true,
  iconColor: 'blue',
  expr: 'changes(process_start_time_seconds{instance=~"$instance"}[$__interval]) > 0',
  titleFormat: 'started',
  textFormat: '{{instance}}',
};

/** From left to right, and down when a line is full; a row's title stands on a line of its own. */
function placed(rows: readonly RowDefinition[]): unknown[] {
  const panels: unknown[] = [];
  let y = 0;
  for (const { title, panels: ofRow } of rows) {
    const gridPos = { x: 0, y, w: COLUMN_COUNT, h: 1 };
    panels.push({ id: panels.length + 1, type: 'row', title, collapsed: false, gridPos, panels: [] });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const panel of ofRow) {
      const height = heightByKind[panel.kind];
      if (x + panel.width > COLUMN_COUNT) {
        y += lineHeight;
        x = 0;
        lineHeight = 0;
      }
      panels.push(panelOf(panel, panels.length + 1, { x, y, w: panel.width, h: height }));
      x += panel.width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  return panels;
}

function panelOf(
  panel: PanelDefinition,
  id: number,
  gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>,
): unknown {
  const { title, description, kind, targets } = panel;
  return {
    id,
    type: kind,
    title,
    description,
    gridPos,
    datasource: dataSource,
    targets: targets.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: dataSource,
      expr,
      legendFormat,
      format: kind === 'heatmap' ? 'heatmap' : 'time_series',
      range: true,
    })),
    fieldConfig: { defaults: fieldDefaults(panel), overrides: [] },
    options: optionsOf(panel),
  };
}

function fieldDefaults({ kind, unit, thresholds, texts, max, isStacked = false }: PanelDefinition): unknown {
  const [yellow, red] = thresholds ?? [];
  const steps = [
    { color: 'green', value: null },
    ...(yellow === undefined ? [] : [{ color: 'yellow', value: yellow }]),
    ...(red === undefined ? [] : [{ color: 'red', value: red }]),
  ];
  return {
    ...(kind === 'heatmap' ? {} : { unit }),
    ...(kind === 'timeseries' || kind === 'gauge' ? { min: 0 } : {}),
    ...(max === undefined ? {} : { max }),
    color: { mode: kind === 'timeseries' ? 'palette-classic' : 'thresholds' },
    thresholds: { mode: 'absolute', steps },
    mappings: texts === undefined ? [] : [{ type: 'value', options: texts }],
    custom: kind === 'timeseries' ? lines(isStacked) : {},
  };
}

function lines(isStacked: boolean): unknown {
  return {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: isStacked ? 25 : 5,
    showPoints: 'never',
    spanNulls: false,
    stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
  };
}

function optionsOf({ kind, unit, isNameShown = false }: PanelDefinition): unknown {
  switch (kind) {
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'stat':
      return {
        reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' },
        orientation: 'auto',
        textMode: isNameShown ? 'name' : 'auto',
        colorMode: 'value',
        graphMode: 'none',
        justifyMode: 'auto',
      };
    case 'gauge':
      return {
        reduceOptions: { values: false, calcs: ['lastNotNull'], fields: '' },
        orientation: 'auto',
        showThresholdLabels: false,
        showThresholdMarkers: true,
      };
    case 'heatmap':
      return {
        calculate: false,
        cellGap: 1,
        color: {
          mode: 'scheme',
          scheme: 'Turbo',
          scale: 'exponential',
          exponent: 0.5,
          steps: 64,
          reverse: false,
          fill: 'dark-orange',
        },
        exemplars: { color: 'rgba(255,0,255,0.7)' },
        filterValues: { le: 1e-9 },
        legend: { show: true },
        rowsFrame: { layout: 'auto' },
        showValue: 'never',
        tooltip: { mode: 'single', yHistogram: true, showColorScale: false },
        yAxis: { axisPlacement: 'left', reverse: false, unit },
      };
  }
}
