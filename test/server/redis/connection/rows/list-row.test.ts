/** Pushes and pops of one list that stand one behind the other run together: nothing but their speed may tell. */
import { expect, it } from 'vitest';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { listMoveCommands } from '../../../../../src/server/redis/commands/families/lists/moves.ts';
import { listReadCommands } from '../../../../../src/server/redis/commands/families/lists/reads.ts';
import { listCommands } from '../../../../../src/server/redis/commands/families/lists/list.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { bytesOf } from '../../../../store/seam/seam-harness.ts';
import { SeededRandom } from '../../../../support/random.ts';
import type { Word } from '../../support/words.ts';
import { compareBothWays, openDoor } from './both-ways.ts';

const rows = [...keysCommands, ...listCommands, ...listMoveCommands, ...listReadCommands, ...stringCommands];
const { LIST_ROW_SEED } = process.env;
const SEEDS = LIST_ROW_SEED === undefined ? [1, 2, 3] : [Number(LIST_ROW_SEED)];
const KEYS = ['one', 'two', 'three'];
const ENDS = ['LPUSH', 'RPUSH', 'LPOP', 'RPOP'] as const;

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

it.each(SEEDS)(
  'leaves the store as each call would by itself, at every revision, for watches and in the log (seed %i)',
  (seed) =>
    compareBothWays(rows, new SeededRandom(seed), { anyRun, anyOther }, (name) => /push|pop/.test(name)),
);

it('runs all of a row together but those that make a chunk or take one in', async () => {
  const { harness, client, ran } = await openDoor(rows, false);
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
  const { harness, client, ran } = await openDoor(rows, false);
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
  const { harness, client } = await openDoor(rows, false, { limits });
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
