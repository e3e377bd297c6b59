/**
 * Elements of a table (`element-table.ts`) by chance. Those of a spread one are found by their place in its order, in O(log n), which
 * takes the newest state; many of them are met on the way through all of them instead, in pieces, on any state.
 */
import type { Version } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { subOf } from '../../store/collections/collection-keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { countElements, elementRange, payVisits, type TableType, visitElements } from './element-table.ts';
import { isPacked } from './metadata.ts';
import { isTimed } from './timed-table.ts';

/** From 0 to below 1. */
export type Random = () => number;

/** Visits one element, each as likely as the others. */
export function visitRandom(
  view: View,
  version: Version,
  type: TableType,
  random: Random,
  visit: (name: Uint8Array, value: Uint8Array) => void,
): void {
  visitAt(view, version, type, below(countElements(version, type), random), visit);
}

/** The element at a place in the table's order, from 0 on. */
function visitAt(
  view: View,
  version: Version,
  type: TableType,
  index: number,
  visit: (name: Uint8Array, value: Uint8Array) => void,
): void {
  if (isPacked(version)) {
    let at = 0;
    visitElements(view, version, type, undefined, (name, value) => {
      if (at++ < index) return true;
      visit(name, value);
      return false;
    });
    payVisits(view, 0);
    return;
  }
  payVisits(view, fixed.selectVisits);
  const key = view.select(elementRange(version, type), index);
  assert(key !== undefined, 'a spread table has as many keys as its metadata counts');
  visit(subOf(key), valueAt(view, key, type));
}

function valueAt(view: View, key: Uint8Array, { hasValues }: TableType): Uint8Array {
  return hasValues ? (view.read(key)?.value ?? NO_BYTES) : NO_BYTES;
}

/**
 * Different whole numbers from 0 to below a bound, ascending, each row of so many as likely as the others: Floyd's way (CACM 30,
 * 1987). They are in memory together.
 */
export function drawPlaces(count: number, bound: number, random: Random): Float64Array {
  const places = new Set<number>();
  for (let last = bound - count; last < bound; last++) {
    const place = below(last + 1, random);
    places.add(places.has(place) ? last : place);
  }
  return Float64Array.from(places).sort();
}

/** Different elements by chance, each row of so many as likely as the others; for at most as many as there are. */
export class RandomSample {
  readonly #version: Version;
  readonly #type: TableType;
  readonly #random: Random;
  /** How many are to be visited yet, ... */
  #wanted: number;
  /** ... and how many there are yet to choose among. */
  #left: number;
  #start: Uint8Array | undefined;

  /** @param tableCount how many there are to choose among; of a timed table those that are not past their deadline. */
  constructor(
    version: Version,
    type: TableType,
    count: number,
    random: Random,
    tableCount = countElements(version, type),
  ) {
    this.#version = version;
    this.#type = type;
    this.#random = random;
    this.#left = tableCount;
    assert(count <= this.#left, 'no more elements are chosen than there are');
    this.#wanted = count;
  }

  /** Whether they are few enough among many to be found by their places. */
  isSparse(view: View): boolean {
    return (
      !isPacked(this.#version) &&
      !isTimed(this.#version) &&
      areFewToSelect(view, this.#wanted) &&
      this.#wanted * view.selectVisits < this.#left
    );
  }

  /** Visits all of a sparse one. */
  visitSparse(view: View, visit: (name: Uint8Array, value: Uint8Array) => void): void {
    const places = drawPlaces(this.#wanted, this.#left, this.#random);
    const keys = view.selectAll(elementRange(this.#version, this.#type), places);
    for (const key of keys) visit(subOf(key), valueAt(view, key, this.#type));
  }

  /**
   * Goes on until so many elements were looked at, or the budget is spent: each is chosen with the share of those that are wanted
   * yet among those that are left (Knuth's algorithm S).
   * @returns whether there is more.
   */
  visitNext(
    view: ReadView,
    elementsMax: number,
    visit: (name: Uint8Array, value: Uint8Array) => void,
  ): boolean {
    if (this.#wanted === 0) return false;
    let lookedAt = 0;
    this.#start = visitElements(view, this.#version, this.#type, this.#start, (name, value) => {
      if (below(this.#left--, this.#random) < this.#wanted) {
        this.#wanted--;
        visit(name, value);
      }
      return ++lookedAt < elementsMax && this.#wanted > 0;
    });
    assert(this.#wanted === 0 || this.#start !== undefined, 'all that are wanted are found');
    return this.#wanted > 0;
  }
}

/** Whether so many elements may be found by their places in one piece. */
export function areFewToSelect(view: View, count: number): boolean {
  return count <= fixed.selectedElementsMax && count * view.selectVisits <= fixed.selectedVisitsMax;
}

/** A whole number from 0 to below a bound. */
export function below(bound: number, random: Random): number {
  return Math.floor(random() * bound);
}
