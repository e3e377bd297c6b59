/** Pushes and pops of one list that stand one behind the other run together: nothing but their speed may tell. */
import { expect, it } from 'vitest';
import type { WatchMessage } from '../../../../../src/api.ts';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { listMoveCommands } from '../../../../../src/server/redis/commands/families/lists/moves.ts';
import { listReadCommands } from '../../../../../src/server/redis/commands/families/lists/reads.ts';
import { listCommands } from '../../../../../src/server/redis/commands/families/lists/list.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import type { View } from '../../../../../src/store/views/view.ts';
import { ALL, bytesOf } from '../../../../store/seam/seam-harness.ts';
import { SeededRandom } from '../../../../support/random.ts';
import { DoorHarness, type DoorHarnessOptions } from '../../support/door-harness.ts';
import { showWords, type Word } from '../../support/words.ts';

const rows = [...keysCommands, ...listCommands, ...listMoveCommands, ...listReadCommands, ...stringCommands];
const { LIST_ROW_SEED } = process.env;
const SEEDS = LIST_ROW_SEED === undefined ? [1, 2, 3] : [Number(LIST_ROW_SEED)];
const PIECES = 40;
const KEYS = ['one', 'two', 'three'];
const ENDS = ['LPUSH', 'RPUSH', 'LPOP', 'RPOP'] as const;
const OLD_COUNT = 200;

type RanRow = readonly [name: string, count: number];

/** @param isEach each call is run by itself, as for MONITOR. */
async function open(isEach: boolean, options: Partial<DoorHarnessOptions> = {}) {
  const harness = await DoorHarness.open({ rows, ...options });
  if (isEach) harness.door.hooks.wantsEach = () => true;
  const ran: RanRow[] = [];
  harness.door.hooks.afterRow = ({ name }, count) => void ran.push([name, count]);
  // The first transaction of a store goes by itself.
  const client = harness.connect();
  client.send('SET', 'begun', '1');
  await harness.settled();
  return { harness, client: harness.connect(), ran };
}

function anyElement(random: SeededRandom): Word {
  if (random.chance(0.05)) return Buffer.alloc(random.between(120, 300), 'e');
  if (random.chance(0.1)) return '';
  return 'e'.repeat(random.below(20)) + random.below(100);
}

/** Calls by one command to one list, mostly. */
function anyRun(random: SeededRandom): Word[][] {
  const key = random.pick(KEYS);
  const name = random.pick(ENDS);
  const isPush = name.endsWith('PUSH');
  return Array.from({ length: random.between(1, 90) }, () =>
    isPush ? [name, key, anyElement(random)] : [name, key],
  );
}

function anyOther(random: SeededRandom): Word[] {
  const key = random.pick(KEYS);
  const others: Word[][] = [
    ['LPUSH', key, 'several', 'elements'],
    ['LPOP', key, '3'],
    ['RPUSHX', key, 'x'],
    ['LINSERT', key, 'BEFORE', 'several', 'inserted'],
    ['LSET', key, '0', 'set'],
    ['LTRIM', key, '0', '100'],
    ['LRANGE', key, '0', '-1'],
    ['LLEN', key],
    ['LPUSH', key],
    ['LPUSH', '', 'no key'],
    ['RPOPLPUSH', key, random.pick(KEYS)],
    ['EXPIRE', key, '1000'],
    ['PERSIST', key],
    ['DEL', key],
    ['SET', key, 'plain'],
    ['GET', key],
    ['SELECT', '1'],
    ['SELECT', '0'],
    ['MULTI'],
    ['EXEC'],
  ];
  // What makes lists new or wrong comes seldom enough for long ones.
  const index = random.chance(0.7) ? random.below(11) : random.below(others.length);
  return others[index] ?? ['LLEN', key];
}

function anyPiece(random: SeededRandom): Word[][] {
  const calls: Word[][] = [];
  for (let left = random.between(1, 5); left > 0; left--) {
    calls.push(...anyRun(random));
    if (random.chance(0.5)) calls.push(anyOther(random));
  }
  return calls;
}

/** Every key with all fields of its version, elements included. */
function dump(view: Pick<View, 'scan'>): string[] {
  const found: string[] = [];
  view.scan(ALL, false, (shown) => {
    const { createRevision, modRevision, version, kind, collectionId, leaseId, ttlMs } = shown;
    const texts = [shown.key, shown.value].map((bytes) => Buffer.from(bytes).toString('latin1'));
    found.push(
      [...texts, createRevision, modRevision, version, kind, collectionId, leaseId, ttlMs].join(' '),
    );
    return true;
  });
  return found;
}

/** The changes of a watch that was opened before all of them, with elements. */
async function watched(watch: AsyncIterableIterator<WatchMessage>, last: number): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const message of watch) {
    if (message.kind !== 'events') continue;
    events.push(message.revision, message.events);
    if (message.revision >= last) return events;
  }
  return events;
}

it.each(SEEDS)(
  'leaves the store as each call would by itself, at every revision, for watches and in the log (seed %i)',
  async (seed) => {
    const random = new SeededRandom(seed);
    const both = [await open(false), await open(true)] as const;
    const [together, each] = both;
    const watches = both.map(({ harness }) =>
      harness.seam.store.watch({ startRevision: 1, includeElements: true, returnPrevious: true }),
    );
    for (let piece = 0; piece < PIECES; piece++) {
      const calls = anyPiece(random);
      for (const { client } of both) client.pipeline(...calls);
      for (const { harness } of both) await harness.settled();
      const [replies, expected] = both.map(({ client }) => client.raw());
      expect(replies, calls.map(showWords).join('\n')).toBe(expected);
      const [state, expectedState] = both.map(({ harness }) => harness.seam.store.readVisible(dump));
      expect(state, calls.map(showWords).join('\n')).toEqual(expectedState);
    }
    // The last revision is of a key that watches show, whatever database the clients have chosen.
    for (const { harness } of both) harness.connect().send('SET', 'end', '1');
    for (const { harness } of both) await harness.settled();
    const [last, expectedLast] = both.map(({ harness }) => harness.seam.store.visibleRevision);
    expect(last).toBe(expectedLast);
    const revision = last ?? 0;
    for (let count = 0; count < OLD_COUNT; count++) {
      const old = { revision: random.between(1, revision), instantMs: 0 };
      const [state, expected] = both.map(({ harness }) => harness.seam.store.readAt(old, dump));
      expect(state, `at ${old.revision}`).toEqual(expected);
    }
    const [events, expectedEvents] = await Promise.all(watches.map((watch) => watched(watch, revision)));
    expect(events).toEqual(expectedEvents);
    // What recovery makes of the log.
    for (const { harness } of both) await harness.seam.crash();
    const [state, expected] = both.map(({ harness }) => harness.seam.store.readVisible(dump));
    expect(state).toEqual(expected);
    expect([...together.harness.defects, ...each.harness.defects]).toEqual([]);
    const ran = together.ran.filter(([name, count]) => /push|pop/.test(name) && count > 1);
    expect(ran.length).toBeGreaterThan(PIECES);
    expect(each.ran).toEqual([]);
  },
);

it('runs all of a row together but those that make a chunk or take one in', async () => {
  const { harness, client, ran } = await open(false);
  const rowsOf = async (name: string, ...element: string[]): Promise<number> => {
    ran.length = 0;
    client.pipeline(...Array.from({ length: 200 }, () => [name, 'k', ...element]));
    await harness.settled();
    return ran.reduce((sum, [, count]) => sum + count, 0);
  };
  await rowsOf('RPUSH', 'abc');
  for (const name of ['LPUSH', 'RPUSH']) expect(await rowsOf(name, 'abc')).toBeGreaterThan(190);
  for (const name of ['LPOP', 'RPOP']) expect(await rowsOf(name)).toBeGreaterThan(190);
});

it('shows a watcher of a list each push of a row, and serves a client that waits for it with the first', async () => {
  const { harness, client, ran } = await open(false);
  client.pipeline(['RPUSH', 'k', '0'], ['RPUSH', 'k', '1']);
  await harness.settled();
  expect(ran.at(-1)).toEqual(['rpush', 2]);
  const watcher = harness.connect();
  watcher.pipeline(['WATCH', 'k'], ['MULTI'], ['SET', 'c', '1']);
  client.pipeline(['RPUSH', 'k', '2'], ['RPUSH', 'k', '3']);
  await harness.settled();
  watcher.send('EXEC');
  await harness.settled();
  expect(watcher.replies().at(-1)).toBe(null);
  const waiting = harness.connect();
  waiting.send('BLPOP', 'other', '0');
  client.raw();
  client.pipeline(['RPUSH', 'other', 'a'], ['RPUSH', 'other', 'b'], ['LPOP', 'other']);
  await harness.settled();
  expect(waiting.replies()).toEqual([['other', 'a']]);
  expect(client.raw()).toBe(':1\r\n:1\r\n$1\r\nb\r\n');
});

it('waits for room in the log within a row, and loses nothing', async () => {
  const limits = { unflushedBytesMax: 1024 * 1024, txnBytesMax: 1024 * 1024, valueBytesMax: 512 * 1024 };
  const { harness, client } = await open(false, { limits });
  harness.seam.flushes.hold();
  const count = 8000;
  client.pipeline(...Array.from({ length: count }, (_, index): Word[] => ['RPUSH', 'k', `e${index}`]));
  for (let turn = 0; turn < 10; turn++) await harness.seam.clock.settled();
  expect(harness.seam.store.committedSequence).toBeLessThan(count);
  harness.seam.flushes.release();
  for (let turn = 0; turn < 100; turn++) await harness.settled();
  expect(client.raw()).toBe(Array.from({ length: count }, (_, index) => `:${index + 1}\r\n`).join(''));
  const element = harness.seam.store.readVisible((view) => view.readMeta(bytesOf('k'))?.version);
  expect(element).toBe(count);
});
