/**
 * `LayeredState`: how what stands in memory comes into the base.
 *
 * 1. `seal` at revision E: the current generation becomes the previous one, which changes no more, and another one begins above it. The
 *    census and the totals of that moment are kept, those of E.
 * 2. `commit`, once the log is durable up to E and nothing reads below E: each key's newest version of the previous generation, or its
 *    deletion, goes in key order into a flush of the base, in slices of time.
 * 3. Once the flush is durable, the base is at E and the previous generation is dropped as a whole.
 *
 * Why a crash loses nothing: until the flush is durable the base is as it was, at C, and the log above C is there, for it is cut
 * only behind a commit. From then on the base is at E, and the log above E is. Nothing is in the base that the log could lose: it is
 * durable up to E before a flush begins.
 *
 * Why reads see no difference: from the seal on all changes are above E, and no read goes below E once the flush begins. For a key
 * that has changed in (C, E], the version that is read at E or above and below its next change is the newest of the previous
 * generation, which is what the base has behind the flush; any other key is the same in the base at C and at E.
 *
 * Why a failure leaves nothing half done: a flush that fails is given up, and the base goes on at C; the previous generation is still
 * there, and is written anew by the next call.
 *
 * Ranges that were forgotten before the seal are left out of the base by the flush. Those that were forgotten behind it are not: their
 * deletion is above E in the log, and may be lost with its end. So the flush writes their keys, as the census of E counts
 * them, and they are hidden again once it is done.
 */
import type { Clock } from '../../../clock.ts';
import { assert, StoreError } from '../../../errors.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import type { DurableState, GroupOfKey, StateLoad, StateView } from '../../engine.ts';
import type { BaseFlush } from '../base/base.ts';
import type { StorageFigures } from '../base/base-figures.ts';
import { decodeBaseNotes, encodeBaseNotes, type KeptState, storeNotesOf } from './base-notes.ts';
import { takeCensus } from '../census/census-taking.ts';
import { DeadlineTotals } from '../deadline-totals.ts';
import type { DueKeys } from '../due-keys.ts';
import type { Generation } from '../generation/generation.ts';
import { addGeneration, pauseOf } from '../generation/generation-flush.ts';
import type { Layers } from '../layers.ts';
import { LayeredLoad } from './layered-load.ts';
import type { NewestState } from '../newest-state.ts';
import type { RangeSet } from '../../range-set.ts';

export interface LayeredStateOptions {
  readonly clock: Clock;
  readonly groupOf: GroupOfKey;
  /** What a load sorts in memory at a time. */
  readonly loadBytesMax: number;
}

/** A checkpoint that is under way. */
export interface SealedCheckpoint {
  readonly revision: number;
  readonly generation: Generation;
  readonly kept: KeptState;
  /** What was forgotten before the seal. */
  readonly forgotten: RangeSet;
}

export class LayeredState implements DurableState {
  notes: Uint8Array = NO_BYTES;
  readonly #layers: Layers;
  readonly #newest: NewestState;
  readonly #due: DueKeys;
  readonly #options: LayeredStateOptions;
  /** The checkpoint that is under way. */
  sealed: SealedCheckpoint | undefined;
  /** What is being written; it never rejects. */
  #work: Promise<unknown> | undefined;
  #isClosing = false;

  constructor(layers: Layers, newest: NewestState, due: DueKeys, options: LayeredStateOptions) {
    this.#layers = layers;
    this.#newest = newest;
    this.#due = due;
    this.#options = options;
  }

  get revision(): number {
    return this.#layers.base.revision;
  }

  get unsettled(): Error | undefined {
    return this.#layers.base.unsettled;
  }

  get unsealedBytes(): number {
    return this.#layers.current.memoryBytes;
  }

  get sealedBytes(): number {
    return this.#layers.previous?.memoryBytes ?? 0;
  }

  get sealedRevision(): number {
    return this.sealed?.revision ?? 0;
  }

  /** Takes over what the base has; nothing lies above it yet. */
  async open(): Promise<void> {
    const { base } = this.#layers;
    const deadlines = new DeadlineTotals(this.#options.groupOf);
    const { storeNotes, keyCount, dataBytes, census } = decodeBaseNotes(base.notes, deadlines);
    const taken = census ?? (await takeCensus(base, keyCount, this.#options.clock));
    this.#layers.newestRevision = this.#layers.compactRevision = base.revision;
    this.#layers.current.keyspace.compactRevision = base.revision;
    this.#layers.lookup.forget();
    this.#newest.begin(taken, dataBytes, deadlines);
    this.#due.begin();
    this.notes = storeNotes;
  }

  seal(revision: number): void {
    const layers = this.#layers;
    assert(this.sealed === undefined, 'one checkpoint is under way at a time');
    assert(revision > layers.base.revision, 'a checkpoint goes forwards');
    assert(revision >= layers.newestRevision, 'a checkpoint has all that was applied');
    layers.newestRevision = revision;
    const { current, forgotten } = layers;
    this.sealed = { revision, generation: current, kept: this.#newest.seal(), forgotten };
    layers.push();
  }

  async commit(notes: Uint8Array): Promise<void> {
    const sealed = this.sealed;
    assert(sealed !== undefined && this.#work === undefined, 'what is sealed is committed once at a time');
    assert(
      this.#layers.compactRevision >= sealed.revision,
      'no read goes below a checkpoint that is committed',
    );
    await this.#atWork(this.#write(sealed, notes));
  }

  load(revision: number): StateLoad {
    assert(this.revision === 0 && this.sealed === undefined, 'a load fills an empty state');
    return new LayeredLoad(this.#layers, revision, this.#options, () => this.open());
  }

  leasedKeys(): Iterable<readonly [leaseId: number, key: Uint8Array]> {
    return this.#layers.base.leasedKeys();
  }

  async view(): Promise<StateView | undefined> {
    const view = await this.#layers.base.view();
    if (view === undefined) return undefined;
    try {
      const notes = storeNotesOf(view.notes);
      return {
        revision: view.revision,
        notes,
        next: () => view.next(),
        read: () => view.read(),
        close: () => view.close(),
      };
    } catch (error) {
      await view.close();
      throw error;
    }
  }

  compactStorage(): Promise<void> {
    return this.#layers.base.compactStorage();
  }

  figures(): StorageFigures {
    const { baseKeyCount, baseBytes } = this.#newest;
    return { ...this.#layers.reads.figures(baseKeyCount), dataBytes: baseBytes };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const { base } = this.#layers;
    // A flush may wait for merges.
    base.stopMerging();
    await this.#work;
    await base.close();
  }

  /** The pieces of a commit, up to which all is as it was; for a flush that was just begun. */
  *pieces({ generation, forgotten }: SealedCheckpoint, flush: BaseFlush): Generator<undefined, void> {
    for (const range of forgotten) flush.forget(range);
    yield* addGeneration(generation, flush, this.#options.clock);
  }

  /** What is sealed is in the base now. */
  noteCommit(notes: Uint8Array): void {
    const layers = this.#layers;
    this.sealed = undefined;
    layers.dropPrevious();
    // The flush was begun before these were forgotten, and may have brought keys of theirs back.
    for (const range of layers.forgotten) layers.base.hide(range);
    this.#newest.noteCommit();
    this.#due.begin();
    this.notes = notes.slice();
  }

  async #write(sealed: SealedCheckpoint, notes: Uint8Array): Promise<void> {
    const { base } = this.#layers;
    const { clock } = this.#options;
    const flush = await base.begin(sealed.revision);
    try {
      for (const _ of this.pieces(sealed, flush)) {
        await (flush.isFull ? flush.drain() : pauseOf(clock));
        this.#assertOpen();
      }
      await flush.commit(encodeBaseNotes(notes, sealed.kept));
    } catch (error) {
      // Nothing of what is sealed was changed: it is there for the next call.
      await flush.abort();
      throw error;
    }
    // The base is at the seal's revision from here on, and so is what is told of it.
    this.noteCommit(notes);
  }

  async #atWork(work: Promise<void>): Promise<void> {
    this.#work = work.catch(() => undefined);
    try {
      await work;
    } finally {
      this.#work = undefined;
    }
  }

  #assertOpen(): void {
    if (this.#isClosing) throw new StoreError('closed', 'the store is closing');
  }
}
