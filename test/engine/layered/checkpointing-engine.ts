/**
 * A layered engine over a `MapBase` in which checkpoints are begun, written in pieces, given up and committed between the calls of a test, as
 * soon as its compaction lets them. So every test of the contract is one of checkpoints, too.
 */
import { assert } from '../../../src/errors.ts';
import type {
  DeadlineSums,
  Engine,
  EngineLoader,
  EngineRange,
  EngineStats,
  ScanOptions,
  Visit,
  VisitRead,
  VisitRow,
  Walk,
} from '../../../src/engine/engine.ts';
import type { BaseFlush } from '../../../src/engine/layered/base/base.ts';
import { encodeBaseNotes } from '../../../src/engine/layered/checkpoint/base-notes.ts';
import type { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import type { PutRow } from '../../../src/engine/put-row.ts';
import type { Change, Version } from '../../../src/engine/version.ts';
import type { WorkBudget } from '../../../src/work-budget.ts';
import { SeededRandom } from '../../support/random.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { LogAboveBase } from './log-above-base.ts';
import { MapBase } from './map-base.ts';

/** The versions that go in one piece, and how often a flush is given up behind one: so most of them come to their end. */
const FULL_AFTER = 20;
const GIVEN_UP = 0.02;

/** What a checkpoint is at. */
interface Writing {
  readonly flush: BaseFlush;
  readonly pieces: Generator<undefined, void>;
}

export class CheckpointingEngine implements Engine {
  readonly #create: (base: MapBase) => LayeredEngine;
  #base: MapBase;
  #engine: LayeredEngine;
  readonly #log = new LogAboveBase();
  readonly #random: SeededRandom;
  readonly #chance: number;
  #writing: Writing | undefined;

  /**
   * @param chance of a step of a checkpoint with each call that changes something.
   * @param keepsDeletions the base steps over deleted keys.
   */
  constructor(
    create: (base: MapBase) => LayeredEngine,
    seed: number,
    chance: number,
    keepsDeletions = false,
  ) {
    this.#create = create;
    this.#base = new MapBase(keepsDeletions);
    this.#engine = create(this.#base);
    this.#random = new SeededRandom(seed);
    this.#chance = chance;
    this.#base.fullAfter = FULL_AFTER;
  }

  /** What crashes now, and starts again with what is durable and the log above it. */
  restart(): void {
    const { compactRevision } = this.#engine.layers;
    this.#writing = undefined;
    this.#base = this.#base.reopened();
    this.#base.fullAfter = FULL_AFTER;
    this.#engine = this.#create(this.#base);
    // Done at once, since the base has a census.
    void this.#engine.open();
    this.#log.replay(this.#engine);
    this.#engine.compact(compactRevision);
  }

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#engine.read(key, revision);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    return this.#engine.readMeta(key, revision);
  }

  readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void {
    this.#engine.readPlaced(key, revision, visit);
  }

  readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void {
    this.#engine.readAll(keys, count, revision, visit);
  }

  fetch(keys: readonly Uint8Array[], start: number, end: number): void {
    this.#engine.fetch(keys, start, end);
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    return this.#engine.scan(range, revision, options, visit);
  }

  count(range: EngineRange): number {
    return this.#engine.count(range);
  }

  rank(range: EngineRange, key: Uint8Array): number {
    return this.#engine.rank(range, key);
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    return this.#engine.select(range, index);
  }

  rankAll(keys: readonly Uint8Array[], budget: WorkBudget, visit: (rank: number) => void): number {
    return this.#engine.rankAll(keys, budget, visit);
  }

  selectAll(indexes: Float64Array, budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    return this.#engine.selectAll(indexes, budget, visit);
  }

  get selectVisits(): number {
    return this.#engine.selectVisits;
  }

  apply(change: Change): void {
    this.#step(change.revision);
    this.#engine.apply(change);
    this.#log.noteChange(change);
  }

  putAll(row: PutRow): number {
    this.#step(row.firstRevision);
    const count = this.#engine.putAll(row);
    this.#log.noteRow(row, count);
    return count;
  }

  forget(range: EngineRange, limit: number): number {
    this.#step();
    return this.#log.forget(this.#engine, range, limit, () => this.#engine.forget(range, limit));
  }

  openWalk(oldest: number, newest: number): Walk {
    return this.#engine.openWalk(oldest, newest);
  }

  get isWalked(): boolean {
    return this.#engine.isWalked;
  }

  compact(revision: number): void {
    this.#engine.compact(revision);
    this.#step();
  }

  maintain(isThorough?: boolean): boolean {
    this.#step();
    return this.#engine.maintain(isThorough);
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    return this.#engine.due(nowMs, limit);
  }

  nextDeadlineMs(): number | undefined {
    return this.#engine.nextDeadlineMs();
  }

  deadlineSums(group: number): DeadlineSums {
    return this.#engine.deadlineSums(group);
  }

  stats(): EngineStats {
    return this.#engine.stats();
  }

  get memoryBytes(): number {
    return this.#engine.memoryBytes;
  }

  get unpaidVisits(): number {
    return this.#engine.unpaidVisits;
  }

  get loader(): EngineLoader {
    return this.#engine.loader;
  }

  verifyIntegrity(): void {
    verifyIntegrity(this.#engine);
  }

  /** Brings everything down, as far as compaction lets it. @returns whether that is all. */
  checkpoint(): boolean {
    const { durable, layers } = this.#engine;
    while (durable.sealed !== undefined) {
      if (layers.compactRevision < durable.sealed.revision) return false;
      this.#goOn(Infinity);
    }
    if (layers.newestRevision === this.#base.revision) return true;
    this.#seal(layers.newestRevision);
    return this.checkpoint();
  }

  #seal(revision: number): void {
    this.#engine.durable.seal(revision);
    this.#log.seal();
  }

  /** @param nextRevision of the change that comes; left out: it may be of the newest revision, too, which is then not sealed. */
  #step(nextRevision = 0): void {
    if (this.#random.chance(this.#chance)) this.#goOn(nextRevision);
  }

  #goOn(nextRevision: number): void {
    const { durable, layers } = this.#engine;
    const { sealed } = durable;
    if (sealed === undefined) {
      const revision = layers.newestRevision;
      if (revision > this.#base.revision && nextRevision > revision) this.#seal(revision);
    } else if (this.#writing === undefined) {
      if (layers.compactRevision < sealed.revision) return;
      const flush = this.#base.beginNow(sealed.revision);
      this.#writing = { flush, pieces: durable.pieces(sealed, flush) };
    } else if (this.#random.chance(GIVEN_UP)) {
      void this.#writing.flush.abort();
      this.#writing = undefined;
    } else {
      const { flush, pieces } = this.#writing;
      if (flush.isFull) void flush.drain();
      if (pieces.next().done !== true) return;
      this.#writing = undefined;
      const notes = Uint8Array.of(sealed.revision % 251);
      void flush.commit(encodeBaseNotes(notes, sealed.kept));
      assert(this.#base.revision === sealed.revision, 'a base is at the revision that was committed');
      durable.noteCommit(notes);
      this.#log.cut();
    }
  }
}
