/**
 * Collections under random transactions, restarts, crashes, snapshots and kept states: at every revision that can be read each
 * one has its elements, and in the end nothing else is there.
 */
import { describe, expect, it } from 'vitest';
import type { PinnedState } from '../../../src/store/seam.ts';
import { USER_KEYS } from '../../../src/store/views/regions.ts';
import type { View } from '../../../src/store/views/view.ts';
import { SeededRandom } from '../../support/random.ts';
import { engineOfTests } from '../../support/test-engine.ts';
import { bytesOf, SeamHarness } from '../seam/seam-harness.ts';
import { checkState, checkStates, checkSwept, create, goOn, rename, resize } from './collections.ts';

const KEYS = Array.from({ length: 6 }, (_, index) => bytesOf(`k${index}`));
const LEASES = [1, 2];
const STEPS = 150;
const HISTORY_MAX = 30;

/** Ids that were ever given out, by any life. */
type Ids = Set<number>;

class RandomRun {
  readonly #harness: SeamHarness;
  readonly #random: SeededRandom;
  readonly #ids: Ids = new Set();
  readonly #pins: PinnedState[] = [];

  constructor(harness: SeamHarness, random: SeededRandom) {
    this.#harness = harness;
    this.#random = random;
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      await this.#step();
      checkStates(this.#harness.store);
      for (const pin of this.#pins) pin.read(checkState);
    }
    this.#release();
    await checkSwept(this.#harness.store, this.#harness.clock, HISTORY_MAX + 2);
  }

  async #step(): Promise<void> {
    const harness = this.#harness;
    const dice = this.#random.below(100);
    if (dice < 70) await this.#decide();
    else if (dice < 76) await harness.clock.pass(this.#random.below(3000));
    else if (dice < 80) harness.clock.jump(this.#random.below(2000));
    else if (dice < 84) this.#pins.push(harness.store.pin());
    else if (dice < 88) this.#release();
    else if (dice < 91) await this.#snapshot();
    else if (dice < 93) await this.#backUp();
    else if (dice < 96) await this.#restart(() => harness.reopen());
    else if (dice < 98) await this.#restart(() => harness.crash());
    else await goOn(harness.store, harness.clock);
  }

  async #snapshot(): Promise<void> {
    this.#releaseForCheckpoint();
    await this.#harness.store.snapshot();
  }

  /** A part of a backup, while writes go on. */
  async #backUp(): Promise<void> {
    this.#releaseForCheckpoint();
    const backup = this.#harness.store.backup();
    await backup.next();
    for (let more = this.#random.below(4); more > 0; more--) await this.#decide();
    await backup.return?.();
  }

  async #restart(run: () => Promise<void>): Promise<void> {
    this.#releaseForCheckpoint();
    this.#pins.length = 0;
    await run();
  }

  /** That of an engine on disk waits until no state before it is kept, and closing a store may make one. */
  #releaseForCheckpoint(): void {
    if (engineOfTests() !== undefined) this.#release();
  }

  #release(): void {
    for (const pin of this.#pins.splice(0)) pin.release();
  }

  async #decide(): Promise<void> {
    const random = this.#random;
    const isGivenUp = random.chance(0.1);
    const run = (view: View): void => {
      for (const leaseId of LEASES) if (view.lease(leaseId) === undefined) view.grantLease(leaseId, 5000);
      for (let left = random.between(1, 5); left > 0; left--) this.#change(view);
      if (isGivenUp) throw new Error('given up');
    };
    if (isGivenUp) expect(() => this.#harness.store.decide(run)).toThrow('given up');
    else await this.#harness.decide(run);
  }

  #change(view: View): void {
    const random = this.#random;
    const key = random.pick(KEYS);
    const dice = random.below(100);
    if (dice < 25) this.#create(view, key);
    else if (dice < 50) resize(view, key, random.chance(0.6) ? 1 : -1);
    else if (dice < 60) view.delete(key);
    else if (dice < 68) view.put(key, bytesOf('plain'), this.#lifetime(view));
    else if (dice < 80) rename(view, key, random.pick(KEYS.filter((other) => other !== key)));
    else if (dice < 84) view.touch(key, random.below(2) * 1000);
    else if (dice < 87) view.deleteRange(random.chance(0.3) ? USER_KEYS : { start: key, end: KEYS[5] });
    else if (dice < 90) this.#endLease(view);
    else this.#undone(view);
  }

  #endLease(view: View): void {
    const leaseId = this.#random.pick(LEASES);
    if (view.lease(leaseId) !== undefined) view.endLease(leaseId, 'leaseRevoked');
  }

  #undone(view: View): void {
    const savepoint = view.savepoint();
    for (let left = this.#random.between(1, 3); left > 0; left--) {
      const key = this.#random.pick(KEYS);
      if (this.#random.chance(0.5)) this.#create(view, key);
      else view.delete(key);
    }
    if (this.#random.chance(0.6)) view.rollBack(savepoint);
  }

  #create(view: View, key: Uint8Array): void {
    const id = create(view, key, this.#random.between(1, 6), this.#lifetime(view));
    expect(this.#ids.has(id)).toBe(false);
    this.#ids.add(id);
  }

  #lifetime(view: View): { readonly ttlMs?: number; readonly leaseId?: number } {
    const dice = this.#random.below(10);
    if (dice < 3) return { ttlMs: this.#random.between(1, 4000) };
    const leaseId = this.#random.pick(LEASES);
    // The transaction itself may have ended it.
    return dice < 5 && view.lease(leaseId) !== undefined ? { leaseId } : {};
  }
}

describe('collections under random transactions, restarts and crashes', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'hold together at every revision, and are swept in the end (seed %i)',
    async (seed) => {
      const random = new SeededRandom(seed);
      const limits = { historyRevisionsMax: random.pick([1, 5, HISTORY_MAX]) };
      const harness = await SeamHarness.open({ seed, limits });
      await new RandomRun(harness, random).run();
    },
  );
});
