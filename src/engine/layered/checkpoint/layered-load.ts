/**
 * Fills an empty base with the newest version of each key. They come in any order: as many as may be in memory are sorted, and go into a
 * flush as a run (`BaseFlush.beginRun`). All runs are one flush, so that a crash before its end leaves an empty base.
 *
 * The census is not known before all keys are there in their order, which is after the flush; so it is taken then, and is in the notes of
 * the next checkpoint. A start before that takes it again.
 */
import type { Clock } from '../../../clock.ts';
import { StoreError } from '../../../errors.ts';
import type { EngineLoader, GroupOfKey, StateLoad } from '../../engine.ts';
import type { PlacedChange } from '../../version.ts';
import type { BaseFlush } from '../base/base.ts';
import { encodeBaseNotes } from './base-notes.ts';
import { DeadlineTotals } from '../deadline-totals.ts';
import type { Generation } from '../generation/generation.ts';
import { addGeneration, pauseOf } from '../generation/generation-flush.ts';
import type { Layers } from '../layers.ts';

interface LayeredLoadOptions {
  readonly clock: Clock;
  readonly groupOf: GroupOfKey;
  readonly loadBytesMax: number;
}

export class LayeredLoad implements StateLoad {
  readonly #layers: Layers;
  readonly #revision: number;
  readonly #options: LayeredLoadOptions;
  readonly #loaded: () => Promise<void>;
  readonly #deadlines: DeadlineTotals;
  #generation: Generation;
  #loader: EngineLoader;
  #flush: BaseFlush | undefined;
  #keyCount = 0;
  #dataBytes = 0;

  /** @param loaded takes over what the base has, then. */
  constructor(layers: Layers, revision: number, options: LayeredLoadOptions, loaded: () => Promise<void>) {
    this.#layers = layers;
    this.#revision = revision;
    this.#options = options;
    this.#loaded = loaded;
    this.#deadlines = new DeadlineTotals(options.groupOf);
    this.#generation = layers.newGeneration();
    this.#loader = this.#generation.newLoader();
  }

  add(change: PlacedChange): void {
    // What does not exist at the revision is not there.
    if (change.deleted) return;
    this.#loader.newest(change);
    this.#keyCount++;
    this.#dataBytes += change.keyEnd - change.keyStart + change.valueEnd - change.valueStart;
    if (change.expireTimeMs !== 0) this.#deadlines.add(change.key, change.expireTimeMs, 1);
  }

  get isFull(): boolean {
    return this.#generation.memoryBytes >= this.#options.loadBytesMax;
  }

  async drain(): Promise<void> {
    const flush = await this.#writeRun();
    await flush.beginRun();
    this.#generation = this.#layers.newGeneration();
    this.#loader = this.#generation.newLoader();
  }

  async commit(notes: Uint8Array): Promise<void> {
    const flush = await this.#writeRun();
    const kept = {
      census: [],
      keyCount: this.#keyCount,
      dataBytes: this.#dataBytes,
      deadlines: this.#deadlines,
    };
    await flush.commit(encodeBaseNotes(notes, kept));
    this.#flush = undefined;
    await this.#loaded();
  }

  async abort(): Promise<void> {
    await this.#flush?.abort();
    this.#flush = undefined;
  }

  /** Sorts what is in memory, and adds it to the flush. */
  async #writeRun(): Promise<BaseFlush> {
    const { clock } = this.#options;
    const flush = (this.#flush ??= await this.#layers.base.begin(this.#revision));
    if (!(await resultOf(this.#loader.finishNewest(), clock))) {
      throw new StoreError('damaged', 'what is loaded has a key twice');
    }
    await resultOf(this.#loader.finish(), clock);
    for (const _ of addGeneration(this.#generation, flush, clock))
      await (flush.isFull ? flush.drain() : pauseOf(clock));
    return flush;
  }
}

/** Does all pieces of a work, and lets others run in between. */
async function resultOf<Result>(pieces: Generator<undefined, Result>, clock: Clock): Promise<Result> {
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
    await pauseOf(clock);
  }
}
