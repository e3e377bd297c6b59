/** What `docs/redis.md` says that one command may do is done, and a third more is refused. */
import { expect, test } from 'vitest';
import { redisRows } from '../../../../src/server/redis/redis-rows.ts';
import { valueTypes } from '../../../../src/types/rdb/format.ts';
import { StreamNodes } from '../../../../src/types/rdb/stream-nodes.ts';
import { ValueWriter } from '../../../../src/types/rdb/value-writer.ts';
import { packFields } from '../../../../src/types/stream/entries.ts';
import { idOfTime } from '../../../../src/types/stream/stream-id.ts';
import { redisBounds } from '../../../../tools/redis-bounds.ts';
import { ErrorReply } from '../support/decoded-reply.ts';
import { RedisHarness } from '../support/redis-harness.ts';
import { KEPT_HISTORY } from '../../../support/test-engine.ts';
import type { Word } from '../support/words.ts';

type Words = readonly Word[];

/** What is filled in before, by call; and the call. */
interface Bounded {
  readonly bound: keyof typeof redisBounds;
  readonly name: string;
  readonly fill: (count: number) => readonly Words[];
  readonly call: (count: number) => Words;
}

const FILLED_AT_ONCE = 10_000;

function filling(name: string, key: string, count: number, item: (index: number) => Words): Words[] {
  const calls: Words[] = [];
  for (let start = 0; start < count; start += FILLED_AT_ONCE) {
    const length = Math.min(FILLED_AT_ONCE, count - start);
    calls.push([name, key, ...Array.from({ length }, (_, index) => item(start + index)).flat()]);
  }
  return calls;
}
const set = (key: string, count: number, first = 0): Words[] =>
  filling('SADD', key, count, (index) => [`m:${first + index}`]);
const sorted = (key: string, count: number, first = 0): Words[] =>
  filling('ZADD', key, count, (index) => [index, `m:${first + index}`]);
const numbers = (count: number): Words[] => filling('RPUSH', 'a', count, (index) => [index]);

/** What DUMP gives of so many members, with their numbers as scores of sorted ones. */
function dumped(type: number, count: number): Uint8Array {
  const writer = new ValueWriter();
  writer.byte(type);
  writer.length(count);
  for (let index = 0; index < count; index++) {
    writer.string(Buffer.from(`m:${index}`));
    if (type === valueTypes.sortedSet) writer.double(index);
  }
  return writer.finish();
}

/** What DUMP gives of a stream of so many entries. */
function dumpedStream(count: number): Uint8Array {
  const nodes = new StreamNodes();
  for (let index = 1; index <= count; index++)
    nodes.add(idOfTime(index), packFields([Buffer.from('f'), Buffer.from(`m:${index}`)]));
  const writer = new ValueWriter();
  writer.byte(valueTypes.stream);
  nodes.writeTo(writer);
  for (const number of [count, count, 0, 0]) writer.length(number);
  return writer.finish();
}

/** A quarter are entries, and the others pending in three groups. */
function streamWithGroups(key: string, count: number): Words[] {
  const entryCount = Math.floor(count / 4);
  const calls: Words[] = [['RESTORE', key, 0, dumpedStream(entryCount)]];
  for (const group of ['g', 'h', 'i']) {
    calls.push(['XGROUP', 'CREATE', key, group, '0']);
    for (let left = entryCount; left > 0; left -= FILLED_AT_ONCE)
      calls.push(['XREADGROUP', 'GROUP', group, 'c', 'COUNT', FILLED_AT_ONCE, 'STREAMS', key, '>']);
  }
  return calls;
}

const cases: readonly Bounded[] = [
  {
    bound: 'membersStored',
    name: 'SINTERSTORE',
    fill: (count) => [...set('a', count), ...set('b', count)],
    call: () => ['SINTERSTORE', 'c', 'a', 'b'],
  },
  {
    bound: 'membersStored',
    name: 'ZUNIONSTORE',
    fill: (count) => [...sorted('a', count / 2), ...sorted('b', count / 2, count)],
    call: () => ['ZUNIONSTORE', 'c', 2, 'a', 'b'],
  },
  {
    bound: 'scoredMembersStored',
    name: 'ZINTERSTORE',
    fill: (count) => [...sorted('a', count), ...sorted('b', count)],
    call: () => ['ZINTERSTORE', 'c', 2, 'a', 'b'],
  },
  {
    bound: 'placesStored',
    name: 'GEOSEARCHSTORE',
    fill: (count) => filling('GEOADD', 'a', count, (index) => [10, 50 + index / 1_000_000, `m:${index}`]),
    call: () => ['GEOSEARCHSTORE', 'b', 'a', 'FROMLONLAT', 10, 50, 'BYRADIUS', 1000, 'km'],
  },
  {
    bound: 'popped',
    name: 'ZPOPMIN',
    fill: (count) => sorted('a', count + 10),
    call: (count) => ['ZPOPMIN', 'a', count],
  },
  {
    bound: 'drawn',
    name: 'SPOP',
    fill: () => set('a', 200_000),
    call: (count) => ['SPOP', 'a', count],
  },
  {
    bound: 'copied',
    name: 'COPY of a set',
    fill: (count) => set('a', count),
    call: () => ['COPY', 'a', 'b'],
  },
  {
    bound: 'copiedScored',
    name: 'COPY of a sorted set',
    fill: (count) => sorted('a', count),
    call: () => ['COPY', 'a', 'b'],
  },
  {
    bound: 'dumped',
    name: 'DUMP of a set',
    fill: (count) => set('a', count),
    call: () => ['DUMP', 'a'],
  },
  {
    bound: 'restored',
    name: 'RESTORE of a set',
    fill: () => [],
    call: (count) => ['RESTORE', 'a', 0, dumped(valueTypes.set, count)],
  },
  {
    bound: 'dumped',
    name: 'DUMP of a stream',
    fill: (count) => streamWithGroups('a', count),
    call: () => ['DUMP', 'a'],
  },
  {
    bound: 'restored',
    name: 'RESTORE of a stream',
    fill: () => [],
    call: (count) => ['RESTORE', 'a', 0, dumpedStream(count)],
  },
  {
    bound: 'restoredScored',
    name: 'RESTORE of a sorted set',
    fill: () => [],
    call: (count) => ['RESTORE', 'a', 0, dumped(valueTypes.sortedSet, count)],
  },
  {
    bound: 'swapped',
    name: 'SWAPDB',
    fill: (count) =>
      Array.from({ length: Math.ceil(count / FILLED_AT_ONCE) }, (_, part) => [
        'MSET',
        ...Array.from({ length: FILLED_AT_ONCE }, (__, index) => [`k:${part}:${index}`, 'v']).flat(),
      ]),
    call: () => ['SWAPDB', 0, 1],
  },
  {
    bound: 'moved',
    name: 'LINSERT',
    fill: (count) => filling('RPUSH', 'a', count, (index) => [`item:${index}`]),
    call: (count) => ['LINSERT', 'a', 'BEFORE', `item:${Math.floor(count / 2)}`, 'x'],
  },
  {
    bound: 'compared',
    name: 'LCS',
    fill: (count) => [
      ['SET', 'a', 'ab'.repeat(count / 2)],
      ['SET', 'b', 'ba'.repeat(count / 2)],
    ],
    call: () => ['LCS', 'a', 'b', 'LEN'],
  },
  { bound: 'sorted', name: 'SORT', fill: numbers, call: () => ['SORT', 'a', 'LIMIT', 0, 1] },
  {
    bound: 'sortedByKeys',
    name: 'SORT BY STORE',
    fill: numbers,
    call: () => ['SORT', 'a', 'BY', 'w:*', 'STORE', 'c'],
  },
  {
    bound: 'unitedSketches',
    name: 'PFCOUNT',
    fill: () => [['PFADD', 'a', 'x']],
    call: (count) => ['PFCOUNT', ...Array.from({ length: count }, () => 'a')],
  },
];

test.each(cases)(
  '$name does what the page says, and a third more is refused',
  { timeout: 300_000 },
  async (bounded) => {
    const { atMost } = redisBounds[bounded.bound];
    expect(await replyTo(bounded, atMost)).not.toBeInstanceOf(ErrorReply);
    const refused = await replyTo(bounded, 2 * Math.ceil((atMost * 2) / 3));
    expect(refused).toBeInstanceOf(ErrorReply);
    expect((refused as ErrorReply).text).toMatch(
      /looks at more than|one transaction moves|reads more than|at most|changes more/,
    );
  },
);

async function replyTo({ fill, call }: Bounded, count: number): Promise<unknown> {
  // What is looked at in memory is counted: what would be read of files comes on top.
  const options = { limits: KEPT_HISTORY };
  const rows = redisRows.filter((row) => !('session' in row));
  const harness = await RedisHarness.open(rows, options);
  for (const words of fill(count)) {
    expect(harness.run(...words)).not.toBeInstanceOf(ErrorReply);
    await harness.durable();
  }
  return harness.run(...call(count));
}
