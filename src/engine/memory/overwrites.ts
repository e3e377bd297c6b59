/**
 * Puts of a row that find their keys: the hashes of all are taken and what they lead to is fetched first (`KeyMap.fetch`), then
 * each block is written over where it stands, by straight code for the one form that most versions have: a short value, no
 * extras, as long as the one before. All others are for `Keyspace.put`.
 */
import { assert } from '../../errors.ts';
import type { PutRow } from '../put-row.ts';
import { hashKey, type HashSeed } from './key-hash.ts';
import type { Keyspace } from './keyspace.ts';
import {
  CREATED_BEFORE,
  HAS_EXTRAS,
  HEAD,
  IS_DELETED,
  KEY,
  KEY_BYTES_MASK,
  NONE,
  REVISION_HIGH,
  REVISION_LOW,
  SHORT_COUNT_MAX,
  SHORT_VALUE_BYTES_MAX,
  SHORT_VERSION,
  UNDO,
  UNIT_BITS,
  UNIT_MASK,
  headOf,
  kindOf,
  revisionAt,
  secondWord,
  shortCount,
  shortValueBytes,
  wordsOf,
} from './layout.ts';
import { CREATED_BEFORE_MAX } from './version-codec.ts';

/** What is fetched together. */
export const FETCHED_MAX = 64;
/** A longer key is not worth a place here. */
const KEY_WORDS = 16;

export class Overwrites {
  readonly #keyspace: Keyspace;
  readonly #seed: HashSeed;
  /** Of each key that was fetched: its words, filled up with zeros, ... */
  readonly #keys = Array.from({ length: FETCHED_MAX }, () => new Int32Array(KEY_WORDS));
  readonly #hashes = new Int32Array(FETCHED_MAX);
  /** ... and the block that its hash has led to when the map had changed so often. */
  readonly #references = new Int32Array(FETCHED_MAX);
  #mapChanges = 0;
  /** A longer value is not in a block, or may be compressed. */
  readonly #valueBytesMax: number;

  constructor(keyspace: Keyspace, seed: HashSeed) {
    this.#keyspace = keyspace;
    this.#seed = seed;
    const plainBytesMin = keyspace.compressed?.codec.plainBytesMin ?? Infinity;
    this.#valueBytesMax = Math.min(SHORT_VALUE_BYTES_MAX, plainBytesMin - 1);
  }

  /** Looks where the keys of a row lie, from `start` to `end`, at most `FETCHED_MAX`. */
  fetch({ keys }: PutRow, start: number, end: number): void {
    const [seed0, seed1] = this.#seed;
    const { map } = this.#keyspace;
    for (let index = start; index < end; index++) {
      const key = keys[index]!;
      const words = this.#keys[index - start]!;
      const { length } = key;
      // Its hash of 0 leads to what is not the key's, or to nothing.
      if (length > KEY_WORDS << 2) this.#hashes[index - start] = 0;
      else {
        takeWords(key, words);
        this.#hashes[index - start] = hashKey(words, length, seed0, seed1);
      }
    }
    map.fetch(this.#hashes, end - start, this.#references);
    this.#mapChanges = map.changes;
  }

  /** Puts one of them. @returns false: it is none that is written over here, and nothing has changed. */
  put(row: PutRow, index: number, fetched: number): boolean {
    const { map, blocks, undo, compactRevision } = this.#keyspace;
    const hash = this.#hashes[fetched]!;
    const reference = map.changes === this.#mapChanges ? this.#references[fetched]! : map.firstWith(hash);
    if (reference === NONE) return false;
    const memory = blocks.memories[reference >>> UNIT_BITS]!;
    const { words } = memory;
    const at = (reference & UNIT_MASK) << 1;
    const head = words[at]!;
    const second = words[at + REVISION_HIGH]!;
    const keyBytes = row.keys[index]!.length;
    const value = row.values[index]!;
    const valueBytes = value.length;
    const valueWords = wordsOf(valueBytes);
    const count = shortCount(second) + 1;
    if (
      kindOf(head) !== SHORT_VERSION ||
      (second & (HAS_EXTRAS | IS_DELETED)) !== 0 ||
      count > SHORT_COUNT_MAX ||
      valueBytes > this.#valueBytesMax ||
      valueWords !== wordsOf(shortValueBytes(head)) ||
      keyBytes > KEY_WORDS << 2 ||
      (head & KEY_BYTES_MASK) !== keyBytes
    ) {
      return false;
    }
    const key = this.#keys[fetched]!;
    const keyWords = wordsOf(keyBytes);
    for (let word = 0; word < keyWords; word++) if (key[word] !== words[at + KEY + word]) return false;
    const revision = row.firstRevision + index;
    const before = revisionAt(words, at);
    const createRevision = before - (words[at + CREATED_BEFORE]! >>> 0);
    if (revision - createRevision > CREATED_BEFORE_MAX) return false;
    assert(revision > before, 'the revisions of a key ascend');
    const older = before > compactRevision ? words[at + UNDO]! : NONE;
    const place = undo.push(memory, at, revision, 0, older);
    words[at + HEAD] = headOf(SHORT_VERSION, keyBytes, valueBytes);
    words[at + REVISION_LOW] = revision;
    words[at + REVISION_HIGH] = secondWord(revision, count, 0);
    words[at + UNDO] = place;
    words[at + CREATED_BEFORE] = revision - createRevision;
    memory.bytes.set(value, (at + KEY + keyWords) << 2);
    this.#keyspace.newestRevision = revision;
    this.#keyspace.countVersion(1, keyBytes + valueBytes);
    row.createRevisions[index] = createRevision;
    row.versions[index] = count;
    return true;
  }
}

/** The words of a key, the last one filled up with zeros. */
function takeWords(key: Uint8Array, words: Int32Array): void {
  const { length } = key;
  const last = length >>> 2;
  let index = 0;
  for (let word = 0; word < last; word++, index += 4) {
    words[word] = key[index]! | (key[index + 1]! << 8) | (key[index + 2]! << 16) | (key[index + 3]! << 24);
  }
  if (index === length) return;
  let rest = 0;
  for (let shift = 0; index < length; index++, shift += 8) rest |= key[index]! << shift;
  words[last] = rest;
}
