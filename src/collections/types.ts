/**
 * What the calls on hashes, lists, sets, sorted sets and sketches take and give. The client's calls take more: those of
 * `CallOptions`.
 */
import type { Key, Value } from '../api-value.ts';
import type {
  ListEnd,
  MemberBounds,
  RankBounds,
  ScoreAggregate,
  ScoreBounds,
  SetOperation,
  SortedSetRange as PlainRange,
} from '../api-collections.ts';
import type { PagedListOptions } from '../paged-list.ts';
import type { Bytes } from './bytes.ts';
import type { HashFields } from './hash-fields.ts';

export type { ListEnd, MemberBounds, RankBounds, ScoreAggregate, ScoreBounds, SetOperation };

/** How many there are of what was asked for: keys, or members. */
export interface CountResult {
  readonly count: number;
  readonly revision: number;
}

/** Of a change. */
export interface ChangeResult {
  /** The revision of this write; when nothing has changed, that of the store. */
  readonly revision: number;
}

/** Of a change of what has fields, elements or members. */
export interface CountedChangeResult extends ChangeResult {
  /** How many fields, elements or members the key has now. */
  readonly count: number;
}

export interface AddResult extends CountedChangeResult {
  /** How many fields or members are new. */
  readonly addedCount: number;
}

export interface RemoveResult extends CountedChangeResult {
  /** How many there were to remove. */
  readonly removedCount: number;
}

/** Of calls that may create the key. */
export interface CreateOptions {
  /** The time to live that the key gets when this call creates it. A key that exists keeps its own. Left out: none. */
  readonly ttlMs?: number;
}

/** Of calls that read something of a key. */
export interface ReadOptions {
  /** The revision to read at; 0 (default) is the newest. Not with `refreshTtl`. */
  readonly revision?: number;
  /** The key's own time to live starts anew. That makes the call a write. */
  readonly refreshTtl?: boolean;
}

/** Of calls that take something out of a collection. */
export interface TakeOptions {
  /** How many; default 1. */
  readonly limit?: number;
}

/** Values or scores by name: an object, whose names are texts, or a Map or an array of pairs, where names may be bytes. */
export type ByName<Item> =
  Readonly<Record<string, Item>> | ReadonlyMap<Value, Item> | readonly (readonly [name: Value, item: Item])[];

/** Fields with their values. */
export type Fields = ByName<Value>;

export interface HashSetOptions extends CreateOptions {
  /** Fields that exist stay as they are. */
  readonly onlyIfAbsent?: boolean;
}

export interface HashGetOptions extends ReadOptions {
  /** The names of the fields; left out: all of them. */
  readonly names?: readonly Value[];
}

export interface HashGetResult {
  /** The fields that exist. */
  readonly fields: HashFields;
  /** How many fields the hash has; 0: there is no such hash. */
  readonly count: number;
  /** The revision of the store at which it was read. */
  readonly revision: number;
}

export interface HashScanOptions extends PagedListOptions {
  /** The revision to read at; 0 (default) is the newest. */
  readonly revision?: number;
  /** Fields come with an empty value. */
  readonly namesOnly?: boolean;
}

export interface HashDeleteResult extends CountedChangeResult {
  /** How many fields there were to delete. */
  readonly deletedCount: number;
}

export interface PushOptions extends CreateOptions {
  /** The end to add at. Default: the tail. */
  readonly end?: ListEnd;
  /** A list that does not exist is not created. */
  readonly onlyIfExists?: boolean;
}

export interface PopOptions extends TakeOptions {
  /** The end to take from. Default: the head. */
  readonly end?: ListEnd;
}

export interface PopResult extends CountedChangeResult {
  /** What was taken, in the order of taking. None: there is no such list. */
  readonly elements: Bytes[];
}

/** An index counts from the head, 0 the first; a negative one from the tail, -1 the last. */
export interface IndexRange {
  /** The index of the first element; default 0. */
  readonly start?: number;
  /** The index of the last element, inclusive; default -1. */
  readonly stop?: number;
}

export interface ListRangeOptions extends ReadOptions, IndexRange {}

export interface ListRangeResult {
  /** From the head on. */
  readonly elements: Bytes[];
  /** How many elements the list has; 0: there is no such list. */
  readonly count: number;
  /** The revision of the store at which it was read. */
  readonly revision: number;
}

export interface ListScanOptions extends PagedListOptions, IndexRange {
  /** The revision to read at; 0 (default) is the newest. */
  readonly revision?: number;
}

export interface InsertOptions {
  /** The element to look for, from the head on. One of the two must be given. */
  readonly before?: Value;
  readonly behind?: Value;
}

export interface InsertResult extends CountedChangeResult {
  /** Whether that element was found. */
  readonly inserted: boolean;
}

export interface RemoveOptions {
  /** How many, from the head on; negative: from the tail on; 0 (default): all. */
  readonly limit?: number;
}

export interface MoveOptions {
  /** The end to take from. Default: the head. */
  readonly from?: ListEnd;
  /** The end to add at. Default: the tail. */
  readonly to?: ListEnd;
}

export interface MoveResult extends ChangeResult {
  /** What was moved; nothing when there is no such list. */
  readonly element: Bytes | undefined;
}

export interface ContainsResult {
  /** For each member of the request, at the same place, whether it is in the set. */
  readonly contained: boolean[];
  /** How many members the set has; 0: there is no such set. */
  readonly count: number;
  readonly revision: number;
}

export interface SetScanOptions extends PagedListOptions {
  /** The revision to read at; 0 (default) is the newest. */
  readonly revision?: number;
}

export interface TakenMembers<Member> extends CountedChangeResult {
  /** What was taken. None: there is no such set. */
  readonly members: Member[];
}

export interface SetCombineOptions {
  /** The key that gets the result in place of what it held, and is deleted when there is none. Left out: nothing changes. */
  readonly destination?: Key;
  /** The most members of the result; 0 (default): no limit. */
  readonly limit?: number;
}

export interface CombineResult<Member> {
  /** Of the write; without a destination, that of the store. */
  readonly revision: number;
  /** Without a destination; else none. */
  readonly members: Member[];
  /** How many members the result has. */
  readonly count: number;
}

/** Members with their scores. */
export type Scores = ByName<number>;

export interface ScoredMember {
  readonly member: Bytes;
  readonly score: number;
}

/** What stands against a score. */
export interface ScoreConditions {
  /** Members that exist keep their scores. */
  readonly onlyIfAbsent?: boolean;
  /** Members that don't exist are not added. */
  readonly onlyIfExists?: boolean;
  /** A member that exists gets a score only if that is greater than its own. */
  readonly onlyIfGreater?: boolean;
  /** A member that exists gets a score only if that is less than its own. */
  readonly onlyIfLess?: boolean;
}

export interface SortedSetAddOptions extends CreateOptions, ScoreConditions {
  /** The scores are added to those that members have. */
  readonly increment?: boolean;
}

export interface SortedSetAddResult extends AddResult {
  /** How many others have another score than before. */
  readonly changedCount: number;
  /** With `increment`: the score of each member, at the same place; `undefined` where a condition stood against it. Else none. */
  readonly scores: (number | undefined)[];
}

export interface ScoreIncrementOptions extends CreateOptions, ScoreConditions {}

export interface ScoreIncrementResult extends ChangeResult {
  /** The score after the addition; `undefined`: a condition stood against it. */
  readonly score: number | undefined;
}

export interface ScoreResult {
  /** For each member of the request, at the same place, its score; `undefined`: it is not in the set. */
  readonly scores: (number | undefined)[];
  /** How many members the set has; 0: there is no such set. */
  readonly count: number;
  readonly revision: number;
}

export interface RankOptions {
  /** Counted from the highest score. */
  readonly reverse?: boolean;
}

export interface RankResult {
  /** How many members stand before it; `undefined`: it is not in the set. */
  readonly rank: number | undefined;
  readonly score: number | undefined;
  /** How many members the set has. */
  readonly count: number;
  readonly revision: number;
}

/** A part of a sorted set: one of `rank`, `score` and `member`. */
export type BoundedRange = PlainRange;

/** At most one of the three; `{}` is all of it. */
export interface SortedSetRange {
  readonly rank?: RankBounds;
  readonly score?: ScoreBounds;
  readonly member?: MemberBounds;
}

export interface SortedSetRangeOptions extends PagedListOptions {
  /** From the highest score down; ranks are counted from there, too. */
  readonly reverse?: boolean;
  /** The revision to read at; 0 (default) is the newest. Not with ranks, which are those of the newest state. */
  readonly revision?: number;
}

export interface SortedSetPopOptions extends TakeOptions {
  /** Take those with the highest scores; default: the lowest. */
  readonly highest?: boolean;
}

export interface SortedSetCombineOptions {
  /** The key that gets the result in place of what it held, and is deleted when there is none. Left out: nothing changes. */
  readonly destination?: Key;
  /** What the scores of each key are multiplied by, one for each. Left out: 1. */
  readonly weights?: readonly number[];
  /** Default: the sum. With a difference, scores are those of the first. */
  readonly aggregate?: ScoreAggregate;
}

export interface HllAddResult extends ChangeResult {
  /** Whether its estimate may be another one now. */
  readonly changed: boolean;
}

export interface HllCountOptions {
  /** The revision to read at; 0 (default) is the newest. */
  readonly revision?: number;
}

export interface BloomCreateOptions extends CreateOptions {
  /** How often a yes may be wrong: above 0, below 1. Default 0.01. */
  readonly errorRate?: number;
  /** How many elements the first layer is made for. Default 100. */
  readonly capacity?: number;
  /** How many times larger each further layer is. Default 2. */
  readonly expansion?: number;
  /** No further layers; what comes beyond the capacity is refused by `limitReached`. */
  readonly nonScaling?: boolean;
}

export interface BloomAddResult extends ChangeResult {
  /** For each element of the request, at the same place, whether it is surely new. */
  readonly added: boolean[];
}

export interface BloomContainsResult {
  /** For each element of the request, at the same place, whether it may have been added: a no is certain. */
  readonly contained: boolean[];
  readonly revision: number;
}
