/**
 * The transaction between BEGIN and COMMIT. It is optimistic: it gathers what is to be written, remembers of every key that it
 * has read which revision wrote it, and COMMIT has the store compare these and write, in one revision and all or nothing.
 *
 * - All its reads show the state at the revision of the first one, and over that what it has written itself. So they agree
 *   with each other, and with the state that the writes meet if COMMIT goes through.
 * - A reply that says what was there before (DEL, SET with NX, XX or GET, INCR) is a read.
 * - A key that was only written is not compared: the last write counts.
 * - A time to live counts from COMMIT on.
 */
import type { Compare, Key, Operation, TxnRequest, TxnResult } from '../../../api.ts';
import { isKelpError } from '../../../client/errors/error.ts';
import { StoreError, isStoreError } from '../../../errors.ts';
import { fixed, shell as limits } from '../../../limits.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { type ShellStore, readWithoutValue } from '../store/shell-store.ts';
import type { FoundValue, KeyCalls, SetOutcome } from './key-calls.ts';
import type { SetOptions } from '../../../shell-words/set-request.ts';

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly revision: number; readonly operationCount: number }
  | {
      readonly kind: 'aborted';
      /** One that has changed since it was read, if it shows which. */
      readonly changedKey: Key | undefined;
      /** An earlier COMMIT had no answer: it may have gone through, and be what has changed it. */
      readonly isAfterUnanswered: boolean;
    };

interface ReadKey {
  readonly key: Key;
  /** 0: there was none. */
  readonly modRevision: number;
}

export class Transaction implements KeyCalls {
  readonly #store: ShellStore;
  /** By `idOf` the key. */
  readonly #reads = new Map<string, ReadKey>();
  /** What own reads see; `undefined`: deleted. */
  readonly #values = new Map<string, Uint8Array | undefined>();
  readonly #operations: Operation[] = [];
  /** At which is read; 0: not known before the first read. */
  #revision = 0;
  #byteCount = 0;
  /** COMMITs whose outcome is not known: they failed on their way, or were given up. */
  #unansweredCount = 0;
  /** A command of a script has failed within it. */
  #hasFailed = false;

  constructor(store: ShellStore) {
    this.#store = store;
  }

  /** It can't be committed any more. */
  fail(): void {
    this.#hasFailed = true;
  }

  async get(key: Key): Promise<FoundValue | undefined> {
    const id = idOf(key);
    if (this.#values.has(id)) {
      const value = this.#values.get(id);
      return value && { value };
    }
    const known = this.#reads.get(id);
    if (known === undefined && this.#reads.size >= fixed.txnComparesMax) {
      throw new UsageError(
        `a transaction reads ${fixed.txnComparesMax} keys at most; COMMIT or ROLLBACK this one`,
      );
    }
    const { entry, revision } = await this.#read(key);
    if (this.#revision === 0) this.#revision = revision;
    this.#reads.set(id, { key, modRevision: entry?.modRevision ?? 0 });
    return entry && { value: entry.value, entry };
  }

  async set(key: Key, value: Uint8Array, options: SetOptions): Promise<SetOutcome> {
    const { ttlMs, only, returnPrevious = false } = options;
    const isRead = only !== undefined || returnPrevious;
    const before = isRead ? (await this.get(key))?.value : undefined;
    if (only !== undefined && (before === undefined) !== (only === 'new')) return { isSet: false };
    const ttl = ttlMs === undefined ? {} : { ttlMs };
    this.#write({ kind: 'put', key, value, ...ttl }, key, value);
    return { isSet: true, previous: before };
  }

  async delete(keys: readonly Key[]): Promise<readonly boolean[]> {
    const deleted: boolean[] = [];
    for (const key of keys) {
      const found = await this.get(key);
      if (found !== undefined) this.#write({ kind: 'delete', key }, key, undefined);
      deleted.push(found !== undefined);
    }
    return deleted;
  }

  async exists(keys: readonly Key[]): Promise<readonly boolean[]> {
    const exist: boolean[] = [];
    for (const key of keys) exist.push((await this.get(key)) !== undefined);
    return exist;
  }

  async increment(key: Key, delta: bigint): Promise<bigint> {
    const sum = numberOf((await this.get(key))?.value) + delta;
    if (BigInt.asIntN(64, sum) !== sum) {
      throw new StoreError('integerOverflow', 'the sum is no integer of 64 bits; nothing was added');
    }
    this.#write({ kind: 'increment', key, delta }, key, Buffer.from(String(sum)));
    return sum;
  }

  /** Rejects with what the call failed with; then COMMIT may be tried again. */
  async commit(): Promise<CommitOutcome> {
    if (this.#hasFailed) {
      throw new UsageError('a command in the transaction has failed: nothing was written; ROLLBACK drops it');
    }
    const compares = [...this.#reads.values()].map(unchanged);
    const success = this.#operations;
    if (compares.length === 0 && success.length === 0) {
      return { kind: 'committed', revision: 0, operationCount: 0 };
    }
    const isAfterUnanswered = this.#unansweredCount > 0;
    const { succeeded, revision } = await this.#send({ compares, success });
    return succeeded
      ? { kind: 'committed', revision, operationCount: success.length }
      : { kind: 'aborted', changedKey: await this.#changedKey(), isAfterUnanswered };
  }

  async #send(request: TxnRequest): Promise<TxnResult> {
    this.#unansweredCount++;
    try {
      const result = await this.#store.txn(request);
      this.#unansweredCount--;
      return result;
    } catch (error) {
      const isUnknown = isKelpError(error) && error.mayHaveTakenEffect;
      if (!isUnknown && !isStoreError(error, 'storageFailed')) this.#unansweredCount--;
      throw error;
    }
  }

  async #read(key: Key): ReturnType<ShellStore['get']> {
    try {
      return await this.#store.get(key, { revision: this.#revision });
    } catch (error) {
      const isLost = isKelpError(error, 'revisionCompacted') || isStoreError(error, 'revisionCompacted');
      if (!isLost) throw error;
      throw new UsageError(
        'the revision at which the transaction reads is not kept any more; ROLLBACK, and BEGIN anew',
        { cause: error },
      );
    }
  }

  #write(operation: Operation, key: Key, value: Uint8Array | undefined): void {
    if (this.#operations.length >= fixed.txnOperationsMax) {
      throw new UsageError(`a transaction writes ${fixed.txnOperationsMax} times at most`);
    }
    const byteCount = this.#byteCount + Buffer.byteLength(key) + (value?.length ?? 0);
    if (byteCount > limits.transactionBytesMax) {
      throw new UsageError(`a transaction holds ${limits.transactionBytesMax} bytes at most`);
    }
    this.#byteCount = byteCount;
    this.#operations.push(operation);
    this.#values.set(idOf(key), value);
  }

  /** As far as it still shows: the transaction is over, whatever this finds. */
  async #changedKey(): Promise<Key | undefined> {
    try {
      for (const { key, modRevision } of [...this.#reads.values()].slice(0, limits.changedKeysMax)) {
        const entry = await readWithoutValue(this.#store, key);
        if ((entry?.modRevision ?? 0) !== modRevision) return key;
      }
    } catch {
      // Only the name of the key is missing then.
    }
    return undefined;
  }
}

function unchanged({ key, modRevision }: ReadKey): Compare {
  return {
    subject: { key },
    relation: 'equal',
    operand: { kind: 'modRevision', value: modRevision },
  };
}

/** Tells keys apart: a text and bytes that are none never are the same key. */
function idOf(key: Key): string {
  return typeof key === 'string' ? `t${key}` : `b${Buffer.from(key).toString('hex')}`;
}

/** A key that is not there counts as 0. */
function numberOf(value: Uint8Array | undefined): bigint {
  if (value === undefined) return 0n;
  const text = value.length > 20 ? '' : Buffer.from(value).toString('latin1');
  const number = /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (number === undefined || BigInt.asIntN(64, number) !== number) {
    throw new StoreError('notAnInteger', 'the value is not the decimal text of an integer of 64 bits');
  }
  return number;
}
