/** Locks and semaphores over a real server: who holds, in which order, and what happens when holders die or answers are lost. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { Held } from '../../../src/client/recipes/held.ts';
import { eventually } from '../../support/eventually.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { ClusterFront } from '../support/cluster-front.ts';
import { failureOf } from '../support/fake-server.ts';
import { type LossyClient, lossyClient } from './support/lossy-client.ts';
import { clientOf } from './support/started.ts';

const NAME = 'locks/deploy';

async function started(): Promise<{ server: TestServer; client: KelpClient }> {
  const server = await startTestServer();
  return { server, client: clientOf(server.address) };
}

/** Resolves when so many stand in line. */
async function inLine(client: KelpClient, count: number, kind = 'lock'): Promise<void> {
  await eventually(async () => (await client.count({ prefix: `${NAME}/~${kind}/` })).count).toBe(count);
}

/** What is settled by now is told; what waits is not waited for. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(resolve, false)),
  ]);
}

describe('a lock', () => {
  test('is held by one at a time, in the order in which they came, each with a higher token', async () => {
    const { server, client } = await started();
    const order: string[] = [];
    const tokens: number[] = [];
    let holders = 0;
    const first = await client.recipes.lock(NAME);
    const others: Promise<void>[] = [];
    for (const name of ['ada', 'grace', 'edsger', 'alan']) {
      const own = clientOf(server.address);
      others.push(
        (async () => {
          await using lock = await own.recipes.lock(NAME);
          order.push(name);
          tokens.push(lock.token);
          expect([lock.isHeld, ++holders]).toEqual([true, 1]);
          await own.get('something');
          holders--;
        })(),
      );
      await inLine(client, 1 + others.length);
    }
    expect(order).toEqual([]);
    await first.release();
    expect(first.isHeld).toBe(false);
    await Promise.all(others);
    expect(order).toEqual(['ada', 'grace', 'edsger', 'alan']);
    expect([first.token, ...tokens]).toEqual([first.token, ...tokens].toSorted((one, other) => one - other));
    await inLine(client, 0);
    expect((await client.admin.status()).leaseCount).toBe(0);
  });

  test('has each wait watch the key before its own, and no other', async () => {
    const { server, client } = await started();
    const first = await client.recipes.lock(NAME);
    const waiting: LossyClient[] = [];
    const locks: Promise<Held>[] = [];
    for (let index = 0; index < 3; index++) {
      const each = lossyClient(server.address);
      waiting.push(each);
      locks.push(each.client.recipes.lock(NAME));
      await inLine(client, 2 + index);
      await eventually(() => watchedBy(each).length).toBe(1);
    }
    const entries = await client.scan({ prefix: `${NAME}/~lock/` }).toArray();
    const keys = entries.toSorted((a, b) => a.createRevision - b.createRevision).map(({ key }) => key);
    expect(waiting.map((each) => watchedBy(each))).toEqual([[[keys[0]]], [[keys[1]]], [[keys[2]]]]);
    await first.release();
    await (await locks[0])?.release();
    await locks[1];
    // The last has not been woken by what happened before the one before it.
    expect(watchedBy(waiting[2] as LossyClient)).toEqual([[keys[2]]]);
    await (await locks[1])?.release();
    await (await locks[2])?.release();
  });

  test('goes on to the next when its holder dies, and not before', async () => {
    const { server, client } = await started();
    const dying = createClient({ address: server.address });
    const lock = await dying.recipes.lock(NAME, { ttlMs: 1000 });
    const next = client.recipes.lock(NAME);
    await inLine(client, 2);
    expect(await isSettled(next)).toBe(false);
    dying.close();
    expect([lock.isHeld, lock.signal.aborted]).toEqual([false, true]);
    const { token } = await next;
    expect(token).toBeGreaterThan(lock.token);
  });

  test('is not given to one behind a waiter that dies', async () => {
    const { server, client } = await started();
    const first = await client.recipes.lock(NAME);
    const dying = createClient({ address: server.address });
    const second = failureOf(dying.recipes.lock(NAME, { ttlMs: 1000 }));
    await inLine(client, 2);
    const third = client.recipes.lock(NAME);
    await inLine(client, 3);
    dying.close();
    expect(await second).toMatchObject({ code: 'closed' });
    await inLine(client, 2);
    // It has looked again by the time that a lock which is asked for later has.
    expect(await client.recipes.tryLock(NAME)).toBeUndefined();
    expect(await isSettled(third)).toBe(false);
    await first.release();
    expect((await third).isHeld).toBe(true);
  });

  test('is taken at once if it is free, or not at all', async () => {
    const { client } = await started();
    const lock = await client.recipes.tryLock(NAME);
    expect(lock?.isHeld).toBe(true);
    expect(await client.recipes.tryLock(NAME)).toBeUndefined();
    await inLine(client, 1);
    await lock?.release();
    await using again = await client.recipes.tryLock(NAME);
    expect(again?.token).toBeGreaterThan(lock?.token ?? 0);
  });

  test('is taken by one of many that try at once', async () => {
    const { client } = await started();
    const locks = await Promise.all(Array.from({ length: 10 }, () => client.recipes.tryLock(NAME)));
    expect(locks.filter((lock) => lock !== undefined).length).toBeLessThanOrEqual(1);
    await inLine(client, locks.filter((lock) => lock !== undefined).length);
  });

  test('guards what is written under it: a late holder writes nothing', async () => {
    const { client } = await started();
    const late = await client.recipes.lock(NAME);
    const put = (lock: Held, value: string): ReturnType<KelpClient['txn']> =>
      client.txn({ compares: [lock.guard], success: [{ kind: 'put', key: 'deployed', value }] });
    expect(await put(late, 'first')).toMatchObject({ succeeded: true });
    await late.release();
    expect(await put(late, 'nobody holds it')).toMatchObject({ succeeded: false });
    const next = await client.recipes.lock(NAME);
    expect(await put(late, 'late')).toMatchObject({ succeeded: false });
    expect(await put(next, 'next')).toMatchObject({ succeeded: true });
    expect((await client.get('deployed')).entry?.text()).toBe('next');
  });

  test('is lost when it could not be renewed in time, and that is known before another one has it', async () => {
    const { server, client } = await started();
    const front = await ClusterFront.before(server.port);
    const cut = clientOf(front.address);
    const lock = await cut.recipes.lock(NAME, { ttlMs: 1000 });
    const next = client.recipes.lock(NAME);
    await inLine(client, 2);
    await front.die();
    await next;
    expect(lock.isHeld).toBe(false);
    await eventually(() => lock.signal.aborted).toBe(true);
    expect(lock.signal.reason).toMatchObject({ code: 'unavailable' });
    // By another way, since its own is cut.
    const late = { kind: 'put', key: 'deployed', value: 'late' } as const;
    expect(await client.txn({ compares: [lock.guard], success: [late] })).toMatchObject({ succeeded: false });
  });

  test('outlasts a restart of the server, and so does the wait for it', async () => {
    const { server, client } = await started();
    const lock = await client.recipes.lock(NAME, { ttlMs: 60_000 });
    const next = clientOf(server.address).recipes.lock(NAME, { ttlMs: 60_000 });
    await inLine(client, 2);
    await server.stop();
    await startTestServer({ flags: { 'data-dir': server.dataDir, listen: server.address } });
    await inLine(client, 2);
    expect(lock.isHeld).toBe(true);
    expect(await isSettled(next)).toBe(false);
    await lock.release();
    expect((await next).token).toBeGreaterThan(lock.token);
  });

  test('is held, and waited for, by a client of several servers, when the one that it went to is gone', async () => {
    const { server, client } = await started();
    const fronts = [await ClusterFront.before(server.port), await ClusterFront.before(server.port)];
    const addresses = fronts.map(({ address }) => address);
    const [holder, waiter] = [createClient({ addresses }), createClient({ addresses })];
    onTestFinished(() => {
      holder.close();
      waiter.close();
    });
    const lock = await holder.recipes.lock(NAME, { ttlMs: 60_000 });
    const next = waiter.recipes.lock(NAME, { ttlMs: 60_000 });
    await inLine(client, 2);
    for (const front of fronts) {
      await front.die();
      expect((await holder.get(lock.key)).entry).toBeDefined();
      expect(lock.isHeld).toBe(true);
      await front.rise();
    }
    expect(await isSettled(next)).toBe(false);
    await lock.release();
    expect((await next).token).toBeGreaterThan(lock.token);
  });

  test('is lost when its lease is revoked', async () => {
    const { client } = await started();
    const lock = await client.recipes.lock(NAME, { ttlMs: 1000 });
    const { entry } = await client.get(lock.key);
    await client.leases.revoke(entry?.leaseId ?? 0);
    await eventually(() => lock.signal.aborted).toBe(true);
    expect(lock.signal.reason).toMatchObject({ code: 'leaseNotFound' });
    expect(lock.isHeld).toBe(false);
    // What was wanted.
    await lock.release();
  });

  test('is not waited for any more when the signal is aborted, and leaves nothing behind', async () => {
    const { client } = await started();
    await using lock = await client.recipes.lock(NAME);
    const ending = new AbortController();
    const waiting = failureOf(client.recipes.lock(NAME, { signal: ending.signal }));
    await inLine(client, 2);
    ending.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ code: 'canceled', cause: { message: 'enough' } });
    await inLine(client, 1);
    expect((await client.admin.status()).leaseCount).toBe(1);
    expect(lock.isHeld).toBe(true);
    expect(await failureOf(client.recipes.lock(NAME, { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'canceled',
    });
  });

  test('a signal that is aborted later takes nothing away', async () => {
    const { client } = await started();
    const ending = new AbortController();
    await using lock = await client.recipes.lock(NAME, { signal: ending.signal });
    ending.abort();
    expect([lock.isHeld, lock.signal.aborted]).toEqual([true, false]);
  });

  test('says so when the place in line was taken away', async () => {
    const { client } = await started();
    await using lock = await client.recipes.lock(NAME);
    const waiting = failureOf(client.recipes.lock(NAME));
    await inLine(client, 2);
    const keys = (await client.keys(`${NAME}/~lock/*`).toArray()).filter((key) => key !== lock.key);
    await client.delete(keys[0] as string);
    await lock.release();
    expect(await waiting).toMatchObject({ code: 'leaseNotFound' });
    expect((await client.admin.status()).leaseCount).toBe(0);
  });

  test.each(['Txn', 'Grant', 'Revoke'])(
    'knows what became of a %s whose answers were lost',
    async (method) => {
      const { server, client } = await started();
      const lossy = lossyClient(server.address);
      lossy.lose(method, 2);
      const lock = await lossy.client.recipes.lock(NAME);
      expect(lock.isHeld).toBe(true);
      const { entry } = await client.get(lock.key);
      expect(entry).toMatchObject({ createRevision: lock.token, version: 1 });
      await inLine(client, 1);
      await lock.release();
      // A lease is gone when its end is asked for a second time.
      expect(lossy.toLose).toBe(method === 'Revoke' ? 1 : 0);
      await inLine(client, 0);
    },
  );

  test('frees what it may have taken when it gives up without an answer', async () => {
    const { server, client } = await started();
    const lossy = lossyClient(server.address, { deadlineMs: 1500 });
    lossy.lose('Txn', 1000);
    expect(await failureOf(lossy.client.recipes.lock(NAME))).toMatchObject({ mayHaveTakenEffect: true });
    await inLine(client, 0);
  });

  test('is given back again after a failure', async () => {
    const { server, client } = await started();
    const front = await ClusterFront.before(server.port);
    const cut = clientOf(front.address);
    const lock = await cut.recipes.lock(NAME, { ttlMs: 60_000 });
    await front.die();
    expect(await failureOf(lock.release({ deadlineMs: 200 }))).toMatchObject({ name: 'KelpError' });
    expect(lock.isHeld).toBe(false);
    await front.rise();
    await lock.release();
    await inLine(client, 0);
  });

  test('looks at the newest state, also where the client reads old ones', async () => {
    const { server, client } = await started();
    const lossy = lossyClient(server.address, { consistency: 'local' });
    await using lock = await client.recipes.lock(NAME);
    const waiting = lossy.client.recipes.lock(NAME);
    await inLine(client, 2);
    await eventually(() => watchedBy(lossy).length).toBe(1);
    await lock.release();
    await (await waiting).release();
    const reads = lossy.asked.filter(({ method }) => method.startsWith('Scan'));
    expect(reads.length).toBeGreaterThan(1);
    for (const { request } of reads) expect(request).toMatchObject({ consistency: 1 });
  });

  test('has nothing to do with one whose name begins like its own, nor with another recipe of its name', async () => {
    const { client } = await started();
    const names = ['a', 'a/', 'a/b', 'a/lock', 'a~', 'ab', '~', '/'];
    for (const name of names) expect((await client.recipes.tryLock(name))?.name).toBe(name);
    await client.recipes.semaphore('a', 1);
    await client.recipes.elect('a', { value: 1 });
    for (const name of names) expect(await client.recipes.tryLock(name)).toBeUndefined();
  });
});

describe('a semaphore', () => {
  test('is held by so many at a time, in the order in which they came', async () => {
    const { client } = await started();
    const first = await client.recipes.semaphore(NAME, 3);
    const second = await client.recipes.semaphore(NAME, 3);
    await client.recipes.semaphore(NAME, 3);
    expect(await client.recipes.trySemaphore(NAME, 3)).toBeUndefined();
    const order: number[] = [];
    const waiting: Promise<Held>[] = [];
    for (const index of [0, 1, 2]) {
      waiting.push(client.recipes.semaphore(NAME, 3).then((held) => (order.push(index), held)));
      await inLine(client, 4 + index, 'permit');
    }
    await second.release();
    await waiting[0];
    expect(order).toEqual([0]);
    await first.release();
    await waiting[1];
    expect(order).toEqual([0, 1]);
    await (await waiting[0])?.release();
    await waiting[2];
    expect(order).toEqual([0, 1, 2]);
    await inLine(client, 3, 'permit');
  });

  test('never has more holders than permits, and uses all of them', async () => {
    const { server } = await started();
    const clients = [0, 1, 2].map(() => clientOf(server.address));
    let holders = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const client = clients[index % 3] as KelpClient;
        await using permit = await client.recipes.semaphore(NAME, 4);
        most = Math.max(most, ++holders);
        // Until all permits are used once: else it would show nothing.
        await eventually(() => most).toBe(4);
        await client.get(permit.key);
        holders--;
      }),
    );
    expect(most).toBe(4);
  });

  test('watches as many keys as there are permits, those before its own', async () => {
    const { server, client } = await started();
    for (let index = 0; index < 3; index++) await client.recipes.semaphore(NAME, 2 + (index > 1 ? 1 : 0));
    const keys = (await client.scan({ prefix: `${NAME}/~permit/` }).toArray())
      .toSorted((a, b) => a.createRevision - b.createRevision)
      .map(({ key }) => key);
    const lossy = lossyClient(server.address);
    const waiting = failureOf(lossy.client.recipes.semaphore(NAME, 2));
    await eventually(() => watchedBy(lossy)).toEqual([[keys[1], keys[2]]]);
    lossy.client.close();
    await waiting;
  });
});

/** The keys of each watch that it has opened. */
function watchedBy({ asked }: LossyClient): (string | undefined)[][] {
  return asked
    .filter(({ method }) => method === 'Watch')
    .map(({ request }) => (request as { ranges: { key: string }[] }).ranges.map(({ key }) => key));
}
