/** The state of a store while it is being brought back: a snapshot, or the notes of a checkpoint, and then record after record of the log. */
import {
  enterEffect,
  nextInRecordEffects,
  readEffect,
  readPlacedRecord,
  type EffectShape,
  type LeaseEffectShape,
  type PlacedRecord,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { SnapshotHeaderShape } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Clock } from '../../clock.ts';
import type { DurableState, Engine } from '../../engine/engine.ts';
import { deletionOf } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import type { JournalPlace, LogPlace } from '../../wal/journal.ts';
import type { SnapshotReader } from '../../snapshot/reader.ts';
import type { SnapshotInfo } from '../../snapshot/snapshot-directory.ts';
import { TimeSlice } from '../../time-slice.ts';
import type { ReadNotes } from '../checkpoints/checkpoint-notes.ts';
import { elementsOf, sweptKeyRange } from '../collections/collection-keys.ts';
import { putChange, touchChange } from '../commit/effects.ts';
import { Incarnations, toIncarnation, toLife } from '../history/incarnations.ts';
import { LeaseTable } from '../leases/lease-table.ts';
import { NEWEST } from '../views/draft.ts';
import { toKeyText } from '../views/keys.ts';
import { decode, refuse } from './decode.ts';
import { readHeader } from './snapshot-head.ts';
import { ItemLoader } from './item-loader.ts';
import { LostStateError } from './lost-state.ts';
import { faultOfEffect, faultOfRecordHead, SnapshotOrder } from './recorded-items.ts';
import type { RecoveryProgress } from './recovery-context.ts';

/** The elements that are forgotten between two yields. */
const FORGOTTEN_AT_ONCE_MAX = 1024;
/** The keys that are attached to leases between two looks at the clock. */
const KEYS_PER_LOOK = 64;

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
  /** How far a node has followed the log that it shares; `undefined`: the state is of a store that is alone. */
  readonly place: JournalPlace | undefined;
  /** The bytes of the records that were replayed: what the log holds behind the snapshot. */
  readonly replayedBytes: number;
  /** The snapshots that are whole as far as anybody knows, the newest first. */
  readonly snapshots: SnapshotInfo[];
}

/** The state while it is being brought back. */
export class Recovering implements RecoveredState {
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
  /** That of the snapshot, ... */
  #loadedPlace: JournalPlace | undefined;
  /** ... and of the newest batch that the log has a note of. */
  #notedPlace: LogPlace | undefined;
  replayedBytes = 0;
  /** Whether the replay of the log has not come to the snapshot's own revision yet. */
  isBehindSnapshot = false;
  snapshots: SnapshotInfo[] = [];
  readonly #clock: Clock;
  readonly #loader: ItemLoader;
  readonly #head: PlacedRecord = { revision: 0, timeMs: 0, leaseClockMs: 0, effectsCount: 0 };

  /** @param engine was just made, or opened. */
  constructor(engine: Engine, clock: Clock) {
    this.engine = engine;
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
    const what = `the snapshot of revision ${revision}`;
    const header = readHeader(what, reader.header, revision, storeId, path);
    const order = new SnapshotOrder(revision);
    for (let next = await reader.next(); next !== undefined; next = await reader.next()) {
      await this.#load(what, this.#loader.loadBlock(next, order));
      reader.giveBack(next);
      onProgress({ phase: 'snapshot', doneBytes: reader.bytesRead, totalBytes: reader.bytesTotal });
    }
    await this.#load(what, this.#loader.finishNewest());
    this.#takeHeader(header);
  }

  /** The engine holds the state of a checkpoint with these notes. */
  async takeCheckpoint({ header, leases }: ReadNotes, durable: DurableState): Promise<void> {
    for (const lease of leases) this.leases.grant(lease);
    this.#takeHeader(header);
    if (this.leases.size === 0) return;
    const slice = new TimeSlice(this.#clock, KEYS_PER_LOOK);
    slice.begin();
    for (const [leaseId, key] of durable.leasedKeys()) {
      // As with a snapshot: a key may name a lease that has ended while it was overdue.
      if (this.leases.get(leaseId) !== undefined) this.leases.move(toKeyText(key), 0, leaseId);
      if (!slice.isOver()) continue;
      await this.#yield();
      slice.begin();
    }
  }

  /** The log holds whole batches: at its end the state has all of the last one, and no more. */
  get place(): JournalPlace | undefined {
    const noted = this.#notedPlace;
    return noted === undefined ? this.#loadedPlace : { ...noted, revision: this.revision };
  }

  #takeHeader(header: SnapshotHeaderShape): void {
    this.revision = header.revision;
    this.isBehindSnapshot = true;
    this.incarnations = new Incarnations(header.incarnations.map(toLife));
    this.oldestRevision = header.oldestRevision;
    this.compactedRevision = header.compactedRevision;
    this.collectionIdsEnd = header.collectionIdsEnd;
    this.timeMs = header.timeMs;
    this.leaseClockMs = header.leaseClockMs;
    this.#loadedPlace = header.place;
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
      if (revision <= this.revision) return this.#passOver(buffer, start, end);
    }
    this.replayedBytes += end - start;
    if (revision !== 0 && revision !== this.revision + 1) {
      throw new LostStateError(
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

  /** What the snapshot has already tells where in the shared log the records lie. */
  #passOver(buffer: Buffer, start: number, end: number): void {
    const { revision, effectsCount } = this.#head;
    if (revision !== 0 || effectsCount !== 1) return;
    const cursor = this.#loader.cursorAt(buffer, start);
    const effectEnd = nextInRecordEffects(cursor, end);
    const { effect } = readEffect(buffer, cursor.position, effectEnd);
    if (effect.case === 'place') this.#replayEffect({ effect }, revision);
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
      case 'place':
        this.#notedPlace = effect.value;
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
