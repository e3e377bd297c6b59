/** Writes `docs/metrics.md` anew. */
import { writeFileSync } from 'node:fs';
import { METRICS_PAGE, metricsPage } from './metrics-page.ts';

writeFileSync(METRICS_PAGE, await metricsPage());
process.exit();
