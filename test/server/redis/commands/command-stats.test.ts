import { expect, test } from 'vitest';
import { CommandStats } from '../../../../src/server/redis/observed/command-stats.ts';

test('an error counts by its code, and as ERR where a script made that of any length', () => {
  const stats = new CommandStats();
  stats.failed('WRONGTYPE of a key', 'get');
  stats.failed(`${'C'.repeat(32)} of a script`, 'eval');
  stats.failed(`${'C'.repeat(33)} of a script`, 'eval');
  stats.refused('D'.repeat(1_000_000), undefined);
  expect([...stats.errorCounts]).toEqual([
    ['WRONGTYPE', 1],
    ['C'.repeat(32), 1],
    ['ERR', 2],
  ]);
  expect(stats.errorCount).toBe(4);
});
