/**
 * The place of a shard's versions: pages that are filled from front to back, one at a time.
 *
 * A version never changes its place by itself. When a page has lost enough of its versions, those that are left are
 * copied to the page being filled (by the shard, which knows who points at them), and the page is given back.
 *
 * Invariants:
 *
 * - `#live[page]` is the units of all versions in a page that were not released.
 * - Every page but the one being filled has something live.
 */
import { assert } from '../../errors.ts';
import {
  PAGE_UNITS,
  SHARED_PAGE_VERSION_UNITS_MAX,
  UNIT_BITS,
  UNIT_BYTES,
  UNIT_MASK,
  UNIT_WORDS,
  versionUnits,
} from './layout.ts';
import type { PageTable } from './page-table.ts';

/** Pages are emptied when what was released in them is more than this share of what is live in them, ... */
const WASTE_SHARE_MAX = 1 / 4;
/** ... and more than half a page: in a small shard most of it is history, which goes by itself. */
const WASTE_UNITS_MIN = PAGE_UNITS / 2;
/** The same when memory counts more than the work of moving much for little. */
const THOROUGH_WASTE_SHARE_MAX = 1 / 32;
const THOROUGH_WASTE_UNITS_MIN = PAGE_UNITS / 16;

const NO_PAGE = 0;

export class VersionArena {
  readonly table: PageTable;
  /** By page, units. */
  readonly #live: number[] = [0];
  /** By page: how many units are filled; 0 for a page that is not there. */
  readonly #filled: number[] = [0];
  /** By page: whether it holds a single version, which never moves. */
  readonly #isOwn: boolean[] = [false];
  #page = NO_PAGE;
  #unit: number = PAGE_UNITS;
  /** Over all pages with more than one version but the one being filled. */
  #closedFilledUnits = 0;
  #closedLiveUnits = 0;
  #emptiedPage = NO_PAGE;
  #emptiedUnit = 0;

  constructor(table: PageTable) {
    this.table = table;
  }

  /** Room for a version of so many units. */
  allocate(units: number): number {
    if (units > SHARED_PAGE_VERSION_UNITS_MAX) return this.#allocateOwnPage(units);
    if (this.#unit + units > PAGE_UNITS) this.#openPage();
    const reference = ((this.#page << UNIT_BITS) | this.#unit) >>> 0;
    this.#unit += units;
    this.#live[this.#page]! += units;
    return reference;
  }

  /** Gives up the place of a version. */
  release(reference: number, units: number): void {
    const page = reference >>> UNIT_BITS;
    const live = (this.#live[page]! -= units);
    if (page === this.#page) return;
    if (!this.#isOwn[page]) this.#closedLiveUnits -= units;
    if (live === 0) this.#removePage(page);
  }

  /** Whether pages should be emptied. */
  isWasteful(isThorough: boolean): boolean {
    const shareMax = isThorough ? THOROUGH_WASTE_SHARE_MAX : WASTE_SHARE_MAX;
    const unitsMin = isThorough ? THOROUGH_WASTE_UNITS_MIN : WASTE_UNITS_MIN;
    const wasteUnits = this.#closedFilledUnits - this.#closedLiveUnits;
    return wasteUnits > Math.max(unitsMin, this.#closedLiveUnits * shareMax);
  }

  /**
   * The next version of the page that is being emptied, live or not; the sparsest page is begun when there is none.
   * Not to be called unless there is waste. The caller moves the version away if it is live.
   */
  nextToMove(): number {
    if (this.#emptiedPage === NO_PAGE || this.#emptiedUnit >= this.#filled[this.#emptiedPage]!) {
      this.#emptiedPage = this.#sparsestPage();
      this.#emptiedUnit = 0;
    }
    const reference = ((this.#emptiedPage << UNIT_BITS) | this.#emptiedUnit) >>> 0;
    this.#emptiedUnit += versionUnits(this.table.words[this.#emptiedPage]!, wordOffsetOf(reference));
    return reference;
  }

  #sparsestPage(): number {
    let sparsest = NO_PAGE;
    for (let page = 1; page < this.#live.length; page++) {
      if (page === this.#page || this.#filled[page] === 0 || this.#isOwn[page]) continue;
      if (sparsest === NO_PAGE || this.#isSparser(page, sparsest)) sparsest = page;
    }
    assert(sparsest !== NO_PAGE, 'there is a closed page');
    return sparsest;
  }

  /**
   * By the share of what is filled that is live. The least that is live would not do: a page that two long versions fill
   * to two thirds has less than others, and to move those fills the next page to two thirds, and so on for ever.
   */
  #isSparser(page: number, other: number): boolean {
    return this.#live[page]! * this.#filled[other]! < this.#live[other]! * this.#filled[page]!;
  }

  /** For the check of all structures: throws unless the live units of each page are those that were counted. */
  verifyIntegrity(unitsByPage: ReadonlyMap<number, number>): void {
    for (let page = 1; page < this.#live.length; page++) {
      const counted = unitsByPage.get(page) ?? 0;
      assert(this.#live[page] === counted, `page ${page} has as many live units as it says`);
      assert(
        page === this.#page || this.#filled[page] === 0 || counted > 0,
        'a page without anything was given back',
      );
    }
  }

  #openPage(): void {
    const page = this.table.add();
    this.#closePage();
    this.#page = page;
    this.#unit = 0;
    this.#live[page] = 0;
    this.#filled[page] = PAGE_UNITS;
    this.#isOwn[page] = false;
  }

  #closePage(): void {
    const page = this.#page;
    if (page === NO_PAGE) return;
    this.#filled[page] = this.#unit;
    this.#closedFilledUnits += this.#unit;
    this.#closedLiveUnits += this.#live[page]!;
    this.#page = NO_PAGE;
    if (this.#live[page] === 0) this.#removePage(page);
  }

  #allocateOwnPage(units: number): number {
    const page = this.table.add(units * UNIT_BYTES);
    this.#live[page] = units;
    this.#filled[page] = units;
    this.#isOwn[page] = true;
    return (page << UNIT_BITS) >>> 0;
  }

  #removePage(page: number): void {
    if (!this.#isOwn[page]) this.#closedFilledUnits -= this.#filled[page]!;
    this.#filled[page] = 0;
    if (page === this.#emptiedPage) this.#emptiedPage = NO_PAGE;
    this.table.remove(page);
  }
}

/** The word at which a version begins within its page. */
export function wordOffsetOf(reference: number): number {
  return (reference & UNIT_MASK) * UNIT_WORDS;
}
