/**
 * The puts of a turn that are nothing but a key and a value, without condition, lease or time to live: those that stand one
 * behind the other go through the store as one row (`DurableStore.putAll`).
 */
import type { PutOptions } from '../../api.ts';
import { PutRow } from '../../engine/put-row.ts';
import { fixed } from '../../limits.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import { PutCall } from './calls-of-one-key.ts';
import { KeyRow } from '../reads/key-fetcher.ts';
import type { TurnCall } from './turn-call.ts';

/** Whether a put with these options is a plain one. */
export function isPlain({ condition, ttlMs = 0, leaseId = 0, returnPrevious, admit }: PutOptions): boolean {
  return (
    condition === undefined && ttlMs === 0 && leaseId === 0 && returnPrevious !== true && admit === undefined
  );
}

export function isPlainPut(call: TurnCall | undefined): call is PutCall {
  return call instanceof PutCall && call.isPlain;
}

export class PlainPuts {
  readonly #store: DurableStore;
  readonly #keys = new KeyRow();
  readonly #row = new PutRow();
  /** How many puts the next row may have: few behind one that something stood against, since that may stand against all. */
  #rowMax: number = fixed.turnCallsMax;

  constructor(store: DurableStore) {
    this.#store = store;
  }

  /** A turn begins. */
  begin(): void {
    this.#rowMax = fixed.turnCallsMax;
  }

  /** Runs plain puts of a queue, from `start` on. @returns the first call that is still to run. */
  run(queue: readonly TurnCall[], start: number): number {
    const row = this.#row;
    const end = this.#gather(queue, start);
    if (end === start) return start;
    try {
      const count = this.#store.putAll(row);
      this.#rowMax = count < row.length ? Math.max(1, count) : 2 * row.length;
      for (let index = 0; index < count; index++) {
        const call = queue[start + index] as PutCall;
        call.result = { revision: row.firstRevision + index, previous: undefined };
        call.hasChanged = true;
        this.#store.settleWhenDurable(call);
      }
      return start + count;
    } catch (error) {
      for (let index = start; index < end; index++) (queue[index] as PutCall).reject(error);
      return end;
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
      if (!isPlainPut(call) || call.valueBytes.length > fixed.putRowValueBytesMax) return index;
      const key = keys.add(call.key);
      if (key === undefined) return index;
      this.#row.add(key, call.valueBytes);
    }
  }
}
