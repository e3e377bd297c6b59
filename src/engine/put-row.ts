/**
 * A row of puts: keys and values, with no lease and no time to live. All values are plain bytes, or all are of one kind and belong to
 * one collection, as its metadata does. They are as many transactions, one behind the other; a row is how they go through the store
 * together (`Engine.putAll`, `Committer.putAll`).
 *
 * One object serves for one row after the other. Keys and values are those of who fills it, and stay as they are until the row is
 * put.
 */

export class PutRow {
  /** The first `length` are those of the row. An array that is emptied would give its memory back, and take it again. */
  readonly keys: Uint8Array[] = [];
  readonly values: Uint8Array[] = [];
  length = 0;
  /** Of all values; 0: plain bytes. */
  kind = 0;
  /** To which all values belong; 0: to none. A put over a version of another collection ends the row. */
  collectionId = 0;
  /** The revision of the first put; each has the one behind that of the put before. */
  firstRevision = 0;
  /** What the engine tells of each put that it has done: the revision of the key's creation, ... */
  readonly createRevisions: number[] = [];
  /** ... and how often it was written since. */
  readonly versions: number[] = [];

  add(key: Uint8Array, value: Uint8Array): void {
    this.keys[this.length] = key;
    this.values[this.length] = value;
    this.length++;
  }

  clear(): void {
    this.length = this.kind = this.collectionId = 0;
  }
}
