/** Puts of a row by the other methods of an engine: for engines that have no quicker way, or none for a version of its form. */
import { fixed } from '../limits.ts';
import { NO_BYTES } from '../wire/bytes.ts';
import type { Engine } from './engine.ts';
import type { PutRow } from './put-row.ts';
import { type Change, deletionOf } from './version.ts';

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

  /** @returns false where the key has a lease, a deadline or another collection, and then nothing has changed. */
  put(row: PutRow, index: number): boolean {
    const { kind, collectionId, firstRevision } = row;
    const key = row.keys[index] ?? NO_BYTES;
    const change = this.#change;
    const revision = firstRevision + index;
    change.kind = kind;
    change.collectionId = collectionId;
    if (index > 0 && key === row.keys[index - 1]) {
      this.#putAgain(row, index, key, revision);
      return true;
    }
    const before = this.#engine.readMeta(key, NEWEST);
    if (before !== undefined && (before.leaseId !== 0 || before.expireTimeMs !== 0)) return false;
    if ((before?.collectionId ?? 0) !== collectionId) return false;
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

  /** Puts over what the put before has made of the key. */
  #putAgain(row: PutRow, index: number, key: Uint8Array, revision: number): void {
    const change = this.#change;
    change.key = key;
    change.value = row.values[index] ?? NO_BYTES;
    change.revision = change.modRevision = revision;
    change.createRevision = row.createRevisions[index] = row.createRevisions[index - 1] ?? revision;
    change.version = row.versions[index] = (row.versions[index - 1] ?? 0) + 1;
    this.#engine.apply(change);
  }

  putAll(row: PutRow): number {
    let done = 0;
    while (done < row.length && this.put(row, done)) done++;
    return done;
  }
}
