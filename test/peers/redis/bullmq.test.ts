/** BullMQ's queues: what is added, in which order it is done, tried again, told, counted and removed. */
import { type Job, UnrecoverableError, type Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { BullQueues, ended } from './bullmq-queues.ts';
import { openDoor } from './redis-server-under-test.ts';

describe('BullMQ', { timeout: 120_000 }, () => {
  async function open(): Promise<{ port: number; bull: BullQueues; queue: Queue }> {
    const { port } = await openDoor();
    const bull = new BullQueues(port);
    return { port, bull, queue: bull.queue('work') };
  }

  /** Does all jobs that are there, one at a time. @returns their names, as they were done. */
  async function inOrder(bull: BullQueues, count: number): Promise<string[]> {
    const names: string[] = [];
    const worker = bull.worker('work', async ({ name }) => names.push(name));
    await ended(worker, count);
    await worker.close();
    return names;
  }

  test('does jobs in the order of their coming, the last one first where asked, and by priority behind them', async () => {
    const { bull, queue } = await open();
    for (const name of ['a', 'b', 'c']) await queue.add(name, {});
    await queue.add('first', {}, { lifo: true });
    await queue.addBulk(
      [30, 10, 20, 10].map((priority, index) => ({
        name: `${priority}-${index}`,
        data: {},
        opts: { priority },
      })),
    );
    const promoted = await queue.add('promoted', {}, { priority: 1000 });
    await promoted.changePriority({ priority: 5 });
    expect(await queue.getCountsPerPriority([5, 10, 20, 30])).toEqual({ 5: 1, 10: 2, 20: 1, 30: 1 });
    expect(await inOrder(bull, 9)).toEqual([
      'first',
      'a',
      'b',
      'c',
      'promoted',
      '10-1',
      '10-3',
      '20-2',
      '30-0',
    ]);
  });

  test('does hundreds of jobs, 50 at a time, each once, and tells their results', async () => {
    const { bull, queue } = await open();
    const numbers = Array.from({ length: 400 }, (_, index) => index);
    const jobs = await queue.addBulk(numbers.map((number) => ({ name: 'square', data: { number } })));
    expect(jobs.map(({ id }) => id)).toEqual(numbers.map((number) => String(number + 1)));
    expect(await queue.getJobCounts('waiting', 'active', 'completed')).toEqual({
      waiting: 400,
      active: 0,
      completed: 0,
    });
    const done: number[] = [];
    const square = async ({ data }: Job<{ number: number }>): Promise<{ square: number }> => {
      done.push(data.number);
      return { square: data.number ** 2 };
    };
    await ended(bull.worker('work', square, { concurrency: 50 }), 400);
    expect(done.toSorted((a, b) => a - b)).toEqual(numbers);
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 0, active: 0, completed: 400, failed: 0 });
    const completed = await queue.getCompleted(0, -1);
    expect(new Map(completed.map(({ id, returnvalue }) => [id, returnvalue]))).toEqual(
      new Map(numbers.map((number) => [String(number + 1), { square: number ** 2 }])),
    );
    expect(await queue.getJobs(['completed'], 0, 9, true)).toHaveLength(10);
    expect(await (await queue.getJob('7'))?.getState()).toBe('completed');
  });

  test('tries again what fails, after a while, until it succeeds or must not', async () => {
    const { bull, queue } = await open();
    const startsById = new Map<string, number[]>();
    const fail = async ({ id = '', name, attemptsMade }: Job): Promise<string> => {
      startsById.set(id, [...(startsById.get(id) ?? []), Date.now()]);
      if (name === 'hopeless') throw new UnrecoverableError('no use');
      if (name === 'never' || attemptsMade < 2) throw new Error(`attempt ${attemptsMade}`);
      return 'at last';
    };
    const exponential = { attempts: 3, backoff: { type: 'exponential', delay: 100 } };
    const slow = await queue.add('slow', {}, exponential);
    const never = await queue.add('never', {}, { attempts: 2, backoff: 10 });
    const hopeless = await queue.add('hopeless', {}, { attempts: 5 });
    const worker = bull.worker('work', fail);
    const stateOf = async ({ id = '' }: Job): Promise<unknown> => queue.getJobState(id);
    await eventually(async () => Promise.all([slow, never, hopeless].map(stateOf))).toEqual([
      'completed',
      'failed',
      'failed',
    ]);
    expect(await queue.getJob(slow.id ?? '')).toMatchObject({ attemptsMade: 3, returnvalue: 'at last' });
    expect(await queue.getJob(never.id ?? '')).toMatchObject({ attemptsMade: 2, failedReason: 'attempt 1' });
    expect(await queue.getJob(hopeless.id ?? '')).toMatchObject({ attemptsMade: 1, failedReason: 'no use' });
    const [first = 0, second = 0, third = 0] = startsById.get(slow.id ?? '') ?? [];
    expect(second - first).toBeGreaterThanOrEqual(100);
    expect(third - second).toBeGreaterThanOrEqual(200);
    expect(
      new Map((await queue.getFailed()).map(({ name, stacktrace }) => [name, stacktrace?.length])),
    ).toEqual(
      new Map([
        ['never', 2],
        ['hopeless', 1],
      ]),
    );
    // By hand they are tried once more.
    await worker.close();
    await queue.retryJobs({ state: 'failed' });
    expect((await inOrder(bull, 2)).toSorted()).toEqual(['hopeless', 'never']);
  });

  test('tells what becomes of a job, in order, and its result to who waits for it', async () => {
    const { bull, queue } = await open();
    const events = await bull.events('work');
    const heard: string[] = [];
    events.on('added', ({ name }) => heard.push(`added ${name}`));
    events.on('waiting', ({ jobId }) => heard.push(`waiting ${jobId}`));
    events.on('active', ({ jobId, prev }) => heard.push(`active ${jobId} after ${prev}`));
    events.on('progress', ({ jobId, data }) => heard.push(`progress ${jobId}: ${JSON.stringify(data)}`));
    events.on('completed', ({ jobId, returnvalue }) =>
      heard.push(`completed ${jobId}: ${JSON.stringify(returnvalue)}`),
    );
    events.on('failed', ({ jobId, failedReason }) => heard.push(`failed ${jobId}: ${failedReason}`));
    const drained = new Promise<void>((resolve) => events.once('drained', () => resolve()));
    const work = async (job: Job): Promise<unknown> => {
      if (job.name === 'bad') throw new Error('no');
      await job.updateProgress(50);
      await job.updateProgress({ of: [1, 'ü'] });
      return { sum: 3 };
    };
    const good = await queue.add('good', {});
    const bad = await queue.add('bad', {});
    bull.worker('work', work);
    expect(await good.waitUntilFinished(events)).toEqual({ sum: 3 });
    await expect(bad.waitUntilFinished(events)).rejects.toThrow('no');
    await drained;
    expect(heard).toEqual([
      'added good',
      'waiting 1',
      'added bad',
      'waiting 2',
      'active 1 after waiting',
      'progress 1: 50',
      'progress 1: {"of":[1,"ü"]}',
      'completed 1: {"sum":3}',
      'active 2 after waiting',
      'failed 2: no',
    ]);
    expect(await queue.trimEvents(0)).toBeGreaterThan(0);
  });

  test('keeps of what is done as many as asked', async () => {
    const { bull, queue } = await open();
    const add = async (count: number, opts: object): Promise<void> => {
      await queue.addBulk(Array.from({ length: count }, () => ({ name: 'job', data: {}, opts })));
    };
    await add(20, { removeOnComplete: true });
    await inOrder(bull, 20);
    expect(await queue.getJobCounts('completed', 'waiting')).toEqual({ completed: 0, waiting: 0 });
    await add(20, { removeOnComplete: 5 });
    await inOrder(bull, 20);
    expect((await queue.getCompleted()).map(({ id }) => id)).toEqual(['40', '39', '38', '37', '36']);
    expect(await queue.getJob('20')).toBe(undefined);
    expect(await queue.clean(0, 3, 'completed')).toHaveLength(3);
    expect(await queue.getCompletedCount()).toBe(2);
  });

  test('keeps logs and data, leaves out duplicates, and knows its workers', async () => {
    const { bull, queue } = await open();
    const job = await queue.add('job', { text: 'Grüße', list: [], nested: { empty: {} } });
    await job.log('one');
    await job.log('two');
    expect(await queue.getJobLogs(job.id ?? '')).toEqual({ logs: ['one', 'two'], count: 2 });
    expect((await queue.getJob(job.id ?? ''))?.data).toEqual({
      text: 'Grüße',
      list: [],
      nested: { empty: {} },
    });
    await job.updateData({ text: 'other' });
    expect((await queue.getJob(job.id ?? ''))?.data).toEqual({ text: 'other' });
    const named = await queue.add('named', {}, { jobId: 'mine' });
    expect((await queue.add('named', {}, { jobId: 'mine' })).id).toBe(named.id);
    const once = await queue.add('once', {}, { deduplication: { id: 'x', ttl: 60_000 } });
    const again = await queue.add('once', {}, { deduplication: { id: 'x', ttl: 60_000 } });
    expect(again.id).toBe(once.id);
    expect(await queue.getWaitingCount()).toBe(3);
    await (await queue.getJob('mine'))?.remove();
    expect((await queue.getWaiting()).map(({ name }) => name).toSorted()).toEqual(['job', 'once']);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const worker = bull.worker('work', () => held, { name: 'busy', concurrency: 2 });
    await eventually(() => queue.getActiveCount()).toBe(2);
    await eventually(() => queue.getWorkers()).toHaveLength(1);
    expect((await queue.getWorkers())[0]).toMatchObject({ rawname: expect.stringContaining('busy') });
    const all = ended(worker, 2);
    release();
    await all;
    expect(await queue.getJobCounts('completed', 'active')).toEqual({ completed: 2, active: 0 });
  });

  test('drains, and leaves nothing behind when it is removed as a whole', async () => {
    const { port, bull, queue } = await open();
    const client = new Redis({ port });
    onTestFinished(() => client.disconnect());
    await queue.addBulk(Array.from({ length: 200 }, () => ({ name: 'a', data: {}, opts: {} })));
    await queue.addBulk(Array.from({ length: 30 }, () => ({ name: 'b', data: {}, opts: { priority: 3 } })));
    await queue.addBulk(
      Array.from({ length: 30 }, () => ({ name: 'c', data: {}, opts: { delay: 600_000 } })),
    );
    await queue.drain();
    expect(await queue.getJobCounts('waiting', 'prioritized', 'delayed')).toEqual({
      waiting: 0,
      prioritized: 0,
      delayed: 30,
    });
    await queue.addBulk(Array.from({ length: 400 }, () => ({ name: 'a', data: {}, opts: {} })));
    const fail = async ({ id }: Job): Promise<void> => {
      if (Number(id) % 2 === 0) throw new Error('even');
    };
    const worker = bull.worker('work', fail, { concurrency: 20 });
    await ended(worker, 400);
    await worker.close();
    expect(await queue.getJobCounts('completed', 'failed')).toEqual({ completed: 200, failed: 200 });
    // In several steps.
    await queue.obliterate({ count: 100 });
    expect(await client.keys('bull:work:*')).toEqual([]);
    await queue.add('after', {});
    expect(await inOrder(bull, 1)).toEqual(['after']);
  });
});
