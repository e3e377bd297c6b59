/** Connections that find memory full of changes which a checkpoint writes wait for it, whole and in their order; the others go on. */
import { expect, onTestFinished, test } from 'vitest';
import { fixed } from '../../../../src/limits.ts';
import { keysCommands } from '../../../../src/server/redis/commands/families/keys/keys.ts';
import { listCommands } from '../../../../src/server/redis/commands/families/lists/list.ts';
import { listMoveCommands } from '../../../../src/server/redis/commands/families/lists/moves.ts';
import { stringCommands } from '../../../../src/server/redis/commands/families/strings/strings.ts';
import { Bases } from '../../../store/durable/layered-store.ts';
import { SimpleReply } from '../support/decoded-reply.ts';
import { DoorHarness, type TestClient } from '../support/door-harness.ts';

const MIB = 1024 * 1024;
const VALUE = 'v'.repeat(MIB / 2);
const LIMIT_BYTES = 16 * MIB;
const COUNT = 48;
const OK = new SimpleReply('OK');

/** Memory is full but for less than a value, and a checkpoint of most of it is held. */
async function openFull(): Promise<{ harness: DoorHarness; bases: Bases; other: TestClient }> {
  const bases = new Bases();
  bases.hold();
  const harness = await DoorHarness.open({
    rows: [...stringCommands, ...keysCommands, ...listCommands, ...listMoveCommands],
    engine: 'lsm',
    makeEngine: bases.makeEngine,
    memoryBytesMax: LIMIT_BYTES,
  });
  onTestFinished(() => bases.letGo());
  const filler = harness.connect();
  filler.pipeline(...Array.from({ length: COUNT }, (_, index) => ['SET', `f${index}`, VALUE]));
  await settled(harness);
  filler.connection.close();
  return { harness, bases, other: harness.connect() };
}

async function settled({ seam }: DoorHarness): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await seam.clock.settled();
}

async function runs(harness: DoorHarness, client: TestClient, ...words: string[]): Promise<unknown> {
  client.send(...words);
  await settled(harness);
  return client.replies()[0];
}

/** Lets the checkpoint go on, and what was held by it. */
async function letGo({ seam }: DoorHarness, bases: Bases): Promise<void> {
  bases.letGo();
  await seam.clock.pass(fixed.heldAnswerMsMax);
}

test('what a client has sent behind a write that waits waits with it, and is not read on', async () => {
  const { harness, bases, other } = await openFull();
  const client = harness.connect();
  const calls = Array.from({ length: 8 }, (_, index) => [
    ['SET', `k${index}`, VALUE],
    ['APPEND', 'order', String(index)],
  ]).flat();
  client.pipeline(...calls, ['GET', 'order']);
  await settled(harness);
  expect(client.wire.isPaused).toBe(true);
  expect(client.replies()).toEqual([]);
  // The others go on.
  expect(await runs(harness, other, 'GET', 'f0')).toBe(VALUE);
  other.send('DEL', 'f1');
  await settled(harness);
  expect(await runs(harness, harness.connect(), 'GET', 'f1')).toBe(null);
  await letGo(harness, bases);
  const expected = Array.from({ length: 8 }, (_, index) => [OK, index + 1]).flat();
  expect(client.replies()).toEqual([...expected, '01234567']);
  expect(client.wire.isPaused).toBe(false);
  expect(other.replies()).toEqual([1]);
});

test('EXEC waits as a whole, and runs once', async () => {
  const { harness, bases, other } = await openFull();
  const client = harness.connect();
  client.pipeline(['MULTI'], ['APPEND', 'log', 'x'], ['SET', 'a', VALUE], ['SET', 'b', VALUE], ['EXEC']);
  await settled(harness);
  expect(await runs(harness, other, 'EXISTS', 'log', 'a', 'b')).toBe(0);
  await letGo(harness, bases);
  expect(client.replies().at(-1)).toEqual([1, OK, OK]);
  expect(await runs(harness, other, 'GET', 'log')).toBe('x');
});

test('where waiting was in vain the refusal is the reply, of a transaction for each call that needs room', async () => {
  const { harness, other } = await openFull();
  const [alone, client] = [harness.connect(), harness.connect()];
  alone.send('SET', 'alone', VALUE);
  client.pipeline(['MULTI'], ['DEL', 'f1'], ['SET', 'a', VALUE], ['SET', 'b', VALUE], ['EXEC']);
  await harness.seam.clock.pass(fixed.roomWaitMsMax - 1);
  expect(alone.replies()).toEqual([]);
  expect(await runs(harness, other, 'GET', 'f0')).toBe(VALUE);
  await harness.seam.clock.pass(1 + fixed.heldAnswerMsMax + fixed.heldAnswerLookMs);
  expect(alone.raw()).toMatch(/^-OOM command not allowed/);
  expect(client.raw()).toMatch(/\*3\r\n:1\r\n-OOM [^\r]*\r\n-OOM [^\r]*\r\n$/);
  expect(await runs(harness, other, 'EXISTS', 'alone', 'a', 'b')).toBe(0);
});

test('a client that waits for a key is served once there is room', async () => {
  const { harness, bases, other } = await openFull();
  const blocked = harness.connect();
  blocked.send('BLMOVE', 'from', 'to', 'LEFT', 'RIGHT', '0');
  await settled(harness);
  const freeBytes = LIMIT_BYTES - harness.seam.store.status().memoryBytes;
  other.send('RPUSH', 'from', 'e'.repeat(Math.floor(freeBytes * 0.6)));
  await settled(harness);
  expect(await runs(harness, harness.connect(), 'EXISTS', 'from', 'to')).toBe(1);
  expect(blocked.replies()).toEqual([]);
  await letGo(harness, bases);
  expect(blocked.raw()).toMatch(/^\$\d+\r\ne+\r\n$/);
  expect(await runs(harness, harness.connect(), 'EXISTS', 'to')).toBe(1);
  expect(harness.defects).toEqual([]);
});

test('a door that stops ends connections that wait, and one that is gone waits no more', async () => {
  const { harness, bases } = await openFull();
  const [client, gone] = [harness.connect(), harness.connect()];
  client.send('SET', 'client', VALUE);
  gone.send('SET', 'gone', VALUE);
  await settled(harness);
  gone.connection.close();
  harness.door.stop();
  expect(client.wire.isEnded).toBe(true);
  await letGo(harness, bases);
  expect(await runs(harness, harness.connect(), 'EXISTS', 'client', 'gone')).toBe(0);
});
