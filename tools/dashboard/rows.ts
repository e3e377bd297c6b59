/** What the dashboard shows: a row for each question of an operator. docs/metrics.md says what each metric is. */
import type { RowDefinition } from './dashboard.ts';
import { fastRow, failureRow } from './call-rows.ts';
import { clusterRow } from './cluster-row.ts';
import { fillRow } from './fill-row.ts';
import { healthRow } from './health-row.ts';
import { redisRow } from './redis-row.ts';
import { storageRow } from './storage-row.ts';
import { logRow, watchRow } from './store-rows.ts';

export const rows: readonly RowDefinition[] = [
  healthRow,
  fastRow,
  failureRow,
  fillRow,
  logRow,
  storageRow,
  watchRow,
  redisRow,
  clusterRow,
];
