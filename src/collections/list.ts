/**
 * Lists: elements in an order under one key, quick at both ends.
 *
 * ```ts
 * await store.list.push('queue', ['first', 'second']);
 * const { elements } = await store.list.pop('queue');
 * console.log(elements[0]?.text()); // first
 * ```
 *
 * Elements are added at the tail and taken from the head if nothing else is said. What `hash.ts` says of all data types holds here.
 */
import type { Key, Value } from '../api-value.ts';
import { index as isIndex, rankBounds, values } from '../arguments/collections.ts';
import { named } from '../arguments/check.ts';
import { isKey } from '../arguments/key.ts';
import { given, optional } from '../arguments/shape.ts';
import { value as isValue } from '../arguments/value.ts';
import { type Page, PagedList, type ReadPages, refusedList } from '../paged-list.ts';
import { Bytes, toBytes } from './bytes.ts';
import type { CollectionDoor } from './door.ts';
import { keptKey, refuse } from './given.ts';
import type {
  ChangeResult,
  CountedChangeResult,
  IndexRange,
  InsertOptions,
  InsertResult,
  ListRangeOptions,
  ListRangeResult,
  ListScanOptions,
  MoveOptions,
  MoveResult,
  PopOptions,
  PopResult,
  PushOptions,
  RemoveOptions,
  RemoveResult,
} from './types.ts';

export class Lists<Beside extends object = object, BesideReads extends Beside = Beside> {
  readonly #door: CollectionDoor<Beside, BesideReads>;

  /** @internal */
  constructor(door: CollectionDoor<Beside, BesideReads>) {
    this.#door = door;
  }

  /** Adds elements, at least one, at the tail or another `end`, one behind the other: the last one is at the end. */
  async push(
    key: Key,
    elements: readonly Value[],
    options?: PushOptions & Beside,
  ): Promise<CountedChangeResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('elements', values(elements)) ??
        this.#door.checks['list.push'](asked),
    );
    const { end = 'tail', onlyIfExists = false, ttlMs } = asked;
    const pushed = { key, elements, end, onlyIfExists, ...given({ ttlMs }) };
    return this.#door.change('listPush', pushed, asked);
  }

  /** Takes elements, one or `limit`, from the head or another `end`. The last one takes the list with it. */
  async pop(key: Key, options?: PopOptions & Beside): Promise<PopResult> {
    const asked = optional(options);
    refuse(this.#door, named('key', isKey(key)) ?? this.#door.checks['list.pop'](asked));
    const { end = 'head', limit = 1 } = asked;
    const answer = await this.#door.change('listPop', { key, end, limit }, asked);
    return { ...answer, elements: toBytes(answer.elements) };
  }

  /**
   * Reads elements by their index, all of them if nothing else is said, over as many calls as it takes, all at one revision.
   * With `refreshTtl` it is a write. Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async range(key: Key, options?: ListRangeOptions & BesideReads): Promise<ListRangeResult> {
    const asked = optional(options);
    refuse(this.#door, named('key', isKey(key)) ?? this.#door.checks['list.range'](asked));
    const elements: Bytes[] = [];
    const parts = this.#parts(keptKey(key), asked, asked);
    for (;;) {
      const { done, value } = await parts.next();
      if (done === true) return { elements, ...value };
      for (const element of value.items) elements.push(element);
    }
  }

  /**
   * The elements from one index to another, or all, page by page at one revision. The loop throws what `range` rejects with.
   */
  scan(key: Key, options?: ListScanOptions & BesideReads): PagedList<Bytes> {
    const asked = optional(options);
    const wrong = named('key', isKey(key)) ?? this.#door.checks['list.scan'](asked);
    if (wrong !== undefined) return refusedList(this.#door.invalidArgument(wrong));
    const kept = keptKey(key);
    const { start, stop, revision } = asked;
    const range = given({ start, stop, revision });
    const readPages: ReadPages<Bytes> = (limit, pageSize) => this.#parts(kept, range, asked, limit, pageSize);
    return new PagedList(asked, readPages);
  }

  /** Replaces the element at an index. Rejects with `keyNotFound`, `indexOutOfRange`. */
  async set(key: Key, index: number, element: Value, options?: Beside): Promise<ChangeResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('index', isIndex(index)) ??
        named('element', isValue(element)) ??
        this.#door.checks['list.set'](asked),
    );
    return this.#door.change('listSet', { key, index, element }, asked);
  }

  /** Adds an element `before` or `behind` another one, the first of its kind from the head on. */
  async insert(key: Key, element: Value, options: InsertOptions & Beside): Promise<InsertResult> {
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('element', isValue(element)) ??
        this.#door.checks['list.insert'](options),
    );
    const { before, behind } = options;
    const isBehind = behind !== undefined;
    return this.#door.change(
      'listInsert',
      { key, pivot: behind ?? before ?? '', element, isBehind },
      options,
    );
  }

  /** Removes elements by their value: all that are equal, or `limit` of them. */
  async remove(key: Key, element: Value, options?: RemoveOptions & Beside): Promise<RemoveResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('element', isValue(element)) ??
        this.#door.checks['list.remove'](asked),
    );
    return this.#door.change('listRemove', { key, element, limit: asked.limit ?? 0 }, asked);
  }

  /** Removes all elements but those from `start` to `stop`, inclusive. */
  async trim(key: Key, range: IndexRange, options?: Beside): Promise<CountedChangeResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ?? named('range', rankBounds(range)) ?? this.#door.checks['list.trim'](asked),
    );
    const { start = 0, stop = -1 } = range;
    return this.#door.change('listTrim', { key, start, stop }, asked);
  }

  /** Takes an element from an end of one list and adds it at an end of another, or of the same, in one revision. */
  async move(source: Key, destination: Key, options?: MoveOptions & Beside): Promise<MoveResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('source', isKey(source)) ??
        named('destination', isKey(destination)) ??
        this.#door.checks['list.move'](asked),
    );
    const { from = 'head', to = 'tail' } = asked;
    const { revision, moved, element } = await this.#door.change(
      'listMove',
      { key: source, destination, from, to },
      asked,
    );
    return { revision, element: moved ? new Bytes(element) : undefined };
  }

  /**
   * The elements of a range, in pages of at most so many, until there are `limit`. An answer ends early where it is full; it says how
   * many elements the list has, and so whether all have come.
   */
  async *#parts(
    key: Key,
    range: ListRangeOptions,
    options: BesideReads,
    limit = Number.POSITIVE_INFINITY,
    pageSize = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<Page<Bytes>, Pick<ListRangeResult, 'count' | 'revision'>, undefined> {
    const held = this.#door.hold(range.revision ?? 0);
    try {
      return yield* this.#heldParts(key, range, options, limit, pageSize);
    } finally {
      held?.release();
    }
  }

  async *#heldParts(
    key: Key,
    range: ListRangeOptions,
    options: BesideReads,
    limit: number,
    pageSize: number,
  ): AsyncGenerator<Page<Bytes>, Pick<ListRangeResult, 'count' | 'revision'>, undefined> {
    let { start = 0, stop = -1, revision = 0, refreshTtl = false } = range;
    for (let remaining = limit; ; refreshTtl = false) {
      const wantedCount = Math.min(remaining, pageSize);
      const asked = { key, start, stop: stopOfPage(start, stop, wantedCount), revision, refreshTtl };
      const answer = await this.#door.read('listRange', asked, this.#door.goingOn(options, revision));
      const { count } = answer;
      ({ revision } = answer);
      const [first, last] = placesOf({ start, stop }, count);
      const elements = answer.elements.slice(0, Math.max(0, Math.min(wantedCount, last + 1 - first)));
      yield { items: toBytes(elements), revision, incarnation: '' };
      remaining -= elements.length;
      if (first + elements.length > last || remaining <= 0) return { count, revision };
      start = first + elements.length;
      stop = last;
    }
  }
}

/**
 * Where a request for a page may end. It may ask for more than is wanted: how an index from the tail lies to one from the head is
 * known only when the list's length is.
 */
function stopOfPage(start: number, stop: number, wantedCount: number): number {
  const end = start + wantedCount - 1;
  if (start < 0 || !Number.isSafeInteger(end)) return stop;
  return stop < 0 ? end : Math.min(stop, end);
}

/** A range in a list of so many elements, from the head; where it is empty the last place is before the first. */
export function placesOf(
  { start, stop }: { readonly start: number; readonly stop: number },
  count: number,
): readonly [first: number, last: number] {
  const first = start < 0 ? Math.max(0, count + start) : start;
  return [first, stop < 0 ? count + stop : Math.min(stop, count - 1)];
}
