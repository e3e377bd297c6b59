/**
 * Brings a store back from what is on disk: the newest snapshot that can be read, then every record of the log behind it.
 *
 * If the newest snapshot is damaged, the one before it and the longer log serve; if no snapshot is whole, the log alone
 * does, provided that it reaches back to the first revision. Damage that leaves no way to the whole state stops the start.
 */
import { readRecord, type EffectShape } from '../../gen/kelp/storage/v1/log_codec.ts';
import { readSnapshotBlock, readSnapshotHeader } from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import type { Change, Engine } from '../engine/engine.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { openSnapshot, type SnapshotReader } from '../snapshot/reader.ts';
import { setSnapshotAside, type SnapshotInfo } from '../snapshot/snapshot-directory.ts';
import type { Log } from '../wal/log.ts';
import { WireError } from '../wire/wire-error.ts';
import { SNAPSHOT_FORMAT_VERSION } from './checkpoint.ts';
import { NEWEST } from './draft.ts';
import { deletion, putChange, touchChange } from './effects.ts';
import { toKeyText } from './keys.ts';
import { LeaseTable } from './lease-table.ts';
import type { StoreEvent } from './store-event.ts';

/** How far a recovery has come: bytes of the snapshot or of the log. */
export interface RecoveryProgress {
  readonly phase: 'snapshot' | 'log';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface RecoveryContext {
  readonly disk: Disk;
  readonly snapshotDirectory: string;
  readonly clock: Clock;
  makeEngine(): Engine;
  onProgress(progress: RecoveryProgress): void;
  onEvent(event: StoreEvent): void;
}

export interface RecoveredState {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  readonly revision: number;
  readonly oldestRevision: number;
  /** The time of the newest record. */
  readonly timeMs: number;
  /** The snapshots that are whole as far as anybody knows, the newest first. */
  readonly snapshots: SnapshotInfo[];
}

export async function recover(
  context: RecoveryContext,
  log: Log,
  snapshots: readonly SnapshotInfo[],
): Promise<RecoveredState> {
  const startMs = context.clock.monotonicMs();
  const state = await loadNewestSnapshot(context, log, snapshots);
  const snapshotRevision = state.revision;
  if (log.oldestRevision > snapshotRevision) state.isBehindSnapshot = false;
  let recordCount = 0;
  const { torn } = await log.replay(
    snapshotRevision,
    (buffer, start, end) => {
      recordCount++;
      state.replay(buffer, start, end);
    },
    (doneBytes, totalBytes) => context.onProgress({ phase: 'log', doneBytes, totalBytes }),
  );
  if (torn !== undefined) context.onEvent({ kind: 'tornTailCut', ...torn });
  // Only now is it certain that the store can do without them.
  for (const { revision } of state.damaged) {
    await setSnapshotAside(context.disk, context.snapshotDirectory, revision);
  }
  state.snapshots = snapshots.filter((snapshot) => !state.damaged.includes(snapshot));
  // Leases go on counting from here.
  state.leases.setClock(state.leaseClockMs);
  const { revision } = state;
  const durationMs = context.clock.monotonicMs() - startMs;
  context.onEvent({ kind: 'recovered', revision, snapshotRevision, recordCount, durationMs });
  return state;
}

/** The state of a store that was just made. */
export function newState(context: Pick<RecoveryContext, 'clock' | 'makeEngine'>): RecoveredState {
  return new Recovering(context.makeEngine(), new LeaseTable(context.clock));
}

async function loadNewestSnapshot(
  context: RecoveryContext,
  log: Log,
  snapshots: readonly SnapshotInfo[],
): Promise<Recovering> {
  let firstError: Error | undefined;
  const damaged: SnapshotInfo[] = [];
  for (const snapshot of snapshots) {
    const { revision } = snapshot;
    const state = new Recovering(context.makeEngine(), new LeaseTable(context.clock));
    try {
      const reader = await openSnapshot(context.disk, context.snapshotDirectory, revision);
      try {
        await state.loadSnapshot(reader, revision, log.storeId, (progress) => context.onProgress(progress));
      } finally {
        await reader.close();
      }
      state.damaged = damaged;
      return state;
    } catch (error) {
      if (!isStoreError(error, 'damaged')) throw error;
      firstError ??= error;
      damaged.push(snapshot);
      context.onEvent({ kind: 'snapshotDamaged', revision, error });
    }
  }
  if (firstError !== undefined && log.oldestRevision > 1) throw firstError;
  const state = new Recovering(context.makeEngine(), new LeaseTable(context.clock));
  state.damaged = damaged;
  return state;
}

/** The checksums have been verified: bytes that are no message were written by something else than this version. */
function decode<Message>(what: string, read: () => Message): Message {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new StoreError(
      'damaged',
      `${what} is whole but can not be understood (${error.message}). Use the version that wrote it`,
      { cause: error },
    );
  }
}

/** The state while it is being brought back. */
class Recovering implements RecoveredState {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  revision = 0;
  oldestRevision = 0;
  timeMs = 0;
  leaseClockMs = 0;
  /** Whether the replay of the log has not come to the snapshot's own revision yet. */
  isBehindSnapshot = false;
  snapshots: SnapshotInfo[] = [];
  /** Snapshots that could not be read on the way to this state. */
  damaged: readonly SnapshotInfo[] = [];

  constructor(engine: Engine, leases: LeaseTable) {
    this.engine = engine;
    this.leases = leases;
  }

  async loadSnapshot(
    reader: SnapshotReader,
    revision: number,
    storeId: Uint8Array,
    onProgress: (progress: RecoveryProgress) => void,
  ): Promise<void> {
    const headerBytes = Buffer.from(reader.header);
    const what = `the snapshot of revision ${revision}`;
    const header = decode(what, () => readSnapshotHeader(headerBytes, 0, headerBytes.length));
    if (header.formatVersion !== SNAPSHOT_FORMAT_VERSION) {
      throw new StoreError(
        'damaged',
        `the snapshot of revision ${revision} has format ${header.formatVersion}; this version reads format ${SNAPSHOT_FORMAT_VERSION}. Use the version that wrote it`,
      );
    }
    if (Buffer.compare(header.storeId, storeId) !== 0) {
      throw new StoreError(
        'damaged',
        `the snapshot of revision ${revision} belongs to another store than the log`,
      );
    }
    if (header.revision !== revision) {
      throw new StoreError(
        'damaged',
        `the snapshot named for revision ${revision} holds revision ${header.revision}`,
      );
    }
    for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
      const { block: bytes } = next;
      const block = decode(what, () => readSnapshotBlock(bytes, 0, bytes.length));
      for (const { leaseId, ttlMs, deadlineMs } of block.leases)
        this.leases.grant(leaseId, ttlMs, deadlineMs);
      for (const version of block.versions) this.#apply(version);
      onProgress({ phase: 'snapshot', doneBytes: reader.bytesRead, totalBytes: reader.bytesTotal });
    }
    this.revision = revision;
    this.isBehindSnapshot = true;
    this.oldestRevision = header.oldestRevision;
    this.timeMs = header.timeMs;
    this.leaseClockMs = header.leaseClockMs;
  }

  replay(buffer: Buffer, start: number, end: number): void {
    const record = decode('a record of the log', () => readRecord(buffer, start, end));
    this.timeMs = Math.max(this.timeMs, record.timeMs);
    this.leaseClockMs = Math.max(this.leaseClockMs, record.leaseClockMs);
    if (this.isBehindSnapshot) {
      // The snapshot has it already: a note too, which may be about an earlier lease with the id of a present one.
      this.isBehindSnapshot = record.revision < this.revision;
      if (record.revision <= this.revision) return;
    }
    if (record.revision !== 0 && record.revision !== this.revision + 1) {
      throw new StoreError(
        'damaged',
        `the log goes from revision ${this.revision} to ${record.revision}: what lies between is missing`,
      );
    }
    for (const { effect } of record.effects) this.#replayEffect(effect, record.revision);
    if (record.revision !== 0) this.revision = record.revision;
  }

  #replayEffect(effect: EffectShape['effect'], revision: number): void {
    switch (effect.case) {
      case 'put':
        this.#apply(putChange(effect.value, revision));
        break;
      case 'delete':
        this.#apply(deletion(effect.value.key, revision));
        break;
      case 'touch': {
        const before = this.engine.read(effect.value.key, NEWEST);
        if (before === undefined) {
          throw new StoreError(
            'damaged',
            `revision ${revision} of the log touches a key that does not exist`,
          );
        }
        this.#apply(touchChange(effect.value, revision, before));
        break;
      }
      case 'lease':
        // A grant takes a revision, a renewal does not.
        if (revision === 0) this.leases.renew(effect.value.leaseId, effect.value.deadlineMs);
        else this.leases.grant(effect.value.leaseId, effect.value.ttlMs, effect.value.deadlineMs);
        break;
      case 'leaseEnd':
        this.leases.remove(effect.value.leaseId);
        break;
      case undefined:
        throw new StoreError(
          'damaged',
          `revision ${revision} of the log has an effect that this version does not know. Use the version that wrote it`,
        );
    }
  }

  #apply(change: Change): void {
    // A key can name a lease only while there is one.
    if (this.leases.size > 0) {
      const before = this.engine.readMeta(change.key, NEWEST)?.leaseId ?? 0;
      // An old version in a snapshot may name a lease that has ended since.
      const after =
        change.leaseId !== 0 && this.leases.get(change.leaseId) !== undefined ? change.leaseId : 0;
      if (before !== after) this.leases.move(toKeyText(change.key), before, after);
    }
    this.engine.apply(change);
  }
}
