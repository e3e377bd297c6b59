/**
 * Sets: members, each once, under one key. A member is 0 to 4096 bytes.
 *
 * ```ts
 * await store.set.add('tags', ['red', 'green']);
 * for await (const member of store.set.scan('tags')) console.log(member.text());
 * const { members } = await store.set.combine('intersection', ['tags', 'colours']);
 * ```
 *
 * What `hash.ts` says of all data types holds here.
 */
import type { SetOperation } from '../api-collections.ts';
import type { Key, Value } from '../api-value.ts';
import { setOperation, values } from '../arguments/collections.ts';
import { named } from '../arguments/check.ts';
import { isKey, keyList } from '../arguments/key.ts';
import { given, optional } from '../arguments/shape.ts';
import { PagedList, callsForPages, refusedList, whileHeld } from '../paged-list.ts';
import { type Bytes, toBytes } from './bytes.ts';
import type { CollectionDoor } from './door.ts';
import { keptKey, refuse } from './given.ts';
import type {
  AddResult,
  CombineResult,
  ContainsResult,
  CreateOptions,
  ReadOptions,
  RemoveResult,
  SetCombineOptions,
  SetScanOptions,
  TakeOptions,
  TakenMembers,
} from './types.ts';

export class Sets<Beside extends object = object, BesideReads extends Beside = Beside> {
  readonly #door: CollectionDoor<Beside, BesideReads>;

  /** @internal */
  constructor(door: CollectionDoor<Beside, BesideReads>) {
    this.#door = door;
  }

  /** Adds members, at least one. */
  async add(key: Key, members: readonly Value[], options?: CreateOptions & Beside): Promise<AddResult> {
    const asked = optional(options);
    refuse(this.#door, wrongMembers(key, members) ?? this.#door.checks['set.add'](asked));
    const { ttlMs } = asked;
    return this.#door.change('setAdd', { key, members, ...given({ ttlMs }) }, asked);
  }

  /** Removes members, at least one. The last one takes the set with it. */
  async remove(key: Key, members: readonly Value[], options?: Beside): Promise<RemoveResult> {
    const asked = optional(options);
    refuse(this.#door, wrongMembers(key, members) ?? this.#door.checks['set.remove'](asked));
    return this.#door.change('setRemove', { key, members }, asked);
  }

  /**
   * Tells for each of up to 10000 members whether it is in the set. With `refreshTtl` it is a write.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async contains(
    key: Key,
    members: readonly Value[],
    options?: ReadOptions & BesideReads,
  ): Promise<ContainsResult> {
    const asked = optional(options);
    refuse(this.#door, wrongMembers(key, members) ?? this.#door.checks['set.contains'](asked));
    const { revision = 0, refreshTtl = false } = asked;
    return this.#door.read('setContains', { key, members, revision, refreshTtl }, asked);
  }

  /**
   * All members, in no order that means something, all at one revision. The loop throws what `contains` rejects with, and
   * `historyDiffers`.
   */
  scan(key: Key, options?: SetScanOptions & BesideReads): PagedList<Bytes> {
    const asked = optional(options);
    const wrong = named('key', isKey(key)) ?? this.#door.checks['set.scan'](asked);
    if (wrong !== undefined) return refusedList(this.#door.invalidArgument(wrong));
    const { revision: wanted = 0 } = asked;
    const scanned = { key: keptKey(key), revision: wanted };
    const readPages = callsForPages(async (pageToken, limit, shownAt) => {
      const options = this.#door.goingOn(asked, shownAt);
      const page = await this.#door.read('setScan', { ...scanned, pageToken, limit }, options);
      const { revision, nextPageToken } = page;
      return { items: toBytes(page.members), revision, incarnation: '', nextPageToken };
    });
    return new PagedList(
      asked,
      whileHeld(() => this.#door.hold(wanted), readPages),
    );
  }

  /** Takes members by chance, one or `limit`. */
  async pop(key: Key, options?: TakeOptions & Beside): Promise<TakenMembers<Bytes>> {
    const asked = optional(options);
    refuse(this.#door, named('key', isKey(key)) ?? this.#door.checks['set.pop'](asked));
    const answer = await this.#door.change('setPop', { key, limit: asked.limit ?? 1 }, asked);
    return { ...answer, members: toBytes(answer.members) };
  }

  /**
   * Puts up to 1000 sets together. Without a `destination` the members are the result, and nothing changes; rejects with
   * `limitReached` when they don't fit into one answer.
   */
  async combine(
    operation: SetOperation,
    keys: readonly Key[],
    options?: SetCombineOptions & BesideReads,
  ): Promise<CombineResult<Bytes>> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('operation', setOperation(operation)) ??
        named('keys', keyList(keys)) ??
        this.#door.checks['set.combine'](asked),
    );
    const { destination, limit } = asked;
    const combined = { keys, operation, ...given({ destination, limit }) };
    const answer = await this.#door.change('setCombine', combined, asked);
    return { ...answer, members: toBytes(answer.members) };
  }
}

function wrongMembers(key: Key, members: readonly Value[]): string | undefined {
  return named('key', isKey(key)) ?? named('members', values(members));
}
