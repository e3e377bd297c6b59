/** A database as a whole: how many keys it has, one of them by chance, a piece of them, and emptying it. */
import type { PlacedChange } from '../../engine/version.ts';
import type { EngineRange } from '../../engine/engine.ts';
import { fixed } from '../../limits.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { databaseRange, headLength, headRange } from '../databases/database-keys.ts';
import type { RedisGlob } from '../glob.ts';
import { typeName } from './type-names.ts';

/** How many keys a database has; those past their deadline are not counted. Throws `limitReached` while those are too many. */
export function countKeys(view: View, database: number): number {
  return view.count(databaseRange(database));
}

/** One of a database's keys, as the engine has it; `undefined`: there is none. @param chance 0 to below 1. */
export function pickKey(view: View, database: number, chance: number): Uint8Array | undefined {
  const range = databaseRange(database);
  return view.select(range, Math.floor(chance * view.count(range)));
}

/** Which keys are looked for. */
export interface KeyFilter {
  readonly database: number;
  /** Left out: all. */
  readonly glob?: RedisGlob | undefined;
  /** The name of a type, in lower case. */
  readonly type?: string | undefined;
}

/** The range that all keys of a filter lie in. */
export function rangeOfFilter({ database, glob }: KeyFilter): EngineRange {
  return glob === undefined ? databaseRange(database) : headRange(database, glob.literalHead);
}

/**
 * Goes through the keys of a filter in their order.
 * @param start the engine's key to begin at, inclusive; `undefined`: the first.
 * @param countMax of the keys that are looked at, whether the filter takes them or not.
 * @param visit is shown what the filter takes. @returns false to stop after this key.
 * @returns the key to go on from; `undefined` at the end.
 */
export function visitKeys(
  view: ReadView,
  filter: KeyFilter,
  start: Uint8Array | undefined,
  countMax: number,
  visit: (shown: PlacedChange) => boolean,
): Uint8Array | undefined {
  const range = rangeOfFilter(filter);
  const from = start !== undefined && Buffer.compare(start, range.start) > 0 ? start : range.start;
  if (range.end !== undefined && Buffer.compare(from, range.end) >= 0) return undefined;
  const { glob, type } = filter;
  let left = countMax;
  return view.scan({ start: from, end: range.end }, false, (shown) => {
    left--;
    if (type !== undefined && typeName(shown.kind) !== type) return left > 0;
    if (glob !== undefined) {
      const { bytes } = shown.keyMemory;
      const keyStart = shown.keyStart + headLength(bytes[shown.keyStart]);
      view.budget.spendKeyBytes(shown.keyEnd - keyStart);
      if (!glob.matches(bytes, keyStart, shown.keyEnd)) return left > 0;
    }
    return visit(shown) && left > 0;
  });
}

/**
 * Deletes keys of databases, from the first on: a collection counts as one, whatever it has.
 * @param countMax of the keys that go.
 * @returns whether there are more.
 */
export function deleteKeys(view: View, databases: Iterable<number>, countMax: number): boolean {
  let left = countMax;
  for (const database of databases) {
    if (left === 0) return true;
    const range = databaseRange(database);
    const { count, nextKey } = view.deleteRange(range, { keysMax: left, bytesMax: fixed.deletePartBytesMax });
    if (nextKey !== undefined) return true;
    left -= count;
  }
  return false;
}
