/** Each call takes effect by itself, when it is made. */
import type { Condition, Key } from '../../../api.ts';
import { isKelpError } from '../../../client/errors/error.ts';
import { isStoreError } from '../../../errors.ts';
import type { ShellStore } from '../store/shell-store.ts';
import type { FoundValue, KeyCalls, SetOutcome } from './key-calls.ts';
import type { SetOptions } from '../../../shell-words/set-request.ts';

const conditions = {
  new: { kind: 'mustNotExist' },
  existing: { kind: 'mustExist' },
} as const satisfies Record<string, Condition>;

export class DirectCalls implements KeyCalls {
  readonly #store: ShellStore;

  constructor(store: ShellStore) {
    this.#store = store;
  }

  async get(key: Key): Promise<FoundValue | undefined> {
    const { entry } = await this.#store.get(key);
    return entry && { value: entry.value, entry };
  }

  async set(
    key: Key,
    value: Uint8Array,
    { ttlMs, only, returnPrevious = false }: SetOptions,
  ): Promise<SetOutcome> {
    try {
      const { previous } = await this.#store.put(key, value, {
        returnPrevious,
        ...(ttlMs !== undefined && { ttlMs }),
        ...(only !== undefined && { condition: conditions[only] }),
      });
      return { isSet: true, previous: previous?.value };
    } catch (error) {
      if (!isStoreError(error, 'conditionFailed') && !isKelpError(error, 'conditionFailed')) throw error;
      return { isSet: false };
    }
  }

  /** Several go in one revision. */
  async delete(keys: readonly Key[]): Promise<readonly boolean[]> {
    const [first, ...others] = keys;
    if (first !== undefined && others.length === 0) return [(await this.#store.delete(first)).deleted];
    const { results } = await this.#store.txn({ success: keys.map((key) => ({ kind: 'delete', key })) });
    return results.map((result) => result.kind === 'delete' && result.deleted);
  }

  async exists(keys: readonly Key[]): Promise<readonly boolean[]> {
    return (await this.#store.exists(keys)).exists;
  }

  async increment(key: Key, delta: bigint): Promise<bigint> {
    return (await this.#store.increment(key, delta)).value;
  }
}
