/** Each metric of an engine's files stands for one figure of the status, and has no sample where there are no files. */
import { expect, test } from 'vitest';
import type { StorageStatus, StoreStatus } from '../../../src/api.ts';
import { exposed } from '../../../src/server/metrics/exposition.ts';
import type { OpenStoreFigures } from '../../../src/server/metrics/metric.ts';
import { StoreMeter } from '../../../src/server/metrics/store/store-meter.ts';
import { storageMetrics } from '../../../src/server/metrics/store/storage-metrics.ts';
import { parseMetrics } from './exposition.ts';

/** Each figure is another number. */
const storage: StorageStatus = {
  revision: 1,
  unsealedBytes: 2,
  sealedBytes: 3,
  diskBytes: 4,
  liveBytes: 5,
  dataBytes: 15,
  runs: Array.from({ length: 6 }, (_, index) => ({
    name: `${index}.run`,
    bytes: 1,
    liveBytes: 1,
    recordCount: 1,
  })),
  cacheHits: 7,
  cacheMisses: 8,
  filterStops: 9,
  filterMisses: 10,
  flushedBytes: 11,
  mergedBytes: 12,
  mergingBytes: 0,
  plainBytes: 13,
  compressedBytes: 14,
};

function samplesFor(status: Partial<StoreStatus>): string[] {
  const meter = new StoreMeter();
  meter.happened({ kind: 'checkpointWritten', revision: 1, bytes: 1, durationMs: 1500 });
  meter.happened({ kind: 'checkpointFailed', revision: 1, error: new Error('full') });
  for (let count = 0; count < 3; count++)
    meter.happened({ kind: 'storageDamaged', error: new Error('torn') });
  const heldAnswers = { holdCount: 4, heldMs: 5500 };
  const waitingWrites = { count: 3, waitedMs: 2500 };
  const figures = { status, meter, figures: { heldAnswers, waitingWrites } } as unknown as OpenStoreFigures;
  return parseMetrics(exposed(storageMetrics, figures)).flatMap(({ samples }) =>
    samples.map(({ name, value }) => `${name} ${value}`).filter((line) => !line.includes('_bucket')),
  );
}

test('an engine on disk', () => {
  expect(samplesFor({ engine: 'lsm', storage })).toEqual([
    'kelp_engine{engine="lsm"} 1',
    'kelp_storage_revision 1',
    'kelp_storage_unsealed_bytes 2',
    'kelp_storage_sealed_bytes 3',
    'kelp_storage_bytes 4',
    'kelp_storage_live_bytes 5',
    'kelp_storage_data_bytes 15',
    'kelp_storage_files 6',
    'kelp_storage_cache_hits_total 7',
    'kelp_storage_cache_misses_total 8',
    'kelp_storage_filter_stops_total 9',
    'kelp_storage_filter_misses_total 10',
    'kelp_storage_flushed_bytes_total 11',
    'kelp_storage_merged_bytes_total 12',
    'kelp_storage_plain_bytes_total 13',
    'kelp_storage_compressed_bytes_total 14',
    'kelp_checkpoint_duration_seconds_sum 1.5',
    'kelp_checkpoint_duration_seconds_count 1',
    'kelp_checkpoint_failures_total 1',
    'kelp_storage_damage_total 3',
    'kelp_held_answers_total 4',
    'kelp_held_answers_seconds 5.5',
    'kelp_waiting_writes 3',
    'kelp_waiting_writes_seconds_total 2.5',
  ]);
});

test('memory', () => {
  expect(samplesFor({ engine: 'memory', storage: undefined })).toEqual(['kelp_engine{engine="memory"} 1']);
});
