/**
 * Changes of one sorted set within a transaction. What is there is read once, and the metadata is written once, by `finish`.
 *
 * `score`, `set`, `remove` and `popEnd` are called as often as wanted, then `finish`. A budget that is spent throws, and what was
 * written is taken back with the transaction.
 */
import type { Version } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { View } from '../../store/views/view.ts';
import {
  ITEMS_START,
  isPacked,
  PACKED,
  PACKED_BYTES_MAX,
  PACKED_ELEMENTS_MAX,
  putMetadata,
  readCollection,
  readCount,
  spreadMetadata,
} from '../collections/metadata.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { allByScore, memberKey, memberWithin, scoreKey, scoreOfKey, scoreValue } from './element-keys.ts';
import { countPairs, cutPairs, PairCursor, placePair, sizeOfPair } from './packed-pairs.ts';
import { readScore, scoreBytes } from './score.ts';

const EMPTY = Uint8Array.of(PACKED);

export class SortedSetEdit {
  readonly #view: View;
  readonly #key: Uint8Array;
  readonly #before: Version | undefined;
  /** Only of a packed one. */
  #packed: Uint8Array | undefined;
  /** Of a spread one; else 0. */
  #id = 0;
  #count = 0;
  #isChanged = false;
  /** The member that `score` was asked for last, with its key, and what it has found. */
  #seenMember: Uint8Array | undefined;
  #seenKey: Uint8Array | undefined;
  #seenScore: number | undefined;

  /** Throws `wrongType`. @param isNew it takes the place of what the key holds, with its lifetime. */
  constructor(view: View, key: Uint8Array, isNew = false) {
    this.#view = view;
    this.#key = key;
    const before = isNew ? undefined : readCollection(view, key, kinds.sortedSet);
    this.#before = before;
    if (before === undefined) {
      this.#packed = EMPTY;
    } else if (isPacked(before)) {
      this.#packed = before.value;
      this.#count = countPairs(before.value);
    } else {
      this.#id = before.collectionId;
      this.#count = readCount(before).count;
    }
  }

  get exists(): boolean {
    return this.#before !== undefined;
  }

  get count(): number {
    return this.#count;
  }

  /** Asked again for the object that it was asked for last, it knows. */
  score(member: Uint8Array): number | undefined {
    if (this.#seenMember === member) return this.#seenScore;
    if (member.length > fixed.memberBytesMax) return undefined;
    const score = this.#packed === undefined ? this.#readScore(member) : scoreIn(this.#packed, member);
    this.#seenMember = member;
    this.#seenScore = score;
    return score;
  }

  /** Gives a member a score; one that is equal changes nothing. Throws `invalidArgument` for one that is too long. */
  set(member: Uint8Array, score: number): void {
    const before = this.score(member);
    if (before === score) return;
    this.#isChanged = true;
    if (this.#packed === undefined) this.#setSpread(member, score, before);
    else this.#setPacked(this.#packed, member, score, before);
    if (before === undefined) this.#count++;
    this.#seenMember = member;
    this.#seenScore = score;
  }

  /** @returns whether it was there. */
  remove(member: Uint8Array): boolean {
    const before = this.score(member);
    if (before === undefined) return false;
    this.#isChanged = true;
    this.#count--;
    this.#seenMember = undefined;
    if (this.#packed === undefined) {
      // The key that was looked at last comes first: it needs no second look.
      this.#view.delete(this.#seenKey ?? memberKey(this.#id, member));
      this.#view.delete(scoreKey(this.#id, before, member));
    } else {
      this.#packed = withoutMember(this.#packed, member);
    }
    return true;
  }

  /** Takes out the elements with the lowest scores, or the highest: `countMax` at most, in that order. */
  popEnd(isHighest: boolean, countMax: number, visit: (member: Uint8Array, score: number) => void): void {
    const countPopped = Math.min(countMax, this.#count);
    if (countPopped === 0) return;
    this.#isChanged = true;
    this.#count -= countPopped;
    this.#seenMember = undefined;
    if (this.#packed === undefined) this.#popSpread(isHighest, countPopped, visit);
    else this.#packed = popPacked(this.#packed, isHighest, this.#count, countPopped, visit);
  }

  /** Writes the metadata, or deletes the key of a set that has no members any more. @returns whether it was changed. */
  finish(): boolean {
    if (!this.#isChanged) return false;
    const value = this.#packed ?? spreadMetadata(this.#count).value;
    if (this.#count === 0) this.#view.delete(this.#key);
    else putMetadata(this.#view, this.#key, kinds.sortedSet, value, this.#before, this.#id);
    return true;
  }

  #readScore(member: Uint8Array): number | undefined {
    const key = memberKey(this.#id, member);
    this.#seenKey = key;
    const stored = this.#view.read(key);
    return stored && readScore(stored.value, 0);
  }

  #setSpread(member: Uint8Array, score: number, before: number | undefined): void {
    checkMember(member);
    this.#view.put(this.#seenKey ?? memberKey(this.#id, member), scoreBytes(score));
    if (before !== undefined) this.#view.delete(scoreKey(this.#id, before, member));
    this.#view.put(scoreKey(this.#id, score, member), scoreValue(score));
  }

  #setPacked(packed: Uint8Array, member: Uint8Array, score: number, before: number | undefined): void {
    let cutStart = packed.length;
    let cutEnd = packed.length;
    if (before !== undefined) {
      const pairs = new PairCursor(packed);
      while (pairs.next() && !pairs.isMember(member));
      cutStart = pairs.start;
      cutEnd = pairs.end;
    }
    const bytes = packed.length - (cutEnd - cutStart) + sizeOfPair(member);
    if (bytes <= PACKED_BYTES_MAX && (before !== undefined || this.#count < PACKED_ELEMENTS_MAX)) {
      this.#packed = placePair(packed, cutStart, cutEnd, member, score);
      return;
    }
    this.#packed = undefined;
    this.#id = this.#view.newCollectionId();
    for (const pairs = new PairCursor(packed); pairs.next();) this.#putNew(pairs.member, pairs.score);
    this.#putNew(member, score);
  }

  /** Both keys of a member that a spread set does not have yet. */
  #putNew(member: Uint8Array, score: number): void {
    this.#seenKey = undefined;
    this.#setSpread(member, score, undefined);
  }

  #popSpread(isHighest: boolean, count: number, visit: (member: Uint8Array, score: number) => void): void {
    const view = this.#view;
    if (count === 1) {
      view.delete(this.#popOne(isHighest, visit));
      return;
    }
    const keys: Uint8Array[] = [];
    view.scan(allByScore(this.#id), isHighest, (shown) => {
      const key = shown.copyKey();
      keys.push(key);
      visit(memberWithin(key), scoreOfKey(shown));
      return keys.length < count;
    });
    if (keys.length < count) throw budgetSpent(view.budget);
    for (const key of keys) {
      view.delete(memberKey(this.#id, memberWithin(key)));
      view.delete(key);
    }
  }

  /** @returns the key by score, which is left to delete. */
  #popOne(isHighest: boolean, visit: (member: Uint8Array, score: number) => void): Uint8Array {
    let found: Uint8Array | undefined;
    this.#view.scan(allByScore(this.#id), isHighest, (shown) => {
      found = shown.copyKey();
      visit(memberWithin(found), scoreOfKey(shown));
      return false;
    });
    if (found === undefined) throw budgetSpent(this.#view.budget);
    this.#view.delete(memberKey(this.#id, memberWithin(found)));
    return found;
  }
}

function checkMember(member: Uint8Array): void {
  if (member.length <= fixed.memberBytesMax) return;
  throw new StoreError(
    'invalidArgument',
    `the member is ${member.length} bytes long; at most ${fixed.memberBytesMax} are allowed`,
  );
}

function scoreIn(packed: Uint8Array, member: Uint8Array): number | undefined {
  for (const pairs = new PairCursor(packed); pairs.next();) if (pairs.isMember(member)) return pairs.score;
  return undefined;
}

function withoutMember(packed: Uint8Array, member: Uint8Array): Uint8Array {
  for (const pairs = new PairCursor(packed); pairs.next();)
    if (pairs.isMember(member)) return cutPairs(packed, pairs.start, pairs.end);
  return packed;
}

/** @param rest how many elements are left. */
function popPacked(
  packed: Uint8Array,
  isHighest: boolean,
  rest: number,
  count: number,
  visit: (member: Uint8Array, score: number) => void,
): Uint8Array {
  const pairs = new PairCursor(packed);
  if (!isHighest) {
    for (let index = 0; index < count && pairs.next(); index++) visit(pairs.member, pairs.score);
    return cutPairs(packed, ITEMS_START, pairs.end);
  }
  let cut = ITEMS_START;
  for (let index = 0; index < rest && pairs.next(); index++) cut = pairs.end;
  const popped: { member: Uint8Array; score: number }[] = [];
  while (pairs.next()) popped.push({ member: pairs.member, score: pairs.score });
  for (const { member, score } of popped.reverse()) visit(member, score);
  return cutPairs(packed, cut, packed.length);
}
