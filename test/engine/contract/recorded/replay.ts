/**
 * Makes recorded calls again, of a layered engine over a base on disk with a model beside it. Between the calls checkpoints are sealed, written
 * and committed, files are merged and the engine is started anew, as often as chance has it; and history is compacted as far as no later
 * call reads it, so that reads come down to the base. In the end all is brought down, and read behind a start.
 */
import { assert, isStoreError } from '../../../../src/errors.ts';
import type { EngineRange } from '../../../../src/engine/engine.ts';
import { LayeredEngine } from '../../../../src/engine/layered/layered-engine.ts';
import type { PutRow } from '../../../../src/engine/put-row.ts';
import type { Change } from '../../../../src/engine/version.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { SeededRandom } from '../../../support/random.ts';
import type { BasePlace } from '../../layered/base-places.ts';
import { LogAboveBase } from '../../layered/log-above-base.ts';
import { HeapEngine } from '../heap-engine.ts';
import { MirrorEngine } from '../mirror-engine.ts';
import { readWholeState } from './whole-state.ts';
import { callAgain, errorOf, lowestRead, type RecordedCall, type WalkAgain } from './recorded-call.ts';

const CHANCES = [0.05, 0.3, 1];

/** The engine beside its model, with the log that a restart needs. */
class LoggedEngine extends MirrorEngine {
  readonly #engine: LayeredEngine;
  readonly #log: LogAboveBase;

  constructor(engine: LayeredEngine, model: HeapEngine, log: LogAboveBase) {
    super(engine, model);
    this.#engine = engine;
    this.#log = log;
  }

  override apply(change: Change): void {
    super.apply(change);
    this.#log.noteChange(change);
  }

  override putAll(row: PutRow): number {
    const count = super.putAll(row);
    this.#log.noteRow(row, count);
    return count;
  }

  override forget(range: EngineRange, limit: number): number {
    return this.#log.forget(this.#engine, range, limit, () => super.forget(range, limit));
  }
}

export class Replay {
  /** How often it came to each. */
  readonly counts = { commits: 0, restarts: 0, merges: 0 };
  readonly #place: BasePlace;
  readonly #random: SeededRandom;
  readonly #model = new HeapEngine();
  readonly #log = new LogAboveBase();
  readonly #walks = new Map<number, WalkAgain>();
  #engine: LayeredEngine;
  #mirror: LoggedEngine;
  /** What is being written; resolves to why it was not. */
  #commit: Promise<Error | undefined> | undefined;

  private constructor(place: BasePlace, random: SeededRandom, engine: LayeredEngine) {
    this.#place = place;
    this.#random = random;
    this.#engine = engine;
    this.#mirror = new LoggedEngine(engine, this.#model, this.#log);
  }

  static async start(place: BasePlace, seed: number): Promise<Replay> {
    return new Replay(place, new SeededRandom(seed), await openEngine(place));
  }

  /** @param stepsMax steps of checkpoints beside all calls, roughly. */
  async run(calls: readonly RecordedCall[], stepsMax: number): Promise<void> {
    const reads = lowestReads(calls);
    const revisions = nextRevisions(calls);
    const chance = Math.min(this.#random.pick(CHANCES), stepsMax / calls.length);
    for (const [index, call] of calls.entries()) {
      try {
        // Several at once, so that also between two calls of a short test a checkpoint comes to its end.
        for (let steps = this.#random.chance(chance) ? this.#random.below(8) : 0; steps > 0; steps--)
          await this.#step(revisions[index] ?? Infinity, reads[index] ?? Infinity);
        callAgain(call, { engine: this.#mirror, walks: this.#walks });
      } catch (error) {
        throw new Error(`call ${index} of ${calls.length}, ${call.name}: ${String(error)}`, { cause: error });
      }
    }
    await this.#bringDown();
    readWholeState(this.#mirror, this.#lowestRevision);
    await this.#restart();
    readWholeState(this.#mirror, this.#lowestRevision);
  }

  async end(): Promise<void> {
    await this.#engine.durable.close();
  }

  /** @param nextRevision the next that is applied. @param lowest the lowest revision that is still read. */
  async #step(nextRevision: number, lowest: number): Promise<void> {
    const { durable, layers } = this.#engine;
    const { newestRevision } = layers;
    const random = this.#random;
    if (!this.#mirror.isWalked && random.chance(0.5)) this.#mirror.compact(Math.min(newestRevision, lowest));
    if (this.#commit !== undefined) {
      if (random.chance(0.5)) await this.#committed();
      else if (random.chance(0.1)) await this.#restart();
      else await new Promise(setImmediate);
    } else if (durable.sealed !== undefined) {
      if (layers.compactRevision >= durable.sealed.revision) this.#beginCommit();
      else if (random.chance(0.1)) await this.#restart();
    } else if (newestRevision > durable.revision && nextRevision > newestRevision) this.#seal();
    else if (random.chance(0.1)) await this.#restart();
    else if (random.chance(0.2)) {
      await durable.compactStorage();
      this.counts.merges++;
    }
  }

  /** At which all can be read. */
  get #lowestRevision(): number {
    const { newestRevision, compactRevision } = this.#engine.layers;
    return Math.max(newestRevision, compactRevision);
  }

  #seal(): void {
    this.#engine.durable.seal(this.#engine.layers.newestRevision);
    this.#log.seal();
  }

  #beginCommit(): void {
    const { durable } = this.#engine;
    const revision = durable.sealedRevision;
    const write = async (): Promise<void> => {
      await durable.commit(Uint8Array.of(revision % 251));
      this.#log.cut();
      assert(durable.revision === revision, 'a base is at the revision that was committed');
      this.counts.commits++;
    };
    this.#commit = write().then(
      () => undefined,
      (error: unknown) => errorOf(error),
    );
  }

  async #committed(): Promise<void> {
    const failure = await this.#commit;
    this.#commit = undefined;
    if (failure !== undefined) throw failure;
  }

  /** In the middle of a commit, too, which then is there or not; not while a walk is open. */
  async #restart(): Promise<void> {
    if (this.#mirror.isWalked) return;
    const { compactRevision } = this.#engine.layers;
    await this.#engine.durable.close();
    const failure = await this.#commit;
    this.#commit = undefined;
    if (failure !== undefined && !isStoreError(failure, 'closed')) throw failure;
    this.#engine = await openEngine(this.#place);
    this.#log.replay(this.#engine);
    this.#engine.compact(compactRevision);
    this.#mirror = new LoggedEngine(this.#engine, this.#model, this.#log);
    this.counts.restarts++;
  }

  async #bringDown(): Promise<void> {
    if (this.#mirror.isWalked) throw new Error('a test leaves a walk open');
    await this.#committed();
    this.#mirror.compact(this.#engine.layers.newestRevision);
    for (;;) {
      const { durable, layers } = this.#engine;
      if (durable.sealed === undefined) {
        if (layers.newestRevision === durable.revision) return;
        this.#seal();
      }
      this.#beginCommit();
      await this.#committed();
    }
  }
}

async function openEngine(place: BasePlace): Promise<LayeredEngine> {
  const base = await place.open();
  const options = { clock: new ManualClock(), slabBytesMax: 32 * 1024, hashSeed: [1, 2] } as const;
  return new LayeredEngine(base, options).open();
}

/** For each call the lowest revision that it or a later one reads. */
function lowestReads(calls: readonly RecordedCall[]): number[] {
  let lowest = Infinity;
  return calls.map((_, index) => (lowest = Math.min(lowest, lowestRead(calls.at(-1 - index)!)))).reverse();
}

/** For each call the next revision that it or a later one applies. */
function nextRevisions(calls: readonly RecordedCall[]): number[] {
  let next = Infinity;
  const revisions = calls.map((_, index) => {
    const { appliedRevision, isRefused } = calls.at(-1 - index)!;
    if (appliedRevision !== 0 && !isRefused) next = appliedRevision;
    return next;
  });
  return revisions.reverse();
}
