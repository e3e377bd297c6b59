/** A mirror over a real server: what it shows, tells and refuses. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { Mirror } from '../../../src/client/mirror/mirror.ts';
import type { MirrorChange } from '../../../src/client/mirror/types.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { failureOf } from '../support/fake-server.ts';
import { watching } from '../support/watch-reading.ts';

let server: TestServer;
let client: KelpClient;

beforeEach(async () => {
  server = await startTestServer({ flags: KEPT_HISTORY_FLAGS });
  // Ten thousand writes at once wait for each other.
  client = createClient({ address: server.address, deadlineMs: 60_000 });
  onTestFinished(() => client.close());
});

const texts = (mirror: Mirror): Record<string, string> =>
  Object.fromEntries([...mirror].map((entry) => [entry.key, entry.text()]));

const lines = (change: MirrorChange): string[] =>
  change.events.map((event) =>
    event.type === 'put'
      ? `${event.entry.key}=${event.entry.text()} was ${event.previous?.text()}`
      : `-${event.key} was ${event.previous.text()}`,
  );

test('shows the range, and what becomes of it', async () => {
  await client.put('a/1', 'one');
  await client.put('b', 'not in it');
  const mirror = await client.mirror({ prefix: 'a/' });
  expect(texts(mirror)).toEqual({ 'a/1': 'one' });
  expect(mirror.revision).toBe(2);
  expect(mirror.staleMs).toBe(0);

  await client.put('a/2', 'two');
  const { revision } = await client.put('a/1', 'uno');
  await mirror.waitFor(revision);
  expect(mirror).toMatchObject({ size: 2, revision });
  expect(mirror.get('a/1')?.text()).toBe('uno');
  expect(mirror.get('a/1')).toMatchObject({ version: 2, createRevision: 1, modRevision: revision });
  expect([mirror.has('a/2'), mirror.has('a/3'), mirror.get('b')]).toEqual([true, false, undefined]);

  await mirror.waitFor((await client.deleteRange({ prefix: 'a/' })).revision);
  expect([...mirror]).toEqual([]);
  expect(mirror.size).toBe(0);
});

test('walks in the order of bytes, over all keys or a range, whatever they hold', async () => {
  const keys = ['\u{10000}', '\uffff', 'é', 'z', 'a', '\0', 'a\0', 'ab'];
  const bytes = [Uint8Array.of(0xff), Uint8Array.of(0xff, 0), Uint8Array.of(0xc3)];
  for (const key of [...keys, ...bytes]) await client.put(key, 'v');
  const mirror = await client.mirror();
  const inOrder = async (range = {}): Promise<unknown[]> => (await client.scan(range).toArray()).map(keyOf);
  const keyOf = ({ key, keyBytes }: { key: string; keyBytes?: Uint8Array }): unknown => keyBytes ?? key;
  expect([...mirror].map(keyOf)).toEqual(await inOrder());
  for (const range of [
    { prefix: 'a' },
    { prefix: Uint8Array.of(0xff) },
    { start: 'a', end: 'é' },
    { start: Uint8Array.of(0xc3) },
    { key: 'a' },
  ]) {
    expect([...mirror.entries(range)].map(keyOf)).toEqual(await inOrder(range));
  }
  for (const key of [...keys, ...bytes]) expect(mirror.get(key)?.text()).toBe('v');
  expect(mirror.get('ÿ')).toBeUndefined();
  expect(() => mirror.entries({ key: 'a', prefix: 'b' })).toThrow(/not by several/);
  expect(() => mirror.get(5 as never)).toThrow(/key/);
});

test('tells changes by whole revisions, with what was before', async () => {
  await client.put('a', '1');
  const mirror = await client.mirror();
  const changes = mirror.changes();
  const heard: MirrorChange[] = [];
  mirror.on('change', (change) => heard.push(change));
  await client.txn({
    success: [
      { kind: 'put', key: 'a', value: '2' },
      { kind: 'put', key: 'b', value: '1' },
    ],
  });
  await client.delete('a');
  const first = (await changes.next()).value as MirrorChange;
  const second = (await changes.next()).value as MirrorChange;
  expect(first).toMatchObject({ kind: 'events', revision: 2 });
  expect(lines(first)).toEqual(['a=2 was 1', 'b=1 was undefined']);
  expect(lines(second)).toEqual(['-a was 2']);
  expect(heard).toEqual([first, second]);
  mirror.close();
  expect(await changes.next()).toEqual({ done: true, value: undefined });
});

test('keeps the value of an entry whose time to live is set anew', async () => {
  await client.put('a', 'kept', { ttlMs: 60_000 });
  const mirror = await client.mirror();
  const before = mirror.get('a')?.expireTimeMs ?? 0;
  await mirror.waitFor((await client.touch('a', { ttlMs: 600_000 })).revision);
  expect(mirror.get('a')?.text()).toBe('kept');
  expect(mirror.get('a')?.expireTimeMs).toBeGreaterThan(before + 500_000);
});

test('what a listener throws ends nothing', async () => {
  const mirror = await client.mirror();
  const thrown = new Promise((resolve) => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const other of others) process.on('uncaughtException', other);
      resolve(error);
    });
  });
  mirror.on('change', ({ revision }) => {
    if (revision === 1) throw new Error('mine');
  });
  await client.put('a', '1');
  expect(await thrown).toMatchObject({ message: 'mine' });
  await mirror.waitFor((await client.put('a', '2')).revision);
  expect(mirror.get('a')?.text()).toBe('2');
});

describe('waiting for a revision', () => {
  test('ends when it is reached by others than the range', async () => {
    const mirror = await client.mirror({ prefix: 'a/' }, { progressIntervalMs: 100 });
    await mirror.waitFor((await client.put('b', '1')).revision);
    expect(mirror.revision).toBe(1);
  });

  test('has time for several signs of the server within the default deadline', async () => {
    const fake = watching();
    onTestFinished(() => fake.client.close());
    await fake.client.mirror({ prefix: 'a/' });
    const { progressInterval } = fake.server.requests[0] ?? {};
    const intervalMs = Number(progressInterval?.seconds) * 1000 + Number(progressInterval?.nanos) / 1e6;
    expect(intervalMs * 5).toBeLessThanOrEqual(limits.deadlineMs);
  });

  test('ends at its deadline, by its signal, and when the mirror is closed', async () => {
    const mirror = await client.mirror();
    expect(await failureOf(mirror.waitFor(9, { deadlineMs: 10 }))).toMatchObject({
      code: 'deadlineExceeded',
      message: 'the mirror shows revision 0, not 9, after 10 ms',
    });
    const signal = AbortSignal.abort();
    expect(await failureOf(mirror.waitFor(9, { signal }))).toMatchObject({ code: 'canceled' });
    const waiting = failureOf(mirror.waitFor(9));
    await nextTurn();
    mirror.close();
    expect(await waiting).toMatchObject({ code: 'closed' });
    expect(await failureOf(mirror.waitFor(0))).toMatchObject({ code: 'closed' });
    expect(() => mirror.size).toThrow('the mirror is closed');
  });
});

describe('bounds', () => {
  test('a range that is larger is refused', async () => {
    await client.put('a', '1');
    await client.put('b', '2');
    expect(await failureOf(client.mirror({}, { keysMax: 1 }))).toMatchObject({ code: 'limitReached' });
    expect(await failureOf(client.mirror({}, { bytesMax: 3 }))).toMatchObject({ code: 'limitReached' });
    expect((await client.mirror({}, { keysMax: 2, bytesMax: 4 })).size).toBe(2);
  });

  test('one that becomes larger ends the mirror, which says so and shows what it has', async () => {
    const mirror = await client.mirror({}, { keysMax: 1 });
    const failed = new Promise((resolve) => mirror.on('failed', resolve));
    const changes = mirror.changes();
    await client.put('a', '1');
    await changes.next();
    const reading = failureOf(changes.next());
    await client.put('b', '2');
    expect(await failed).toMatchObject({
      code: 'limitReached',
      message: expect.stringMatching(/keysMax/) as string,
    });
    expect(mirror.failure).toBe(await failed);
    expect(await reading).toBe(mirror.failure);
    expect(await failureOf(mirror.waitFor(2))).toBe(mirror.failure);
    expect(mirror.get('a')?.text()).toBe('1');
    expect(mirror.revision).toBe(1);
    expect(mirror.staleMs).toBeGreaterThan(0);
  });

  test('a reader of changes that stands still is told that it lost its place', async () => {
    const mirror = await client.mirror();
    const slow = mirror.changes();
    const writes = Array.from({ length: 10_001 }, (_, index) => client.put(`k${index % 7}`, 'v'));
    await mirror.waitFor(Math.max(...(await Promise.all(writes)).map(({ revision }) => revision)));
    expect(await failureOf(slow.next())).toMatchObject({ code: 'limitReached' });
    expect(await slow.next()).toMatchObject({ done: true });
    expect(mirror.size).toBe(7);
  });
});

describe('its end', () => {
  const watchCount = async (): Promise<number> => (await client.admin.status()).watcherCount;

  test('closing it, its signal and the client end the watch', async () => {
    const controller = new AbortController();
    const mirrors = [await client.mirror({}, { signal: controller.signal }), await client.mirror()];
    expect(await watchCount()).toBe(2);
    controller.abort();
    await eventually(watchCount).toBe(1);
    await mirrors[1]?.[Symbol.asyncDispose]();
    await eventually(watchCount).toBe(0);
    expect(() => [...(mirrors[0] ?? [])]).toThrow('the mirror is closed');
  });

  test('one that the program lets go of ends, but not one that is listened to', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let heard = 0;
    await (async () => {
      await client.mirror();
      (await client.mirror()).on('change', () => heard++);
    })();
    const counted = async (): Promise<number> => {
      await nextTurn();
      collect();
      return watchCount();
    };
    await eventually(counted).toBe(1);
    await client.put('a', '1');
    await eventually(() => heard).toBe(1);
    expect(await counted()).toBe(1);
  });
});
