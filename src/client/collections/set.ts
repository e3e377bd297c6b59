/**
 * Sets: members, each once, under one key. A member is 0 to 4096 bytes.
 *
 * ```ts
 * await client.set.add('tags', ['red', 'green']);
 * for await (const member of client.set.scan('tags')) console.log(member.text());
 * const { members } = await client.set.combine('intersection', ['tags', 'colours']);
 * ```
 *
 * What `hash.ts` says of all data types holds here.
 */
import type { Key, Value } from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { keyList } from '../../arguments/requests.ts';
import { noOptions } from '../../arguments/shape.ts';
import type { Caller } from '../calls/caller.ts';
import { setMethods } from '../calls/collection-methods.ts';
import { incompleteReply } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import { type Bytes, toBytes } from '../messages/collections/bytes.ts';
import { toElements } from '../messages/collections/elements.ts';
import { toSetAdd, toSetCombine, toSetPop, toSetRemove } from '../messages/collections/set.ts';
import type {
  AddResult,
  CombineResult,
  ContainsResult,
  CreateOptions,
  ReadOptions,
  RemoveResult,
  SetCombineOptions,
  SetOperation,
  SetScanOptions,
  TakeOptions,
  TakenMembers,
} from '../messages/collections/types.ts';
import { toKey } from '../messages/request.ts';
import type { CallOptions } from '../messages/types.ts';
import { PagedList, callsForPages, refusedList } from '../paging/paged-list.ts';
import { operation as isOperation, optionsByCall, values } from './arguments.ts';

export class Sets {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Adds members, at least one. */
  async add(key: Key, members: readonly Value[], options: CreateOptions = noOptions): Promise<AddResult> {
    refuse(wrongMembers(key, members) ?? optionsByCall['set.add'](options));
    return this.#caller.write(setMethods.add, toSetAdd(key, members, options), options);
  }

  /** Removes members, at least one. The last one takes the set with it. */
  async remove(key: Key, members: readonly Value[], options: CallOptions = noOptions): Promise<RemoveResult> {
    refuse(wrongMembers(key, members) ?? optionsByCall['set.remove'](options));
    return this.#caller.write(setMethods.remove, toSetRemove(key, members), options);
  }

  /**
   * Tells for each of up to 10000 members whether it is in the set. With `refreshTtl` it is a write.
   * Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async contains(
    key: Key,
    members: readonly Value[],
    options: ReadOptions = noOptions,
  ): Promise<ContainsResult> {
    refuse(wrongMembers(key, members) ?? optionsByCall['set.contains'](options));
    const { revision = 0, refreshTtl = false } = options;
    const request = { ...toKey(key), members: toElements(members), revision, refreshTtl };
    const reply = await this.#caller[refreshTtl ? 'write' : 'read'](setMethods.contains, request, options);
    if (reply.contained.length !== members.length) throw incompleteReply('the answer for some member');
    return reply;
  }

  /** All members, in no order that means something, all at one revision. The loop throws as that of `client.scan` does. */
  scan(key: Key, options: SetScanOptions = noOptions): PagedList<Bytes> {
    const wrong = named('key', isKey(key)) ?? optionsByCall['set.scan'](options);
    if (wrong !== undefined) return refusedList(wrong);
    const scanned = { ...toKey(key), revision: options.revision ?? 0 };
    const readPages = callsForPages(async (pageToken, limit) => {
      const reply = await this.#caller.read(setMethods.scan, { ...scanned, pageToken, limit }, options);
      const { revision, nextPageToken } = reply;
      return { items: toBytes(reply.members), revision, incarnation: '', nextPageToken };
    });
    return new PagedList(options, readPages);
  }

  /** Takes members by chance, one or `limit`. */
  async pop(key: Key, options: TakeOptions = noOptions): Promise<TakenMembers<Bytes>> {
    refuse(named('key', isKey(key)) ?? optionsByCall['set.pop'](options));
    const reply = await this.#caller.write(setMethods.pop, toSetPop(key, options), options);
    return { ...reply, members: toBytes(reply.members) };
  }

  /**
   * Puts up to 1000 sets together. Without a `destination` the members are the result, and nothing changes; rejects with
   * `limitReached` when they don't fit into one reply.
   */
  async combine(
    operation: SetOperation,
    keys: readonly Key[],
    options: SetCombineOptions = noOptions,
  ): Promise<CombineResult<Bytes>> {
    refuse(
      named('operation', isOperation(operation)) ??
        named('keys', keyList(keys)) ??
        optionsByCall['set.combine'](options),
    );
    const call = options.destination === undefined ? 'read' : 'write';
    const request = toSetCombine(operation, keys, options);
    const reply = await this.#caller[call](setMethods.combine, request, options);
    return { ...reply, members: toBytes(reply.members) };
  }
}

function wrongMembers(key: Key, members: readonly Value[]): string | undefined {
  return named('key', isKey(key)) ?? named('members', values(members));
}
