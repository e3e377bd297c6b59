/** Functions that are run once, and counters, over a real server. */
import { describe, expect, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { text } from '../../../src/client/namespace/codec.ts';
import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../support/fake-server.ts';
import { lossyClient } from './support/lossy-client.ts';
import { clientOf, started } from './support/started.ts';

const KEY = 'invoices/7';

async function atLock(client: KelpClient, count: number): Promise<void> {
  await eventually(async () => (await client.count({ prefix: `${KEY}/~lock/` })).count).toBe(count);
}

describe('once', () => {
  test('runs a function one time for all who ask, and gives them its result', async () => {
    const { address, client } = await started();
    const clients = Array.from({ length: 5 }, () => clientOf(address));
    let runs = 0;
    const results = await Promise.all(
      clients.map((each) => each.recipes.once(KEY, () => Promise.resolve({ number: ++runs }))),
    );
    expect(results).toEqual(clients.map(() => ({ number: 1 })));
    expect(await client.recipes.once(KEY, () => ({ number: ++runs }))).toEqual({ number: 1 });
    expect(runs).toBe(1);
    expect((await client.get(KEY)).entry?.json()).toEqual({ number: 1 });
    await atLock(client, 0);
    await client.delete(KEY);
    expect(await client.recipes.once(KEY, () => ({ number: ++runs }))).toEqual({ number: 2 });
  });

  test('records that a function without a result has run', async () => {
    const { client } = await started();
    let runs = 0;
    for (let times = 0; times < 2; times++) {
      expect(await client.recipes.once(KEY, () => void runs++)).toBeUndefined();
    }
    expect(runs).toBe(1);
  });

  test('writes the result by its codec, for as long as it is told to', async () => {
    const { client } = await started();
    const options = { codec: text, recordTtlMs: 60_000 };
    expect(await client.recipes.once(KEY, () => 'sent', options)).toBe('sent');
    const { entry } = await client.get(KEY);
    expect(entry?.text()).toBe('sent');
    expect(entry?.expireTimeMs).toBeGreaterThan(0);
    expect(await client.recipes.once(KEY, () => 'again', options)).toBe('sent');
  });

  test('records nothing when the function fails, and the next one runs it', async () => {
    const { client } = await started();
    const failure = new Error('no paper');
    expect(await failureOf(client.recipes.once(KEY, () => Promise.reject(failure)))).toBe(failure);
    await atLock(client, 0);
    expect(await client.recipes.once(KEY, () => 5)).toBe(5);
  });

  test('is run anew by another one when its process dies, and has one result', async () => {
    const { address, client } = await started();
    const dying = createClient({ address });
    const { promise: never } = Promise.withResolvers<string>();
    let signal: AbortSignal | undefined;
    void dying.recipes
      .once(KEY, (run) => ((signal = run.signal), never), { ttlMs: 1000 })
      .catch(() => undefined);
    await eventually(() => signal).toBeDefined();
    const next = client.recipes.once(KEY, () => 'by the second');
    await atLock(client, 2);
    dying.close();
    expect(signal?.aborted).toBe(true);
    expect(await next).toBe('by the second');
  });

  test('does not record a result that comes when the lock is lost, and gives the one that is recorded', async () => {
    const { client } = await started();
    const late = Promise.withResolvers<string>();
    const { promise: running, resolve: onRunning } = Promise.withResolvers<void>();
    const first = client.recipes.once(KEY, () => (onRunning(), late.promise));
    await running;
    const [key] = await client.keys(`${KEY}/~lock/*`).toArray();
    await client.leases.revoke((await client.get(key as string)).entry?.leaseId ?? 0);
    expect(await client.recipes.once(KEY, () => 'second')).toBe('second');
    late.resolve('late');
    expect(await first).toBe('second');
    expect((await client.get(KEY)).entry?.json()).toBe('second');
  });

  test('says so when the lock was lost and nothing is recorded', async () => {
    const { client } = await started();
    const late = client.recipes.once(KEY, async () => {
      const [key] = await client.keys(`${KEY}/~lock/*`).toArray();
      await client.leases.revoke((await client.get(key as string)).entry?.leaseId ?? 0);
      return 'late';
    });
    expect(await failureOf(late)).toMatchObject({ code: 'leaseNotFound' });
    expect((await client.get(KEY)).entry).toBeUndefined();
  });

  test.each([1, 2, 3])('has one run when %i answers are lost', async (count) => {
    const { address } = await started();
    const lossy = lossyClient(address);
    let runs = 0;
    const result = await lossy.client.recipes.once(KEY, () => {
      lossy.lose('Txn', count);
      return ++runs;
    });
    expect([result, runs, lossy.toLose]).toEqual([1, 1, 0]);
  });
});

describe('a counter', () => {
  test('has each addition once, whoever makes it', async () => {
    const { address, client } = await started();
    const clients = Array.from({ length: 4 }, () => clientOf(address));
    expect(await client.recipes.counter('visits').value()).toBe(0n);
    const results = await Promise.all(
      clients.flatMap((each) => Array.from({ length: 10 }, () => each.recipes.counter('visits').add())),
    );
    expect(new Set(results.map(({ value }) => value)).size).toBe(40);
    expect(await client.recipes.counter('visits').add(-(2n ** 40n))).toMatchObject({
      value: 40n - 2n ** 40n,
    });
    expect((await client.get('visits')).entry?.text()).toBe(String(40n - 2n ** 40n));
  });

  test('counts an id once', async () => {
    const { client } = await started();
    const orders = client.recipes.counter('orders');
    expect(await orders.add(5, { id: 'a' })).toMatchObject({ counted: true, value: 5n });
    expect(await orders.add(5, { id: 'b' })).toMatchObject({ counted: true, value: 10n });
    expect(await orders.add(5, { id: 'a' })).toMatchObject({ counted: false, value: 10n });
    expect(await client.recipes.counter('others').add(1, { id: 'a' })).toMatchObject({ counted: true });
    const { entry } = await client.get('orders/~seen/a');
    expect(entry?.expireTimeMs).toBeGreaterThan(0);
  });

  test.each([undefined, 'an id'])('knows whether it was counted when answers are lost (%s)', async (id) => {
    const { address } = await started();
    const lossy = lossyClient(address);
    const counter = lossy.client.recipes.counter('orders');
    await counter.add(1);
    lossy.lose('Txn', 2);
    expect(await counter.add(5, id === undefined ? {} : { id })).toMatchObject({ counted: true, value: 6n });
    expect(lossy.toLose).toBe(0);
    expect(await counter.value()).toBe(6n);
  });

  test('says that it is not known when no answer comes at all, and then counts the id no second time', async () => {
    const { address, client } = await started();
    const lossy = lossyClient(address, { deadlineMs: 1500 });
    lossy.lose('Txn', 1000);
    const failure = await failureOf(lossy.client.recipes.counter('orders').add(5, { id: 'a' }));
    expect(failure).toMatchObject({ mayHaveTakenEffect: true });
    expect(await client.recipes.counter('orders').add(5, { id: 'a' })).toMatchObject({
      counted: false,
      value: 5n,
    });
  });

  test('refuses what is no number', async () => {
    const { client } = await started();
    await client.put('orders', 'many');
    expect(await failureOf(client.recipes.counter('orders').add())).toMatchObject({
      code: 'notAnInteger',
      mayHaveTakenEffect: false,
    });
  });
});
