/**
 * Two databases change places: each key of the one goes into the other, with its deadline and lease, in one transaction. A value goes as
 * it is, and the elements of a collection lie under its id, which goes along; so what it takes depends on the keys and on what lies in
 * their values alone.
 */
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { PutOptions, View } from '../../store/views/view.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { moveHolder } from '../collections/timed-table.ts';
import { keepLifetime } from '../lifetime.ts';
import { databaseRange, toDatabaseKey, toKeyOfDatabase } from './database-keys.ts';

interface Entry {
  /** As the engine has it. */
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly options: PutOptions;
}

/** Throws `limitReached` before it has changed anything, when both have more keys together than one transaction may move. */
export function swapDatabases(view: View, first: number, second: number): void {
  if (first === second) return;
  const keyCount = view.count(databaseRange(first)) + view.count(databaseRange(second));
  // Each is written at one place, and deleted at another.
  const keysMax = fixed.txnChangesMax / 2;
  if (keyCount > keysMax) {
    throw new StoreError(
      'limitReached',
      `the databases have ${keyCount} keys together, and one transaction moves ${keysMax} (half of txnChangesMax) at most; move keys by MOVE`,
    );
  }
  const ofFirst = entriesOf(view, first);
  const ofSecond = entriesOf(view, second);
  for (const { key } of [...ofFirst, ...ofSecond]) view.delete(key);
  for (const entry of ofFirst) putInto(view, entry, second);
  for (const entry of ofSecond) putInto(view, entry, first);
}

/** All entries of a database, in memory of their own: as many as the budget allows. */
function entriesOf(view: View, database: number): Entry[] {
  const { budget } = view;
  const entries: Entry[] = [];
  const next = view.scan(databaseRange(database), false, (shown) => {
    const { kind, collectionId } = shown;
    const value = shown.copyValue();
    budget.spendBytes(value.length);
    entries.push({ key: shown.copyKey(), value, options: { ...keepLifetime(shown), kind, collectionId } });
    return !budget.isSpent;
  });
  if (next !== undefined) throw budgetSpent(budget);
  return entries;
}

function putInto(view: View, { key, value, options }: Entry, database: number): void {
  const to = toDatabaseKey(database, toKeyOfDatabase(key));
  view.put(to, value, options);
  const { kind = kinds.plain, collectionId = 0 } = options;
  moveHolder(view, { kind, value, collectionId }, to);
}
