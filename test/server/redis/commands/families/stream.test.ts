/** Streams of which one call can't do all at once: what it does then, and that calls of the same words come to the end. */
import { describe, expect, it } from 'vitest';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { streamCommands } from '../../../../../src/server/redis/commands/families/streams/entries.ts';
import { streamGroupCommands } from '../../../../../src/server/redis/commands/families/streams/groups.ts';
import { streamPendingCommands } from '../../../../../src/server/redis/commands/families/streams/pending.ts';
import { fixed } from '../../../../../src/limits.ts';
import { streamReadCommands } from '../../../../../src/server/redis/commands/families/streams/reads.ts';
import { addEntry, packFields } from '../../../../../src/types/stream/entries.ts';
import { Stream } from '../../../../../src/types/stream/stream.ts';
import { idOfTime } from '../../../../../src/types/stream/stream-id.ts';
import { ErrorReply, type DecodedReply } from '../../support/decoded-reply.ts';
import { RedisHarness } from '../../support/redis-harness.ts';

const STREAMS = 200;
const ENTRIES = 300;
const PIECE = 5000;
const keys = Array.from({ length: STREAMS }, (_, index) => `s${index}`);

function open(): Promise<RedisHarness> {
  return RedisHarness.open([
    ...streamCommands,
    ...streamReadCommands,
    ...streamGroupCommands,
    ...streamPendingCommands,
    ...keysCommands,
  ]);
}

/** One stream of so many entries. */
async function longStream(count: number): Promise<RedisHarness> {
  const harness = await open();
  const fields = packFields([Buffer.from('f'), Buffer.from('v')]);
  const key = Buffer.from('s');
  for (let from = 1; from <= count; from += PIECE) {
    harness.store.decide((view) => {
      const stream = Stream.read(view, key) ?? Stream.create(view);
      for (let ms = from; ms < from + PIECE && ms <= count; ms++)
        addEntry(view, stream, idOfTime(ms), fields);
      stream.write(view, key);
    });
    await harness.durable();
  }
  return harness;
}

/** So many streams of so many entries each, with a group that has read nothing, or all of it by one consumer. */
async function manyStreams(isRead: boolean): Promise<RedisHarness> {
  const harness = await open();
  for (let ms = 1; ms <= ENTRIES; ms++) harness.run('XADD', 's0', `${ms}-0`, 'f', 'v');
  harness.run('XGROUP', 'CREATE', 's0', 'g', '0');
  if (isRead) harness.run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's0', '>');
  await harness.durable();
  for (const [index, key] of keys.slice(1).entries()) {
    expect(harness.run('COPY', 's0', key)).toBe(1);
    if (index % 50 === 0) await harness.durable();
  }
  await harness.durable();
  return harness;
}

/** The ids that a reply tells, by stream. */
function idsOf(reply: DecodedReply): Map<string, string[]> {
  expect(Array.isArray(reply)).toBe(true);
  const streams = reply as unknown as [string, [string, unknown][]][];
  return new Map(streams.map(([key, entries]) => [key, entries.map(([id]) => id)]));
}

describe('a consumer with which very much is pending', { timeout: 300_000 }, () => {
  const COUNT = 35_000;

  /** A stream whose entries are all pending with one consumer. */
  async function pendingWithOne(): Promise<RedisHarness> {
    const harness = await longStream(COUNT);
    harness.run('XGROUP', 'CREATE', 's', 'g', '0');
    for (;;) {
      const reply = harness.run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '>');
      await harness.durable();
      if (reply === null) return harness;
    }
  }

  it('goes in parts, and all that was pending is counted; for a transaction it is too much', async () => {
    const harness = await pendingWithOne();
    const call = ['XGROUP', 'DELCONSUMER', 's', 'g', 'c'];
    expect(harness.runTogether(call)).toEqual([expect.any(ErrorReply)]);
    harness.events();
    expect(harness.run(...call)).toBe(COUNT);
    expect(harness.visitsByPiece.length).toBeGreaterThan(1);
    expect(harness.events()).toEqual(['t xgroup-delconsumer s']);
    expect(harness.run('XPENDING', 's', 'g')).toEqual([0, null, null, null]);
    // Nothing is left of the count for the next call.
    expect(harness.run(...call)).toBe(0);
  });
});

describe('trimming a long stream of which much stays', { timeout: 300_000 }, () => {
  const COUNT = 140_000;
  const LEFT = 69_000;
  const firstId = (harness: RedisHarness): DecodedReply => harness.run('XRANGE', 's', '-', '+', 'COUNT', '1');

  it('goes in parts, and is too much for a transaction', async () => {
    const harness = await longStream(COUNT);
    const call = ['XTRIM', 's', 'MAXLEN', String(LEFT)];
    harness.events();
    expect(harness.runTogether(call)).toEqual([expect.any(ErrorReply)]);
    expect(harness.run(...call)).toBe(COUNT - LEFT);
    expect(harness.visitsByPiece.length).toBeGreaterThan(1);
    expect(harness.events()).toEqual(['t xtrim s']);
    expect(harness.run('XLEN', 's')).toBe(LEFT);
    expect(firstId(harness)).toEqual([[`${COUNT - LEFT + 1}-0`, ['f', 'v']]]);
    expect(harness.run(...call)).toBe(0);
    // Little stays: one part does.
    expect(harness.run('XTRIM', 's', 'MINID', String(COUNT - 99))).toBe(LEFT - 100);
    expect(harness.visitsByPiece).toHaveLength(1);
    expect(firstId(harness)).toEqual([[`${COUNT - 99}-0`, ['f', 'v']]]);
  });

  it('takes out as much as LIMIT says, in parts too', async () => {
    const [count, left] = [45_000, 15_000];
    const harness = await longStream(count);
    const limited = (limit: number): DecodedReply =>
      harness.run('XTRIM', 's', 'MAXLEN', '~', String(left), 'LIMIT', String(limit));
    expect(limited(25_050)).toBe(25_000);
    expect(limited(0)).toBe(count - left - 25_000);
    expect(harness.run('XLEN', 's')).toBe(left);
  });

  it('goes on with each XADD', async () => {
    const harness = await longStream(COUNT);
    const lengths: DecodedReply[] = [];
    for (let ms = COUNT + 1; lengths.at(-1) !== LEFT; ms++) {
      expect(harness.run('XADD', 's', 'MAXLEN', String(LEFT), `${ms}-0`, 'f', 'v')).toBe(`${ms}-0`);
      lengths.push(harness.run('XLEN', 's'));
      await harness.durable();
    }
    const wanted = [];
    for (let length = COUNT; length > LEFT; wanted.push(length))
      length = Math.max(LEFT, length + 1 - fixed.streamTrimmedMax);
    expect(lengths).toEqual(wanted);
  });

  it('is one step of XADD where few stay that are short', async () => {
    const harness = await longStream(12_000);
    harness.run('XADD', 's', 'MAXLEN', '100', '12001-0', 'f', 'v');
    expect(harness.run('XLEN', 's')).toBe(100);
  });

  it('writes nothing anew that is long', async () => {
    const harness = await longStream(12_000);
    const long = 'v'.repeat(4096);
    for (let ms = 12_001; ms < 12_100; ms++) harness.run('XADD', 's', `${ms}-0`, 'f', long);
    harness.run('XADD', 's', 'MAXLEN', '100', '12100-0', 'f', long);
    expect(harness.run('XLEN', 's')).toBe(12_100 - fixed.streamTrimmedMax);
  });
});

describe('XREADGROUP of many streams', { timeout: 300_000 }, () => {
  it('hands out what is new of some, and of the others with the next calls', async () => {
    const harness = await manyStreams(false);
    const told = new Map<string, number>();
    let calls = 0;
    for (;;) {
      const reply = harness.run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', ...keys, ...keys.map(() => '>'));
      if (reply === null) break;
      for (const [key, ids] of idsOf(reply)) told.set(key, (told.get(key) ?? 0) + ids.length);
      await harness.durable();
      expect(++calls).toBeLessThan(STREAMS);
    }
    expect(told).toEqual(new Map(keys.map((key) => [key, ENTRIES])));
  });

  it('tells of each some of what is pending until there is none', async () => {
    const harness = await manyStreams(true);
    const behind = new Map(keys.map((key) => [key, '0']));
    const told = new Map(keys.map((key) => [key, 0]));
    for (let isMore = true; isMore;) {
      const reply = harness.run('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', ...keys, ...behind.values());
      isMore = false;
      for (const [key, ids] of idsOf(reply)) {
        const count = (told.get(key) ?? 0) + ids.length;
        // Nothing is told as the end alone.
        if (ids.length === 0) expect(count, key).toBe(ENTRIES);
        else isMore = true;
        told.set(key, count);
        behind.set(key, ids.at(-1) ?? behind.get(key) ?? '');
      }
      await harness.durable();
    }
    expect(told).toEqual(new Map(keys.map((key) => [key, ENTRIES])));
  });
});
