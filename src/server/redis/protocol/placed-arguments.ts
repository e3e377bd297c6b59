/**
 * `PlacedArguments`: the words of one call, as places in the buffer that they came in. There is one object for all calls of a
 * connection, one after the other; no word is copied or made an object before it is asked for.
 */
import { assert } from '../../../errors.ts';
import { fixed } from '../../../limits.ts';
import type { Arguments } from '../commands/command.ts';
import { notAFloat, notAnInteger } from '../replies/errors.ts';
import { KeyPlace, toEngineKey, type WordPlace } from './database-keys.ts';
import { readDouble, readInteger } from './number-words.ts';

/** Between an upper-case letter and its lower-case one. */
const CASE_BIT = 0x20;
const FIRST_PLACES = 16;
/** Of the first key, one for all calls; others are in memory of their own. */
const firstKey = new KeyPlace();
/** To make a view of a word takes longer than to copy so many bytes to where a view is there already. */
const COPIED_BYTES_MAX = 64;
const passingWord = new KeyPlace(COPIED_BYTES_MAX);
const lastingWord = new KeyPlace(COPIED_BYTES_MAX);

export class PlacedArguments implements Arguments {
  count = 0;
  /** In which the keys are. */
  database = 0;
  #buffer: Buffer = Buffer.alloc(0);
  /** Begin and end of each word. */
  #places = new Int32Array(2 * FIRST_PLACES);
  /** Whether keys stay as they are beyond the call, as those of a transaction have to. */
  keepsKeys = false;

  /** The next call: words are added then. @param buffer stays as it is until the call is over. */
  begin(buffer: Buffer): void {
    this.#buffer = buffer;
    this.count = 0;
  }

  add(start: number, end: number): void {
    const at = 2 * this.count;
    if (at >= this.#places.length) this.#grow();
    this.#places[at] = start;
    this.#places[at + 1] = end;
    this.count++;
  }

  /** Takes the words of a call that were copied. */
  takeWords(words: readonly Uint8Array[]): void {
    this.begin(Buffer.concat(words));
    let start = 0;
    for (const { length } of words) {
      this.add(start, start + length);
      start += length;
    }
  }

  /** The same call, to go on with in another place. */
  copy(): PlacedArguments {
    const copy = new PlacedArguments();
    copy.begin(this.#buffer);
    for (let index = 0; index < this.count; index++) copy.add(this.#start(index), this.#end(index));
    return copy;
  }

  /** The words were moved. */
  move(buffer: Buffer, offset: number): void {
    this.#buffer = buffer;
    const places = this.#places;
    for (let index = 2 * this.count - 1; index >= 0; index--) places[index] = (places[index] ?? 0) + offset;
  }

  /**
   * The same call, with words that stay when what comes in next is in the place of these. What lies between them is copied with them,
   * all at once, since a call may have a million.
   */
  ownCopy(): PlacedArguments {
    const copy = new PlacedArguments();
    const { count } = this;
    const start = count === 0 ? 0 : this.#start(0);
    copy.#buffer = Buffer.from(this.#buffer.subarray(start, start + this.byteLength));
    copy.#places = this.#places.slice(0, 2 * Math.max(1, count));
    copy.count = count;
    copy.database = this.database;
    for (let at = 0; at < 2 * count; at++) copy.#places[at] = (copy.#places[at] ?? 0) - start;
    return copy;
  }

  /** Of all words. */
  get byteLength(): number {
    return this.count === 0 ? 0 : this.#end(this.count - 1) - this.#start(0);
  }

  bytes(index: number): Uint8Array {
    const start = this.#start(index);
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset + start, this.#end(index) - start);
  }

  passing(index: number): Uint8Array {
    return this.byteLengthOf(index) > COPIED_BYTES_MAX ? this.bytes(index) : this.bytesIn(index, passingWord);
  }

  only(index: number): Uint8Array {
    if (this.keepsKeys || this.byteLengthOf(index) > COPIED_BYTES_MAX) return this.bytes(index);
    return this.bytesIn(index, lastingWord);
  }

  key(index: number): Uint8Array {
    if (index === 1 && !this.keepsKeys)
      return firstKey.put(this.database, this.#buffer, this.#start(index), this.#end(index));
    return toEngineKey(this.database, this.bytes(index));
  }

  /** A key in memory of the caller's, where it stays until that is used again. */
  keyIn(index: number, place: KeyPlace): Uint8Array {
    return place.put(this.database, this.#buffer, this.#start(index), this.#end(index));
  }

  /** The same of a word that is no key. */
  bytesIn(index: number, place: WordPlace): Uint8Array {
    return place.putWord(this.#buffer, this.#start(index), this.#end(index));
  }

  byteLengthOf(index: number): number {
    return this.#end(index) - this.#start(index);
  }

  text(index: number): string {
    return this.#buffer.toString('latin1', this.#start(index), this.#end(index));
  }

  head(index: number, bytesMax: number): string {
    const start = this.#start(index);
    return this.#buffer.toString('latin1', start, Math.min(this.#end(index), start + bytesMax));
  }

  is(index: number, word: string): boolean {
    const start = this.#start(index);
    const { length } = word;
    if (this.#end(index) - start !== length) return false;
    const buffer = this.#buffer;
    for (let at = 0; at < length; at++) {
      const byte = buffer[start + at] ?? 0;
      const wanted = word.charCodeAt(at);
      if (byte !== wanted && (byte !== (wanted | CASE_BIT) || wanted < 0x41 || wanted > 0x5a)) return false;
    }
    return true;
  }

  int64(index: number): bigint {
    return BigInt(this.#integer(index));
  }

  integer(index: number): number {
    const value = this.#integer(index);
    if (typeof value === 'number') return value;
    if (value > BigInt(fixed.integerMax)) return fixed.integerMax;
    return value < -BigInt(fixed.integerMax) ? -fixed.integerMax : Number(value);
  }

  /** @returns `undefined` for what is none. */
  doubleOrNone(index: number): number | undefined {
    return readDouble(this.#buffer, this.#start(index), this.#end(index));
  }

  double(index: number): number {
    const value = this.doubleOrNone(index);
    if (value === undefined) throw notAFloat();
    return value;
  }

  /** FNV-1a of a word in lower case, for a table of names. */
  hash(index: number): number {
    const buffer = this.#buffer;
    const end = this.#end(index);
    let hash = HASH_START;
    for (let at = this.#start(index); at < end; at++) hash = hashStep(hash, lower(buffer[at] ?? 0));
    return hash;
  }

  #integer(index: number): number | bigint {
    const value = readInteger(this.#buffer, this.#start(index), this.#end(index));
    if (value === undefined) throw notAnInteger();
    return value;
  }

  #start(index: number): number {
    assert(index < this.count, 'a command asks for words that its arity or its count allows');
    return this.#places[2 * index] ?? 0;
  }

  #end(index: number): number {
    return this.#places[2 * index + 1] ?? 0;
  }

  #grow(): void {
    const grown = new Int32Array(2 * this.#places.length);
    grown.set(this.#places);
    this.#places = grown;
  }
}

const HASH_START = 0x811c9dc5 | 0;

function hashStep(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | CASE_BIT : byte;
}

/** As `PlacedArguments.hash`, of a name in lower case. */
export function hashOfName(name: string): number {
  let hash = HASH_START;
  for (let index = 0; index < name.length; index++) hash = hashStep(hash, name.charCodeAt(index));
  return hash;
}
