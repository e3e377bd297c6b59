import { describe, test } from 'vitest';
import { runSchedules, SCHEDULES_TIMEOUT_MS } from './schedules.ts';

describe('a simulated store over the heap engine', () => {
  test(
    'keeps its promises in every schedule',
    () => runSchedules({ engine: 'heap', firstSeed: 300_001, count: 7000 }),
    SCHEDULES_TIMEOUT_MS,
  );
});
