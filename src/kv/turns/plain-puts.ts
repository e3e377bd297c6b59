/**
 * The puts of a turn that are nothing but a key and a value, without condition, lease or time to live: those that stand one
 * behind the other go through the store as one row (`DurableStore.putAll`), and so many at a time are answered together.
 */
import type { Key, PutOptions, PutResult } from '../../api.ts';
import { noOptions } from '../../arguments/shape.ts';
import { PutRow } from '../../engine/put-row.ts';
import { fixed } from '../../limits.ts';
import type { Waiter } from '../../store/commit/acknowledgements.ts';
import { asError } from '../../store/commit/listeners.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import type { Failure } from '../../store/seam.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { KeyRow } from '../reads/key-fetcher.ts';
import { put } from '../writes/writes.ts';
import { isIndependent } from './calls-of-one-key.ts';
import { JointAnswers } from './joint-answers.ts';
import type { RowDone, TurnCall } from './turn-call.ts';
import type { WorkDone } from '../../work-budget.ts';

/** Whether a put with these options is a plain one. */
export function isPlainPut({
  condition,
  ttlMs = 0,
  leaseId = 0,
  returnPrevious,
  admit,
}: PutOptions): boolean {
  return (
    condition === undefined && ttlMs === 0 && leaseId === 0 && returnPrevious !== true && admit === undefined
  );
}

/** The outcome of a put is its revision. */
class PutAnswers extends JointAnswers<number, PutResult> implements Waiter {
  sequence = 0;
  readonly hasChanged = true;

  fail({ whenChanged, whenUnchanged }: Failure): void {
    for (const [index, outcome] of this.outcomes.entries()) {
      if (!(outcome instanceof Error)) this.outcomes[index] = whenChanged;
      else if (!isIndependent(outcome)) this.outcomes[index] = whenUnchanged;
    }
    this.settle();
  }

  protected override toResult(revision: number): PutResult {
    return { revision, previous: undefined };
  }
}

export class PlainPut implements TurnCall {
  static readonly kept = new PlainPut('', NO_BYTES, new PutAnswers());
  readonly key: Key;
  readonly valueBytes: Uint8Array;
  readonly #answers: PutAnswers;

  constructor(key: Key, valueBytes: Uint8Array, answers: PutAnswers) {
    this.key = key;
    this.valueBytes = valueBytes;
    this.#answers = answers;
  }

  run(store: DurableStore): WorkDone {
    try {
      const { result } = store.decide((view) => put(view, this.key, this.valueBytes, noOptions));
      this.hasRun(result.revision, store);
    } catch (error) {
      this.hasRun(asError(error), store);
    }
    return store.decidedWork;
  }

  hasRun(outcome: number | Error, store: DurableStore): void {
    if (this.#answers.hasRun(outcome)) store.settleWhenDurable(this.#answers);
  }
}

export function isPlainPutCall(call: TurnCall | undefined): call is PlainPut {
  return call instanceof PlainPut;
}

export class PlainPuts {
  readonly #store: DurableStore;
  readonly #keys = new KeyRow();
  readonly #row = new PutRow();
  /** How many puts the next row may have: few behind one that something stood against, since that may stand against all. */
  #rowMax: number = fixed.turnCallsMax;
  #answers = new PutAnswers();

  constructor(store: DurableStore) {
    this.#store = store;
  }

  /** Those that were added run from now on; others are answered after them. */
  begin(): void {
    this.#rowMax = fixed.turnCallsMax;
    if (!this.#answers.isEmpty) this.#answers = new PutAnswers();
  }

  /** @param queue takes the call. @param key and value stay as they are until it has run. */
  add(key: Key, value: Uint8Array, queue: (call: TurnCall) => void): Promise<PutResult> {
    if (this.#answers.isFull) this.#answers = new PutAnswers();
    const answers = this.#answers;
    const result = answers.add();
    queue(new PlainPut(key, value, answers));
    return result;
  }

  /** Runs plain puts of a queue, from `start` on, as a row. @returns `undefined`: there is none. */
  run(queue: readonly TurnCall[], start: number): RowDone | undefined {
    const row = this.#row;
    const end = this.#gather(queue, start);
    if (end === start) return undefined;
    try {
      const count = this.#store.putAll(row);
      this.#rowMax = count < row.length ? Math.max(1, count) : 2 * row.length;
      for (let index = 0; index < count; index++) {
        (queue[start + index] as PlainPut).hasRun(row.firstRevision + index, this.#store);
      }
      return count === 0 ? undefined : doneTo(start, start + count);
    } catch (error) {
      for (let index = start; index < end; index++)
        (queue[index] as PlainPut).hasRun(asError(error), this.#store);
      return doneTo(start, end);
    } finally {
      row.clear();
    }
  }

  /** Fills the row. @returns the first call that is not in it. */
  #gather(queue: readonly TurnCall[], start: number): number {
    const keys = this.#keys;
    keys.clear();
    const endMax = start + this.#rowMax;
    for (let index = start; ; index++) {
      const call = index < endMax ? queue[index] : undefined;
      if (!isPlainPutCall(call) || call.valueBytes.length > fixed.putRowValueBytesMax) return index;
      const key = keys.add(call.key);
      if (key === undefined) return index;
      this.#row.add(key, call.valueBytes);
    }
  }
}

/** Each put looks at its key once, and reads no value. */
function doneTo(start: number, end: number): RowDone {
  return { end, visitsSpent: end - start, bytesSpent: 0 };
}
