/** The dashboard of deploy/, read, as far as the tests look at it; the rest of Grafana's form stays `unknown`. */
import { readFileSync } from 'node:fs';

export const dashboardFile = 'deploy/grafana/dashboards/kelpdb.json';

interface DataSourceRef {
  readonly type: string;
  readonly uid: string;
}

interface Target {
  readonly refId: string;
  readonly datasource: DataSourceRef;
  readonly expr: string;
  readonly legendFormat: string;
  readonly format: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: DataSourceRef;
  readonly targets?: readonly Target[];
  readonly panels?: readonly Panel[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly fieldConfig?: {
    readonly defaults: Readonly<Record<string, unknown>> & {
      readonly unit?: string;
      readonly thresholds: {
        readonly mode: string;
        readonly steps: readonly { readonly value: number | null }[];
      };
    };
    readonly overrides: readonly unknown[];
  };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  readonly datasource?: DataSourceRef;
  readonly current: { readonly value: unknown };
}

export interface Dashboard extends Readonly<Record<string, unknown>> {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly refresh: string;
  readonly time: { readonly from: string; readonly to: string };
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: {
    readonly list: readonly { readonly expr: string; readonly datasource: DataSourceRef }[];
  };
}

export const dashboardText = readFileSync(dashboardFile, 'utf8');
export const dashboard = JSON.parse(dashboardText) as Dashboard;

/** Those that show something: rows are titles only. */
export const panels: readonly Panel[] = dashboard.panels.filter(({ type }) => type !== 'row');

/** What the dashboard asks Prometheus, with where it stands. */
export const expressions: readonly { readonly where: string; readonly expr: string }[] = [
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ where: `${title}, ${refId}`, expr })),
  ),
  ...dashboard.annotations.list.map(({ expr }) => ({ where: 'annotation', expr })),
];
