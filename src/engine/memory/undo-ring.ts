/**
 * Versions that were replaced, in the order in which that happened, which is the order in which compaction makes them
 * superfluous: an entry is, exactly when the revision that replaced its version is at or below that of the compaction. So
 * dropping is moving the tail.
 *
 * The ring is a queue of pages. An entry stands in one page, at a whole unit, and is named by its place: the number of the
 * page (17 bits), then the unit within (15 bits). Page numbers ascend, and begin again behind the last; no page has number 0,
 * since place 0 is none. A page is never filled to its last unit: so the head, where the next entry goes, is a place of the
 * last page and not of one that is still to come.
 *
 * An entry is three units, and then a copy of the version as its block was (`layout.ts`), key and link to the version before
 * included:
 *
 * | word | what                                                                        |
 * | ---- | --------------------------------------------------------------------------- |
 * | 0    | flags                                                                       |
 * | 1, 2 | the revision that replaced the version                                      |
 * | 3    | a jump: the place of an anchor of the same key that is further back; 0: none |
 * | 4    | how many entries of the key there are from here back, with those dropped    |
 * | 5    | free                                                                        |
 *
 * A link from version A to the one before it, B, is followed only to read below A's revision, hence while nothing at that
 * revision was compacted: then B's entry is still there. Jumps may lead to what has been dropped, and are then not taken.
 * Each eighth entry of a key is an anchor. The others jump to the nearest one, which a new entry learns from the entry before
 * it alone; anchors jump to anchors as in Myers ("An applicative random-access stack", 1983). So a version among n is found in
 * log n + 8 steps, and a write mostly looks at one older entry, where three would be three waits for memory.
 */
import { assert } from '../../errors.ts';
import { copyBytes, memoryOf } from '../../wire/memory.ts';
import type { Memory } from '../../wire/memory.ts';
import { KEY_BYTES_MAX } from '../engine.ts';
import {
  EXTRAS_MASK,
  HEAD,
  KEY,
  NONE,
  SHORT_VALUE_BYTES_MAX,
  UNDO,
  UNIT_BYTES,
  extrasWords,
  revisionAt,
  unitsAt,
  wideAt,
  wordsOf,
  writeWide,
} from './layout.ts';

const PAGE_UNIT_BITS = 15;
const PAGE_UNITS = 2 ** PAGE_UNIT_BITS;
const PAGE_MASK = PAGE_UNITS - 1;
const PAGE_BYTES = PAGE_UNITS * UNIT_BYTES;
const LAST_PAGE_NUMBER = 2 ** (32 - PAGE_UNIT_BITS) - 1;
/**
 * Which of two places comes first is told by the sign of their difference as a number of 32 bits, so they must be less than
 * 2^31 units apart. In the ring they are: with the number that is passed over, its pages take at most half of all numbers. A
 * link or a jump leads to what was in the ring when it was written, and so never further back than that.
 */
const PAGE_COUNT_MAX = 2 ** (31 - PAGE_UNIT_BITS) - 1;

/** The version was replaced by a deletion: with this entry that one is superfluous, too. */
export const BY_DELETION = 1;
/** There was no version before. */
export const NO_VERSION = 2;

const REPLACED_BY = 1;
const JUMP = 3;
const DEPTH = 4;
/** What stands before the copy of the version. */
const ENTRY_WORDS = 6;
const ENTRY_UNITS = ENTRY_WORDS / 2;

/** From one anchor of a key to the next, in entries. */
const ANCHOR_DISTANCE = 8;

interface Page {
  readonly memory: Memory;
  /** The unit behind its last entry. */
  end: number;
}

export class UndoRing {
  readonly #pages = new Map<number, Page>();
  /** The next entry goes here, or to the page behind, ... */
  #head: number;
  /** ... and this is the oldest. */
  #tail: number;
  /** The page of the head; `undefined`: it was given back, or there never was one. */
  #headPage: Page | undefined;
  #spare: Page | undefined;
  /** The revision that replaced the version of the newest entry; 0: there was none. */
  newestRevision = 0;
  /** The memory in which the entry lies that was added or gone to last, and the word of its version there. */
  memory: Memory = memoryOf(new Uint8Array(0));
  at = 0;

  /** @param firstPage the number of the first page; for tests of what comes behind the last one. */
  constructor(firstPage = 1) {
    this.#head = this.#tail = startOf(firstPage - 1);
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
   * @param flags of `BY_DELETION` and `NO_VERSION`.
   * @param older the place of the version before it; `NONE`: it is not needed any more.
   * @returns its place.
   */
  push(source: Memory, at: number, replacedBy: number, flags: number, older: number): number {
    const units = unitsAt(source.words, at);
    const place = this.reserve(units, replacedBy, flags, older);
    copyBytes(this.memory, this.at << 2, source, at << 2, units * UNIT_BYTES);
    this.memory.words[this.at + UNDO] = older;
    return place;
  }

  /** `push` for a version of so many units that the caller writes at `at` of `memory` at once, with `older` as its link. */
  reserve(versionUnits: number, replacedBy: number, flags: number, older: number): number {
    const units = ENTRY_UNITS + versionUnits;
    let page = this.#headPage;
    if (page === undefined || page.end + units >= PAGE_UNITS) page = this.#openPage();
    const place = this.#head;
    const entry = entryWord(place);
    const { words } = page.memory;
    words[entry] = flags;
    writeWide(words, entry + REPLACED_BY, replacedBy);
    const depth = older === NONE ? 1 : this.#depthOf(older) + 1;
    words[entry + JUMP] = older === NONE ? NONE : this.#jumpFrom(older, depth);
    words[entry + DEPTH] = depth;
    this.memory = page.memory;
    this.at = entry + ENTRY_WORDS;
    this.newestRevision = replacedBy;
    page.end += units;
    this.#head = place + units;
    return place;
  }

  /** Goes to the entry at a place. */
  goTo(place: number): void {
    this.memory = this.#pageOf(place).memory;
    this.at = entryWord(place) + ENTRY_WORDS;
  }

  /** Goes from the entry at a place back to the newest version that is not above `revision`. @returns whether there is one. */
  seek(place: number, revision: number): boolean {
    for (let next = place; next !== NONE;) {
      this.goTo(next);
      const { words } = this.memory;
      if (revisionAt(words, this.at) <= revision) return this.hasVersion;
      const jump = this.#jumpOf(next);
      next = jump !== NONE && this.#revisionOf(jump) > revision ? jump : words[this.at + UNDO]!;
    }
    return false;
  }

  /** Goes to the oldest entry. @returns the revision that replaced its version; infinite when there is none. */
  nextRevision(): number {
    if (this.isEmpty) return Infinity;
    this.goTo(this.#tail);
    return this.replacedBy;
  }

  replacedByAt(place: number): number {
    this.goTo(place);
    return this.replacedBy;
  }

  /** Of the entry that was gone to. */
  get replacedBy(): number {
    return wideAt(this.memory.words, this.at - ENTRY_WORDS + REPLACED_BY);
  }

  get isReplacedByDeletion(): boolean {
    return (this.memory.words[this.at - ENTRY_WORDS]! & BY_DELETION) !== 0;
  }

  get hasVersion(): boolean {
    return (this.memory.words[this.at - ENTRY_WORDS]! & NO_VERSION) === 0;
  }

  /** The place behind the entry at a place. */
  after(place: number): number {
    const page = this.#pageOf(place);
    const next = place + ENTRY_UNITS + unitsAt(page.memory.words, entryWord(place) + ENTRY_WORDS);
    const isLastOfPage = (next & PAGE_MASK) === page.end;
    return isLastOfPage && page !== this.#headPage ? startOf(pageNumberAfter(place)) : next;
  }

  /** Whether the entry at a place has been dropped. */
  isDropped(place: number): boolean {
    return this.isBefore(place, this.#tail);
  }

  /** Whether a place comes before another one, up to which something is known; `NONE`: nothing is. */
  isBefore(place: number, end: number): boolean {
    return end !== NONE && ((place - end) | 0) < 0;
  }

  /** Whether the way back from the entry `from` of a key goes over the one at a place. Goes nowhere. */
  leadsTo(from: number, place: number): boolean {
    // What is not before an entry that is there, is there.
    for (let next = from; next !== NONE && !this.isBefore(next, place);) {
      if (next >>> 0 === place) return true;
      const jump = this.#jumpOf(next);
      const isTooFar = jump === NONE || this.isBefore(jump, place);
      next = isTooFar ? this.#wordsOf(next)[entryWord(next) + ENTRY_WORDS + UNDO]! : jump;
    }
    return false;
  }

  /** It has turned out that the version of the entry at a place was replaced by a deletion. */
  markReplacedByDeletion(place: number): void {
    this.#wordsOf(place)[entryWord(place)]! |= BY_DELETION;
  }

  /** Drops the oldest entry. */
  dropTail(): void {
    const number = this.#tail >>> PAGE_UNIT_BITS;
    this.#tail = this.after(this.#tail);
    if (this.#tail >>> PAGE_UNIT_BITS !== number) this.#removePage(number);
  }

  /** Gives back what is kept for the next entries. */
  trim(): void {
    if (this.isEmpty && this.#headPage !== undefined) this.#removePage(this.#head >>> PAGE_UNIT_BITS);
    if (this.#spare !== undefined) giveBack(this.#spare);
    this.#spare = undefined;
  }

  /** Opens the page behind that of the head, for the next entry. */
  #openPage(): Page {
    const { isEmpty } = this;
    const number = pageNumberAfter(this.#head);
    if (isEmpty && this.#headPage !== undefined) this.#removePage(this.#head >>> PAGE_UNIT_BITS);
    assert(this.#pages.size < PAGE_COUNT_MAX, 'the undo ring is not longer than its places tell apart');
    const page = this.#spare ?? { memory: memoryOf(new Uint8Array(PAGE_BYTES)), end: 0 };
    page.end = 0;
    this.#spare = undefined;
    this.#pages.set(number, page);
    this.#headPage = page;
    this.#head = startOf(number);
    if (isEmpty) this.#tail = this.#head;
    return page;
  }

  /** Removes a page that has no entries any more. One is kept for the next that is opened. */
  #removePage(number: number): void {
    const page = this.#pages.get(number)!;
    this.#pages.delete(number);
    if (page === this.#headPage) this.#headPage = undefined;
    if (this.#spare === undefined) this.#spare = page;
    else giveBack(page);
  }

  #pageOf(place: number): Page {
    return this.#pages.get(place >>> PAGE_UNIT_BITS)!;
  }

  #wordsOf(place: number): Int32Array {
    return this.#pageOf(place).memory.words;
  }

  #depthOf(place: number): number {
    return this.#wordsOf(place)[entryWord(place) + DEPTH]!;
  }

  #revisionOf(place: number): number {
    return revisionAt(this.#wordsOf(place), entryWord(place) + ENTRY_WORDS);
  }

  /** The jump of an entry; `NONE`: there is none that leads to what is still there. */
  #jumpOf(place: number): number {
    const jump = this.#wordsOf(place)[entryWord(place) + JUMP]!;
    return jump === NONE || this.isDropped(jump) ? NONE : jump;
  }

  /**
   * The jump of a new entry at a depth, behind `older`: to the nearest anchor. One that is an anchor itself jumps to that, too,
   * or, when the jump of that one and the jump from there are of the same length, over both.
   */
  #jumpFrom(older: number, depth: number): number {
    const anchor = isAnchor(depth - 1) ? older : this.#jumpOf(older);
    if (anchor === NONE || !isAnchor(depth)) return anchor;
    const jump = this.#jumpOf(anchor);
    const further = jump === NONE ? NONE : this.#jumpOf(jump);
    if (further === NONE) return anchor;
    const middle = this.#depthOf(jump);
    return this.#depthOf(anchor) - middle === middle - this.#depthOf(further) ? further : anchor;
  }
}

/** The word at which the entry at a place begins, in its page. */
function entryWord(place: number): number {
  return (place & PAGE_MASK) << 1;
}

function isAnchor(depth: number): boolean {
  return depth % ANCHOR_DISTANCE === 0;
}

function startOf(pageNumber: number): number {
  return (pageNumber << PAGE_UNIT_BITS) >>> 0;
}

/** The number of the page that follows that of a place. */
function pageNumberAfter(place: number): number {
  const number = place >>> PAGE_UNIT_BITS;
  return number === LAST_PAGE_NUMBER ? 1 : number + 1;
}

function giveBack({ memory }: Page): void {
  (memory.words.buffer as ArrayBuffer).transfer(0);
}

const VERSION_WORDS_MAX =
  KEY + wordsOf(KEY_BYTES_MAX) + wordsOf(SHORT_VALUE_BYTES_MAX) + extrasWords(EXTRAS_MASK);
assert(ENTRY_UNITS + ((VERSION_WORDS_MAX + 1) >>> 1) < PAGE_UNITS, 'the longest entry fits a page');
assert(HEAD === 0, 'the copy of a version begins with its head');
