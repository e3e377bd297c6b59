/**
 * Changes of hashes, lists, sets, sorted sets and sketches as plain types: the operations of a transaction, each also a call of its
 * own. Names of kinds and members are those of `proto/kelp/v1`, whose services say what each does.
 *
 * A key that does not exist counts as an empty collection, and what is left without elements does not exist. A key that holds another
 * type is `wrongType`. `ttlMs` is the time to live of a key that the operation creates; one that exists keeps its own.
 */
import type { Key, Value } from './api-value.ts';

/** A field of a hash, to be set. */
export interface HashFieldInput {
  /** 0 to 4096 bytes. */
  readonly name: Value;
  readonly value: Value;
}

/** A member of a sorted set, to be added. */
export interface ScoredMemberInput {
  /** 0 to 4096 bytes. */
  readonly member: Value;
  /** Any number but NaN. */
  readonly score: number;
}

/** A member of a sorted set. */
export interface ScoredMember {
  readonly member: Uint8Array;
  readonly score: number;
}

/** Where the index is 0, or -1. */
export type ListEnd = 'head' | 'tail';

/** What is in one at least, in each, or in the first and in none of the others. */
export type SetOperation = 'union' | 'intersection' | 'difference';

/** Which score a member gets that several have. */
export type ScoreAggregate = 'sum' | 'min' | 'max';

/** Ranks count from 0, the lowest score; negative ones from the end. */
export interface RankBounds {
  /** Default 0. */
  readonly start?: number;
  /** Inclusive. Default -1. */
  readonly stop?: number;
}

export interface ScoreBounds {
  /** Default: none. */
  readonly min?: number;
  readonly max?: number;
  readonly minExclusive?: boolean;
  readonly maxExclusive?: boolean;
}

/** By their bytes, where all have the same score. */
export interface MemberBounds {
  /** Default: none. */
  readonly min?: Value;
  readonly max?: Value;
  readonly minExclusive?: boolean;
  readonly maxExclusive?: boolean;
}

/** A part of a sorted set. */
export type SortedSetRange =
  { readonly rank: RankBounds } | { readonly score: ScoreBounds } | { readonly member: MemberBounds };

/** What each operation takes, by its kind. */
export interface CollectionArguments {
  readonly hashSet: {
    readonly key: Key;
    /** At least one. Of several with one name the last one counts. */
    readonly fields: readonly HashFieldInput[];
    /** Fields that exist stay as they are. */
    readonly onlyIfAbsent?: boolean;
    readonly ttlMs?: number;
  };
  readonly hashDelete: { readonly key: Key; readonly names: readonly Value[] };
  /** Exactly one of `delta` and `floatDelta`. Throws `notAnInteger`, `integerOverflow`, `notAFloat`, `notANumber`. */
  readonly hashIncrement: {
    readonly key: Key;
    readonly name: Value;
    /** A whole number, added to the decimal text of a signed 64-bit integer. */
    readonly delta?: bigint | number;
    /** Any finite number. */
    readonly floatDelta?: number;
    readonly ttlMs?: number;
  };
  readonly listPush: {
    readonly key: Key;
    /** At least one; the last one is at the end. */
    readonly elements: readonly Value[];
    /** Default: the tail. */
    readonly end?: ListEnd;
    /** A list that does not exist is not created. */
    readonly onlyIfExists?: boolean;
    readonly ttlMs?: number;
  };
  readonly listPop: {
    readonly key: Key;
    /** Default: the head. */
    readonly end?: ListEnd;
    /** How many; 0 or left out: 1. */
    readonly limit?: number;
  };
  /** Throws `keyNotFound`, `indexOutOfRange`. */
  readonly listSet: { readonly key: Key; readonly index: number; readonly element: Value };
  readonly listInsert: {
    readonly key: Key;
    /** The element to look for, from the head on. */
    readonly pivot: Value;
    readonly element: Value;
    /** Behind the pivot; default: before it. */
    readonly isBehind?: boolean;
  };
  readonly listRemove: {
    readonly key: Key;
    readonly element: Value;
    /** How many, from the head on; negative: from the tail on; 0 or left out: all. */
    readonly limit?: number;
  };
  readonly listTrim: {
    readonly key: Key;
    /** The index of the first element that stays; negative: from the tail. Default 0. */
    readonly start?: number;
    /** The last one, inclusive. Default -1. */
    readonly stop?: number;
  };
  readonly listMove: {
    readonly key: Key;
    readonly destination: Key;
    /** Default: the head. */
    readonly from?: ListEnd;
    /** Default: the tail. */
    readonly to?: ListEnd;
  };
  readonly setAdd: { readonly key: Key; readonly members: readonly Value[]; readonly ttlMs?: number };
  readonly setRemove: { readonly key: Key; readonly members: readonly Value[] };
  /** By chance. */
  readonly setPop: {
    readonly key: Key;
    /** How many; 0 or left out: 1. */
    readonly limit?: number;
  };
  readonly setCombine: {
    /** 1 to 1000. */
    readonly keys: readonly Key[];
    readonly operation: SetOperation;
    /** Gets the result in place of what it held; left out: the members are told, and nothing changes. */
    readonly destination?: Key;
    /** The most members of the result; 0 or left out: all. */
    readonly limit?: number;
  };
  readonly sortedSetAdd: {
    readonly key: Key;
    /** At least one. Of several that are equal the last one counts. */
    readonly members: readonly ScoredMemberInput[];
    /** Members that exist keep their scores. */
    readonly onlyIfAbsent?: boolean;
    /** Members that don't exist are not added. */
    readonly onlyIfExists?: boolean;
    /** A member that exists gets a score only if that is greater than its own, ... */
    readonly onlyIfGreater?: boolean;
    /** ... or less. */
    readonly onlyIfLess?: boolean;
    /** Scores are added to those that members have. A sum that is no number is `notANumber`. */
    readonly increment?: boolean;
    readonly ttlMs?: number;
  };
  readonly sortedSetRemove: { readonly key: Key; readonly members: readonly Value[] };
  readonly sortedSetRemoveRange: { readonly key: Key; readonly range: SortedSetRange };
  readonly sortedSetPop: {
    readonly key: Key;
    /** Those with the highest scores; default: the lowest. */
    readonly highest?: boolean;
    /** How many; 0 or left out: 1. */
    readonly limit?: number;
  };
  /** Of sorted sets and sets, whose members have the score 1. */
  readonly sortedSetCombine: {
    /** 1 to 1000. */
    readonly keys: readonly Key[];
    readonly operation: SetOperation;
    /** What the scores of each key are multiplied by, one for each; left out: 1. Not with a difference. */
    readonly weights?: readonly number[];
    /** Default: the sum. */
    readonly aggregate?: ScoreAggregate;
    /** As in `setCombine`. */
    readonly destination?: Key;
  };
  readonly hllAdd: { readonly key: Key; readonly elements: readonly Value[]; readonly ttlMs?: number };
  readonly hllMerge: {
    readonly key: Key;
    /** At most 1000. */
    readonly sources: readonly Key[];
  };
  /** Throws `conditionFailed` for a key that exists. */
  readonly bloomCreate: {
    readonly key: Key;
    /** Above 0, below 1; default 0.01. */
    readonly errorRate?: number;
    /** How many elements the first layer is for, from 1; default 100. */
    readonly capacity?: number;
    /** How many times larger each further layer is, from 1; default 2. */
    readonly expansion?: number;
    /** No further layers: what comes beyond the capacity is `limitReached`. */
    readonly nonScaling?: boolean;
    readonly ttlMs?: number;
  };
  readonly bloomAdd: { readonly key: Key; readonly elements: readonly Value[]; readonly ttlMs?: number };
}

/** What each operation answers. `count` is how many elements there are now. */
export interface CollectionAnswers {
  readonly hashSet: { readonly addedCount: number; readonly count: number };
  readonly hashDelete: { readonly deletedCount: number; readonly count: number };
  /** The number after the addition, as the field has it. */
  readonly hashIncrement: { readonly value: Uint8Array };
  readonly listPush: { readonly count: number };
  /** In the order of taking; none: there is no such list. */
  readonly listPop: { readonly elements: Uint8Array[]; readonly count: number };
  readonly listSet: object;
  /** Whether the pivot was found. */
  readonly listInsert: { readonly inserted: boolean; readonly count: number };
  readonly listRemove: { readonly removedCount: number; readonly count: number };
  readonly listTrim: { readonly count: number };
  /** `element` is empty when nothing was moved. */
  readonly listMove: { readonly moved: boolean; readonly element: Uint8Array };
  readonly setAdd: { readonly addedCount: number; readonly count: number };
  readonly setRemove: { readonly removedCount: number; readonly count: number };
  readonly setPop: { readonly members: Uint8Array[]; readonly count: number };
  /** No members with a destination; `count` is that of the result. */
  readonly setCombine: { readonly members: Uint8Array[]; readonly count: number };
  readonly sortedSetAdd: {
    readonly addedCount: number;
    /** How many others have another score than before. */
    readonly changedCount: number;
    readonly count: number;
    /** With `increment`, of each member; `undefined`: a condition stood against it. */
    readonly scores: (number | undefined)[];
  };
  readonly sortedSetRemove: { readonly removedCount: number; readonly count: number };
  readonly sortedSetRemoveRange: { readonly removedCount: number; readonly count: number };
  readonly sortedSetPop: { readonly members: ScoredMember[]; readonly count: number };
  /** In order, and none with a destination; `count` is that of the result. */
  readonly sortedSetCombine: { readonly members: ScoredMember[]; readonly count: number };
  /** Whether the estimate may be another one now. */
  readonly hllAdd: { readonly changed: boolean };
  readonly hllMerge: object;
  readonly bloomCreate: object;
  /** For each element whether it is surely new. */
  readonly bloomAdd: { readonly added: boolean[] };
}

export type CollectionKind = keyof CollectionArguments;

/** An operation of a kind, or of any. */
export type CollectionOperation<Kind extends CollectionKind = CollectionKind> = {
  readonly [Each in Kind]: { readonly kind: Each } & CollectionArguments[Each];
}[Kind];

/** What an operation of a kind, or of any, has done. */
export type CollectionResult<Kind extends CollectionKind = CollectionKind> = {
  readonly [Each in Kind]: { readonly kind: Each } & CollectionAnswers[Each];
}[Kind];
