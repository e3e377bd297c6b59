/**
 * Work in the background: merges, one after the other as the policy has it, and giving back memory of the index. It begins when it
 * is woken, behind each flush and at the start, and goes on until nothing is left to do.
 *
 * A merge that fails leaves the state as it was, or is gone on with; the work ends then until it is woken again.
 */
import type { BitcaskState } from './bitcask-state.ts';
import { merge, takeUntakenMerge, type UntakenMerge } from './bitcask-merge.ts';
import { chooseByHand, chooseMerge } from './merge-policy.ts';
import { Pace } from './pace.ts';

export class Housekeeper {
  readonly #state: BitcaskState;
  /** Settles when there is nothing left to do; never rejects. */
  #work: Promise<void> = Promise.resolve();
  #isWorking = false;
  #isWoken = false;
  #isClosing = false;
  #untaken: UntakenMerge | undefined;
  /** By hand: runs of lower numbers are merged if they have anything dead; 0: none are. */
  #byHandBefore = 0;
  /** Why the last work ended early. */
  #failure: Error | undefined;

  constructor(state: BitcaskState) {
    this.#state = state;
  }

  wake(): void {
    if (this.#isClosing) return;
    this.#isWoken = true;
    if (!this.#isWorking) this.#work = this.#run();
  }

  /** Merges all that has anything dead. */
  async compact(): Promise<void> {
    this.#byHandBefore = this.#state.options.directory.takeNumber();
    this.wake();
    await this.#work;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends what is at work. Never rejects. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#work;
  }

  async #run(): Promise<void> {
    this.#isWorking = true;
    this.#failure = undefined;
    try {
      while (this.#isWoken && !this.#isClosing) {
        this.#isWoken = false;
        await this.#mergeAll();
        await this.#giveBack();
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error('a merge failed', { cause: error });
    }
    this.#byHandBefore = 0;
    this.#isWorking = false;
  }

  async #mergeAll(): Promise<void> {
    for (;;) {
      if (this.#untaken !== undefined) {
        await takeUntakenMerge(this.#state, this.#untaken);
        this.#untaken = undefined;
      }
      const numbers = this.#isClosing ? [] : this.#choose();
      if (numbers.length === 0) return;
      const inputs = numbers.map((number) => this.#state.runs.get(number));
      this.#untaken = await merge(this.#state, inputs, () => this.#isClosing);
    }
  }

  #choose(): readonly number[] {
    const { runs, revision, options, forgotten } = this.#state;
    const ready = runs.all.filter((run) => run.isMoved && !run.isLeaving);
    const states = ready.map((run) => run.stateAt(revision));
    const byHand = chooseByHand(states, options.bounds, this.#byHandBefore);
    return byHand.length > 0 ? byHand : chooseMerge(states, options.bounds, forgotten.persistedCount);
  }

  async #giveBack(): Promise<void> {
    const pace = new Pace(this.#state.options.clock, 1);
    while (!this.#isClosing && this.#state.index.maintain()) if (pace.isOver()) await pace.rest();
  }
}
