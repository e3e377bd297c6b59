/** Opens a store: takes the data directory, recovers what is there, and begins to serve. */
import { dirname } from 'node:path';
import { systemClock, systemRandom, type Clock, type Random } from '../clock.ts';
import { DiskError, type Disk, type DiskErrorCode } from '../disk/disk.ts';
import { MemoryDisk } from '../disk/memory-disk.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import { insteadOfValueCompression } from '../engine-names.ts';
import { CompressionFigures } from '../engine/compression.ts';
import type { Engine } from '../engine/engine.ts';
import { zstdCodec } from '../engine/memory/compressed-values.ts';
import { type EnginePlace, openEngine } from '../engine/open-engine.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { defaults, defaultsInMemory, fixed, type Limits } from '../limits.ts';
import { machineMemoryBytes } from '../machine.ts';
import { listSnapshots, removeUnfinishedSnapshots } from '../snapshot/snapshot-directory.ts';
import type { CachedJournal } from '../wal/journal.ts';
import { Log, type LogOptions } from '../wal/log.ts';
import { asError } from './commit/listeners.ts';
import { dataDirectory, type DataDirectory } from './directory/data-directory.ts';
import { checkMemoryPolicy, DurableStore } from './durable-store.ts';
import { Ownership } from './directory/ownership.ts';
import { settleEngine } from './directory/settle-engine.ts';
import { recoverFromBase } from './recovery/base-recovery.ts';
import { LostStateError } from './recovery/lost-state.ts';
import { Recovering } from './recovery/recovering.ts';
import { recover } from './recovery/recovery.ts';
import type { RecoveryContext } from './recovery/recovery-context.ts';
import { checkAlone, checkStoreId, faultOfReplication, placeOf } from './replication/admission.ts';
import type { Replication } from './replication/replication.ts';
import { goOnFrom, SteadyClock } from './steady-clock.ts';
import { takeDirectory } from './directory/take-directory.ts';
import { storeOptions, type StoreOptions } from './store-options.ts';
import { noTypes, type TypeHooks } from './type-hooks.ts';
import { databaseByHead } from './views/regions.ts';

const STORE_ID_BYTES = 16;

/**
 * Opens the store of a data directory, or makes a new one, or one in memory alone.
 *
 * Rejects with a `StoreError`: `invalidArgument` when an option can't be used, or the directory is neither empty nor a
 * store's; `locked` when another process (or another store of this one) has the directory, `damaged` when what lies there
 * is not whole, `storageFailed` when the disk does not let it.
 * @param types what lies in keys; left out: plain bytes alone.
 */
export async function openDurableStore(
  options: StoreOptions,
  types: TypeHooks = noTypes,
): Promise<DurableStore> {
  const wrong = storeOptions(options) ?? faultOfReplication(options);
  if (wrong !== undefined) throw new StoreError('invalidArgument', wrong);
  const { clock = systemClock, onEvent = () => undefined } = options;
  const { disk, dataDir } = whereTo(options);
  const directory = dataDirectory(dataDir);
  try {
    const locks = await takeDirectory({ disk, clock, onEvent }, dataDir, directory);
    const ownership = new Ownership({ clock, dataDir, locks });
    try {
      return await openLocked(options, types, disk, directory, ownership);
    } catch (error) {
      await ownership.release();
      throw error;
    }
  } catch (error) {
    // A start reads through the engine, too.
    const reason = isStoreError(error, 'readFailed') ? error.cause : error;
    throw reason instanceof DiskError ? toStoreError(reason, dataDir) : error;
  }
}

async function openLocked(
  options: StoreOptions,
  types: TypeHooks,
  disk: Disk,
  directory: DataDirectory,
  ownership: Ownership,
): Promise<DurableStore> {
  const { random = systemRandom, replication } = options;
  const clock = steady(options.clock ?? systemClock);
  const fsync = replication === undefined ? (options.fsync ?? 'always') : 'interval';
  const limits = checkLimits(withDefaults(options));
  checkCompression(options);
  const { memoryPolicy = 'noeviction' } = options;
  checkMemoryPolicy(memoryPolicy, options.engine ?? 'memory');
  const memoryBytesMax =
    options.memoryBytesMax ?? Math.floor(machineMemoryBytes() * fixed.memoryShareDefault);
  const compression = new CompressionFigures();
  const valueCodec = options.valueCompression ? zstdCodec(limits.compressionLevel, compression) : undefined;
  const onEvent = options.onEvent ?? ((): void => undefined);
  // The log speaks to the store, or to the journal above it, which can be made only after the log has been replayed.
  let store: DurableStore | undefined;
  let journal: CachedJournal | undefined;
  const logOptions: LogOptions = {
    disk,
    clock,
    directory: directory.log,
    newestNamePath: directory.newestSegment,
    segmentBytes: limits.segmentBytes,
    unflushedBytesMax: limits.unflushedBytesMax,
    fsync,
    fsyncIntervalMs: limits.fsyncIntervalMs,
    onDurable: (sequence) =>
      journal === undefined ? store?.durable(sequence) : journal.cacheDurable(sequence),
    onFailure: (error) => (journal === undefined ? store?.fail(error) : journal.cacheFailed(error)),
    onSegmentDelayed: (error, segmentBytes) => onEvent({ kind: 'segmentDelayed', error, segmentBytes }),
    checkOwned: () => ownership.check(),
    observer: options.observer ?? {},
  };
  await removeUnfinishedSnapshots(disk, directory.snapshots);
  const snapshots = await listSnapshots(disk, directory.snapshots);
  const existing = await Log.open(logOptions);
  let engine: Engine | undefined;
  let log = existing;
  try {
    const engineName = options.engine ?? 'memory';
    await settleEngine(disk, directory, engineName, existing === undefined && snapshots.length === 0);
    if (replication !== undefined && existing !== undefined) checkStoreId(replication, existing.storeId);
    log ??= await createLog(logOptions, await newId(replication, random), snapshots.length, directory);
    const makeEngine = await engineMaker(options, {
      disk,
      directory,
      storeId: log.storeId,
      clock,
      random,
      memoryBytesMax,
      compressionLevel: limits.compressionLevel,
      valueCodec,
      onMergeFailed: (error) => onEvent({ kind: 'mergeFailed', error: asError(error) }),
    });
    engine = await makeEngine();
    const unsettled = engine.durable?.unsettled;
    if (unsettled !== undefined) onEvent({ kind: 'storageUnsettled', error: unsettled });
    const context: RecoveryContext = {
      disk,
      snapshotDirectory: directory.snapshots,
      clock,
      engine,
      makeEngine,
      onProgress: options.onRecoveryProgress ?? ((): void => undefined),
      onEvent,
    };
    const recovered =
      existing === undefined
        ? new Recovering(engine, clock)
        : engine.durable === undefined
          ? await recover(context, existing, snapshots)
          : await recoverFromBase(context, engine.durable, existing, snapshots);
    if (replication === undefined) {
      checkAlone(recovered);
      goOnFrom(recovered.timeMs, clock, onEvent);
    } else {
      const place = placeOf(replication, recovered);
      clock.follow();
      clock.continueFrom(recovered.timeMs);
      journal = replication.openJournal({
        cache: log,
        place,
        onDurable: (sequence) => store?.durable(sequence),
        onFailure: (error) => store?.fail(error),
      });
    }
    const snapshotDirectory = directory.snapshots;
    store = new DurableStore({
      disk,
      ownership,
      log: journal ?? log,
      isFollower: replication !== undefined,
      snapshotDirectory,
      recovered,
      engineName,
      incarnation: recovered.incarnations.draw(random),
      clock,
      random,
      limits,
      memoryBytesMax,
      memoryPolicy,
      compression,
      onEvent,
      keyObserver: options.keyObserver,
      types,
    });
    return store;
  } catch (error) {
    // What stopped the start is what the caller needs to know.
    await (journal ?? log)?.close().catch(() => undefined);
    await engine?.durable?.close().catch(() => undefined);
    throw error;
  }
}

type EngineParts = Omit<EnginePlace, 'directory' | 'isInMemory' | 'groupOf'> & {
  readonly directory: DataDirectory;
};

/** What makes the engine that is asked for, or that a test has in its place; the folder of one on disk is there by then. */
async function engineMaker(
  { dataDir, engine = 'memory', makeEngine }: StoreOptions,
  { disk, directory, ...parts }: EngineParts,
): Promise<() => Promise<Engine>> {
  const { base } = directory;
  if (engine !== 'memory') {
    await disk.makeDirectory(base);
    await disk.syncDirectory(dirname(base));
  }
  const place: EnginePlace = {
    ...parts,
    disk,
    directory: base,
    isInMemory: dataDir === null,
    groupOf: databaseByHead,
  };
  return async () => (makeEngine === undefined ? await openEngine(engine, place) : await makeEngine(place));
}

async function newId(replication: Replication | undefined, random: Random): Promise<Uint8Array> {
  if (replication === undefined) return random.bytes(STORE_ID_BYTES);
  const { storeId } = replication;
  return typeof storeId === 'function' ? await storeId() : storeId;
}

/** One that is steady already shows the time of the store to who has given it. */
function steady(clock: Clock): SteadyClock {
  return clock instanceof SteadyClock ? clock : new SteadyClock(clock);
}

async function createLog(
  logOptions: LogOptions,
  storeId: Uint8Array,
  snapshotCount: number,
  directory: DataDirectory,
): Promise<Log> {
  if (snapshotCount > 0) {
    throw new LostStateError(
      `${directory.log} holds no log segment, but ${directory.snapshots} holds ${snapshotCount} snapshots: the log is missing. Put it back, or restore a backup into an empty directory`,
    );
  }
  return await Log.create(logOptions, storeId);
}

/** A store without a directory has a disk of its own, which goes with it. */
function whereTo({ dataDir, disk = nodeDisk }: StoreOptions): { disk: Disk; dataDir: string } {
  return dataDir === null ? { disk: new MemoryDisk(), dataDir: 'memory' } : { disk, dataDir };
}

/** A limit that is `undefined` counts as left out. */
function withDefaults({ dataDir, limits = {} }: StoreOptions): Limits {
  const given = Object.entries(limits).filter(([, limit]) => limit !== undefined);
  return { ...defaults, ...(dataDir === null ? defaultsInMemory : {}), ...Object.fromEntries(given) };
}

function checkCompression({ engine = 'memory', valueCompression = false }: StoreOptions): void {
  if (!valueCompression || engine === 'memory') return;
  throw new StoreError(
    'invalidArgument',
    `valueCompression: ${insteadOfValueCompression(engine, 'limits.compressionLevel')}; leave it out`,
  );
}

function checkLimits(limits: Limits): Limits {
  if (limits.txnBytesMax < limits.valueBytesMax + fixed.keyBytesMax) {
    throw new StoreError(
      'invalidArgument',
      `txnBytesMax is ${limits.txnBytesMax}; it must have room for the longest value (valueBytesMax, ${limits.valueBytesMax}) and a key of ${fixed.keyBytesMax} bytes`,
    );
  }
  if (limits.txnBytesMax > fixed.frameBytesMax / 2) {
    throw new StoreError(
      'invalidArgument',
      `txnBytesMax is ${limits.txnBytesMax}; at most ${fixed.frameBytesMax / 2} are possible`,
    );
  }
  return limits;
}

function toStoreError(error: DiskError, dataDir: string): StoreError {
  if (error.code === 'locked') {
    return new StoreError(
      'locked',
      `the data directory ${dataDir} is in use by another store; stop that one, or use another directory`,
      { cause: error },
    );
  }
  const advice = adviceByCode[error.code] ?? 'see to the disk, or use another directory';
  return new StoreError(
    'storageFailed',
    `the data directory ${dataDir} can not be used: ${error.message}; ${advice}`,
    { cause: error },
  );
}

/** What an operator can do when the system refuses. */
const adviceByCode: Partial<Record<DiskErrorCode, string>> = {
  busy: 'then start again',
  noPermission: 'let it belong to the user that runs the store, or use another directory',
  noSpace: 'free space on its file system, or use another directory',
  tooManyFiles: 'close other files, or let the process have more open (ulimit -n)',
  exists: 'move what is in the way, or use another directory',
};
