/** GETs and SETs that stand one behind the other run together: nothing but their speed may tell. */
import { expect, it } from 'vitest';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { SeededRandom } from '../../../../support/random.ts';
import { DoorHarness } from '../../support/door-harness.ts';
import { showWords, type Word } from '../../support/words.ts';

const rows = [...hashCommands, ...keysCommands, ...stringCommands];
const SEED = 15;
const PIECES = 150;

/** @param isEach each call is run by itself, as for MONITOR. */
async function open(isEach: boolean, options = {}): Promise<DoorHarness> {
  const harness = await DoorHarness.open({ rows, ...options });
  if (isEach) harness.door.hooks.wantsEach = () => true;
  return harness;
}

function anyKey(random: SeededRandom): Word {
  if (random.chance(0.02)) return '';
  if (random.chance(0.05))
    return `a key that is too long for a row of short ones ${'x'.repeat(random.below(40))}`;
  if (random.chance(0.05)) return Buffer.from([0xf8 + random.below(8), random.below(4)]);
  return `k${random.below(12)}`;
}

function anyValue(random: SeededRandom): Word {
  if (random.chance(0.03)) return Buffer.alloc(4094 + random.below(4), 'v');
  return 'v'.repeat(random.below(80));
}

function anyCall(random: SeededRandom): Word[] {
  const key = anyKey(random);
  if (random.chance(0.4)) return ['SET', key, anyValue(random)];
  if (random.chance(0.6)) return ['gEt', key];
  const others: Word[][] = [
    ['SET', key, 'short-lived', 'PX', '100000'],
    ['EXPIRE', key, '1000'],
    ['DEL', key],
    ['HSET', key, 'field', 'value'],
    ['INCR', key],
    ['GET'],
    ['SET', key],
    ['SELECT', '1'],
    ['SELECT', '0'],
    ['MULTI'],
    ['EXEC'],
    ['PING'],
    ['NONE', key],
  ];
  return others[random.below(others.length)] ?? ['PING'];
}

it(`gives the replies and revisions that each call would have by itself (seed ${SEED})`, async () => {
  const random = new SeededRandom(SEED);
  const harnesses = [await open(false), await open(true)] as const;
  const [together, each] = harnesses;
  const clients = [together.connect(), each.connect()] as const;
  for (let piece = 0; piece < PIECES; piece++) {
    const calls = Array.from({ length: random.between(1, 200) }, () => anyCall(random));
    for (const client of clients) client.pipeline(...calls);
    for (const harness of harnesses) await harness.settled();
    const [replies, expected] = clients.map((client) => client.raw());
    expect(replies, calls.map(showWords).join('\n')).toBe(expected);
    expect(together.seam.store.visibleRevision).toBe(each.seam.store.visibleRevision);
  }
  expect(together.defects).toEqual([]);
});

it('shows a watcher of keys each SET of a row, and aborts its transaction', async () => {
  const harness = await open(false);
  const [watcher, writer] = [harness.connect(), harness.connect()];
  watcher.pipeline(['WATCH', 'b'], ['MULTI'], ['SET', 'c', '1']);
  writer.pipeline(['SET', 'a', '1'], ['SET', 'b', '1'], ['GET', 'b']);
  await harness.settled();
  expect(writer.raw()).toBe('+OK\r\n+OK\r\n$1\r\n1\r\n');
  watcher.send('EXEC');
  await harness.settled();
  expect(watcher.replies().at(-1)).toBe(null);
});

it('waits for room in the log within a row, and loses nothing', async () => {
  const limits = { unflushedBytesMax: 1024 * 1024, txnBytesMax: 1024 * 1024, valueBytesMax: 512 * 1024 };
  const harness = await open(false, { limits });
  const client = harness.connect();
  harness.seam.flushes.hold();
  const value = 'v'.repeat(4000);
  const count = 1000;
  client.pipeline(...Array.from({ length: count }, (_, index): Word[] => ['SET', `k${index}`, value]));
  expect(harness.seam.store.committedSequence).toBeLessThan(count);
  harness.seam.flushes.release();
  for (let turn = 0; turn < 50; turn++) await harness.settled();
  expect(client.raw()).toBe('+OK\r\n'.repeat(count));
  client.pipeline(...Array.from({ length: count }, (_, index): Word[] => ['GET', `k${index}`]));
  for (let turn = 0; turn < 10; turn++) await harness.settled();
  expect(client.replies()).toEqual(Array.from({ length: count }, () => value));
});

it('counts the calls of a row in the metrics one by one', async () => {
  const harness = await open(false);
  const ran: [string, number][] = [];
  harness.door.hooks.afterRow = ({ name }, count) => void ran.push([name, count]);
  const client = harness.connect();
  // The first transaction of a store goes by itself, and SETs behind it for a while.
  client.pipeline(...Array.from({ length: 100 }, () => ['SET', 'a', '0']));
  await harness.settled();
  ran.length = 0;
  client.pipeline(['SET', 'a', '1'], ['SET', 'b', '2']);
  await harness.settled();
  client.pipeline(...Array.from({ length: 100 }, () => ['GET', 'a']));
  expect(ran).toEqual([
    ['set', 2],
    ['get', 64],
    ['get', 36],
  ]);
});
