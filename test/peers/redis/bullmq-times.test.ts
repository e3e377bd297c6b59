/** What BullMQ does in time: delayed and repeated jobs, limits of rate, pauses. None is early; how late they are decides nothing. */
import { type Job, type Queue } from 'bullmq';
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

  test('does delayed jobs when they are due, in that order, and those that are promoted at once', async () => {
    const { bull, queue } = await open();
    const events = await bull.events('work');
    const delayed: string[] = [];
    events.on('delayed', ({ jobId }) => delayed.push(jobId));
    await queue.add('far', {}, { delay: 600_000, jobId: 'far' });
    await queue.add('third', {}, { delay: 900 });
    await queue.add('second', {}, { delay: 600 });
    await queue.add('first', {}, { delay: 300 });
    const sooner = await queue.add('sooner', {}, { delay: 500_000 });
    await sooner.changeDelay(50);
    const promoted = await queue.add('promoted', {}, { delay: 500_000 });
    await promoted.promote();
    expect(await queue.getDelayedCount()).toBe(5);
    const done: string[] = [];
    const early: string[] = [];
    const worker = bull.worker('work', async ({ name, timestamp, delay }: Job) => {
      done.push(name);
      if (Date.now() < timestamp + delay) early.push(name);
    });
    await ended(worker, 5);
    expect(early).toEqual([]);
    expect(done.filter((name) => name !== 'promoted' && name !== 'sooner')).toEqual([
      'first',
      'second',
      'third',
    ]);
    expect(done).toEqual(expect.arrayContaining(['promoted', 'sooner']));
    expect((await queue.getDelayed()).map(({ id }) => id)).toEqual(['far']);
    await eventually(() => delayed.length).toBeGreaterThanOrEqual(5);
  });

  test('repeats jobs by an interval and by a pattern, until the scheduler is removed', async () => {
    const { bull, queue } = await open();
    await queue.upsertJobScheduler('often', { every: 100 }, { name: 'tick', data: { of: 'often' } });
    await queue.upsertJobScheduler(
      'seconds',
      { pattern: '* * * * * *', limit: 2 },
      { name: 'tock', data: { of: 'seconds' } },
    );
    expect(await queue.getJobSchedulersCount()).toBe(2);
    expect(await queue.getJobScheduler('often')).toMatchObject({
      key: 'often',
      name: 'tick',
      every: 100,
      template: { data: { of: 'often' } },
    });
    const counts = { tick: 0, tock: 0 };
    const { promise: isEnough, resolve } = Promise.withResolvers<void>();
    const count = async ({ name, data }: Job<{ of: string }>): Promise<void> => {
      if (data.of !== (name === 'tick' ? 'often' : 'seconds')) throw new Error(`${name}: ${data.of}`);
      counts[name as keyof typeof counts]++;
      if (counts.tick >= 5 && counts.tock === 2) resolve();
    };
    const worker = bull.worker('work', count);
    await isEnough;
    expect(await queue.removeJobScheduler('often')).toBe(true);
    await eventually(() => queue.getJobCounts('delayed', 'waiting', 'active', 'failed')).toEqual({
      delayed: 0,
      waiting: 0,
      active: 0,
      failed: 0,
    });
    await worker.close();
    expect(counts.tock).toBe(2);
    expect(await queue.getCompletedCount()).toBe(counts.tick + counts.tock);
  });

  test('a scheduler that is set again has the new interval, and one job that is to come', async () => {
    const { queue } = await open();
    for (const every of [60_000, 120_000, 180_000])
      await queue.upsertJobScheduler('one', { every, startDate: Date.now() + 600_000 }, { name: `${every}` });
    expect(await queue.getJobSchedulers()).toMatchObject([{ key: 'one', every: 180_000, name: '180000' }]);
    expect((await queue.getDelayed()).map(({ name }) => name)).toEqual(['180000']);
  });

  test('does not more jobs in a while than the limit of rate lets pass', async () => {
    const { port, bull, queue } = await open();
    const client = new Redis({ port });
    onTestFinished(() => client.disconnect());
    await queue.addBulk(Array.from({ length: 11 }, () => ({ name: 'job', data: {} })));
    const begunMs = performance.now();
    const ends: number[] = [];
    const limited = { limiter: { max: 4, duration: 500 }, concurrency: 3 };
    const worker = bull.worker('work', async () => ends.push(performance.now() - begunMs), limited);
    await ended(worker, 11);
    // The first window begins with the first job at the earliest, a third one behind two whole ones.
    expect(ends[4]).toBeGreaterThanOrEqual(495);
    expect(ends[8]).toBeGreaterThanOrEqual(990);
    await worker.close();
    await queue.rateLimit(600_000);
    expect(await queue.getRateLimitTtl()).toBeGreaterThan(500_000);
    await queue.removeRateLimitKey();
    expect(await queue.getRateLimitTtl()).toBe(-2);
  });

  test('does nothing while it is paused, and no more at a time than all workers may', async () => {
    const { bull, queue } = await open();
    let active = 0;
    let mostActive = 0;
    const work = async (): Promise<void> => {
      mostActive = Math.max(mostActive, ++active);
      await queue.getJobCounts();
      active--;
    };
    const first = bull.worker('work', work, { concurrency: 5 });
    const second = bull.worker('work', work, { concurrency: 5 });
    await Promise.all([first.waitUntilReady(), second.waitUntilReady()]);
    await queue.pause();
    expect(await queue.isPaused()).toBe(true);
    await queue.setGlobalConcurrency(2);
    await queue.addBulk(Array.from({ length: 40 }, () => ({ name: 'job', data: {} })));
    await queue.add('urgent', {}, { priority: 1 });
    expect(await queue.getJobCounts('active', 'completed')).toEqual({ active: 0, completed: 0 });
    const resumedMs = Date.now();
    await queue.resume();
    await eventually(() => queue.getCompletedCount()).toBe(41);
    const starts = (await queue.getCompleted(0, -1)).map(({ processedOn = 0 }) => processedOn);
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(resumedMs);
    expect(mostActive).toBeLessThanOrEqual(2);
  });
});
