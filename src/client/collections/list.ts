/**
 * Lists: elements in an order under one key, quick at both ends.
 *
 * ```ts
 * await client.list.push('queue', ['first', 'second']);
 * const { elements } = await client.list.pop('queue');
 * console.log(elements[0]?.text()); // first
 * ```
 *
 * Elements are added at the tail and taken from the head if nothing else is said. What `hash.ts` says of all data types holds here.
 */
import type { Key, Value } from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { noOptions } from '../../arguments/shape.ts';
import { value as isValue } from '../../arguments/value.ts';
import type { Caller } from '../calls/caller.ts';
import { listMethods } from '../calls/collection-methods.ts';
import { incompleteReply } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import { Bytes, toBytes } from '../messages/collections/bytes.ts';
import {
  toListInsert,
  toListMove,
  toListPop,
  toListPush,
  toListRemove,
  toListSet,
  toListTrim,
} from '../messages/collections/list.ts';
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
} from '../messages/collections/types.ts';
import { toKey } from '../messages/request.ts';
import type { CallOptions } from '../messages/types.ts';
import { type Page, PagedList, type ReadPages, refusedList } from '../paging/paged-list.ts';
import { index as isIndex, indexRange, optionsByCall, values } from './arguments.ts';

export class Lists {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Adds elements, at least one, at the tail or another `end`, one behind the other: the last one is at the end. */
  async push(
    key: Key,
    elements: readonly Value[],
    options: PushOptions = noOptions,
  ): Promise<CountedChangeResult> {
    refuse(wrongElements(key, elements) ?? optionsByCall['list.push'](options));
    return this.#caller.write(listMethods.push, toListPush(key, elements, options), options);
  }

  /** Takes elements, one or `limit`, from the head or another `end`. The last one takes the list with it. */
  async pop(key: Key, options: PopOptions = noOptions): Promise<PopResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall['list.pop'](options));
    const reply = await this.#caller.write(listMethods.pop, toListPop(key, options), options);
    return { ...reply, elements: toBytes(reply.elements) };
  }

  /**
   * Reads elements by their index, all of them if nothing else is said, over as many calls as it takes, all at one revision.
   * With `refreshTtl` it is a write. Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async range(key: Key, options: ListRangeOptions = noOptions): Promise<ListRangeResult> {
    refuse(named('key', isKey(key)) ?? optionsByCall['list.range'](options));
    const elements: Bytes[] = [];
    const parts = this.#parts(key, options);
    for (;;) {
      const { done, value } = await parts.next();
      if (done === true) return { elements, ...value };
      elements.push(...value.items);
    }
  }

  /** The elements from one index to another, or all, page by page at one revision. The loop throws as that of `client.scan` does. */
  scan(key: Key, options: ListScanOptions = noOptions): PagedList<Bytes> {
    const wrong = named('key', isKey(key)) ?? optionsByCall['list.scan'](options);
    if (wrong !== undefined) return refusedList(wrong);
    const readPages: ReadPages<Bytes> = (limit, pageSize) => this.#parts(key, options, limit, pageSize);
    return new PagedList(options, readPages);
  }

  /** Replaces the element at an index. Rejects with `keyNotFound`, `indexOutOfRange`. */
  async set(
    key: Key,
    index: number,
    element: Value,
    options: CallOptions = noOptions,
  ): Promise<ChangeResult> {
    refuse(
      named('key', isKey(key)) ??
        named('index', isIndex(index)) ??
        named('element', isValue(element)) ??
        optionsByCall['list.set'](options),
    );
    return this.#caller.write(listMethods.set, toListSet(key, index, element), options);
  }

  /** Adds an element `before` or `behind` another one, the first of its kind from the head on. */
  async insert(key: Key, element: Value, options: InsertOptions): Promise<InsertResult> {
    refuse(
      named('key', isKey(key)) ?? named('element', isValue(element)) ?? optionsByCall['list.insert'](options),
    );
    return this.#caller.write(listMethods.insert, toListInsert(key, element, options), options);
  }

  /** Removes elements by their value: all that are equal, or `limit` of them. */
  async remove(key: Key, element: Value, options: RemoveOptions = noOptions): Promise<RemoveResult> {
    refuse(
      named('key', isKey(key)) ?? named('element', isValue(element)) ?? optionsByCall['list.remove'](options),
    );
    return this.#caller.write(listMethods.remove, toListRemove(key, element, options), options);
  }

  /** Removes all elements but those from `start` to `stop`, inclusive. */
  async trim(key: Key, range: IndexRange, options: CallOptions = noOptions): Promise<CountedChangeResult> {
    refuse(
      named('key', isKey(key)) ?? named('range', indexRange(range)) ?? optionsByCall['list.trim'](options),
    );
    return this.#caller.write(listMethods.trim, toListTrim(key, range), options);
  }

  /** Takes an element from an end of one list and adds it at an end of another, or of the same, in one revision. */
  async move(source: Key, destination: Key, options: MoveOptions = noOptions): Promise<MoveResult> {
    refuse(
      named('source', isKey(source)) ??
        named('destination', isKey(destination)) ??
        optionsByCall['list.move'](options),
    );
    const request = toListMove(source, destination, options);
    const reply = await this.#caller.write(listMethods.move, request, options);
    return { revision: reply.revision, element: reply.moved ? new Bytes(reply.element) : undefined };
  }

  /**
   * The elements of a range, in pages of at most so many, until there are `limit`. A reply ends early where it is full; it says how
   * many elements the list has, and so whether all have come.
   */
  async *#parts(
    key: Key,
    options: ListRangeOptions,
    limit = Number.POSITIVE_INFINITY,
    pageSize = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<Page<Bytes>, Pick<ListRangeResult, 'count' | 'revision'>, undefined> {
    let { start = 0, stop = -1, revision = 0, refreshTtl = false } = options;
    for (let remaining = limit; ; refreshTtl = false) {
      const wantedCount = Math.min(remaining, pageSize);
      const request = {
        ...toKey(key),
        start,
        stop: stopOfPage(start, stop, wantedCount),
        revision,
        refreshTtl,
      };
      const reply = await this.#caller[refreshTtl ? 'write' : 'read'](listMethods.range, request, options);
      const { count } = reply;
      ({ revision } = reply);
      const [first, last] = placesOf(start, stop, count);
      const elements = reply.elements.slice(0, Math.max(0, Math.min(wantedCount, last + 1 - first)));
      yield { items: toBytes(elements), revision, incarnation: '' };
      remaining -= elements.length;
      if (first + elements.length > last || remaining <= 0) return { count, revision };
      if (elements.length === 0) throw incompleteReply('the elements that it counts');
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
function placesOf(start: number, stop: number, count: number): readonly [first: number, last: number] {
  const first = start < 0 ? Math.max(0, count + start) : start;
  return [first, stop < 0 ? count + stop : Math.min(stop, count - 1)];
}

function wrongElements(key: Key, elements: readonly Value[]): string | undefined {
  return named('key', isKey(key)) ?? named('elements', values(elements));
}
