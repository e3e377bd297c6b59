/** `docs/metrics.md` is what the table of metrics makes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { serverSections, storeSections } from '../../../src/server/metrics/metric-table.ts';
import { METRICS_PAGE, metricsPage } from '../../../tools/metrics-page.ts';

test('the page is what npm run generate makes', async () => {
  expect(readFileSync(METRICS_PAGE, 'utf8')).toBe(await metricsPage());
});

test('each metric stands in the table once, and says in one line what it is', () => {
  const metrics = [...serverSections, ...storeSections].flatMap(({ metrics: each }) =>
    each.map(({ name, help }) => ({ name, help })),
  );
  const names = metrics.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect(metrics.filter(({ help }) => !/^\S[^\n|]+\.$/.test(help) && !/[;:)]/.test(help))).toEqual([]);
});
