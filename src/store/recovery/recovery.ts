/**
 * Brings a store back from what is on disk: the newest snapshot that can be read, then every record of the log behind it.
 *
 * If the newest snapshot is damaged, the one before it and the longer log serve; if no snapshot is whole, the log alone
 * does, provided that it reaches back to the first revision. Damage that leaves no way to the whole state stops the start.
 */
import {
  enterEffect,
  nextInRecordEffects,
  readEffect,
  readPlacedRecord,
  type EffectShape,
  type LeaseEffectShape,
  type PlacedRecord,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import { readSnapshotHeader } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock } from '../../clock.ts';
import type { Disk } from '../../disk/disk.ts';
import type { Engine } from '../../engine/engine.ts';
import { deletionOf } from '../../engine/version.ts';
import { isStoreError, StoreError } from '../../errors.ts';
import { NewerSnapshotError, SnapshotDamageError } from '../../snapshot/damage.ts';
import { snapshotPath } from '../../snapshot/file-names.ts';
import { openSnapshot, type SnapshotReader } from '../../snapshot/reader.ts';
import { setSnapshotAside, type SnapshotInfo } from '../../snapshot/snapshot-directory.ts';
import type { Log } from '../../wal/log.ts';
import { WireError } from '../../wire/wire-error.ts';
import { checkSnapshotFormat } from '../checkpoints/checkpoint.ts';
import { NEWEST } from '../views/draft.ts';
import { elementsOf, sweptKeyRange } from '../collections/collection-keys.ts';
import { putChange, touchChange } from '../commit/effects.ts';
import { Incarnations, toIncarnation, toLife } from '../history/incarnations.ts';
import { ItemLoader } from './item-loader.ts';
import { LeaseTable } from '../leases/lease-table.ts';
import { faultOfEffect, faultOfRecordHead, faultOfSnapshotHeader, SnapshotOrder } from './recorded-items.ts';
import type { OperatorEvent } from '../operator-event.ts';

/** The elements that are forgotten between two yields. */
const FORGOTTEN_AT_ONCE_MAX = 1024;

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
  onEvent(event: OperatorEvent): void;
}

export interface RecoveredState {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  /** Of what was brought back. */
  readonly incarnations: Incarnations;
  readonly revision: number;
  /** Of what was brought back; `compactedRevision` may lie above. */
  readonly oldestRevision: number;
  /** Everything before this revision was dropped on demand; 0: nothing was. */
  readonly compactedRevision: number;
  /** The highest bound of ids of collections that was met; 0: none was. */
  readonly collectionIdsEnd: number;
  /** The latest wall time that was met on the way: the store had come so far by then. 0: none was. */
  readonly timeMs: number;
  /** The bytes of the records that were replayed: what the log holds behind the snapshot. */
  readonly replayedBytes: number;
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
  await state.finishLoad();
  if (torn !== undefined) context.onEvent({ kind: 'tornTailCut', ...torn });
  // Only now is it certain that the store can do without them.
  for (const { revision } of state.damaged) {
    await setSnapshotAside(context.disk, context.snapshotDirectory, revision);
  }
  state.snapshots = snapshots.filter((snapshot) => !state.damaged.includes(snapshot));
  // Leases go on counting from here.
  state.leases.setClock(state.leaseClockMs);
  const { revision, timeMs } = state;
  const durationMs = context.clock.monotonicMs() - startMs;
  context.onEvent({ kind: 'recovered', revision, timeMs, snapshotRevision, recordCount, durationMs });
  return state;
}

/** The state of a store that was just made. */
export function newState(context: Pick<RecoveryContext, 'clock' | 'makeEngine'>): RecoveredState {
  return new Recovering(context);
}

async function loadNewestSnapshot(
  context: RecoveryContext,
  log: Log,
  snapshots: readonly SnapshotInfo[],
): Promise<Recovering> {
  let firstDamage: SnapshotDamageError | undefined;
  const damaged: SnapshotInfo[] = [];
  for (const snapshot of snapshots) {
    const { revision } = snapshot;
    const state = new Recovering(context);
    const path = snapshotPath(context.snapshotDirectory, revision);
    try {
      const reader = await openSnapshot(context.disk, context.snapshotDirectory, revision);
      try {
        await state.loadSnapshot(reader, path, revision, log.storeId, (progress) =>
          context.onProgress(progress),
        );
      } finally {
        await reader.close();
      }
      state.damaged = damaged;
      return state;
    } catch (error) {
      if (!isStoreError(error, 'damaged') || error instanceof NewerSnapshotError) throw error;
      const damage = toSnapshotDamage(error, path);
      firstDamage ??= damage;
      damaged.push(snapshot);
      context.onEvent({ kind: 'snapshotDamaged', revision, error: damage });
    }
  }
  if (firstDamage !== undefined && log.oldestRevision > 1)
    throw missingSnapshot(firstDamage, log.oldestRevision);
  const state = new Recovering(context);
  state.damaged = damaged;
  return state;
}

/** What is wrong with a snapshot as a whole is told of its beginning. */
function toSnapshotDamage(error: StoreError<'damaged'>, path: string): SnapshotDamageError {
  if (error instanceof SnapshotDamageError) return error;
  return new SnapshotDamageError(path, 0, error.message, { cause: error });
}

function missingSnapshot(damage: SnapshotDamageError, oldestRevision: number): StoreError<'damaged'> {
  return new StoreError(
    'damaged',
    `${damage.message}. No other snapshot can take its place, and the log begins at revision ${oldestRevision}: what was ` +
      `written up to revision ${oldestRevision - 1} is known from snapshots only. Nothing was changed. Restore the file from a ` +
      `copy of the data directory`,
    { cause: damage },
  );
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

function refuse(what: string, fault: string | undefined): void {
  if (fault === undefined) return;
  throw new StoreError(
    'damaged',
    `${what} is whole, but no store writes such a thing: ${fault}. Restore it from a copy`,
  );
}

/** The state while it is being brought back. */
class Recovering implements RecoveredState {
  readonly engine: Engine;
  readonly leases: LeaseTable;
  incarnations = new Incarnations();
  revision = 0;
  oldestRevision = 0;
  compactedRevision = 0;
  /** The collections whose elements are to be forgotten once all is loaded. */
  sweptIds: number[] = [];
  collectionIdsEnd = 0;
  timeMs = 0;
  leaseClockMs = 0;
  replayedBytes = 0;
  /** Whether the replay of the log has not come to the snapshot's own revision yet. */
  isBehindSnapshot = false;
  snapshots: SnapshotInfo[] = [];
  /** Snapshots that could not be read on the way to this state. */
  damaged: readonly SnapshotInfo[] = [];
  readonly #clock: Clock;
  readonly #loader: ItemLoader;
  readonly #head: PlacedRecord = { revision: 0, timeMs: 0, leaseClockMs: 0, effectsCount: 0 };

  constructor({ clock, makeEngine }: Pick<RecoveryContext, 'clock' | 'makeEngine'>) {
    this.engine = makeEngine();
    this.leases = new LeaseTable(clock);
    this.#clock = clock;
    this.#loader = new ItemLoader(this.engine, this.leases);
  }

  async loadSnapshot(
    reader: SnapshotReader,
    path: string,
    revision: number,
    storeId: Uint8Array,
    onProgress: (progress: RecoveryProgress) => void,
  ): Promise<void> {
    const headerBytes = Buffer.from(reader.header);
    const what = `the snapshot of revision ${revision}`;
    const header = decode(what, () => readSnapshotHeader(headerBytes, 0, headerBytes.length));
    checkSnapshotFormat(header.formatVersion, path);
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
    refuse(what, faultOfSnapshotHeader(header));
    const order = new SnapshotOrder(revision);
    for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
      await this.#load(what, this.#loader.loadBlock(next, order));
      reader.giveBack(next);
      onProgress({ phase: 'snapshot', doneBytes: reader.bytesRead, totalBytes: reader.bytesTotal });
    }
    await this.#load(what, this.#loader.finishNewest());
    this.revision = revision;
    this.isBehindSnapshot = true;
    this.incarnations = new Incarnations(header.incarnations.map(toLife));
    this.oldestRevision = header.oldestRevision;
    this.compactedRevision = header.compactedRevision;
    this.collectionIdsEnd = header.collectionIdsEnd;
    this.timeMs = header.timeMs;
    this.leaseClockMs = header.leaseClockMs;
  }

  /** Puts what was loaded so far where it can be found. */
  async finishLoad(): Promise<void> {
    await this.#load('the snapshot', this.#loader.finish());
    for (const id of this.sweptIds) await this.#forget(id);
    this.sweptIds = [];
  }

  /** What a snapshot or the log has brought back of a collection that was swept. */
  async #forget(collectionId: number): Promise<void> {
    const { engine } = this;
    while (engine.forget(elementsOf(collectionId), FORGOTTEN_AT_ONCE_MAX) === FORGOTTEN_AT_ONCE_MAX)
      await this.#yield();
    engine.forget(sweptKeyRange(collectionId), 1);
  }

  #yield(): Promise<void> {
    return new Promise((resolve) => this.#clock.yieldNow(resolve));
  }

  async #load(what: string, pieces: Generator<undefined, string | undefined>): Promise<void> {
    for (;;) {
      const piece = decode(what, () => pieces.next());
      if (piece.done === true) return refuse(what, piece.value);
      await this.#yield();
    }
  }

  replay(buffer: Buffer, start: number, end: number): void {
    decode('a record of the log', () => this.#replay(buffer, start, end));
  }

  #replay(buffer: Buffer, start: number, end: number): void {
    const loader = this.#loader;
    const cursor = loader.cursorAt(buffer, start);
    const head = this.#head;
    readPlacedRecord(head, cursor, end);
    const { revision } = head;
    const what = `revision ${revision} of the log`;
    refuse(what, faultOfRecordHead(head));
    this.timeMs = Math.max(this.timeMs, head.timeMs);
    this.leaseClockMs = Math.max(this.leaseClockMs, head.leaseClockMs);
    if (this.isBehindSnapshot) {
      // The snapshot has it already: a note too, which may be about an earlier lease with the id of a present one.
      this.isBehindSnapshot = revision < this.revision;
      if (revision <= this.revision) return;
    }
    this.replayedBytes += end - start;
    if (revision !== 0 && revision !== this.revision + 1) {
      throw new StoreError(
        'damaged',
        `the log goes from revision ${this.revision} to ${revision}: what lies between is missing`,
      );
    }
    cursor.position = start;
    for (let left = head.effectsCount; left > 0; left--) {
      const effectEnd = nextInRecordEffects(cursor, end);
      const effectStart = cursor.position;
      switch (enterEffect(cursor, effectEnd)) {
        case 'put':
          refuse(what, loader.loadPut(effectEnd, revision));
          break;
        case 'delete':
          refuse(what, loader.loadDelete(effectEnd, revision));
          break;
        default:
          this.#replayEffect(readEffect(buffer, effectStart, effectEnd), revision);
      }
      cursor.position = effectEnd;
    }
    if (revision !== 0) this.revision = revision;
  }

  /** For the effects that are not loaded by the million. */
  #replayEffect({ effect }: EffectShape, revision: number): void {
    const what = `revision ${revision} of the log`;
    refuse(what, faultOfEffect(effect, revision));
    switch (effect.case) {
      case 'put':
        refuse(what, this.#loader.loadChange(putChange(effect.value, revision)));
        break;
      case 'delete':
        refuse(what, this.#loader.loadChange(deletionOf(effect.value.key, revision)));
        break;
      case 'touch': {
        const before = this.engine.read(effect.value.key, NEWEST);
        if (before === undefined) {
          throw new StoreError(
            'damaged',
            `revision ${revision} of the log touches a key that does not exist`,
          );
        }
        refuse(what, this.#loader.loadChange(touchChange(effect.value, revision, before)));
        break;
      }
      case 'lease':
        this.#grantOrRenew(effect.value);
        break;
      case 'leaseEnd':
        this.leases.remove(effect.value.leaseId);
        break;
      case 'compact':
        if (effect.value.oldestRevision > this.revision)
          refuse(
            'a note of the log',
            `revision ${this.revision} is compacted at ${effect.value.oldestRevision}`,
          );
        this.compactedRevision = Math.max(this.compactedRevision, effect.value.oldestRevision);
        break;
      case 'collectionIds':
        this.collectionIdsEnd = Math.max(this.collectionIdsEnd, effect.value.end);
        break;
      case 'swept':
        if (effect.value.revision > this.revision)
          refuse('a note of the log', `revision ${this.revision} is swept at ${effect.value.revision}`);
        this.sweptIds.push(effect.value.collectionId);
        this.oldestRevision = Math.max(this.oldestRevision, effect.value.revision);
        break;
      case 'incarnation': {
        const life = { firstRevision: revision, id: toIncarnation(effect.value.id) };
        refuse(what, this.incarnations.faultOfNext(life));
        this.incarnations.begin(life);
        break;
      }
      case undefined:
        throw new StoreError(
          'damaged',
          `revision ${revision} of the log has an effect that this version does not know. Use the version that wrote it`,
        );
    }
  }

  /**
   * The log does not tell a grant from a renewal. The snapshot below may be newer than the note: then the lease is there with
   * that deadline or a later one, or the note of its end follows.
   */
  #grantOrRenew(lease: LeaseEffectShape): void {
    if (this.leases.get(lease.leaseId) === undefined) this.leases.grant(lease);
    else this.leases.renew(lease.leaseId, lease.deadlineMs);
  }
}
