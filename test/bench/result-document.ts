/** Results as a bench would have them, for tests that look at one part. */
import type { BenchDocument, Figure } from '../../bench/result.ts';

export function figureOf(changes: Partial<Figure> = {}): Figure {
  return {
    case: 'store-get',
    name: 'get, 1 under way',
    unit: 'operations/s',
    keyCount: 1000,
    n: 3,
    median: 100,
    min: 90,
    max: 110,
    ...changes,
  };
}

export function documentOf(changes: Partial<BenchDocument> = {}): BenchDocument {
  return {
    format: 1,
    startedAt: '2026-11-26T15:02:11Z',
    seconds: 3,
    arguments: ['--save'],
    commit: { id: '36edf4a0000000000000000000000000000000ab', isDirty: false },
    machine: {
      cpu: 'a processor',
      coreCount: 2,
      memoryGiB: 24,
      operatingSystem: 'linux 6.18',
      node: 'v24.21.0',
      fileSystem: 'ext4',
      loadAverage: 0.1,
    },
    loadAverageAfter: 1,
    isQuick: false,
    engine: 'default',
    figures: [figureOf()],
    missing: [],
    ...changes,
  };
}
