/** Members of sorted sets in no order of scores: by chance, and by a cursor. */
import type { Version } from '../../../../../engine/version.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { countElements, visitElements } from '../../../../../types/collections/element-table.ts';
import { isPacked, readCollection } from '../../../../../types/collections/metadata.ts';
import { visitRandom } from '../../../../../types/collections/random-elements.ts';
import { kinds } from '../../../../../store/collections/kinds.ts';
import { scoreOfElement, sortedSetType } from '../../../../../types/sorted-set/scored-table.ts';
import { doubleText } from '../../../protocol/double-text.ts';
import { syntaxError } from '../../../replies/errors.ts';
import type { Command, CommandCall, Slice } from '../../command.ts';
import { readCursor, readScanOptions } from '../../elements/scan-words.ts';
import {
  readPickCount,
  refuseTooManyPairs,
  writeChosen,
  type WriteElement,
  writeName,
} from '../../elements/table-replies.ts';
import { writeRepeated } from '../../elements/repeated-replies.ts';
import { replyScored, replyScoredHead } from './words.ts';

function read(view: ReadView, key: Uint8Array): Version | undefined {
  return readCollection(view, key, kinds.sortedSet);
}

const writeScored: WriteElement = (reply, member, value) =>
  replyScored(reply, member, scoreOfElement(value), true);

function zrandmember(view: View, call: CommandCall): Slice | undefined {
  const { args, reply } = call;
  if (args.count > 2) return manyByChance(view, call);
  const version = read(view, args.key(1));
  if (version === undefined) reply.nil();
  else visitRandom(view, version, sortedSetType, Math.random, (member) => reply.bulk(member));
  return undefined;
}

function manyByChance(view: View, call: CommandCall): Slice | undefined {
  const { args, reply } = call;
  const exact = readPickCount(args, 2);
  const hasScores = args.count > 3;
  if (args.count > 4 || (hasScores && !args.is(3, 'WITHSCORES'))) throw syntaxError();
  if (hasScores) refuseTooManyPairs(exact);
  const version = read(view, args.key(1));
  const wanted = args.integer(2);
  if (version === undefined || wanted === 0) {
    reply.array(0);
    return undefined;
  }
  const write = hasScores ? writeScored : writeName;
  const isDistinct = wanted > 0;
  const count = isDistinct ? Math.min(wanted, countElements(version, sortedSetType)) : -wanted;
  replyScoredHead(reply, count, hasScores);
  return isDistinct
    ? writeChosen(view, reply, version, sortedSetType, count, write)
    : writeRepeated(view, call, version, sortedSetType, count, write);
}

/** A packed set is told whole. */
function zscan(view: ReadView, { args, reply, cursors }: CommandCall): void {
  const cursor = readCursor(args, 2);
  const key = args.key(1);
  const version = read(view, key);
  if (version === undefined) {
    reply.array(2);
    reply.text('0');
    reply.array(0);
    return;
  }
  const { count, glob } = readScanOptions(args, 3);
  const isWhole = isPacked(version);
  const start = isWhole || cursor <= 0 ? undefined : cursors.find(key, cursor);
  const found: { readonly member: Uint8Array; readonly score: number }[] = [];
  let left = isWhole ? Infinity : count;
  const next = visitElements(view, version, sortedSetType, start, (member, value) => {
    if (glob === undefined || glob.matches(member, 0, member.length))
      found.push({ member: new Uint8Array(member), score: scoreOfElement(value) });
    return --left > 0;
  });
  reply.array(2);
  reply.text(next === undefined ? '0' : String(cursors.keep(key, next)));
  reply.array(2 * found.length);
  for (const { member, score } of found) {
    reply.bulk(member);
    reply.text(isWhole ? shortSetText(score) : doubleText(score));
  }
}

const WHOLE_MAX = 2 ** 62;

/** Redis keeps whole scores of its short sets as integers, and shows them as such here. */
function shortSetText(score: number): string {
  return Number.isInteger(score) && Math.abs(score) < WHOLE_MAX
    ? BigInt(score).toString()
    : doubleText(score);
}

const shared = {
  group: 'sorted-set',
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
  categories: ['read', 'sortedset', 'slow'],
} as const;

export const sortedSetElementCommands: readonly Command[] = [
  {
    ...shared,
    name: 'zrandmember',
    arity: -2,
    summary: 'Reads members by chance, with their scores if asked',
    since: '6.2.0',
    complexity: 'O(log n) per member; where many are asked for, O(n) in all of them',
    syntax: 'key [count [WITHSCORES]]',
    newest: zrandmember,
  },
  {
    ...shared,
    name: 'zscan',
    arity: -3,
    summary: 'Goes through the members with their scores, a piece with each call',
    since: '2.8.0',
    complexity: 'O(log n + m) for m members looked at',
    syntax: 'key cursor [MATCH pattern] [COUNT count]',
    read: zscan,
  },
];
