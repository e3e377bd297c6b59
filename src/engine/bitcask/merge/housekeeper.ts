/**
 * Work in the background: merges, one after the other as the policy has it, and giving back memory of the index. It begins when it
 * is woken, behind each flush and at the start, and goes on until nothing is left to do.
 *
 * A merge that fails leaves the state as it was, or is gone on with; the work ends then until it is woken again.
 */
import type { BitcaskState } from '../bitcask-state.ts';
import { merge, MergeStopped, takeUntakenMerge, type UntakenMerge } from './bitcask-merge.ts';
import { chooseByHand, chooseMerge } from './merge-policy.ts';
import { Pace } from './pace.ts';

/** A flush waits for merges while so many times as much lies on disk as is needed: it may be written faster than they are. */
const BEHIND_SHARE = 1.6;

export class Housekeeper {
  readonly #state: BitcaskState;
  readonly #onMergeFailed: (error: Error) => void;
  /** Settles when there is nothing left to do; never rejects. */
  #work: Promise<void> = Promise.resolve();
  #isWorking = false;
  #isWoken = false;
  #isClosing = false;
  #untaken: UntakenMerge | undefined;
  /** Of the inputs of the merge that is under way; 0: none is. */
  mergingBytes = 0;
  /** By hand: runs of lower numbers are merged if they have anything dead; 0: none are. */
  #byHandBefore = 0;
  /** They wait for the end of a merge, or of the work. */
  #stepped: (() => void)[] = [];
  readonly #isStopped = (): boolean => this.#isClosing;
  /** Why the last work ended early. */
  #failure: Error | undefined;

  constructor(state: BitcaskState, onMergeFailed: (error: Error) => void) {
    this.#state = state;
    this.#onMergeFailed = onMergeFailed;
  }

  wake(): void {
    if (this.#isClosing) return;
    this.#isWoken = true;
    if (!this.#isWorking) this.#work = this.#run();
  }

  /** Merges all that has anything dead. Rejects with `closed` once that is given up. */
  async compact(): Promise<void> {
    this.#byHandBefore = this.#state.options.directory.takeNumber();
    this.wake();
    await this.#work;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosing) throw new MergeStopped();
  }

  /** Waits while merges are behind: while much more lies on disk than is needed. Never rejects. */
  async catchUp(): Promise<void> {
    while (this.#isWorking && !this.#isClosing && this.#isBehind()) {
      await new Promise<void>((resolve) => {
        this.#stepped.push(resolve);
      });
    }
  }

  /** Gives up what is at work. A merge that is durable, and that the index has not taken over, is left to the next start. */
  stop(): void {
    this.#isClosing = true;
    this.#step();
  }

  /** Ends what is at work. Never rejects. */
  async close(): Promise<void> {
    this.stop();
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
    const isToldByHand = this.#byHandBefore > 0;
    this.#byHandBefore = 0;
    this.#isWorking = false;
    this.mergingBytes = 0;
    if (this.#failure !== undefined && !isToldByHand && !this.#isClosing) this.#onMergeFailed(this.#failure);
    this.#step();
  }

  async #mergeAll(): Promise<void> {
    for (;;) {
      if (this.#untaken !== undefined) {
        await takeUntakenMerge(this.#state, this.#untaken, this.#isStopped);
        this.#untaken = undefined;
        this.mergingBytes = 0;
        this.#step();
      }
      const numbers = this.#isClosing ? [] : this.#choose();
      if (numbers.length === 0) return;
      const inputs = numbers.map((number) => this.#state.runs.get(number));
      this.mergingBytes = inputs.reduce((sum, { file }) => sum + file.info.bytes, 0);
      this.#untaken = await merge(this.#state, inputs, this.#isStopped);
    }
  }

  #step(): void {
    for (const resolve of this.#stepped.splice(0)) resolve();
  }

  #isBehind(): boolean {
    const { runs, options } = this.#state;
    let bytes = 0;
    let neededBytes = 0;
    for (const run of runs.all) {
      bytes += run.recordBytes;
      neededBytes += run.liveBytes + run.deletionBytes;
    }
    return bytes > BEHIND_SHARE * neededBytes + options.bounds.smallRunBytes;
  }

  #choose(): readonly number[] {
    const { runs, revision, options, forgotten } = this.#state;
    const ready = runs.all.filter((run) => run.isMoved && !run.isLeaving);
    const states = ready.map((run) => run.stateAt(revision));
    const byHand = chooseByHand(states, options.bounds, this.#byHandBefore);
    return byHand.length > 0
      ? byHand
      : chooseMerge(states, options.bounds, { revision, forgottenCount: forgotten.persistedCount });
  }

  async #giveBack(): Promise<void> {
    const pace = new Pace(this.#state.options.clock, 1);
    while (!this.#isClosing && this.#state.index.maintain()) if (pace.isOver()) await pace.rest();
  }
}
