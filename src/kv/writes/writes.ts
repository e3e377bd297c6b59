/** Writes of one key, and of a range, as functions over a view: what `put`, `delete`, `increment`, ... mean. */
import type {
  Condition,
  DeleteOptions,
  DeleteResult,
  DeleteRangeResult,
  GetOptions,
  GetResult,
  IncrementResult,
  Key,
  PutOptions,
  PutResult,
  TouchResult,
} from '../../api.ts';
import type { EngineRange } from '../../engine/engine.ts';
import type { Version } from '../../engine/version.ts';
import { isStoreError, StoreError } from '../../errors.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { keyScratch } from '../../store/views/keys.ts';
import { kinds, valueTypeOf } from '../../store/collections/kinds.ts';
import type { View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { toEntry } from '../../store/views/entries.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL = /^-?\d{1,19}$/;

export function put(view: View, keyText: Key, value: Uint8Array, options: PutOptions): PutResult {
  const key = keyScratch.encode(keyText);
  const { ttlMs = 0, leaseId = 0 } = options;
  const isShown = options.returnPrevious === true;
  let previous: PutResult['previous'];
  if (isShown || options.condition !== undefined) {
    const current = readFor(view, key, options.condition, isShown);
    if (isShown && current !== undefined) previous = toEntry(keyText, current);
  }
  view.put(key, value, { ttlMs, leaseId });
  options.admit?.(previous);
  return { revision: view.replyRevision, previous };
}

/**
 * Writes one key on a condition of the caller's.
 * @param check is given the entry as it is, without its value, and throws what stands against the write.
 * @returns the entry as it is now.
 */
export function putIf(
  view: View,
  keyText: Key,
  value: Uint8Array,
  lifetime: Pick<PutOptions, 'ttlMs' | 'leaseId'>,
  check: (current: Version | undefined) => void,
): Version {
  const key = keyScratch.encode(keyText);
  check(view.readMeta(key));
  return view.put(key, value, lifetime);
}

/** Deletes one key on a condition, as `putIf` writes one. @returns whether there was one. */
export function deleteKeyIf(
  view: View,
  keyText: Key,
  check: (current: Version | undefined) => void,
): boolean {
  const key = keyScratch.encode(keyText);
  check(view.readMeta(key));
  return view.delete(key) !== undefined;
}

export function deleteKey(view: View, keyText: Key, options: DeleteOptions): DeleteResult {
  const key = keyScratch.encode(keyText);
  const isShown = options.returnPrevious === true;
  const current = readFor(view, key, options.condition, isShown);
  if (current === undefined) return { revision: view.replyRevision, deleted: false, previous: undefined };
  view.delete(key);
  const previous = isShown ? toEntry(keyText, current) : undefined;
  options.admit?.(previous);
  return { revision: view.replyRevision, deleted: true, previous };
}

/** Deletes all entries of a range, or throws `limitReached`. @returns how many. */
export function deleteAll(view: View, range: EngineRange): number {
  const { count, nextKey } = view.deleteRange(range);
  if (nextKey !== undefined) throw budgetSpent(view.budget);
  return count;
}

export function deleteRange(view: View, range: EngineRange): DeleteRangeResult {
  const deletedCount = orInParts(() => deleteAll(view, range));
  return { firstRevision: view.replyRevision, revision: view.replyRevision, deletedCount };
}

/** What is too much for one transaction is not for several. */
function orInParts<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!isStoreError(error, 'limitReached')) throw error;
    const { message } = error;
    throw new StoreError(
      'limitReached',
      `${message}, or delete the range in several revisions (in_parts, kelp delete --in-parts)`,
    );
  }
}

export function increment(
  view: View,
  keyText: Key,
  delta: bigint | number,
  ttlMs: number | undefined,
): IncrementResult {
  const value = add(view, keyScratch.encode(keyText), BigInt(delta), ttlMs);
  return { value, revision: view.replyRevision };
}

/** Adds to a number; the new value is returned. A key that exists keeps its time to live and its lease. */
export function add(view: View, key: Uint8Array, delta: bigint, ttlMs = 0): bigint {
  const current = view.read(key);
  if (current !== undefined && current.kind !== kinds.plain) throw notPlain(current);
  const sum = (current === undefined ? 0n : parseInteger(current.value)) + delta;
  if (sum < INT64_MIN || sum > INT64_MAX) {
    throw new StoreError('integerOverflow', 'the sum does not fit into a signed 64-bit integer');
  }
  const text = Buffer.from(sum.toString(), 'latin1');
  if (current === undefined) view.put(key, text, { ttlMs });
  else {
    const { leaseId, expireTimeMs } = current;
    view.put(key, text, { ttlMs: current.ttlMs, leaseId, expireTimeMs });
  }
  return sum;
}

/** @param ttlMs 0 takes the time to live away, left out starts the entry's own anew. */
export function touch(view: View, keyText: Key, ttlMs: number | undefined): TouchResult {
  const key = keyScratch.encode(keyText);
  const current = view.read(key);
  if (current === undefined) throw new StoreError('keyNotFound', 'there is no such key to touch');
  if (ttlMs === undefined && current.ttlMs === 0) {
    throw new StoreError('noTimeToLive', 'the key has no time to live that could start anew; give one');
  }
  const touched = view.touch(key, ttlMs ?? current.ttlMs) ?? current;
  return { revision: view.replyRevision, entry: toEntry(keyText, { ...touched, value: NO_BYTES }) };
}

/** Reads the newest state and, if the entry has a time to live of its own, starts it anew. */
export function getRefreshing(view: View, keyText: Key, options: GetOptions): GetResult {
  if (options.revision !== undefined && options.revision !== 0) {
    throw new StoreError('invalidArgument', 'refreshTtl is a write: it can not be combined with a revision');
  }
  const key = keyScratch.encode(keyText);
  const current = view.read(key);
  if (current === undefined) return { entry: undefined, revision: view.replyRevision };
  const refreshed = current.ttlMs === 0 ? current : (view.touch(key, current.ttlMs) ?? current);
  const entry = toEntry(keyText, refreshed);
  options.admit?.(entry);
  return { entry, revision: view.replyRevision };
}

function notPlain({ kind }: Version): StoreError {
  const type = valueTypeOf(kind) ?? 'of a type that this version does not know';
  return new StoreError('wrongType', `the value is not plain bytes: it is ${type}`);
}

function parseInteger(value: Uint8Array): bigint {
  const text = value.length <= 20 ? Buffer.from(value).toString('latin1') : '';
  const number = DECIMAL.test(text) ? BigInt(text) : undefined;
  if (number === undefined || number < INT64_MIN || number > INT64_MAX) {
    throw new StoreError('notAnInteger', 'the value is not the decimal text of a signed 64-bit integer');
  }
  return number;
}

/** Reads an entry, with its value only if that is shown and no condition stands against the call: it may be long. */
function readFor(
  view: View,
  key: Uint8Array,
  condition: Condition | undefined,
  isShown: boolean,
): Version | undefined {
  if (condition === undefined) return isShown ? view.read(key) : view.readMeta(key);
  const current = view.readMeta(key);
  checkCondition(condition, current);
  return isShown && current !== undefined ? view.read(key) : current;
}

function checkCondition(condition: Condition, current: Version | undefined): void {
  const currentModRevision = current?.modRevision ?? 0;
  switch (condition.kind) {
    case 'mustNotExist':
      if (current === undefined) return;
      throw new StoreError('conditionFailed', 'the key exists', { currentModRevision });
    case 'mustExist':
      if (current !== undefined) return;
      throw new StoreError('conditionFailed', 'the key does not exist', { currentModRevision });
    case 'modRevisionEquals': {
      const wanted = condition.modRevision;
      if (currentModRevision === wanted) return;
      throw new StoreError(
        'conditionFailed',
        `the key's mod_revision is ${currentModRevision}, not ${wanted}`,
        { currentModRevision },
      );
    }
  }
}
