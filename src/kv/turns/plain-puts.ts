/**
 * The puts of a turn that are nothing but a key and a value, without condition, lease or time to live: those that stand one
 * behind the other go through the store as one row (`DurableStore.putAll`), and so many at a time are answered together.
 */
import type { Key, PutOptions, PutResult } from '../../api.ts';
import { noOptions } from '../../arguments/shape.ts';
import { PutRow } from '../../engine/put-row.ts';
import { NoRoomYetError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { Waiter } from '../../store/commit/acknowledgements.ts';
import { asError } from '../../store/commit/listeners.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import type { Failure } from '../../store/seam.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { KeyRow } from '../reads/key-fetcher.ts';
import { put } from '../writes/writes.ts';
import { isIndependent, PutCall } from './calls-of-one-key.ts';
import { JointAnswers } from './joint-answers.ts';
import { type CallOwner, CallWait, heldByOrder, isHeldByOrder } from './room-waits.ts';
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

/** The outcome of a put is its revision; of one that waits for room, what will be the result. */
type Outcome = number | Promise<PutResult>;

class PutAnswers extends JointAnswers<Outcome, PutResult> implements Waiter {
  sequence = 0;
  readonly isConfirmed = true;
  readonly isHeldBack = true;

  fail({ whenChanged, whenUnchanged }: Failure): void {
    for (const [index, outcome] of this.outcomes.entries()) {
      // It learns of the failure by itself.
      if (outcome instanceof Promise) continue;
      if (!(outcome instanceof Error)) this.outcomes[index] = whenChanged;
      else if (!isIndependent(outcome)) this.outcomes[index] = whenUnchanged;
    }
    this.settle();
  }

  protected override toResult(outcome: Outcome): PutResult | Promise<PutResult> {
    return outcome instanceof Promise ? outcome : { revision: outcome, previous: undefined };
  }
}

export class PlainPut implements TurnCall {
  static readonly kept = new PlainPut('', NO_BYTES, new PutAnswers());
  readonly key: Key;
  readonly valueBytes: Uint8Array;
  readonly #owner: CallOwner | undefined;
  readonly #answers: PutAnswers;

  constructor(key: Key, valueBytes: Uint8Array, answers: PutAnswers, owner?: CallOwner) {
    this.#owner = owner;
    this.key = key;
    this.valueBytes = valueBytes;
    this.#answers = answers;
  }

  run(store: DurableStore): WorkDone {
    try {
      if (isHeldByOrder(store, this.#owner)) throw heldByOrder(this.key.length + this.valueBytes.length);
      const { result } = store.decide((view) => put(view, this.key, this.valueBytes, noOptions));
      this.hasRun(result.revision, store);
    } catch (error) {
      this.hasRun(this.#whenRoom(store, error) ?? asError(error), store);
    }
    return store.decidedWork;
  }

  hasRun(outcome: Outcome | Error, store: DurableStore): void {
    if (this.#answers.hasRun(outcome)) store.settleWhenDurable(this.#answers);
  }

  /** What it comes to once there is room, where it can wait for that. */
  #whenRoom(store: DurableStore, error: unknown): Promise<PutResult> | undefined {
    if (!(error instanceof NoRoomYetError)) return undefined;
    const call = new PutCall(this.key, this.valueBytes, noOptions, this.#owner);
    if (!new CallWait(store, call).begins(error)) return undefined;
    // It is heard of with those that it is answered with.
    call.promise.catch(() => undefined);
    return call.promise;
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
  add(
    key: Key,
    value: Uint8Array,
    queue: (call: TurnCall) => void,
    owner: CallOwner | undefined,
  ): Promise<PutResult> {
    if (this.#answers.isFull) this.#answers = new PutAnswers();
    const answers = this.#answers;
    const result = answers.add();
    queue(new PlainPut(key, value, answers, owner));
    return result;
  }

  /** Runs plain puts of a queue, from `start` on, as a row. @returns `undefined`: there is none. */
  run(queue: readonly TurnCall[], start: number): RowDone | undefined {
    // Calls of one caller wait, so that those behind them have to as well.
    if (this.#store.isHoldingOrder) return undefined;
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
