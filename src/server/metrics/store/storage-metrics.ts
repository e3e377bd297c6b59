/** The metrics of an engine on disk: its files, its caches, and what is on its way to them. With `memory` they have no sample. */
import type { StorageStatus } from '../../../api.ts';
import { fixed } from '../../../limits.ts';
import type { Metric, OpenStoreFigures, Sample } from '../metric.ts';

type StorageMetric = Metric<OpenStoreFigures>;

export const storageMetrics: readonly StorageMetric[] = [
  {
    name: 'kelp_engine',
    type: 'gauge',
    help: 'Always 1; the label tells what keeps the keys (--engine). The metrics below have samples with an engine on disk alone.',
    labels: { engine: 'memory, btree, lsm, bitcask' },
    read: ({ status }) => [{ labels: { engine: status.engine }, value: 1 }],
  },
  gauge(
    'kelp_storage_revision',
    'The revision of the newest checkpoint, whose state the files hold; 0: none. The log has what is newer.',
    ({ revision }) => revision,
  ),
  gauge(
    'kelp_storage_unsealed_bytes',
    'The memory of what has changed since the newest checkpoint was begun (--checkpoint-bytes begins the next).',
    ({ unsealedBytes }) => unsealedBytes,
  ),
  gauge(
    'kelp_storage_sealed_bytes',
    'The memory of what the checkpoint that is under way writes; 0: none is.',
    ({ sealedBytes }) => sealedBytes,
  ),
  gauge('kelp_storage_bytes', 'All files of the engine.', ({ diskBytes }) => diskBytes),
  gauge(
    'kelp_storage_live_bytes',
    'Those of them that a compaction does not give back: what the newest versions of keys take, with all that the format adds; with lsm an estimate.',
    ({ liveBytes }) => liveBytes,
  ),
  gauge(
    'kelp_storage_data_bytes',
    'Keys and values whose state the files hold, as they are read; kelp_storage_bytes over that is the space amplification.',
    ({ dataBytes }) => dataBytes,
  ),
  gauge('kelp_storage_files', 'The files that hold keys; with btree 1.', ({ runs }) => runs.length),
  counter(
    'kelp_storage_cache_hits_total',
    'The blocks or values that were found in a cache of the engine; not of btree.',
    ({ cacheHits }) => cacheHits,
  ),
  counter(
    'kelp_storage_cache_misses_total',
    'The blocks or values that had to be read from a file; not of btree.',
    ({ cacheMisses }) => cacheMisses,
  ),
  counter(
    'kelp_storage_filter_stops_total',
    'The lookups of absent keys that a Bloom filter ended without a read; lsm alone has filters.',
    ({ filterStops }) => filterStops,
  ),
  counter(
    'kelp_storage_filter_misses_total',
    'The lookups of absent keys that a Bloom filter let pass in vain.',
    ({ filterMisses }) => filterMisses,
  ),
  counter(
    'kelp_storage_flushed_bytes_total',
    'The bytes that checkpoints wrote to files.',
    ({ flushedBytes }) => flushedBytes,
  ),
  counter(
    'kelp_storage_merged_bytes_total',
    'The bytes that merges wrote to files; with what checkpoints wrote, the write amplification.',
    ({ mergedBytes }) => mergedBytes,
  ),
  counter(
    'kelp_storage_plain_bytes_total',
    'The bytes that were compressed, before that.',
    ({ plainBytes }) => plainBytes,
  ),
  counter(
    'kelp_storage_compressed_bytes_total',
    'What these bytes became.',
    ({ compressedBytes }) => compressedBytes,
  ),
  {
    name: 'kelp_checkpoint_duration_seconds',
    type: 'histogram',
    help: 'How long the checkpoints took that were written, with the wait for readers of older revisions; its count is theirs.',
    read: ({ meter, status }) => (status.storage === undefined ? [] : meter.checkpointDurations),
  },
  figure(
    'kelp_checkpoint_failures_total',
    'counter',
    'The checkpoints that could not be written; each is tried again. No write is lost by it; the log and the memory of changes grow.',
    ({ meter }) => meter.checkpointFailureCount,
  ),
  figure(
    'kelp_storage_damage_total',
    'counter',
    'How often damage in a file of the engine was told in the log, once a minute at most. What needs a damaged place is refused.',
    ({ meter }) => meter.damageCount,
  ),
  figure(
    'kelp_held_answers_total',
    'counter',
    'How often answers to writes began to be held back, since writes came faster than checkpoints bring them to the files.',
    ({ figures }) => figures.heldAnswers.holdCount,
  ),
  figure(
    'kelp_held_answers_seconds',
    'gauge',
    'How long the oldest of the answers has waited that are held back now; 0: none is.',
    ({ figures }) => figures.heldAnswers.heldMs / 1000,
  ),
  figure(
    'kelp_waiting_writes',
    'gauge',
    `How many writes wait now for room in memory, which a checkpoint makes; each for ${fixed.roomWaitMsMax / 1000} seconds at most, then it is refused.`,
    ({ figures }) => figures.waitingWrites.count,
  ),
  figure(
    'kelp_waiting_writes_seconds_total',
    'counter',
    'How long writes have waited for room in memory, all together.',
    ({ figures }) => figures.waitingWrites.waitedMs / 1000,
  ),
];

function gauge(name: string, help: string, read: (storage: StorageStatus) => number): StorageMetric {
  return figure(name, 'gauge', help, (_, storage) => read(storage));
}

function counter(name: string, help: string, read: (storage: StorageStatus) => number): StorageMetric {
  return figure(name, 'counter', help, (_, storage) => read(storage));
}

function figure(
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  read: (figures: OpenStoreFigures, storage: StorageStatus) => number,
): StorageMetric {
  const readOrNone = (figures: OpenStoreFigures): number | readonly Sample[] =>
    figures.status.storage === undefined ? [] : read(figures, figures.status.storage);
  return { name, type, help, read: readOrNone };
}
