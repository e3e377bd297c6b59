/**
 * Replies with elements of a table by chance of which one may come several times, in the order in which they were drawn.
 *
 * A few of a spread table are found by their places at once. More come in rounds, in pieces of one state: the places of a round are
 * drawn, all elements are gone through, those that were drawn are kept, and are then written. A round whose elements take too much
 * memory is made again in halves, with the places that were drawn, so that long ones are as likely as the others.
 */
import type { Version } from '../../../../engine/version.ts';
import { fixed, serverFixed } from '../../../../limits.ts';
import type { ReadView, View } from '../../../../store/views/view.ts';
import { subOf } from '../../../../store/collections/collection-keys.ts';
import { NO_BYTES } from '../../../../wire/bytes.ts';
import {
  countElements,
  elementRange,
  type TableType,
  visitElements,
} from '../../../../types/collections/element-table.ts';
import { isPacked } from '../../../../types/collections/metadata.ts';
import { areFewToSelect, below } from '../../../../types/collections/random-elements.ts';
import type { CommandCall, Slice } from '../command.ts';
import { refuseSpent, type WriteElement, writeName } from './table-replies.ts';

type Element = readonly [name: Uint8Array, value: Uint8Array];

/** So many elements by chance, one perhaps several times; what stands before them is written already. */
export function writeRepeated(
  view: View,
  { reply, session }: CommandCall,
  version: Version,
  type: TableType,
  count: number,
  write: WriteElement,
): Slice | undefined {
  const picks = new RepeatedPicks(version, type, write);
  if (isPacked(version)) return packedSlice(picks.elements(view), count, write)(view, reply);
  const isFew = areFewToSelect(view, count);
  // What EXEC runs is one piece: the places cost less there, unless most of the elements come.
  const isFewer = session.isInTransaction && count < countElements(version, type);
  if (!isFew && !isFewer) return picks.slice(count)(view, reply);
  // What surely is too much is refused before it is drawn.
  view.budget.spendVisits(count);
  refuseSpent(view);
  view.budget.spendVisits(-count);
  picks.select(view, picks.draw(count), ([name, value]) => write(reply, name, value));
  return undefined;
}

/** The same of any state: elements of a timed table have no places of their own. @param tableCount how many there are to be shown. */
export function writeRepeatedOf(
  version: Version,
  type: TableType,
  count: number,
  write: WriteElement,
  tableCount: number,
): Slice | undefined {
  return tableCount === 0 ? undefined : new RepeatedPicks(version, type, write, tableCount).slice(count);
}

class RepeatedPicks {
  readonly #version: Version;
  readonly #type: TableType;
  readonly #write: WriteElement;
  readonly #count: number;
  readonly #withValues: boolean;

  constructor(
    version: Version,
    type: TableType,
    write: WriteElement,
    tableCount = countElements(version, type),
  ) {
    this.#version = version;
    this.#type = type;
    this.#write = write;
    this.#count = tableCount;
    this.#withValues = type.hasValues && write !== writeName;
  }

  draw(count: number): Float64Array {
    return Float64Array.from({ length: count }, () => below(this.#count, Math.random));
  }

  /** All elements of a packed table. */
  elements(view: ReadView): readonly Element[] {
    const elements: Element[] = [];
    visitElements(
      view,
      this.#version,
      this.#type,
      undefined,
      (name, value) => elements.push([name, value]) > 0,
    );
    refuseSpent(view);
    return elements;
  }

  /** Finds the elements at places, in the order of these. */
  select(view: View, drawn: Float64Array, visit: (element: Element) => void): void {
    const places = differentOf(drawn);
    const elementAt = new Map<number, Element>();
    for (const [index, key] of view.selectAll(elementRange(this.#version, this.#type), places).entries()) {
      const value = this.#withValues ? (view.read(key)?.value ?? NO_BYTES) : NO_BYTES;
      elementAt.set(places[index] ?? 0, [subOf(key), value]);
    }
    for (const place of drawn) {
      const element = elementAt.get(place);
      if (element === undefined) continue;
      view.budget.spendBytes(element[0].length + element[1].length);
      visit(element);
      refuseSpent(view);
    }
  }

  slice(left: number): Slice {
    const count = Math.min(left, fixed.repeatedElementsMax);
    const rest = left - count;
    return this.#round([this.draw(count)], rest);
  }

  /** @param pending places that are drawn, a round for each. @param left to be drawn behind these. */
  #round(pending: readonly Float64Array[], left: number): Slice {
    const [drawn = NONE, ...later] = pending;
    return this.#walk(new Round(drawn), 0, undefined, later, left);
  }

  #walk(
    round: Round,
    firstIndex: number,
    start: Uint8Array | undefined,
    later: readonly Float64Array[],
    left: number,
  ): Slice {
    return (view) => {
      refuseSpent(view);
      let index = firstIndex;
      let lookedAt = 0;
      const next = visitElements(
        view,
        this.#version,
        this.#type,
        start,
        (name, value) => {
          if (round.isDrawn(index)) round.keep(index, name, this.#withValues ? value : NO_BYTES);
          index++;
          return ++lookedAt < serverFixed.elementsPerSlice && !round.isOver;
        },
        this.#withValues,
      );
      if (round.isTooLong) return this.#round([...round.halves(), ...later], left);
      if (next !== undefined && !round.isOver) return this.#walk(round, index, next, later, left);
      return this.#tell(round, 0, later, left);
    };
  }

  #tell(round: Round, first: number, later: readonly Float64Array[], left: number): Slice {
    return (view, reply) => {
      refuseSpent(view);
      const { budget } = view;
      const { drawn } = round;
      let at = first;
      for (; at < drawn.length && at < first + serverFixed.elementsPerSlice && !budget.isSpent; at++) {
        const element = round.elementAt.get(drawn[at] ?? 0);
        if (element === undefined) continue;
        const [name, value] = element;
        budget.spendVisits(1);
        budget.spendBytes(name.length + value.length);
        this.#write(reply, name, value);
      }
      if (at < drawn.length) return this.#tell(round, at, later, left);
      if (later.length > 0) return this.#round(later, left);
      return left > 0 ? this.slice(left) : undefined;
    };
  }
}

/** The places that were drawn, and the elements there as far as they have been met. */
class Round {
  readonly drawn: Float64Array;
  readonly elementAt = new Map<number, Element>();
  readonly #places: Float64Array;
  #metCount = 0;
  #bytes = 0;

  constructor(drawn: Float64Array) {
    this.drawn = drawn;
    this.#places = differentOf(drawn);
  }

  isDrawn(place: number): boolean {
    return this.#places[this.#metCount] === place;
  }

  keep(place: number, name: Uint8Array, value: Uint8Array): void {
    this.elementAt.set(place, [new Uint8Array(name), new Uint8Array(value)]);
    this.#metCount++;
    this.#bytes += name.length + value.length;
  }

  /** A single element may be as long as it is. */
  get isTooLong(): boolean {
    return this.#bytes > fixed.repeatedBytesMax && this.#places.length > 1;
  }

  get isOver(): boolean {
    return this.isTooLong || this.#metCount === this.#places.length;
  }

  halves(): readonly Float64Array[] {
    const middle = Math.ceil(this.drawn.length / 2);
    return [this.drawn.subarray(0, middle), this.drawn.subarray(middle)];
  }
}

const NONE = new Float64Array(0);

/** Each place once, ascending. */
function differentOf(drawn: Float64Array): Float64Array {
  return drawn
    .slice()
    .sort()
    .filter((place, index, sorted) => index === 0 || place !== sorted[index - 1]);
}

function packedSlice(elements: readonly Element[], count: number, write: WriteElement): Slice {
  return (view, reply) => {
    refuseSpent(view);
    const { budget } = view;
    const end = Math.max(0, count - serverFixed.elementsPerSlice);
    let left = count;
    for (; left > end && !budget.isSpent; left--) {
      const element = elements[below(elements.length, Math.random)];
      if (element === undefined) break;
      const [name, value] = element;
      budget.spendVisits(1);
      budget.spendBytes(name.length + value.length);
      write(reply, name, value);
    }
    return left === 0 ? undefined : packedSlice(elements, left, write);
  };
}
