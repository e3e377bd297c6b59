/**
 * Versions that were replaced, in the order in which that happened, which is the order in which compaction makes them
 * superfluous: an entry is, exactly when the revision that replaced its version is at or below that of the compaction. So
 * dropping is moving the tail.
 *
 * An entry stands in one page, at a whole unit, and is named by its place: how many units were taken before it, modulo 2^32;
 * 0 is no place. It is five words and a copy of the version as its block was (`layout.ts`), key and link to the version before
 * included:
 *
 * | word | what                                                                        |
 * | ---- | --------------------------------------------------------------------------- |
 * | 0    | its length in units (26 bits), flags                                        |
 * | 1, 2 | the revision that replaced the version                                      |
 * | 3    | a jump: the place of an entry of the same key that is further back; 0: none |
 * | 4    | how many entries of the key there are from here back, with those dropped    |
 *
 * A link from version A to the one before it, B, is followed only to read below A's revision, hence while nothing at that
 * revision was compacted: then B's entry is still there. Jumps may lead to what has been dropped, and are then not taken.
 * They are those of Myers ("An applicative random-access stack", 1983): a version among n is found in log n steps.
 */
import { assert } from '../../errors.ts';
import {
  HEAD,
  NONE,
  REVISION_HIGH,
  REVISION_HIGH_MASK,
  REVISION_LOW,
  UNDO,
  UNIT_BYTES,
  revisionAt,
  unitsAt,
  wide,
  writeWide,
} from './layout.ts';
import type { Memory } from '../../wire/memory.ts';
import { copyWords } from './copy-words.ts';

const PAGE_UNIT_BITS = 15;
const PAGE_UNITS = 2 ** PAGE_UNIT_BITS;
const PAGE_MASK = PAGE_UNITS - 1;
const PAGE_BYTES = PAGE_UNITS * UNIT_BYTES;
/** So the difference of two places tells which comes first. */
const UNITS_MAX = 2 ** 31 - 1;

const UNITS_MASK = 2 ** 26 - 1;
/** The version was replaced by a deletion: with this entry that one is superfluous, too. */
const BY_DELETION = 1 << 26;
/** There was no version before. */
const NO_VERSION = 1 << 27;
/** An entry that ends its page early. */
const IS_GAP = 1 << 28;

const REPLACED_BY = 1;
const JUMP = 3;
const DEPTH = 4;
/** Where the copy of the version begins. */
export const ENTRY_WORDS = 5;

export class UndoRing {
  /** By the number of the page: the high bits of its places. */
  readonly #pages = new Map<number, Memory>();
  /** The next entry goes here, ... */
  #head: number;
  /** ... and this is the oldest. */
  #tail: number;
  #headPage: Memory | undefined;
  #spare: Memory | undefined;
  #newestRevision = 0;
  /** The memory in which the entry lies that was pushed or looked at last, and the word of its version there. */
  memory: Memory = { bytes: new Uint8Array(0), words: new Int32Array(0) };
  at = 0;

  /** @param firstPlace where the first entry goes; for tests of what comes behind the last place of all. */
  constructor(firstPlace = 1) {
    this.#head = this.#tail = firstPlace;
  }

  get memoryBytes(): number {
    return (this.#pages.size + (this.#spare === undefined ? 0 : 1)) * PAGE_BYTES;
  }

  get isEmpty(): boolean {
    return this.#head === this.#tail;
  }

  get tail(): number {
    return this.#tail;
  }

  get head(): number {
    return this.#head;
  }

  /**
   * Adds an entry with a copy of a version.
   * @param isLinked whether the entry of the version before it is needed yet.
   * @returns its place.
   */
  push(source: Int32Array, at: number, replacedBy: number, isDeletion: boolean, isLinked: boolean): number {
    const versionUnits = unitsAt(source, at);
    const place = this.#reserve(versionUnits, replacedBy, isDeletion ? BY_DELETION : 0);
    const { words } = this.memory;
    const to = this.at;
    copyWords(source, at, words, to, versionUnits << 1);
    if (isLinked) this.#link(words, to, source[at + UNDO]!);
    else words[to + UNDO] = NONE;
    return place;
  }

  /**
   * Adds an entry whose version the caller writes at `at` of `memory` at once, with a link to the place `older`.
   * @param hasVersion false: the entry says that the key was not there before.
   * @returns its place.
   */
  reserve(
    units: number,
    replacedBy: number,
    isDeletion: boolean,
    hasVersion: boolean,
    older: number,
  ): number {
    const flags = (isDeletion ? BY_DELETION : 0) | (hasVersion ? 0 : NO_VERSION);
    const place = this.#reserve(units, replacedBy, flags);
    this.#link(this.memory.words, this.at, older);
    return place;
  }

  /** Goes to the entry at a place. */
  goTo(place: number): void {
    this.memory = this.#pages.get(place >>> PAGE_UNIT_BITS)!;
    this.at = ((place & PAGE_MASK) << 1) + ENTRY_WORDS;
  }

  /** Goes from the entry at a place back to the newest version that is not above `revision`. @returns whether there is one. */
  seek(place: number, revision: number): boolean {
    for (let next = place; next !== NONE;) {
      this.goTo(next);
      const { words } = this.memory;
      const { at } = this;
      if (revisionAt(words, at) <= revision) return (words[at - ENTRY_WORDS]! & NO_VERSION) === 0;
      const jump = words[at - ENTRY_WORDS + JUMP]!;
      if (jump !== NONE && this.#isThere(jump) && this.#revisionOf(jump) > revision) next = jump;
      else next = words[at + UNDO]!;
    }
    return false;
  }

  /** The revision by which the version of the oldest entry was replaced; infinite when there is none. */
  nextRevision(): number {
    if (this.isEmpty) return Infinity;
    this.goTo(this.#tail);
    return this.replacedBy;
  }

  /** The revision that replaced the version of the newest entry; 0: there was none. */
  get newestRevision(): number {
    return this.#newestRevision;
  }

  replacedByAt(place: number): number {
    this.goTo(place);
    return this.replacedBy;
  }

  /** Of the entry that was gone to. */
  get replacedBy(): number {
    const { words } = this.memory;
    const at = this.at - ENTRY_WORDS + REPLACED_BY;
    return wide(words[at]!, words[at + 1]!);
  }

  get isReplacedByDeletion(): boolean {
    return (this.memory.words[this.at - ENTRY_WORDS]! & BY_DELETION) !== 0;
  }

  get hasVersion(): boolean {
    return (this.memory.words[this.at - ENTRY_WORDS]! & NO_VERSION) === 0;
  }

  /** The place behind the entry at a place. */
  after(place: number): number {
    const words = this.#pages.get(place >>> PAGE_UNIT_BITS)!.words;
    return this.#skipGap((place + (words[(place & PAGE_MASK) << 1]! & UNITS_MASK)) >>> 0);
  }

  /** Whether the entry at a place has been dropped. */
  isDropped(place: number): boolean {
    return ((place - this.#tail) | 0) < 0;
  }

  /** Whether a place comes before another one, up to which something is known; `NONE`: nothing is. */
  isBefore(place: number, end: number): boolean {
    return end !== NONE && ((place - end) | 0) < 0;
  }

  /** Whether the way back from the entry `from` of a key goes over the one at a place. Goes nowhere. */
  leadsTo(from: number, place: number): boolean {
    for (let next = from; next !== NONE && this.#isThere(next) && ((next - place) | 0) >= 0;) {
      if (next >>> 0 === place) return true;
      const jump = this.#jumpOf(next);
      if (jump !== NONE && this.#isThere(jump) && ((jump - place) | 0) >= 0) next = jump;
      else
        next = this.#pages.get(next >>> PAGE_UNIT_BITS)!.words[
          ((next & PAGE_MASK) << 1) + ENTRY_WORDS + UNDO
        ]!;
    }
    return false;
  }

  /** It has turned out that the version of the entry at a place was replaced by a deletion. */
  markReplacedByDeletion(place: number): void {
    this.goTo(place);
    this.memory.words[this.at - ENTRY_WORDS]! |= BY_DELETION;
  }

  /** Drops the oldest entry. */
  dropTail(): void {
    const before = this.#tail;
    this.#tail = this.after(before);
    if (before >>> PAGE_UNIT_BITS === this.#tail >>> PAGE_UNIT_BITS) return;
    const page = this.#pages.get(before >>> PAGE_UNIT_BITS)!;
    this.#pages.delete(before >>> PAGE_UNIT_BITS);
    if (this.#spare === undefined) this.#spare = page;
    else (page.words.buffer as ArrayBuffer).transfer(0);
  }

  /** Gives back what is kept for the next page. */
  trim(): void {
    (this.#spare?.words.buffer as ArrayBuffer | undefined)?.transfer(0);
    this.#spare = undefined;
    if (!this.isEmpty || this.#headPage === undefined) return;
    this.#pages.delete(this.#head >>> PAGE_UNIT_BITS);
    (this.#headPage.words.buffer as ArrayBuffer).transfer(0);
    this.#headPage = undefined;
    this.#head = this.#tail = placeBehindPage(this.#head);
  }

  /** Shows every entry, the oldest first, gone to. */
  verifyIntegrity(visit: (place: number) => void): void {
    let last = 0;
    const pages = new Set<number>();
    for (let place = this.#tail; place !== this.#head; place = this.after(place)) {
      this.goTo(place);
      pages.add(place >>> PAGE_UNIT_BITS);
      const { replacedBy } = this;
      assert(replacedBy >= last, 'the undo ring is in the order of replacing');
      last = replacedBy;
      const { words } = this.memory;
      const units = (ENTRY_WORDS + 1 + (unitsAt(words, this.at) << 1)) >>> 1;
      assert((words[this.at - ENTRY_WORDS]! & UNITS_MASK) === units, 'an entry is as long as its version');
      visit(place);
    }
    if (this.#headPage !== undefined) pages.add(this.#head >>> PAGE_UNIT_BITS);
    assert(pages.size === this.#pages.size, 'every page of the undo ring is in use');
  }

  /** Makes room for an entry and writes its first words. */
  #reserve(versionUnits: number, replacedBy: number, flags: number): number {
    const units = (ENTRY_WORDS + 1 + (versionUnits << 1)) >>> 1;
    const rest = PAGE_UNITS - (this.#head & PAGE_MASK);
    if (this.#headPage === undefined) this.#openPage();
    else if (units > rest) this.#endPage(rest);
    const place = this.#head;
    this.#head = (place + units) >>> 0;
    assert(
      (this.#head - this.#tail) >>> 0 < UNITS_MAX,
      'the undo ring is not longer than its places tell apart',
    );
    this.#newestRevision = replacedBy;
    this.memory = this.#headPage!;
    const { words } = this.memory;
    const at = (place & PAGE_MASK) << 1;
    words[at] = units | flags;
    writeWide(words, at + REPLACED_BY, replacedBy);
    words[at + JUMP] = NONE;
    words[at + DEPTH] = 1;
    this.at = at + ENTRY_WORDS;
    // The page is full to its last unit: the next entry opens another.
    if ((this.#head & PAGE_MASK) === 0) this.#openPage();
    return place;
  }

  #endPage(rest: number): void {
    this.#headPage!.words[(this.#head & PAGE_MASK) << 1] = rest | IS_GAP;
    const gap = this.#head;
    this.#head = (this.#head + rest) >>> 0;
    this.#openPage();
    if (this.#tail === gap) this.#dropEmptyPage(gap);
  }

  /** The tail stood at the gap that ends its page. */
  #dropEmptyPage(gap: number): void {
    this.#tail = this.#head;
    const page = this.#pages.get(gap >>> PAGE_UNIT_BITS)!;
    this.#pages.delete(gap >>> PAGE_UNIT_BITS);
    this.#spare ??= page;
  }

  #openPage(): void {
    // Place 0 is none.
    if (this.#head === 0) {
      if (this.#tail === 0) this.#tail = 1;
      this.#head = 1;
    }
    let page = this.#spare;
    this.#spare = undefined;
    if (page === undefined) {
      const buffer = new ArrayBuffer(PAGE_BYTES);
      page = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
    }
    this.#pages.set(this.#head >>> PAGE_UNIT_BITS, page);
    this.#headPage = page;
  }

  #skipGap(place: number): number {
    if (place === this.#head) return place;
    // The first unit of all is never used.
    const at = place === 0 ? 1 : place;
    if (at === this.#head) return at;
    const first = this.#pages.get(at >>> PAGE_UNIT_BITS)!.words[(at & PAGE_MASK) << 1]!;
    if ((first & IS_GAP) === 0) return at;
    const next = (at + (first & UNITS_MASK)) >>> 0;
    return next === 0 ? 1 : next;
  }

  /** Links the entry that was just written to the one of the version before. */
  #link(words: Int32Array, to: number, older: number): void {
    words[to + UNDO] = older;
    if (older === NONE) return;
    const at = to - ENTRY_WORDS;
    words[at + DEPTH] = this.#depthOf(older) + 1;
    const jump = this.#jumpOf(older);
    if (jump === NONE || !this.#isThere(jump)) {
      words[at + JUMP] = older;
      return;
    }
    const further = this.#jumpOf(jump);
    const step =
      this.#depthOf(jump) - (further !== NONE && this.#isThere(further) ? this.#depthOf(further) : 0);
    words[at + JUMP] = this.#depthOf(older) - this.#depthOf(jump) === step ? further : older;
    if (words[at + JUMP] === NONE) words[at + JUMP] = older;
  }

  #isThere(place: number): boolean {
    return ((place - this.#tail) | 0) >= 0;
  }

  #depthOf(place: number): number {
    return this.#pages.get(place >>> PAGE_UNIT_BITS)!.words[((place & PAGE_MASK) << 1) + DEPTH]!;
  }

  #jumpOf(place: number): number {
    return this.#pages.get(place >>> PAGE_UNIT_BITS)!.words[((place & PAGE_MASK) << 1) + JUMP]!;
  }

  #revisionOf(place: number): number {
    const { words } = this.#pages.get(place >>> PAGE_UNIT_BITS)!;
    const at = ((place & PAGE_MASK) << 1) + ENTRY_WORDS;
    return wide(words[at + REVISION_LOW]!, words[at + REVISION_HIGH]! & REVISION_HIGH_MASK);
  }
}

/** Where the page that follows that of a place begins. */
function placeBehindPage(place: number): number {
  return ((place | PAGE_MASK) + 1) >>> 0 || 1;
}

assert(HEAD === 0, 'the copy of a version begins with its head');
