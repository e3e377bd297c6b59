/** Puts of a row by the other methods of an engine: for engines that have no quicker way, or none for a version of its form. */
import { fixed } from '../limits.ts';
import { NO_BYTES } from '../wire/bytes.ts';
import type { Engine } from './engine.ts';
import type { PutRow } from './put-row.ts';
import { type Change, deletionOf, type Version } from './version.ts';

/** Reads the newest version of all. */
const NEWEST = fixed.integerMax;

type Writable<T> = { -readonly [name in keyof T]: T[name] };

export class PutOneByOne {
  readonly #engine: Pick<Engine, 'readMeta' | 'apply'>;
  /** The same object for each put. What a put does not set is as in a deletion. */
  readonly #change: Writable<Change> = { ...deletionOf(NO_BYTES, 0), deleted: false };

  constructor(engine: Pick<Engine, 'readMeta' | 'apply'>) {
    this.#engine = engine;
  }

  /** @returns false where the key has a lease, a deadline or a collection, and then nothing has changed. */
  put(row: PutRow, index: number): boolean {
    const key = row.keys[index] ?? NO_BYTES;
    const before = this.#engine.readMeta(key, NEWEST);
    if (before !== undefined && !isPlain(before)) return false;
    const change = this.#change;
    const revision = row.firstRevision + index;
    change.key = key;
    change.value = row.values[index] ?? NO_BYTES;
    change.revision = revision;
    change.modRevision = revision;
    change.createRevision = before === undefined ? revision : before.createRevision;
    change.version = before === undefined ? 1 : before.version + 1;
    this.#engine.apply(change);
    row.createRevisions[index] = change.createRevision;
    row.versions[index] = change.version;
    return true;
  }

  putAll(row: PutRow): number {
    let done = 0;
    while (done < row.length && this.put(row, done)) done++;
    return done;
  }
}

/** Whether nothing but the version itself has to change with it. */
function isPlain({ leaseId, expireTimeMs, collectionId }: Version): boolean {
  return leaseId === 0 && expireTimeMs === 0 && collectionId === 0;
}
