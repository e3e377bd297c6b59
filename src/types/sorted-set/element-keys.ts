/**
 * The keys of a spread sorted set's elements, two for each:
 *
 *     FA id 'm' member                   → its score, plain
 *     FA id 's' sortable score, member   → nothing; of the score -0, which sorts as 0, the byte 2D
 *
 * Invariant: each member has exactly one key of each kind, and both have the same score.
 */
import {
  beginElementKey,
  ELEMENT_HEAD_BYTES,
  elementKey,
  elementsWithTag,
  tags,
} from '../../store/collections/collection-keys.ts';
import type { EngineRange } from '../../engine/engine.ts';
import type { PlacedChange } from '../../engine/version.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { readSortable, SCORE_BYTES, writeSortable } from './score.ts';

const NEGATIVE_ZERO = Uint8Array.of(0x2d);

const MEMBER_IN_SCORE_KEY = ELEMENT_HEAD_BYTES + SCORE_BYTES;

export function memberKey(id: number, member: Uint8Array): Uint8Array {
  return elementKey(id, tags.member, member);
}

export function scoreKey(id: number, score: number, member: Uint8Array): Uint8Array {
  const key = beginElementKey(id, tags.score, SCORE_BYTES + member.length);
  writeSortable(key, ELEMENT_HEAD_BYTES, score);
  key.set(member, MEMBER_IN_SCORE_KEY);
  return key;
}

export function scoreValue(score: number): Uint8Array {
  return Object.is(score, -0) ? NEGATIVE_ZERO : NO_BYTES;
}

/** The score that a key by score which is shown stands for. */
export function scoreOfKey({ keyMemory, keyStart, valueStart, valueEnd }: PlacedChange): number {
  if (valueEnd > valueStart) return -0;
  return readSortable(keyMemory.bytes, keyStart + ELEMENT_HEAD_BYTES);
}

/** The member of a key by score: a view of it. */
export function memberOfScoreKey(shown: PlacedChange): Uint8Array {
  return shown.keyFrom(MEMBER_IN_SCORE_KEY);
}

/** The member of a key by member: a view of it. */
export function memberOfMemberKey(shown: PlacedChange): Uint8Array {
  return shown.keyFrom(ELEMENT_HEAD_BYTES);
}

/** What lies behind the score in a key of its own. */
export function memberWithin(key: Uint8Array): Uint8Array {
  return key.subarray(MEMBER_IN_SCORE_KEY);
}

export function allByScore(id: number): EngineRange {
  return elementsWithTag(id, tags.score);
}

export function allByMember(id: number): EngineRange {
  return elementsWithTag(id, tags.member);
}

/** Before all keys of a score, or behind them. */
export function scoreBound(id: number, score: number, isBehind: boolean): Uint8Array {
  const bound = beginElementKey(id, tags.score, SCORE_BYTES);
  writeSortable(bound, ELEMENT_HEAD_BYTES, score);
  if (!isBehind) return bound;
  // No score has the highest number, so that it always goes.
  for (let at = bound.length - 1; ; at--) {
    const byte = ((bound[at] ?? 0) + 1) & 0xff;
    bound[at] = byte;
    if (byte !== 0) return bound;
  }
}
