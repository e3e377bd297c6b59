/** Connections that find memory full of changes which a checkpoint writes wait for it, whole and in their order; the others go on. */
import { expect, onTestFinished, test, vi } from 'vitest';
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

function waitingCount({ seam }: DoorHarness): number {
  return seam.store.figures().waitingWrites.count;
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

test('each command of a connection waits for a time of its own', async () => {
  const { harness, bases } = await openFull();
  const client = harness.connect();
  client.pipeline(...Array.from({ length: COUNT }, (_, index) => ['SET', `k${index}`, VALUE]));
  await harness.seam.clock.pass(fixed.roomWaitMsMax - 1000);
  // The checkpoint goes on, and the next one does not.
  bases.letGo();
  bases.hold();
  await settled(harness);
  await harness.seam.clock.pass(fixed.roomWaitMsMax - 1000);
  expect(waitingCount(harness)).toBe(1);
  await letGo(harness, bases);
  expect(client.replies()).toEqual(Array.from({ length: COUNT }, () => OK));
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

/** A client that waits for a key, and to serve it there is no room. */
async function blockedClient({
  harness,
  other,
}: {
  readonly harness: DoorHarness;
  readonly other: TestClient;
}): Promise<TestClient> {
  const blocked = harness.connect();
  blocked.send('BLMOVE', 'from', 'to', 'LEFT', 'RIGHT', '0');
  await settled(harness);
  const freeBytes = LIMIT_BYTES - harness.seam.store.status().memoryBytes;
  other.send('RPUSH', 'from', 'e'.repeat(Math.floor(freeBytes * 0.6)));
  await settled(harness);
  expect(waitingCount(harness)).toBe(1);
  return blocked;
}

test('nothing waits for room any more for a client that waits for a key, once another has taken the element', async () => {
  const full = await openFull();
  const blocked = await blockedClient(full);
  full.harness.connect().send('LPOP', 'from');
  await settled(full.harness);
  // It is tried again as soon as something is durable, and told of.
  await full.harness.seam.clock.pass(fixed.heldAnswerMsMax + fixed.heldAnswerLookMs);
  expect(waitingCount(full.harness)).toBe(0);
  await letGo(full.harness, full.bases);
  expect(blocked.replies()).toEqual([]);
  full.other.send('RPUSH', 'from', 'next');
  await settled(full.harness);
  expect(blocked.replies()).toEqual(['next']);
});

test('where room to serve a client that waits for a key was waited for in vain, that is its reply', async () => {
  const full = await openFull();
  const { harness } = full;
  const blocked = await blockedClient(full);
  await harness.seam.clock.pass(fixed.roomWaitMsMax - 1);
  expect(blocked.raw()).toBe('');
  await harness.seam.clock.pass(1 + fixed.heldAnswerMsMax + fixed.heldAnswerLookMs);
  expect(blocked.raw()).toMatch(/^-OOM command not allowed/);
  expect(await runs(harness, harness.connect(), 'EXISTS', 'from', 'to')).toBe(1);
});

test.each(['has failed', 'is closed'])(
  'once the store %s a client that waits for a key is not tried again for ever',
  async (how) => {
    const full = await openFull();
    const { harness, bases } = full;
    const { store } = harness.seam;
    await blockedClient(full);
    const decide = vi.spyOn(store, 'decide');
    const closing = how === 'is closed' ? store.close() : store.fail(new Error('no disk'));
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    expect(decide.mock.calls.length).toBeLessThan(10);
    bases.letGo();
    await closing;
  },
);

test('a door that stops ends connections that wait, and one that is gone waits no more', async () => {
  const { harness, bases } = await openFull();
  const [client, gone] = [harness.connect(), harness.connect()];
  client.send('SET', 'client', VALUE);
  gone.send('SET', 'gone', VALUE);
  await settled(harness);
  expect(waitingCount(harness)).toBe(2);
  gone.connection.close();
  expect(waitingCount(harness)).toBe(1);
  harness.door.stop();
  expect(client.wire.isEnded).toBe(true);
  await letGo(harness, bases);
  expect(await runs(harness, harness.connect(), 'EXISTS', 'client', 'gone')).toBe(0);
});
