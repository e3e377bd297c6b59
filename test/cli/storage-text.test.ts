/** What is told of the files of an engine: only what there is, and shares that do not divide by nothing. */
import { expect, test } from 'vitest';
import type { StorageStatus } from '../../src/api.ts';
import { storageFacts, storageLine, storageSizesText } from '../../src/cli/tasks/storage-text.ts';

const MIB = 1024 * 1024;

const fresh: StorageStatus = {
  revision: 0,
  unsealedBytes: 2048,
  sealedBytes: 0,
  diskBytes: 0,
  liveBytes: 0,
  dataBytes: 0,
  cacheHits: 0,
  cacheMisses: 0,
  filterStops: 0,
  filterMisses: 0,
  flushedBytes: 0,
  mergedBytes: 0,
  mergingBytes: 0,
  plainBytes: 0,
  compressedBytes: 0,
  runs: [],
};

const run = { name: '1.run', bytes: 4 * MIB, liveBytes: 3 * MIB, recordCount: 10 };

const busy: StorageStatus = {
  revision: 70,
  unsealedBytes: 2048,
  sealedBytes: MIB,
  diskBytes: 8 * MIB,
  liveBytes: 5 * MIB,
  dataBytes: 4 * MIB,
  cacheHits: 900,
  cacheMisses: 100,
  filterStops: 99,
  filterMisses: 1,
  flushedBytes: 6 * MIB,
  mergedBytes: 3 * MIB,
  mergingBytes: 2 * MIB,
  plainBytes: 8 * MIB,
  compressedBytes: 2 * MIB,
  runs: [run, run],
};

test('an engine without files is its name, and that of a server that does not tell it nothing', () => {
  expect(storageFacts({ engine: 'memory', storage: undefined })).toEqual({ engine: 'memory' });
  expect(storageFacts({ engine: '', storage: undefined })).toEqual({});
  expect(storageLine({ engine: 'memory', storage: undefined })).toBeUndefined();
});

test('files that are empty yet have no shares', () => {
  expect(storageFacts({ engine: 'lsm', storage: fresh })).toEqual({
    engine: 'lsm, no checkpoint yet, 2.0 KiB changed since',
    files: '0 B in 0 files',
  });
  expect(storageLine({ engine: 'lsm', storage: fresh })).toBe('lsm 0 B in 0 files');
  const dead = { ...fresh, diskBytes: 1000, runs: [run] };
  expect(storageLine({ engine: 'lsm', storage: dead })).toBe('lsm 1000 B in 1 file, 0.0 % live');
});

test('files that are used tell of space, caches, filters, writes and compression', () => {
  expect(storageFacts({ engine: 'lsm', storage: busy })).toEqual({
    engine: 'lsm, checkpoint of revision 70, 1.0 MiB in the one under way, 2.0 KiB changed since',
    files: '8.0 MiB in 2 files, 62.5 % live, 2.00 times keys and values',
    cache: '90.0 % of 1000 reads found there',
    filters: '99.0 % of 100 lookups of absent keys ended there',
    written: '6.0 MiB by checkpoints, 3.0 MiB by merges, 2.0 MiB being merged',
    compression: '8.0 MiB to 2.0 MiB, 75.0 % saved',
  });
  expect(storageLine({ engine: 'bitcask', storage: busy })).toBe(
    'bitcask 8.0 MiB in 2 files, 62.5 % live, 2.00 times keys and values, cache hits 90.0 %',
  );
});

test('a merge tells what the files take', () => {
  expect(storageSizesText({ diskBytesBefore: 3 * MIB, diskBytes: 2 * MIB })).toBe(
    'files take 2.0 MiB, before 3.0 MiB',
  );
  expect(storageSizesText({ diskBytesBefore: 0, diskBytes: 0 })).toMatch(/nothing to merge/);
});
