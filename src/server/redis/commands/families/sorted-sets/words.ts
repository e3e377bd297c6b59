/** What the words of sorted sets' commands stand for: intervals, selections, keys behind a number; and how elements are replied. */
import { serverFixed } from '../../../../../limits.ts';
import type {
  MemberBound,
  MemberInterval,
  ScoreInterval,
} from '../../../../../types/sorted-set/intervals.ts';
import type { Limit, Span } from '../../../../../types/sorted-set/span.ts';
import type { ReadView } from '../../../../../store/views/view.ts';
import { readLooseDouble } from '../../../protocol/number-words.ts';
import { ReplyError } from '../../../replies/errors.ts';
import type { Arguments, CommandCall, FoundKeys, KeyUse, Reply, Slice } from '../../command.ts';

const LOW_WORD = 0x2d;
const HIGH_WORD = 0x2b;
const EXCLUDING = 0x28;
const INCLUDING = 0x5b;

export function scoreIntervalAt(args: Arguments, min: number, max: number): ScoreInterval {
  return {
    min: scoreBoundAt(args, min),
    max: scoreBoundAt(args, max),
    isMinExcluded: args.bytes(min)[0] === EXCLUDING,
    isMaxExcluded: args.bytes(max)[0] === EXCLUDING,
  };
}

function scoreBoundAt(args: Arguments, index: number): number {
  const word = args.bytes(index);
  const score = readLooseDouble(word, word[0] === EXCLUDING ? 1 : 0);
  if (score === undefined) throw new ReplyError('ERR min or max is not a float');
  return score;
}

export function memberIntervalAt(args: Arguments, min: number, max: number): MemberInterval {
  return { min: memberBoundAt(args, min), max: memberBoundAt(args, max) };
}

function memberBoundAt(args: Arguments, index: number): MemberBound {
  const word = args.bytes(index);
  const [first] = word;
  if (first === EXCLUDING || first === INCLUDING)
    return { member: word.subarray(1), isExcluded: first === EXCLUDING };
  if (word.length === 1 && first === LOW_WORD) return 'low';
  if (word.length === 1 && first === HIGH_WORD) return 'high';
  throw new ReplyError('ERR min or max not valid string range item');
}

export function limitAt(args: Arguments, offset: number): Limit {
  return { offset: args.integer(offset), count: args.integer(offset + 1) };
}

/** Of commands that name so many keys as they say. */
export function keysBehindNumber(numberAt: number, use: KeyUse, hasDestination = false): FoundKeys {
  return {
    find: (args: Arguments, tell): void => {
      if (hasDestination && args.count > 1) tell(1, 'write');
      if (args.count <= numberAt || !/^[1-9]\d*$/.test(args.text(numberAt))) return;
      const end = Math.min(args.count, numberAt + 1 + Number(args.text(numberAt)));
      for (let index = numberAt + 1; index < end; index++) tell(index, use);
    },
    told: hasDestination ? [1, 1, 1] : [0, 0, 0],
  };
}

/** An element with its score: side by side, or in RESP3 as an array of its own. */
export function replyScored(reply: Reply, member: Uint8Array, score: number, hasScore: boolean): void {
  if (hasScore && reply.version === 3) reply.array(2);
  reply.bulk(member);
  if (hasScore) reply.double(score);
}

/** The head of an array of so many elements as `replyScored` writes them. */
export function replyScoredHead(reply: Reply, count: number, hasScores: boolean): void {
  reply.array(hasScores && reply.version === 2 ? 2 * count : count);
}

/** An array of a part of a sorted set. */
export function replySpan(
  view: ReadView,
  { reply }: CommandCall,
  span: Span | undefined,
  hasScores: boolean,
): Slice | undefined {
  if (span === undefined) {
    reply.array(0);
    return undefined;
  }
  replyScoredHead(reply, span.count, hasScores);
  const goOn: Slice = (state, target) =>
    span.step(state, serverFixed.elementsPerSlice, (member, score) =>
      replyScored(target, member, score, hasScores),
    )
      ? goOn
      : undefined;
  return goOn(view, reply);
}
