/**
 * A sorted set as it is read: its metadata, of one state. Calls take a view of that state; those about ranks and counts need the newest
 * one.
 *
 * Its metadata: packed as `packed-pairs.ts` has it, spread with nothing behind the count and its elements as `element-keys.ts` has
 * them. In a spread one the order by score is that of the keys by score, and the order by member that of the keys by member.
 */
import type { Version } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { isPacked, readCollection, readCount } from '../collections/metadata.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { allByScore, memberKey, scoreKey } from './element-keys.ts';
import {
  hasMember,
  hasScore,
  type MemberInterval,
  memberRange,
  type ScoreInterval,
  scoreRange,
} from './intervals.ts';
import { countPairs, PairCursor } from './packed-pairs.ts';
import { readScore } from './score.ts';

export class SortedSet {
  readonly count: number;
  /** Of a packed one: its value. */
  readonly packed: Uint8Array | undefined;
  /** Of a spread one; else 0. */
  readonly id: number;

  private constructor(version: Version) {
    if (isPacked(version)) {
      this.packed = version.value;
      this.count = countPairs(version.value);
      this.id = 0;
    } else {
      this.packed = undefined;
      this.count = readCount(version).count;
      this.id = version.collectionId;
    }
  }

  /** `undefined`: there is none. Throws `wrongType`. */
  static read(view: ReadView, key: Uint8Array): SortedSet | undefined {
    const version = readCollection(view, key, kinds.sortedSet);
    return version && new SortedSet(version);
  }

  score(view: ReadView, member: Uint8Array): number | undefined {
    if (member.length > fixed.memberBytesMax) return undefined;
    if (this.packed === undefined) {
      const stored = view.read(memberKey(this.id, member));
      return stored && readScore(stored.value, 0);
    }
    for (const pairs = new PairCursor(this.packed); pairs.next();)
      if (pairs.isMember(member)) return pairs.score;
    return undefined;
  }

  /** How many members stand before one in the order by score. */
  rank(view: View, member: Uint8Array): number | undefined {
    if (this.packed === undefined) {
      const score = this.score(view, member);
      if (score === undefined) return undefined;
      return view.rank(allByScore(this.id), scoreKey(this.id, score, member));
    }
    let rank = 0;
    for (const pairs = new PairCursor(this.packed); pairs.next(); rank++)
      if (pairs.isMember(member)) return rank;
    return undefined;
  }

  countScores(view: View, interval: ScoreInterval): number {
    if (this.packed === undefined) {
      const range = scoreRange(this.id, interval);
      return range === undefined ? 0 : view.count(range);
    }
    let count = 0;
    for (const pairs = new PairCursor(this.packed); pairs.next();)
      if (hasScore(interval, pairs.score)) count++;
    return count;
  }

  countMembers(view: View, interval: MemberInterval): number {
    if (this.packed === undefined) {
      const range = memberRange(this.id, interval);
      return range === undefined ? 0 : view.count(range);
    }
    let count = 0;
    for (const pairs = new PairCursor(this.packed); pairs.next();)
      if (hasMember(interval, pairs.member)) count++;
    return count;
  }
}
