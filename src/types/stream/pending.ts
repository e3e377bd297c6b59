/**
 * What is pending in a group: entries that were delivered to a consumer, which has not acknowledged them.
 *
 *     FA id p group:u32 entryId:16 → consumer:u32 delivered:u64 deliveries:u64 name      delivered: when last (ms); the consumer's name
 *     FA id o group:u32 consumer:u32 entryId:16 → nothing
 *
 * Invariant: each key with the tag `p` has one with `o`, of the consumer that it names, and the other way round. The entry itself may
 * be gone.
 */
import type { EngineRange } from '../../engine/engine.ts';
import type { PlacedChange } from '../../engine/version.ts';
import { assert } from '../../errors.ts';
import { beginElementKey, ELEMENT_HEAD_BYTES, tags } from '../../store/collections/collection-keys.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import { keyAfter } from '../../store/views/keys.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { type Consumer, type Group, NUMBER_BYTES, ofGroup } from './groups.ts';
import { readUint32, readUint53, writeUint32, writeUint53 } from './numbers.ts';
import type { Stream } from './stream.ts';
import { ID_BYTES } from './stream-id.ts';

const DELIVERED_AT = NUMBER_BYTES;
const DELIVERIES_AT = DELIVERED_AT + 8;
const NAME_AT = DELIVERIES_AT + 8;
const PENDING_ID_AT = ELEMENT_HEAD_BYTES + NUMBER_BYTES;
const OWNED_ID_AT = PENDING_ID_AT + NUMBER_BYTES;

export interface Pending {
  readonly id: Uint8Array;
  /** The consumer's. */
  readonly number: number;
  readonly name: Uint8Array;
  readonly deliveredMs: number;
  readonly deliveries: number;
}

export function readPending(
  view: ReadView,
  stream: Stream,
  group: Group,
  id: Uint8Array,
): Pending | undefined {
  const value = view.read(pendingKey(stream, group, id))?.value;
  return value && pendingOf(id, value);
}

function pendingOf(id: Uint8Array, value: Uint8Array): Pending {
  return {
    id,
    number: readUint32(value, 0),
    deliveredMs: readUint53(value, DELIVERED_AT),
    deliveries: readUint53(value, DELIVERIES_AT),
    name: value.slice(NAME_AT),
  };
}

/** An entry is a consumer's from now on. @param before whose it was; `undefined`: it was not pending. */
export function putPending(
  view: View,
  stream: Stream,
  group: Group,
  consumer: Pick<Consumer, 'number' | 'name'>,
  { id, deliveredMs, deliveries }: Pick<Pending, 'id' | 'deliveredMs' | 'deliveries'>,
  before: Pending | undefined,
): void {
  const { number, name } = consumer;
  const value = new Uint8Array(NAME_AT + name.length);
  writeUint32(value, 0, number);
  writeUint53(value, DELIVERED_AT, deliveredMs);
  writeUint53(value, DELIVERIES_AT, deliveries);
  value.set(name, NAME_AT);
  view.put(pendingKey(stream, group, id), value);
  if (before?.number === number) return;
  if (before !== undefined) view.delete(ownedKey(stream, group, before.number, id));
  view.put(ownedKey(stream, group, number, id), NO_BYTES);
}

/** It is not pending any more. */
export function removePending(view: View, stream: Stream, group: Group, { id, number }: Pending): void {
  view.delete(pendingKey(stream, group, id));
  view.delete(ownedKey(stream, group, number, id));
}

export function countPending(view: View, stream: Stream, group: Group): number {
  return view.count(ofGroup(stream, group, tags.pending));
}

export function countOwned(view: View, stream: Stream, group: Group, { number }: Consumer): number {
  return view.count(ofConsumer(stream, group, number));
}

/** The first id that is pending, or the last one; `undefined`: there is none. */
export function edgeOfPending(
  view: ReadView,
  stream: Stream,
  group: Group,
  isLast: boolean,
): Uint8Array | undefined {
  let id: Uint8Array | undefined;
  const next = view.scan(ofGroup(stream, group, tags.pending), isLast, (shown) => {
    id = shown.copyKey().subarray(PENDING_ID_AT);
    return false;
  });
  if (id === undefined && next !== undefined) throw budgetSpent(view.budget);
  return id;
}

/** So many are read before something is written for them: a scan may not write. */
const GATHERED_MAX = 64;

/** What is pending, in the order of ids, gone through from an id on: of a group, or of one of its consumers. */
export class PendingWalk {
  readonly #stream: Stream;
  readonly #group: Group;
  readonly #isOwned: boolean;
  /** What is left; `undefined`: nothing. */
  #range: EngineRange | undefined;

  /** @param from, to both inclusive. @param consumer left out: all of them. */
  constructor(
    stream: Stream,
    group: Group,
    from: Uint8Array,
    to: Uint8Array,
    consumer?: Pick<Consumer, 'number'>,
  ) {
    this.#stream = stream;
    this.#group = group;
    this.#isOwned = consumer !== undefined;
    const keyOf = (id: Uint8Array): Uint8Array =>
      consumer === undefined ? pendingKey(stream, group, id) : ownedKey(stream, group, consumer.number, id);
    const [start, end] = [keyOf(from), keyAfter(keyOf(to))];
    this.#range = Buffer.compare(start, end) < 0 ? { start, end } : undefined;
  }

  /** Whether there may be more. */
  get hasMore(): boolean {
    return this.#range !== undefined;
  }

  /** The next ones, some at a time; none at the end. Throws `limitReached` when the budget was spent before. */
  next(view: ReadView, countMax: number): readonly Pending[] {
    const range = this.#range;
    if (range === undefined) return [];
    if (view.budget.isSpent) throw budgetSpent(view.budget);
    const found: Pending[] = [];
    const ids: Uint8Array[] = [];
    let left = Math.min(countMax, GATHERED_MAX);
    const next = view.scan(range, false, (shown) => {
      if (this.#isOwned) ids.push(shown.copyKey().subarray(OWNED_ID_AT));
      else found.push(pendingOf(idOf(shown), shown.value));
      return --left > 0;
    });
    this.#range = next === undefined ? undefined : { start: next, end: range.end };
    for (const id of ids) {
      const pending = readPending(view, this.#stream, this.#group, id);
      assert(pending !== undefined, 'what a consumer owns is pending in its group');
      found.push(pending);
    }
    return found;
  }
}

function idOf(shown: PlacedChange): Uint8Array {
  return shown.copyKey().subarray(PENDING_ID_AT);
}

/** Removes what is gone through, or so much of it. @returns whether there is more. */
export function removeAllPending(
  view: View,
  stream: Stream,
  walk: PendingWalk,
  group: Group,
  countMax: number,
  removed: () => void = () => undefined,
): boolean {
  let left = countMax;
  while (left > 0 && walk.hasMore) {
    for (const pending of walk.next(view, left)) {
      removePending(view, stream, group, pending);
      removed();
      left--;
    }
  }
  return walk.hasMore;
}

function pendingKey(stream: Stream, { number }: Group, id: Uint8Array): Uint8Array {
  const key = beginElementKey(stream.id, tags.pending, NUMBER_BYTES + ID_BYTES);
  writeUint32(key, ELEMENT_HEAD_BYTES, number);
  key.set(id, PENDING_ID_AT);
  return key;
}

function ownedKey(stream: Stream, { number }: Group, consumer: number, id: Uint8Array): Uint8Array {
  const key = beginElementKey(stream.id, tags.owned, 2 * NUMBER_BYTES + ID_BYTES);
  writeUint32(key, ELEMENT_HEAD_BYTES, number);
  writeUint32(key, PENDING_ID_AT, consumer);
  key.set(id, OWNED_ID_AT);
  return key;
}

function ofConsumer(stream: Stream, { number }: Group, consumer: number): EngineRange {
  const start = beginElementKey(stream.id, tags.owned, 2 * NUMBER_BYTES);
  writeUint32(start, ELEMENT_HEAD_BYTES, number);
  writeUint32(start, PENDING_ID_AT, consumer);
  const end = beginElementKey(stream.id, tags.owned, 2 * NUMBER_BYTES + ID_BYTES);
  end.set(start);
  end.fill(0xff, OWNED_ID_AT);
  return { start, end: keyAfter(end) };
}
