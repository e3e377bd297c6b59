/** Writes the dashboard of `deploy/grafana/dashboards/` anew. */
import { writeFileSync } from 'node:fs';
import { dashboardJson } from './dashboard/dashboard.ts';
import { rows } from './dashboard/rows.ts';

writeFileSync('deploy/grafana/dashboards/kelpdb.json', dashboardJson(rows));
