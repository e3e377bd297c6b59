import { describe, test } from 'vitest';
import { runSchedules, SCHEDULES_TIMEOUT_MS } from './schedules.ts';

describe('a simulated store over the engine lsm, beside the heap engine', () => {
  test(
    'keeps its promises in every schedule',
    () => runSchedules({ engine: 'lsm-mirror', firstSeed: 400_001, count: 600 }),
    SCHEDULES_TIMEOUT_MS,
  );
});

describe('a simulated store over the engine lsm alone', () => {
  test(
    'keeps its promises in every schedule, also where reads of its files fail',
    () => runSchedules({ engine: 'lsm', firstSeed: 450_001, count: 400 }),
    SCHEDULES_TIMEOUT_MS,
  );
});
