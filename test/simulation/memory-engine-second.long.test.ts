import { describe, test } from 'vitest';
import { runSchedules, SCHEDULES_TIMEOUT_MS } from './schedules.ts';

describe('a simulated store over the memory engine', () => {
  test(
    'keeps its promises in every schedule',
    () => runSchedules({ engine: 'memory', firstSeed: 100_001, count: 4500 }),
    SCHEDULES_TIMEOUT_MS,
  );
});
