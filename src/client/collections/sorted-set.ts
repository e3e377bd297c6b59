/**
 * Sorted sets: members with scores under one key, in the order of the scores, and of their bytes where scores are equal. A score
 * is any number but NaN.
 *
 * ```ts
 * await client.sortedSet.add('scores', { alice: 310, bob: 120 });
 * for await (const { member, score } of client.sortedSet.range('scores', {}, { reverse: true, limit: 10 })) {
 *   console.log(member.text(), score);
 * }
 * const { rank } = await client.sortedSet.rank('scores', 'alice', { reverse: true }); // 0
 * ```
 *
 * What `hash.ts` says of all data types holds here.
 */
import { emptySortedSetRangeRequest } from '../../../gen/kelp/v1/sorted_set_codec.ts';
import type { CountResult, Key, Value } from '../../api.ts';
import { named } from '../../arguments/check.ts';
import { isKey } from '../../arguments/key.ts';
import { keyList } from '../../arguments/requests.ts';
import { noOptions } from '../../arguments/shape.ts';
import { copyOf, value as isValue } from '../../arguments/value.ts';
import type { Caller } from '../calls/caller.ts';
import { sortedSetMethods } from '../calls/collection-methods.ts';
import { incompleteReply } from '../errors/error.ts';
import { refuse } from '../errors/refuse.ts';
import { toElements } from '../messages/collections/elements.ts';
import {
  toScoredMembers,
  toScores,
  toSortedSetAdd,
  toSortedSetCombine,
  toSortedSetPop,
  toSortedSetRange,
  toSortedSetRemove,
  toSortedSetRemoveRange,
} from '../messages/collections/sorted-set.ts';
import type {
  BoundedRange,
  CombineResult,
  RankOptions,
  RankResult,
  ReadOptions,
  RemoveResult,
  ScoreIncrementOptions,
  ScoreIncrementResult,
  ScoreResult,
  ScoredMember,
  Scores,
  SetOperation,
  SortedSetAddOptions,
  SortedSetAddResult,
  SortedSetCombineOptions,
  SortedSetPopOptions,
  SortedSetRange,
  SortedSetRangeOptions,
  TakenMembers,
} from '../messages/collections/types.ts';
import { toKey } from '../messages/request.ts';
import type { CallOptions } from '../messages/types.ts';
import { PagedList, callsForPages, refusedList } from '../paging/paged-list.ts';
import {
  boundedRange,
  finite,
  operation as isOperation,
  optionsByCall,
  range as isRange,
  scores as areScores,
  values,
} from './arguments.ts';

export class SortedSets {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Adds members, at least one, or gives them other scores; of several that are equal the last one counts. Rejects with `notANumber`. */
  async add(
    key: Key,
    members: Scores,
    options: SortedSetAddOptions = noOptions,
  ): Promise<SortedSetAddResult> {
    refuse(
      named('key', isKey(key)) ??
        named('members', areScores(members)) ??
        optionsByCall['sortedSet.add'](options),
    );
    const request = toSortedSetAdd(key, members, options);
    const reply = await this.#caller.write(sortedSetMethods.add, request, options);
    return { ...reply, scores: toScores(reply.scores) };
  }

  /** Adds to the score of a member; one that is not there counts as 0. Rejects with `notANumber`. */
  async increment(
    key: Key,
    member: Value,
    delta = 1,
    options: ScoreIncrementOptions = noOptions,
  ): Promise<ScoreIncrementResult> {
    refuse(
      named('key', isKey(key)) ??
        named('member', isValue(member)) ??
        named('delta', finite(delta)) ??
        optionsByCall['sortedSet.increment'](options),
    );
    const request = toSortedSetAdd(key, [[member, delta]], { ...options, increment: true });
    const { revision, scores } = await this.#caller.write(sortedSetMethods.add, request, options);
    if (scores.length !== 1) throw incompleteReply('the score');
    return { revision, score: scores[0]?.score };
  }

  /** Removes members, at least one. The last one takes the set with it. */
  async remove(key: Key, members: readonly Value[], options: CallOptions = noOptions): Promise<RemoveResult> {
    refuse(wrongMembers(key, members) ?? optionsByCall['sortedSet.remove'](options));
    return this.#caller.write(sortedSetMethods.remove, toSortedSetRemove(key, members), options);
  }

  /**
   * The scores of up to 10000 members. With `refreshTtl` it is a write. Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async score(key: Key, members: readonly Value[], options: ReadOptions = noOptions): Promise<ScoreResult> {
    refuse(wrongMembers(key, members) ?? optionsByCall['sortedSet.score'](options));
    const { revision = 0, refreshTtl = false } = options;
    const request = { ...toKey(key), members: toElements(members), revision, refreshTtl };
    const reply = await this.#caller[refreshTtl ? 'write' : 'read'](sortedSetMethods.score, request, options);
    if (reply.scores.length !== members.length) throw incompleteReply('the score of some member');
    return { ...reply, scores: toScores(reply.scores) };
  }

  /** Tells how many members stand before one, in the newest state. */
  async rank(key: Key, member: Value, options: RankOptions = noOptions): Promise<RankResult> {
    refuse(
      named('key', isKey(key)) ??
        named('member', isValue(member)) ??
        optionsByCall['sortedSet.rank'](options),
    );
    const request = { ...toKey(key), member: copyOf(member), reverse: options.reverse ?? false };
    const { rank, score, count, revision } = await this.#caller.read(sortedSetMethods.rank, request, options);
    return { rank, score: rank === undefined ? undefined : score, count, revision };
  }

  /**
   * The members of a range by rank, score or member, or all of them, in order and at one revision. The loop throws as that of
   * `client.scan` does.
   */
  range(
    key: Key,
    range: SortedSetRange = {},
    options: SortedSetRangeOptions = noOptions,
  ): PagedList<ScoredMember> {
    const wrong =
      named('key', isKey(key)) ?? named('range', isRange(range)) ?? optionsByCall['sortedSet.range'](options);
    if (wrong !== undefined) return refusedList(wrong);
    const { revision = 0, reverse = false } = options;
    const scanned = { ...toKey(key), range: toSortedSetRange(range), reverse, revision, countOnly: false };
    const readPages = callsForPages(async (pageToken, limit) => {
      const reply = await this.#caller.read(
        sortedSetMethods.range,
        { ...scanned, pageToken, limit },
        options,
      );
      const { nextPageToken } = reply;
      const items = toScoredMembers(reply.members);
      return { items, revision: reply.revision, incarnation: '', nextPageToken };
    });
    return new PagedList(options, readPages);
  }

  /** The number of members in a range, in the newest state. */
  async count(key: Key, range: SortedSetRange = {}, options: CallOptions = noOptions): Promise<CountResult> {
    refuse(
      named('key', isKey(key)) ?? named('range', isRange(range)) ?? optionsByCall['sortedSet.count'](options),
    );
    const request = {
      ...emptySortedSetRangeRequest(),
      ...toKey(key),
      range: toSortedSetRange(range),
      countOnly: true,
    };
    const { count, revision } = await this.#caller.read(sortedSetMethods.range, request, options);
    return { count, revision };
  }

  /** Removes a range; all of it is not one: `client.delete` takes the key away. */
  async removeRange(key: Key, range: BoundedRange, options: CallOptions = noOptions): Promise<RemoveResult> {
    refuse(
      named('key', isKey(key)) ??
        named('range', boundedRange(range)) ??
        optionsByCall['sortedSet.removeRange'](options),
    );
    return this.#caller.write(sortedSetMethods.removeRange, toSortedSetRemoveRange(key, range), options);
  }

  /** Takes the members with the lowest or highest scores, one or `limit`. */
  async pop(key: Key, options: SortedSetPopOptions = noOptions): Promise<TakenMembers<ScoredMember>> {
    refuse(named('key', isKey(key)) ?? optionsByCall['sortedSet.pop'](options));
    const reply = await this.#caller.write(sortedSetMethods.pop, toSortedSetPop(key, options), options);
    return { ...reply, members: toScoredMembers(reply.members) };
  }

  /**
   * Puts up to 1000 sorted sets together, or sets, whose scores count as 1. Without a `destination` the members are the result, and
   * nothing changes; rejects with `limitReached` when they don't fit into one reply.
   */
  async combine(
    operation: SetOperation,
    keys: readonly Key[],
    options: SortedSetCombineOptions = noOptions,
  ): Promise<CombineResult<ScoredMember>> {
    refuse(
      named('operation', isOperation(operation)) ??
        named('keys', keyList(keys)) ??
        optionsByCall['sortedSet.combine'](options),
    );
    const call = options.destination === undefined ? 'read' : 'write';
    const request = toSortedSetCombine(operation, keys, options);
    const reply = await this.#caller[call](sortedSetMethods.combine, request, options);
    return { ...reply, members: toScoredMembers(reply.members) };
  }
}

function wrongMembers(key: Key, members: readonly Value[]): string | undefined {
  return named('key', isKey(key)) ?? named('members', values(members));
}
