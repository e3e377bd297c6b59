/** How the files of an engine on disk do, as a person reads it: of `stats`, `top` and the shell. */
import type { StorageSizes, StorageStatus, StoreStatus } from '../../api.ts';
import { displayCount, displaySize } from '../terminal/display.ts';

type EngineStatus = Pick<StoreStatus, 'engine' | 'storage'>;

/** Lines of facts; what has not happened yet, or this engine has not, is left out. */
export function storageFacts({ engine, storage }: EngineStatus): Record<string, string> {
  // A server of before there were others says nothing of it.
  if (storage === undefined) return engine === '' ? {} : { engine };
  const { cacheHits, cacheMisses, filterStops, filterMisses, flushedBytes, mergedBytes } = storage;
  const { plainBytes, compressedBytes, mergingBytes } = storage;
  const lookupCount = filterStops + filterMisses;
  return {
    engine: `${engine}, ${checkpointText(storage)}`,
    files: filesText(storage),
    ...(cacheHits + cacheMisses > 0 && {
      cache: `${share(cacheHits, cacheHits + cacheMisses)} of ${displayCount(cacheHits + cacheMisses, 'read')} found there`,
    }),
    ...(lookupCount > 0 && {
      filters: `${share(filterStops, lookupCount)} of ${displayCount(lookupCount, 'lookup')} of absent keys ended there`,
    }),
    ...(flushedBytes > 0 && {
      written: `${displaySize(flushedBytes)} by checkpoints, ${displaySize(mergedBytes)} by merges${mergingBytes > 0 ? `, ${displaySize(mergingBytes)} being merged` : ''}`,
    }),
    ...(plainBytes > 0 && {
      compression: `${displaySize(plainBytes)} to ${displaySize(compressedBytes)}, ${share(plainBytes - compressedBytes, plainBytes)} saved`,
    }),
  };
}

/** In one line; `undefined` where there are no files. */
export function storageLine({ engine, storage }: EngineStatus): string | undefined {
  if (storage === undefined) return undefined;
  const { cacheHits, cacheMisses } = storage;
  const reads = cacheHits + cacheMisses;
  return [
    `${engine} ${filesText(storage)}`,
    ...(reads === 0 ? [] : [`cache hits ${share(cacheHits, reads)}`]),
  ].join(', ');
}

/** What a merge by hand has come to. */
export function storageSizesText({ diskBytesBefore, diskBytes }: StorageSizes): string {
  if (diskBytesBefore === 0 && diskBytes === 0) return 'nothing to merge: the engine has no files';
  return `files take ${displaySize(diskBytes)}, before ${displaySize(diskBytesBefore)}`;
}

/** `sealed`: what a checkpoint that is under way writes. */
function checkpointText({ revision, unsealedBytes, sealedBytes }: StorageStatus): string {
  const newest = revision === 0 ? 'no checkpoint yet' : `checkpoint of revision ${revision}`;
  const since = `${displaySize(unsealedBytes)} changed since`;
  return [
    newest,
    ...(sealedBytes === 0 ? [] : [`${displaySize(sealedBytes)} in the one under way`]),
    since,
  ].join(', ');
}

function filesText({ diskBytes, liveBytes, dataBytes, runs }: StorageStatus): string {
  const size = `${displaySize(diskBytes)} in ${displayCount(runs.length, 'file')}`;
  if (diskBytes === 0) return size;
  const amplification =
    dataBytes === 0 ? '' : `, ${(diskBytes / dataBytes).toFixed(2)} times keys and values`;
  return `${size}, ${share(liveBytes, diskBytes)} live${amplification}`;
}

/** `97.4 %`. */
function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}
