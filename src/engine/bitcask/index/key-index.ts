/**
 * All keys of the base in memory: of each its metadata, and in place of the value where its record lies. A `Keyspace` of
 * one version a key: what a change replaces is dropped with it, so that revisions may come in any order.
 *
 * | word of the value | what                                   |
 * | ----------------- | -------------------------------------- |
 * | 0                 | the number of the run                  |
 * | 1                 | where the record begins in it, in bytes |
 * | 2                 | the length of the record in bytes      |
 * | 3                 | the length of the value in bytes, as the store sees it |
 *
 * A merge moves records and changes nothing else: it writes other words over these.
 */
import { fixed } from '../../../limits.ts';
import { assert } from '../../../errors.ts';
import { memoryOf } from '../../../wire/memory.ts';
import type { EngineRange } from '../../engine.ts';
import { copyKey } from '../../memory/block-keys.ts';
import type { HashSeed } from '../../memory/key-hash.ts';
import { Keyspace } from '../../memory/keyspace.ts';
import { NONE, revisionAt, valueWord } from '../../memory/layout.ts';
import { MemoryLoader } from '../../memory/memory-loader.ts';
import { Slabs } from '../../memory/slabs.ts';
import { PlacedChange } from '../../version.ts';
import { IndexCursor } from './index-cursor.ts';

const PLACE_WORDS = 4;
const PLACE_BYTES = 4 * PLACE_WORDS;

/** Where a record lies. */
export class RecordPlace {
  run = 0;
  offset = 0;
  length = 0;
  /** The length of the value, before it was compressed. */
  valueBytes = 0;

  set(run: number, offset: number, length: number, valueBytes: number): void {
    this.run = run;
    this.offset = offset;
    this.length = length;
    this.valueBytes = valueBytes;
  }

  read(words: Int32Array, at: number): void {
    this.run = words[at]! >>> 0;
    this.offset = words[at + 1]! >>> 0;
    this.length = words[at + 2]! >>> 0;
    this.valueBytes = words[at + 3]! >>> 0;
  }

  write(words: Int32Array, at: number): void {
    words[at] = this.run;
    words[at + 1] = this.offset;
    words[at + 2] = this.length;
    words[at + 3] = this.valueBytes;
  }
}

export class KeyIndex {
  readonly keyspace: Keyspace;
  /** What `find`, `set`, `remove` and `showAt` have found: of a key that is changed, where its record was before. */
  readonly place = new RecordPlace();
  readonly #loader: MemoryLoader;
  readonly #written = memoryOf(new Uint8Array(PLACE_BYTES));
  readonly #staged = new PlacedChange();

  constructor(hashSeed: HashSeed) {
    this.keyspace = new Keyspace(hashSeed, () => -1, undefined, undefined);
    this.keyspace.compactRevision = fixed.integerMax;
    this.#loader = new MemoryLoader(this.keyspace);
    this.#staged.clear(this.#written);
    this.#staged.valueEnd = PLACE_BYTES;
  }

  get memoryBytes(): number {
    return this.keyspace.memoryBytes;
  }

  get keyCount(): number {
    return this.keyspace.keyCount;
  }

  has(key: Uint8Array): boolean {
    this.keyspace.probe.set(key);
    return this.keyspace.find() !== NONE;
  }

  /** Makes `placed` the version of a key, of whose value only the length is right, and `place` where that lies. @returns whether it is there. */
  find(key: Uint8Array, placed: PlacedChange): boolean {
    this.keyspace.probe.set(key);
    const reference = this.keyspace.find();
    if (reference === NONE) return false;
    this.showAt(reference, placed);
    return true;
  }

  /** Like `find`, of the key of a block. */
  showAt(reference: number, placed: PlacedChange): void {
    this.keyspace.seek(reference, fixed.integerMax);
    this.keyspace.show(placed);
    this.place.read(placed.valueMemory.words, placed.valueStart >>> 2);
    placed.valueStart = 0;
    placed.valueEnd = this.place.valueBytes;
  }

  /** Makes `place` that of the record of a key's block. */
  placeOf(reference: number): RecordPlace {
    this.place.read(this.keyspace.blocks.wordsAt(reference), this.#placeAt(reference));
    return this.place;
  }

  /** A copy of the key of a block. */
  keyAt(reference: number): Uint8Array {
    return copyKey(this.keyspace.blocks, reference);
  }

  /** Whether the record at a place is that of a version which is the newest of its key. */
  isAt(version: PlacedChange, run: number, offset: number): boolean {
    const reference = this.#find(version);
    if (reference === NONE) return false;
    const { place } = this;
    this.placeOf(reference);
    return place.run === run && place.offset === offset;
  }

  /** The revision of the newest version of a key; 0: it is not there. */
  revisionOf(version: PlacedChange): number {
    const reference = this.#find(version);
    return reference === NONE ? 0 : this.#revisionOf(reference);
  }

  /** Makes a version the newest of its key. @returns whether there was one before. */
  set(version: PlacedChange, to: RecordPlace): boolean {
    const { keyspace } = this;
    const reference = this.#find(version);
    if (reference !== NONE) this.placeOf(reference);
    keyspace.fields.take(version, keyspace.probe.length, PLACE_BYTES);
    keyspace.put(reference, keyspace.hash());
    to.write(this.#written.words, 0);
    keyspace.copyValue(this.#staged);
    if (reference === NONE) return false;
    keyspace.drop(1);
    return true;
  }

  /** Takes a key out. @returns whether it was there. */
  remove(version: PlacedChange): boolean {
    const reference = this.#find(version);
    if (reference === NONE) return false;
    this.placeOf(reference);
    this.keyspace.forget(reference);
    return true;
  }

  /** A copy of the record of a version lies at `to`. @returns whether that version is the newest of its key, and a copy of it was elsewhere. */
  move(version: PlacedChange, to: RecordPlace): boolean {
    const reference = this.#find(version);
    if (reference === NONE || this.#revisionOf(reference) !== version.revision) return false;
    this.placeOf(reference);
    if (this.place.run === to.run) return false;
    to.write(this.keyspace.blocks.wordsAt(reference), this.#placeAt(reference));
    return true;
  }

  /**
   * Looks at the first `limit` keys of a range, takes those out whose versions are not above a revision, and says of each where its
   * record was. @returns the key to go on at; `undefined`: that was all.
   */
  forget(
    range: EngineRange,
    revision: number,
    limit: number,
    forgotten: (place: RecordPlace) => void,
  ): Uint8Array | undefined {
    const { blocks, probe } = this.keyspace;
    const cursor = new IndexCursor(this.keyspace, range, false);
    const keys: Uint8Array[] = [];
    let block = cursor.next();
    for (let count = 0; block !== NONE && count < limit; count++, block = cursor.next()) {
      if (this.#revisionOf(block) <= revision) keys.push(copyKey(blocks, block));
    }
    const next = block === NONE ? undefined : copyKey(blocks, block);
    for (const key of keys) {
      probe.set(key);
      const reference = this.keyspace.find();
      forgotten(this.placeOf(reference));
      this.keyspace.forget(reference);
    }
    return next;
  }

  /** Adds a key to an index that is being filled, and that has not had it. @returns whether it could. */
  load(version: PlacedChange, at: RecordPlace): boolean {
    at.write(this.#written.words, 0);
    version.valueMemory = this.#written;
    version.valueStart = 0;
    version.valueEnd = PLACE_BYTES;
    return this.#loader.newest(version) === 0;
  }

  /** Ends the filling. */
  *finishLoad(): Generator<undefined, void> {
    const isWhole = (yield* this.#loader.finishNewest()) && (yield* this.#loader.finish());
    assert(isWhole, 'each key is loaded once');
  }

  /** Gives back a piece of the memory that is free. @returns whether there is more. */
  maintain(): boolean {
    return this.keyspace.giveBack(false);
  }

  #find(version: PlacedChange): number {
    this.keyspace.probe.setPlaced(version.keyMemory.bytes, version.keyStart, version.keyEnd);
    return this.keyspace.find();
  }

  #revisionOf(reference: number): number {
    return revisionAt(this.keyspace.blocks.wordsAt(reference), Slabs.wordOf(reference));
  }

  /** The word at which the place stands in the slab of a block. */
  #placeAt(reference: number): number {
    const at = Slabs.wordOf(reference);
    return at + valueWord(this.keyspace.blocks.wordsAt(reference)[at]!);
  }
}
