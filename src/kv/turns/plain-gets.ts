/**
 * The gets of a turn that have no options: those that stand one behind the other are read as one row (`DurableStore.readAll`), and
 * so many at a time are answered together.
 */
import type { GetOptions, GetResult, Key } from '../../api.ts';
import { noOptions } from '../../arguments/shape.ts';
import { fixed } from '../../limits.ts';
import { asError } from '../../store/commit/listeners.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import { ownEntry } from '../../store/views/entries.ts';
import { KeyRow } from '../reads/key-fetcher.ts';
import { get } from '../reads/reads.ts';
import { JointAnswers } from './joint-answers.ts';
import type { RowDone, TurnCall } from './turn-call.ts';
import type { WorkDone } from '../../work-budget.ts';

/** Whether a get with these options is a plain one. */
export function isPlainGet({ revision = 0, refreshTtl, admit }: GetOptions): boolean {
  return revision === 0 && refreshTtl !== true && admit === undefined;
}

class GetAnswers extends JointAnswers<GetResult, GetResult> {
  protected override toResult(result: GetResult): GetResult {
    return result;
  }
}

export class PlainGet implements TurnCall {
  static readonly kept = new PlainGet('', new GetAnswers());
  readonly key: Key;
  readonly #answers: GetAnswers;

  constructor(key: Key, answers: GetAnswers) {
    this.key = key;
    this.#answers = answers;
  }

  run(store: DurableStore): WorkDone {
    try {
      this.hasRun(get(store, this.key, noOptions));
    } catch (error) {
      this.hasRun(asError(error));
    }
    return store.readWork;
  }

  hasRun(outcome: GetResult | Error): void {
    if (this.#answers.hasRun(outcome)) this.#answers.settle();
  }
}

export function isPlainGetCall(call: TurnCall | undefined): call is PlainGet {
  return call instanceof PlainGet;
}

export class PlainGets {
  readonly #store: DurableStore;
  readonly #keys = new KeyRow();
  #answers = new GetAnswers();

  constructor(store: DurableStore) {
    this.#store = store;
  }

  /** Those that were added run from now on; others are answered after them. */
  begin(): void {
    if (!this.#answers.isEmpty) this.#answers = new GetAnswers();
  }

  /** @param queue takes the call. @param key stays as it is. */
  add(key: Key, queue: (call: TurnCall) => void): Promise<GetResult> {
    if (this.#answers.isFull) this.#answers = new GetAnswers();
    const answers = this.#answers;
    const result = answers.add();
    queue(new PlainGet(key, answers));
    return result;
  }

  /** Runs plain gets of a queue, from `start` on, as a row. @returns `undefined`: there is none. */
  run(queue: readonly TurnCall[], start: number): RowDone | undefined {
    const keys = this.#keys;
    keys.clear();
    for (let call = queue[start]; isPlainGetCall(call); call = queue[start + keys.length])
      if (keys.add(call.key) === undefined) break;
    if (keys.length < 2) return undefined;
    const revision = this.#store.visibleRevision;
    let next = start;
    let bytesLeft: number = fixed.getRowBytesMax;
    try {
      this.#store.readAll(keys.keys, keys.length, (shown) => {
        const call = queue[next] as PlainGet;
        const entry = shown && ownEntry(call.key, shown);
        if (entry !== undefined) bytesLeft -= entry.value.length;
        next++;
        call.hasRun({ entry, revision });
        return bytesLeft > 0;
      });
    } catch {
      // What stands against the next one is for it alone to tell.
    }
    if (next === start) return undefined;
    return { end: next, visitsSpent: next - start, bytesSpent: fixed.getRowBytesMax - bytesLeft };
  }
}
