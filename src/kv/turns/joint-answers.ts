/**
 * The promises of several calls of a turn that are settled at the same moment, each with an outcome of its own, in the order in
 * which they were made and run.
 *
 * They are made of one promise by `then`, and so have no functions that settle them: one takes 124 bytes of heap where one made by
 * `new Promise` takes 215, and less time.
 */
import { fixed } from '../../limits.ts';

export abstract class JointAnswers<Outcome, Result> {
  readonly #joint: Promise<void>;
  readonly #settle: () => void;
  /** By place among the calls: what came of it, or what it is rejected with. */
  protected readonly outcomes: (Outcome | Error | undefined)[] = [];
  #added = 0;
  #taken = 0;
  /** One function for all of them, since they are called in the order in which the promises were made. */
  readonly #takeNext = (): Result | Promise<Result> => {
    const index = this.#taken++;
    const outcome = this.outcomes[index];
    // What one caller gets must not live for as long as the others keep theirs.
    this.outcomes[index] = undefined;
    if (outcome instanceof Error) throw outcome;
    return this.toResult(outcome as Outcome);
  };

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#joint = promise;
    this.#settle = resolve;
  }

  /** The promise of one more call. */
  add(): Promise<Result> {
    this.#added++;
    return this.#joint.then(this.#takeNext);
  }

  get isEmpty(): boolean {
    return this.#added === 0;
  }

  /** It takes no more, so that the others need not wait, with what they get, for calls that rest. */
  get isFull(): boolean {
    return this.#added === fixed.jointAnswersMax;
  }

  /** The next call has run. @returns whether it was the last of those that were added. */
  hasRun(outcome: Outcome | Error): boolean {
    this.outcomes.push(outcome);
    return this.outcomes.length === this.#added;
  }

  /** All have run, and their results may go out. */
  settle(): void {
    this.#settle();
  }

  protected abstract toResult(outcome: Outcome): Result | Promise<Result>;
}
