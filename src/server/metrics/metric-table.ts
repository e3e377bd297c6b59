/**
 * Every metric of KelpDB in one table, by subject: `exposition.ts` writes what a scrape gets of it, and `docs/metrics.md` is made of
 * it. Names are part of the API: dashboards and alerts stand on them.
 */
import { accessMetrics } from './calls/access-metrics.ts';
import { clusterMetrics } from './cluster/cluster-metrics.ts';
import { callMetrics, connectionMetrics, serverMetrics } from './calls/call-metrics.ts';
import type { Metric, OpenStoreFigures, ServerFigures } from './metric.ts';
import { redisMetrics } from './redis/redis-metrics.ts';
import { storageMetrics } from './store/storage-metrics.ts';
import { diskMetrics, stateMetrics, watchMetrics, workMetrics } from './store/store-metrics.ts';

interface Section<Figures> {
  readonly title: string;
  readonly metrics: readonly Metric<Figures>[];
}

/** There from the start. */
export const serverSections: readonly Section<ServerFigures>[] = [
  { title: 'The server', metrics: serverMetrics },
  { title: 'Calls', metrics: callMetrics },
  { title: 'Connections', metrics: connectionMetrics },
  { title: 'Access', metrics: accessMetrics },
  { title: 'Redis', metrics: redisMetrics },
];

/** There once the store is open. */
export const storeSections: readonly Section<OpenStoreFigures>[] = [
  { title: 'The state', metrics: stateMetrics },
  { title: 'Log and snapshots', metrics: diskMetrics },
  { title: 'The engine and its files', metrics: storageMetrics },
  { title: 'Watches', metrics: watchMetrics },
  { title: 'Work', metrics: workMetrics },
  { title: 'The cluster', metrics: clusterMetrics },
];
