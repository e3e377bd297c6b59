/** Queues over a real server: order, claims, workers that die, jobs that fail. */
import { expect, onTestFinished, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { text } from '../../../src/client/namespace/codec.ts';
import type { Endable } from '../../../src/client/recipes/endable.ts';
import type { Job } from '../../../src/client/recipes/job.ts';
import { eventually } from '../../support/eventually.ts';
import { startTestServer } from '../../support/test-server.ts';
import { failureOf } from '../support/fake-server.ts';
import { lossyClient } from './support/lossy-client.ts';
import { clientOf, started } from './support/started.ts';

const NAME = 'mails';

async function take<Read>(jobs: Endable<Job<Read>>): Promise<Job<Read>> {
  const { value } = await jobs.next();
  if (value === undefined) throw new Error('the jobs have ended');
  return value;
}

const idle = async (client: KelpClient, count: number): Promise<void> =>
  eventually(async () => (await client.count({ prefix: `${NAME}/~idle/` })).count).toBe(count);

/** Keys of the queue, by their kind, but for those that tell what was done. */
async function kinds(client: KelpClient): Promise<string[]> {
  const keys = (await client.keys(`${NAME}/*`).toArray()) as string[];
  return keys.map((key) => key.split('/')[1] ?? '').filter((kind) => kind !== '~seen');
}

test('jobs are taken in the order in which they were enqueued, once, and go when they are done', async () => {
  const { address, client } = await started();
  const producers = [client, clientOf(address)].map((each) => each.recipes.queue<number>(NAME));
  for (let number = 0; number < 20; number++) await producers[number % 2]?.enqueue(number);
  const queue = client.recipes.queue<number>(NAME);
  expect(await queue.count()).toBe(20);
  await using jobs = queue.take();
  const values: number[] = [];
  for (let number = 0; number < 20; number++) {
    const job = await take(jobs);
    expect(job).toMatchObject({ attempt: 1 });
    values.push(job.value);
    await job.ack();
  }
  expect(values).toEqual(values.toSorted((one, other) => one - other));
  expect(new Set(values).size).toBe(20);
  expect([await queue.count(), await kinds(client)]).toEqual([0, []]);
});

test('a worker that waits is woken by a job', async () => {
  const { client } = await started();
  const queue = client.recipes.queue(NAME, { codec: text });
  await using jobs = queue.take();
  const first = take(jobs);
  await idle(client, 1);
  await queue.enqueue('hello');
  const job = await first;
  expect(job.value).toBe('hello');
  await job.ack();
  await idle(client, 0);
});

test('many workers share the jobs: each is done by one, and all are done', async () => {
  const { address, client } = await started();
  const queue = client.recipes.queue<number>(NAME);
  const ending = new AbortController();
  const done: number[] = [];
  let conflicts = 0;
  const workers = Array.from({ length: 6 }, async () => {
    const own = clientOf(address).recipes.queue<number>(NAME);
    for await (const job of own.take({ signal: ending.signal })) {
      if (job.attempt > 1) conflicts++;
      await job.ack();
      done.push(job.value);
      if (done.length === 60) ending.abort();
    }
  });
  await idle(client, 6);
  await Promise.all(Array.from({ length: 60 }, (_, number) => queue.enqueue(number)));
  await Promise.all(workers);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, number) => number));
  expect([conflicts, await kinds(client)]).toEqual([0, []]);
});

test('a job that comes while all wait wakes one of them', async () => {
  const { address, client } = await started();
  const workers = [0, 1, 2].map(() => lossyClient(address));
  const jobs = workers.map((each) => each.client.recipes.queue<number>(NAME).take());
  onTestFinished(async () => void (await Promise.all(jobs.map((each) => each.return()))));
  const taken = jobs.map((each) => each.next());
  for (const each of taken) each.catch(() => undefined);
  await idle(client, 3);
  const watching = (each: (typeof workers)[number]): string[][] =>
    each.asked
      .filter(({ method }) => method === 'Watch')
      .map(({ request }) =>
        (request as { ranges: { key: string; prefix: string }[] }).ranges.map((range) => range.prefix),
      );
  // One watches jobs, the others the key before their own.
  await eventually(() => workers.flatMap(watching).flat().toSorted()).toEqual([
    '',
    '',
    `${NAME}/~claim/`,
    `${NAME}/~job/`,
  ]);
  await client.recipes.queue<number>(NAME).enqueue(1);
  const { value: job } = await Promise.race(taken);
  await idle(client, 2);
  expect(await client.count({ prefix: `${NAME}/~claim/` })).toMatchObject({ count: 1 });
  await job?.ack();
});

test('workers go on over restarts of the server: each job is done, and done once', async () => {
  let server = await startTestServer();
  const client = clientOf(server.address);
  const queue = client.recipes.queue<number>(NAME);
  const ending = new AbortController();
  const done: number[] = [];
  let onDone = (): void => undefined;
  const workers = [0, 1, 2].map(async () => {
    const own = clientOf(server.address).recipes.queue<number>(NAME);
    for await (const job of own.take({ ttlMs: 60_000, signal: ending.signal })) {
      await job.ack();
      done.push(job.value);
      onDone();
    }
  });
  const doneCount = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onDone = () => {
        if (done.length >= count) resolve();
      };
      onDone();
    });
  for (let round = 0; round < 3; round++) {
    const numbers = Array.from({ length: 10 }, (_, index) => 10 * round + index);
    await Promise.all(numbers.map((number) => queue.enqueue(number)));
    await Promise.race([doneCount(10 * round + 3), ...workers]);
    server.abort();
    await server.stop();
    server = await startTestServer({ flags: { 'data-dir': server.dataDir, listen: server.address } });
    await Promise.race([doneCount(10 * round + 10), ...workers]);
  }
  ending.abort();
  await Promise.all(workers);
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, number) => number));
  expect(await kinds(client)).toEqual([]);
});

test('a job of a worker that dies is taken by another one, which is told', async () => {
  const { address, client } = await started();
  const dying = createClient({ address });
  const queue = client.recipes.queue<string>(NAME);
  await queue.enqueue('a');
  await queue.enqueue('b');
  const late = await take(dying.recipes.queue<string>(NAME).take({ ttlMs: 1000 }));
  await using jobs = queue.take();
  const second = await take(jobs);
  expect([late.value, second.value]).toEqual(['a', 'b']);
  await second.ack();
  const again = take(jobs);
  await idle(client, 1);
  dying.close();
  expect(late.signal.aborted).toBe(true);
  const job = await again;
  expect(job).toMatchObject({ id: late.id, value: 'a', attempt: 2 });
  expect(job.token).toBeGreaterThan(late.token);
  const put = (guard: Job<string>['guard']): ReturnType<KelpClient['txn']> =>
    client.txn({ compares: [guard], success: [{ kind: 'put', key: 'sent', value: '' }] });
  expect([(await put(late.guard)).succeeded, (await put(job.guard)).succeeded]).toEqual([false, true]);
  await job.ack();
  expect(await kinds(client)).toEqual([]);
});

test('leaving the loop gives back at once what is not done', async () => {
  const { client } = await started();
  const queue = client.recipes.queue<string>(NAME);
  await queue.enqueue('a');
  let late: Job<string> | undefined;
  for await (const job of queue.take()) {
    late = job;
    break;
  }
  await using jobs = queue.take();
  const job = await take(jobs);
  expect(job).toMatchObject({ id: late?.id, attempt: 2 });
  expect(await failureOf(late?.ack() as Promise<void>)).toMatchObject({ code: 'leaseNotFound' });
  // The other one has it still.
  await late?.nack();
  await job.ack();
  expect((await client.admin.status()).leaseCount).toBe(1);
});

test('a job that is given back is taken again, at once or when its time has come', async () => {
  const { client } = await started();
  const queue = client.recipes.queue<string>(NAME);
  await queue.enqueue('a');
  await queue.enqueue('b');
  await using jobs = queue.take();
  const first = await take(jobs);
  await first.nack();
  // One that it has looked at before may come first.
  const others = [await take(jobs), await take(jobs)];
  expect(others.map(({ value }) => value).toSorted()).toEqual(['a', 'b']);
  for (const job of others) await job.nack({ delayMs: job.value === 'a' ? 3_600_000 : 500 });
  const again = await take(jobs);
  expect(again).toMatchObject({ value: 'b', attempt: 2 });
  await again.ack();
  expect(await queue.count()).toBe(1);
  expect(await kinds(client)).toEqual(['~attempt', '~claim', '~job']);
});

test('a job may be put off when it is enqueued', async () => {
  const { client } = await started();
  const queue = client.recipes.queue<string>(NAME);
  await queue.enqueue('later', { delayMs: 500 });
  await queue.enqueue('now');
  await using jobs = queue.take();
  const values = [await take(jobs), await take(jobs)].map(({ value }) => value);
  expect(values).toEqual(['now', 'later']);
});

test('a job that was taken too often becomes a dead letter, given back or not, and may be revived', async () => {
  const { client } = await started();
  const queue = client.recipes.queue<string>(NAME, { attemptsMax: 2 });
  const givenBack = await queue.enqueue('given back');
  const lost = await queue.enqueue('lost');
  for (let attempt = 1; attempt <= 2; attempt++) {
    await using jobs = queue.take();
    for (let count = 0; count < 2; count++) {
      const job = await take(jobs);
      expect(job.attempt).toBe(attempt);
      if (job.id === givenBack) await job.nack();
    }
  }
  // The other is found dead when it would be taken for a third time.
  await queue.enqueue('alive');
  await using jobs = queue.take();
  const alive = await take(jobs);
  expect(alive.value).toBe('alive');
  await alive.ack();
  const dead = await queue.deadLetters().toArray();
  expect(dead.map(({ id, value }) => [id, value])).toEqual([
    [givenBack, 'given back'],
    [lost, 'lost'],
  ]);
  expect(await kinds(client)).toEqual(['~dead', '~dead']);
  expect([await queue.revive(lost), await queue.revive(lost)]).toEqual([true, false]);
  const revived = await take(jobs);
  expect(revived).toMatchObject({ id: lost, value: 'lost', attempt: 1 });
  await revived.ack();
});

test('a job may be done in one transaction with what it does', async () => {
  const { client } = await started();
  const queue = client.recipes.queue<number>(NAME);
  await queue.enqueue(5);
  await using jobs = queue.take();
  const job = await take(jobs);
  const run = (): ReturnType<KelpClient['txn']> =>
    client.txn({
      compares: [job.guard],
      success: [{ kind: 'increment', key: 'sum', delta: job.value }, ...job.done],
    });
  expect([(await run()).succeeded, (await run()).succeeded]).toEqual([true, false]);
  expect((await client.get('sum')).entry?.text()).toBe('5');
  expect(await kinds(client)).toEqual([]);
  // It is done already.
  await job.ack();
});

test('a value that the codec can not read is in the way of no other job', async () => {
  const { client } = await started();
  await client.recipes.queue(NAME, { codec: text }).enqueue('no JSON');
  const queue = client.recipes.queue<number>(NAME);
  await queue.enqueue(5);
  await using jobs = queue.take();
  const [bad, good] = [await take(jobs), await take(jobs)];
  expect(() => bad.value).toThrow(/can't be read by its codec/);
  expect(good.value).toBe(5);
});

test.each(['Scan', 'Exists', 'Txn', 'Grant', 'Revoke'])(
  'each job is there once, and done once, when answers to %s are lost',
  async (method) => {
    const { address, client } = await started();
    const lossy = lossyClient(address);
    const queue = lossy.client.recipes.queue<number>(NAME);
    for (let number = 0; number < 3; number++) {
      lossy.lose(method, number);
      await queue.enqueue(number);
    }
    expect(await queue.count()).toBe(3);
    const done: number[] = [];
    const jobs = queue.take();
    for (let number = 0; number < 3; number++) {
      lossy.lose(method, 1 + number);
      const job = await take(jobs);
      expect(job.attempt).toBe(1);
      lossy.lose(method, 1);
      await job.ack();
      done.push(job.value);
    }
    await jobs.return();
    expect(done).toEqual([0, 1, 2]);
    expect(await kinds(client)).toEqual([]);
  },
);

test('a second try of an enqueue makes no job anew that was done by then', async () => {
  const { address, client } = await started();
  const lossy = lossyClient(address);
  await using jobs = client.recipes.queue<number>(NAME).take();
  const first = take(jobs);
  await idle(client, 1);
  // Its second try comes when the job is gone.
  const held = Promise.withResolvers<void>();
  lossy.holdBefore('Txn', 2, held.promise);
  lossy.lose('Txn', 1);
  const enqueued = lossy.client.recipes.queue<number>(NAME).enqueue(1);
  await (await first).ack();
  held.resolve();
  await enqueued;
  expect(await kinds(client)).toEqual([]);
});

test('a worker that has as many jobs as it may have waits until one is done', async () => {
  const { client } = await started();
  const queue = client.recipes.queue<number>(NAME);
  await Promise.all(Array.from({ length: 101 }, (_, number) => queue.enqueue(number)));
  await using jobs = queue.take();
  const open: Job<number>[] = [];
  for (let count = 0; count < 100; count++) open.push(await take(jobs));
  const next = take(jobs);
  let isTaken = false;
  void next.then(() => (isTaken = true));
  await client.get('a round to the server');
  expect(isTaken).toBe(false);
  await open[0]?.ack();
  await next;
});

test('taking ends with its signal, without an error, and with the client, with one', async () => {
  const { address, client } = await started();
  const ending = new AbortController();
  const jobs = client.recipes.queue(NAME).take({ signal: ending.signal });
  const next = jobs.next();
  await idle(client, 1);
  ending.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  await idle(client, 0);
  const closing = createClient({ address });
  const failure = failureOf(closing.recipes.queue(NAME).take({ ttlMs: 1000 }).next());
  await idle(client, 1);
  closing.close();
  expect(await failure).toMatchObject({ code: 'closed' });
});
