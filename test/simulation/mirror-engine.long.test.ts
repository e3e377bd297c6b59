import { describe, test } from 'vitest';
import { runSchedules, SCHEDULES_TIMEOUT_MS } from './schedules.ts';

describe('a simulated store over two engines side by side', () => {
  test(
    'keeps its promises in every schedule',
    () => runSchedules({ engine: 'mirror', firstSeed: 200_001, count: 4000 }),
    SCHEDULES_TIMEOUT_MS,
  );
});
