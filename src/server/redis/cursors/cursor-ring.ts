/**
 * Where scans of clients go on: SCAN, HSCAN, SSCAN and ZSCAN give a number, and the place that it stands for is a key or an
 * element, which does not fit into one.
 *
 * The newest places are kept, in a ring; an older one is forgotten. A number that is not known, or belongs to another scan,
 * begins at the beginning, which Redis' rules allow: what is there from the first call to the last is returned at least once. A
 * number may be given again, as by a client that has lost the reply.
 *
 * Invariant: the numbers from `#oldest` to `#next` (exclusive) are kept, each in the slot of its remainder. They begin somewhere
 * else in each process, so that none that an earlier process gave means another place now.
 */
import { serverFixed } from '../../../limits.ts';

/** What a command needs of it. */
export interface ScanCursors {
  /**
   * Keeps a place, for the call that goes on from there.
   * @param scope what is gone through: the engine's key of a collection, or a range's start.
   * @param position what its family understands; both are copied.
   * @returns the cursor for the reply: above 0, and exact in a number.
   */
  keep(scope: Uint8Array, position: Uint8Array): number;
  /** The place that a cursor stands for; `undefined`: the beginning. It stays as it is, and must. */
  find(scope: Uint8Array, cursor: number): Uint8Array | undefined;
}

interface Place {
  readonly scope: Uint8Array;
  readonly position: Uint8Array;
}

export class CursorRing implements ScanCursors {
  readonly #places: (Place | undefined)[] = [];
  #oldest: number;
  #next: number;
  #bytes = 0;

  /** @param seed any number from 0 to below 1, by chance. */
  constructor(seed: number) {
    this.#oldest = this.#next = 1 + Math.floor(seed * FIRST_MAX);
  }

  keep(scope: Uint8Array, position: Uint8Array): number {
    if (this.#next - this.#oldest === serverFixed.scanCursorsMax) this.#forgetOldest();
    const cursor = this.#next++;
    this.#places[cursor % serverFixed.scanCursorsMax] = {
      scope: new Uint8Array(scope),
      position: new Uint8Array(position),
    };
    this.#bytes += scope.length + position.length;
    while (this.#bytes > serverFixed.scanCursorBytesMax) this.#forgetOldest();
    return cursor;
  }

  find(scope: Uint8Array, cursor: number): Uint8Array | undefined {
    if (cursor < this.#oldest || cursor >= this.#next) return undefined;
    const place = this.#places[cursor % serverFixed.scanCursorsMax];
    return place !== undefined && Buffer.compare(place.scope, scope) === 0 ? place.position : undefined;
  }

  #forgetOldest(): void {
    const slot = this.#oldest++ % serverFixed.scanCursorsMax;
    const place = this.#places[slot];
    this.#places[slot] = undefined;
    if (place !== undefined) this.#bytes -= place.scope.length + place.position.length;
  }
}

/** Far enough below 2^53 that no process counts up to it. */
const FIRST_MAX = 2 ** 48;
