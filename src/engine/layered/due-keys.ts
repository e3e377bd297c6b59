/**
 * Deadlines of the newest state across the layers, in the order of deadline, then of key.
 *
 * Those of generations are true (`Layers`). A base has those of its own revision: the places of keys that have changed above are stale,
 * and are passed over. Up to which place all are stale is kept, since what is stale stays so until the next checkpoint; so a
 * row of calls goes over them once. `maintain` goes ahead by small steps.
 */
import { isUnreadable } from '../../errors.ts';
import type { DeadlineCursor, DeadlinePlace } from './base/base.ts';
import type { Generation } from './generation/generation.ts';
import { compareKeys } from './key-order.ts';
import type { Layers } from './layers.ts';

/** The stale places that one `maintain` passes over. */
const PASSED_PER_STEP = 128;

/** The places of a generation, one after the other. */
class GenerationPlaces {
  readonly #generation: Generation;
  #place = 0;

  constructor(generation: Generation) {
    this.#generation = generation;
  }

  next(): DeadlinePlace | undefined {
    const { deadlines } = this.#generation.keyspace;
    const deadlineMs = deadlines.at(this.#place);
    return deadlineMs === undefined ? undefined : { deadlineMs, key: deadlines.keyAt(this.#place++) };
  }
}

export class DueKeys {
  readonly #layers: Layers;
  /** All places of the base up to this one are stale. */
  #stale: DeadlinePlace | undefined;
  /** The first place of the base that is not; only while `isFirstKnown`. */
  #first: DeadlinePlace | undefined;
  #isFirstKnown = false;

  constructor(layers: Layers) {
    this.#layers = layers;
  }

  /** The base is another one. */
  begin(): void {
    this.#stale = undefined;
    this.noteChange(0);
  }

  /** A key of the base with a deadline has changed above it. */
  noteChange(deadlineMs: number): void {
    if (this.#first !== undefined && deadlineMs > this.#first.deadlineMs) return;
    this.#isFirstKnown = false;
    this.#first = undefined;
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    if (limit <= 0) return keys;
    const sources: { readonly next: () => DeadlinePlace | undefined }[] = [];
    for (const generation of this.#generations()) sources.push(new GenerationPlaces(generation));
    const cursor = this.#openBase();
    try {
      if (cursor !== undefined) sources.push({ next: () => this.#nextOfBase(cursor) });
      const heads = sources.map((source) => source.next());
      while (keys.length < limit) {
        const first = firstOf(heads);
        const place = first === -1 ? undefined : heads[first];
        if (place === undefined || place.deadlineMs > nowMs) break;
        keys.push(place.key);
        heads[first] = sources[first]?.next();
      }
    } finally {
      cursor?.close();
    }
    return keys;
  }

  next(): number | undefined {
    let nextMs = Infinity;
    for (const generation of this.#generations())
      nextMs = Math.min(nextMs, new GenerationPlaces(generation).next()?.deadlineMs ?? Infinity);
    if (!this.#isFirstKnown) this.#lookAhead(Infinity);
    nextMs = Math.min(nextMs, this.#first?.deadlineMs ?? Infinity);
    return nextMs === Infinity ? undefined : nextMs;
  }

  /** What can't be read is left to who asks for it. @returns whether there is more to do. */
  maintain(): boolean {
    if (this.#isFirstKnown) return false;
    try {
      return this.#lookAhead(PASSED_PER_STEP);
    } catch (error) {
      if (isUnreadable(error)) return false;
      throw error;
    }
  }

  #generations(): Generation[] {
    const { current, previous } = this.#layers;
    return previous === undefined ? [current] : [current, previous];
  }

  /** `undefined`: it has no deadlines that count. */
  #openBase(): DeadlineCursor | undefined {
    const isNone = this.#isFirstKnown && this.#first === undefined;
    return isNone ? undefined : this.#layers.reads.deadlines(this.#stale);
  }

  /** The next place that is not stale. */
  #nextOfBase(cursor: DeadlineCursor): DeadlinePlace | undefined {
    for (;;) {
      const place = cursor.next();
      const isStale = place !== undefined && this.#layers.isAboveBase(place.key);
      if (!this.#isFirstKnown) this.#note(place, isStale);
      if (!isStale) return place && { deadlineMs: place.deadlineMs, key: new Uint8Array(place.key) };
    }
  }

  /** Passes over stale places, at most so many. @returns whether there may be more of them. */
  #lookAhead(limit: number): boolean {
    const cursor = this.#layers.reads.deadlines(this.#stale);
    try {
      for (let left = limit; left > 0 && !this.#isFirstKnown; left--) {
        const place = cursor.next();
        this.#note(place, place !== undefined && this.#layers.isAboveBase(place.key));
      }
      return !this.#isFirstKnown;
    } finally {
      cursor.close();
    }
  }

  /** A place of the base behind all that are known to be stale. */
  #note(place: DeadlinePlace | undefined, isStale: boolean): void {
    const kept = place && { deadlineMs: place.deadlineMs, key: new Uint8Array(place.key) };
    if (isStale) this.#stale = kept;
    else {
      this.#first = kept;
      this.#isFirstKnown = true;
    }
  }
}

/** The index of the earliest of some places; -1: there is none. */
function firstOf(places: readonly (DeadlinePlace | undefined)[]): number {
  let first = -1;
  let found: DeadlinePlace | undefined;
  for (const [index, place] of places.entries()) {
    if (place === undefined || (found !== undefined && comparePlaces(found, place) <= 0)) continue;
    first = index;
    found = place;
  }
  return first;
}

function comparePlaces(a: DeadlinePlace, b: DeadlinePlace): number {
  return a.deadlineMs - b.deadlineMs || compareKeys(a.key, 0, a.key.length, b.key, 0, b.key.length);
}
