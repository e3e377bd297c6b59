/**
 * Calls of one caller that are decided in one piece of code and answered together, such as a batch of a pipeline. Each is a
 * transaction of its own, and none has a promise: since all that is committed in one turn is in one batch of the log, their
 * results may go out at the same moment.
 *
 *     const group = store.together(0, budget, (group) => {
 *       for (const [place, run] of runs.entries()) results[place] = group.decide(place, run);
 *     });
 *     await group.untilDurable();    // then each goes out, unless there is a `failureOf(place)`
 */
import type { DurableStore } from '../../store/durable-store.ts';
import type { View } from '../../store/views/view.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { isIndependent } from './calls-of-one-key.ts';

export class CallGroup {
  readonly #store: DurableStore;
  /** By place, whether the call has changed something; only of those whose results depend on what is not durable yet. */
  readonly #hasChanged: (boolean | undefined)[] = [];
  readonly #budget: WorkBudget;
  #sequence: number;
  #isLost = false;

  /**
   * @param sequence what earlier results depend on, which go out before.
   * @param budget pays for the values that the decisions read: what makes a call long.
   */
  constructor(store: DurableStore, sequence: number, budget: WorkBudget) {
    this.#store = store;
    this.#sequence = sequence;
    this.#budget = budget;
  }

  /** The newest record that the results, and those before, depend on. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The log has failed: some calls are answered with a `failureOf` theirs. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether the log is still to say that this is durable: what is visible may lie behind the results. */
  get isPending(): boolean {
    return this.#sequence > this.#store.durableSequence && this.#store.failure === undefined;
  }

  /** Runs a transaction now. Throws what `run` throws, and what a decision may be refused with. */
  decide<Result>(place: number, run: (view: View) => Result): Result {
    try {
      const { result, sequence, hasChanged } = this.#store.decide(run);
      this.#note(place, sequence, hasChanged);
      return result;
    } catch (error) {
      if (!isIndependent(error)) this.#note(place, this.#store.committedSequence, false);
      throw error;
    } finally {
      this.#budget.spendBytes(this.#store.decidedBytes);
    }
  }

  /**
   * To be asked once, in the turn of the decisions. @returns `undefined`: results may go out. Resolves also when the log fails.
   * @param hasWaited for room: then they are not held while changes outrun the disk, too.
   */
  untilDurable(hasWaited = false): Promise<void> | undefined {
    const store = this.#store;
    if (this.#sequence <= store.durableSequence) return undefined;
    return store.whenDurable(undefined, !hasWaited && this.#hasChanged.includes(true)).catch(() => {
      this.#isLost = true;
    });
  }

  /** What a call is answered with in place of its result, or of the error that it threw. */
  failureOf(place: number): Error | undefined {
    const hasChanged = this.#hasChanged[place];
    if (!this.#isLost || hasChanged === undefined) return undefined;
    const { failure } = this.#store;
    return hasChanged ? failure?.whenChanged : failure?.whenUnchanged;
  }

  #note(place: number, sequence: number, hasChanged: boolean): void {
    if (sequence <= this.#store.durableSequence) return;
    this.#hasChanged[place] = hasChanged;
    this.#sequence = sequence;
  }
}
