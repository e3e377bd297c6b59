/**
 * Sorted sets: members with scores under one key, in the order of the scores, and of their bytes where scores are equal. A score
 * is any number but NaN.
 *
 * ```ts
 * await store.sortedSet.add('scores', { alice: 310, bob: 120 });
 * for await (const { member, score } of store.sortedSet.range('scores', {}, { reverse: true, limit: 10 })) {
 *   console.log(member.text(), score);
 * }
 * const { rank } = await store.sortedSet.rank('scores', 'alice', { reverse: true }); // 0
 * ```
 *
 * What `hash.ts` says of all data types holds here.
 */
import type { ScoredMember as PlainMember, SetOperation } from '../api-collections.ts';
import type { Key, Value } from '../api-value.ts';
import { boundedRange, range as isRange, scores as areScores } from '../arguments/collection-calls.ts';
import { finite, setOperation, values } from '../arguments/collections.ts';
import { named } from '../arguments/check.ts';
import { isKey, keyList } from '../arguments/key.ts';
import { given, noOptions, optional } from '../arguments/shape.ts';
import { value as isValue } from '../arguments/value.ts';
import { PagedList, callsForPages, refusedList, whileHeld } from '../paged-list.ts';
import { Bytes } from './bytes.ts';
import type { CollectionDoor } from './door.ts';
import { boundsOf, keptKey, pairsOf, refuse } from './given.ts';
import type {
  BoundedRange,
  CombineResult,
  CountResult,
  RankOptions,
  RankResult,
  ReadOptions,
  RemoveResult,
  ScoreConditions,
  ScoreIncrementOptions,
  ScoreIncrementResult,
  ScoreResult,
  ScoredMember,
  Scores,
  SortedSetAddOptions,
  SortedSetAddResult,
  SortedSetCombineOptions,
  SortedSetPopOptions,
  SortedSetRange,
  SortedSetRangeOptions,
  TakenMembers,
} from './types.ts';

export class SortedSets<Beside extends object = object, BesideReads extends Beside = Beside> {
  readonly #door: CollectionDoor<Beside, BesideReads>;

  /** @internal */
  constructor(door: CollectionDoor<Beside, BesideReads>) {
    this.#door = door;
  }

  /** Adds members, at least one, or gives them other scores; of several that are equal the last one counts. Rejects with `notANumber`. */
  async add(key: Key, members: Scores, options?: SortedSetAddOptions & Beside): Promise<SortedSetAddResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('members', areScores(members)) ??
        this.#door.checks['sortedSet.add'](asked),
    );
    const { increment = false, ttlMs } = asked;
    const scored = pairsOf(members).map(([member, score]) => ({ member, score }));
    const added = { key, members: scored, ...conditionsOf(asked), increment, ...given({ ttlMs }) };
    return this.#door.change('sortedSetAdd', added, asked);
  }

  /** Adds to the score of a member; one that is not there counts as 0. Rejects with `notANumber`. */
  async increment(
    key: Key,
    member: Value,
    delta = 1,
    options?: ScoreIncrementOptions & Beside,
  ): Promise<ScoreIncrementResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('member', isValue(member)) ??
        named('delta', finite(delta)) ??
        this.#door.checks['sortedSet.increment'](asked),
    );
    const { ttlMs } = asked;
    const members = [{ member, score: delta }];
    const added = { key, members, ...conditionsOf(asked), increment: true, ...given({ ttlMs }) };
    const { revision, scores } = await this.#door.change('sortedSetAdd', added, asked);
    return { revision, score: scores[0] };
  }

  /** Removes members, at least one. The last one takes the set with it. */
  async remove(key: Key, members: readonly Value[], options?: Beside): Promise<RemoveResult> {
    const asked = optional(options);
    refuse(this.#door, wrongMembers(key, members) ?? this.#door.checks['sortedSet.remove'](asked));
    return this.#door.change('sortedSetRemove', { key, members }, asked);
  }

  /**
   * The scores of up to 10000 members. With `refreshTtl` it is a write. Rejects with `revisionCompacted`, `revisionFuture`.
   */
  async score(
    key: Key,
    members: readonly Value[],
    options?: ReadOptions & BesideReads,
  ): Promise<ScoreResult> {
    const asked = optional(options);
    refuse(this.#door, wrongMembers(key, members) ?? this.#door.checks['sortedSet.score'](asked));
    const { revision = 0, refreshTtl = false } = asked;
    return this.#door.read('sortedSetScore', { key, members, revision, refreshTtl }, asked);
  }

  /** Tells how many members stand before one, in the newest state. */
  async rank(key: Key, member: Value, options?: RankOptions & BesideReads): Promise<RankResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('member', isValue(member)) ??
        this.#door.checks['sortedSet.rank'](asked),
    );
    const { reverse = false } = asked;
    const answer = await this.#door.read('sortedSetRank', { key, member, reverse }, asked);
    const { rank, score, count, revision } = answer;
    return { rank, score: rank === undefined ? undefined : score, count, revision };
  }

  /**
   * The members of a range by rank, score or member, or all of them, in order and at one revision. The loop throws what `score`
   * rejects with, and `historyDiffers`.
   */
  range(
    key: Key,
    range: SortedSetRange = noOptions,
    options?: SortedSetRangeOptions & BesideReads,
  ): PagedList<ScoredMember> {
    const asked = optional(options);
    const wrong =
      named('key', isKey(key)) ??
      named('range', isRange(range)) ??
      this.#door.checks['sortedSet.range'](asked);
    if (wrong !== undefined) return refusedList(this.#door.invalidArgument(wrong));
    const { revision: wanted = 0, reverse = false } = asked;
    const scanned = { key: keptKey(key), range: boundsOf(range), reverse, revision: wanted };
    const readPages = callsForPages(async (pageToken, limit, shownAt) => {
      const options = this.#door.goingOn(asked, shownAt);
      const page = await this.#door.read('sortedSetRange', { ...scanned, pageToken, limit }, options);
      const { revision, nextPageToken } = page;
      return { items: page.members.map(toScoredMember), revision, incarnation: '', nextPageToken };
    });
    return new PagedList(
      asked,
      whileHeld(() => this.#door.hold(wanted), readPages),
    );
  }

  /** The number of members in a range, in the newest state. */
  async count(key: Key, range: SortedSetRange = noOptions, options?: BesideReads): Promise<CountResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('range', isRange(range)) ??
        this.#door.checks['sortedSet.count'](asked),
    );
    return this.#door.read('sortedSetCount', { key, range: boundsOf(range) }, asked);
  }

  /** Removes a range; all of it is not one: the store's own `delete` takes the key away. */
  async removeRange(key: Key, range: BoundedRange, options?: Beside): Promise<RemoveResult> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('key', isKey(key)) ??
        named('range', boundedRange(range)) ??
        this.#door.checks['sortedSet.removeRange'](asked),
    );
    return this.#door.change('sortedSetRemoveRange', { key, range: boundsOf(range) ?? range }, asked);
  }

  /** Takes the members with the lowest or highest scores, one or `limit`. */
  async pop(key: Key, options?: SortedSetPopOptions & Beside): Promise<TakenMembers<ScoredMember>> {
    const asked = optional(options);
    refuse(this.#door, named('key', isKey(key)) ?? this.#door.checks['sortedSet.pop'](asked));
    const { highest = false, limit = 1 } = asked;
    const answer = await this.#door.change('sortedSetPop', { key, highest, limit }, asked);
    return { ...answer, members: answer.members.map(toScoredMember) };
  }

  /**
   * Puts up to 1000 sorted sets together, or sets, whose scores count as 1. Without a `destination` the members are the result, and
   * nothing changes; rejects with `limitReached` when they don't fit into one answer.
   */
  async combine(
    operation: SetOperation,
    keys: readonly Key[],
    options?: SortedSetCombineOptions & BesideReads,
  ): Promise<CombineResult<ScoredMember>> {
    const asked = optional(options);
    refuse(
      this.#door,
      named('operation', setOperation(operation)) ??
        named('keys', keyList(keys)) ??
        this.#door.checks['sortedSet.combine'](asked),
    );
    const { destination, weights, aggregate } = asked;
    const combined = { keys, operation, ...given({ destination, weights, aggregate }) };
    const answer = await this.#door.change('sortedSetCombine', combined, asked);
    return { ...answer, members: answer.members.map(toScoredMember) };
  }
}

function conditionsOf({
  onlyIfAbsent = false,
  onlyIfExists = false,
  onlyIfGreater = false,
  onlyIfLess = false,
}: ScoreConditions): Required<ScoreConditions> {
  return { onlyIfAbsent, onlyIfExists, onlyIfGreater, onlyIfLess };
}

function toScoredMember({ member, score }: PlainMember): ScoredMember {
  return { member: new Bytes(member), score };
}

function wrongMembers(key: Key, members: readonly Value[]): string | undefined {
  return named('key', isKey(key)) ?? named('members', values(members));
}
