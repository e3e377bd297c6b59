import { describe, test } from 'vitest';
import { runSchedules, SCHEDULES_TIMEOUT_MS } from './schedules.ts';

describe('a simulated store over the engine bitcask, beside the heap engine', () => {
  test(
    'keeps its promises in every schedule',
    () => runSchedules({ engine: 'bitcask-mirror', firstSeed: 500_001, count: 1000 }),
    SCHEDULES_TIMEOUT_MS,
  );
});
