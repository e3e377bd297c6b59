/** BullMQ where a worker dies, and where the server does: real processes, killed with SIGKILL. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Job } from 'bullmq';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ServerProcess, type ServerProcessOptions } from '../../crash/server-process.ts';
import { childEnvironment } from '../../support/child-environment.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { BullQueues, ended } from './bullmq-queues.ts';

const WORKER_MAIN = fileURLToPath(new URL('bullmq-worker-main.ts', import.meta.url));

/** What is left behind is found soon. */
const STALLED = { stalledInterval: 250, lockDuration: 1000 };

describe('BullMQ', { timeout: 120_000 }, () => {
  async function open(): Promise<{
    start: ServerProcessOptions;
    server: ServerProcess;
    port: number;
    bull: BullQueues;
  }> {
    const port = await freePort();
    const start = {
      dataDir: await temporaryDirectory(),
      port: await freePort(),
      flags: [`--redis-listen=127.0.0.1:${port}`],
    };
    const server = await ServerProcess.start(start);
    return { start, server, port, bull: new BullQueues(port) };
  }

  function workerProcess(port: number, name: string): ChildProcess {
    const child = spawn(process.execPath, [WORKER_MAIN, String(port), name], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: childEnvironment(),
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  async function killed(child: ChildProcess): Promise<void> {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  test('gives the job of a worker that died to another one', async () => {
    const { port, bull } = await open();
    const queue = bull.queue('work');
    const events = await bull.events('work');
    const stalled: string[] = [];
    events.on('stalled', ({ jobId }) => stalled.push(jobId));
    const job = await queue.add('job', {});
    const child = workerProcess(port, 'work');
    await eventually(() => job.getState()).toBe('active');
    await killed(child);
    const worker = bull.worker('work', async () => 'done by another', STALLED);
    await ended(worker, 1);
    expect(await queue.getJob(job.id ?? '')).toMatchObject({
      returnvalue: 'done by another',
      attemptsStarted: 2,
      attemptsMade: 1,
      stalledCounter: 1,
    });
    await eventually(() => stalled).toEqual([job.id]);
  });

  test('gives a job up whose workers die again and again', async () => {
    const { port, bull } = await open();
    const queue = bull.queue('work');
    const job = await queue.add('deadly', {});
    for (let death = 1; death <= 2; death++) {
      const child = workerProcess(port, 'work');
      await eventually(async () => (await queue.getJob(job.id ?? ''))?.attemptsStarted).toBe(death);
      await killed(child);
      // It finds what is stalled, and takes no job itself.
      const finder = bull.worker('work', async () => undefined, { ...STALLED, autorun: false });
      await finder.startStalledCheckTimer();
      await eventually(() => job.getState(), { timeout: 30_000 }).toBe('waiting');
      await finder.close();
    }
    const worker = bull.worker('work', async () => undefined, STALLED);
    await eventually(() => job.getState()).toBe('failed');
    await worker.close();
    expect((await queue.getJob(job.id ?? ''))?.failedReason).toMatch(/stalled more than allowable limit/);
  });

  test('goes on after a kill of the server: what was under way, waiting, delayed and repeated', async () => {
    const { start, server, bull } = await open();
    const queue = bull.queue('work');
    const { promise: isKilled, resolve: goOn } = Promise.withResolvers<void>();
    const done: string[] = [];
    const work = async ({ name }: Job): Promise<string> => {
      if (name === 'long') await isKilled;
      done.push(name);
      return name;
    };
    const worker = bull.worker('work', work, { concurrency: 2 });
    const long = await queue.add('long', {});
    await eventually(() => long.getState()).toBe('active');
    const later = await queue.add('later', {}, { delay: 1500 });
    await queue.upsertJobScheduler('often', { every: 200 }, { name: 'tick' });
    await eventually(() => done).toContain('tick');
    await queue.pause();
    const waiting = await queue.add('waiting', {});
    await server.end('SIGKILL');
    done.length = 0;
    await ServerProcess.start(start);
    goOn();
    expect(await queue.isPaused()).toBe(true);
    expect(await waiting.getState()).toBe('waiting');
    await queue.resume();
    await eventually(() => done).toEqual(expect.arrayContaining(['long', 'later', 'waiting', 'tick']));
    const states = (): Promise<string[]> => Promise.all([long, later, waiting].map((job) => job.getState()));
    await eventually(states).toEqual(['completed', 'completed', 'completed']);
    await queue.removeJobScheduler('often');
    await worker.close();
    expect((await queue.getJob(long.id ?? ''))?.attemptsStarted).toBe(1);
  });

  test('gives on what a worker had that died with the server', async () => {
    const { start, server, port, bull } = await open();
    const queue = bull.queue('work');
    const job = await queue.add('job', {});
    const child = workerProcess(port, 'work');
    await eventually(() => job.getState()).toBe('active');
    await Promise.all([server.end('SIGKILL'), killed(child)]);
    await ServerProcess.start(start);
    const events = await bull.events('work');
    bull.worker('work', async () => 'done', STALLED);
    expect(await job.waitUntilFinished(events)).toBe('done');
    expect(await queue.getJob(job.id ?? '')).toMatchObject({ attemptsStarted: 2, stalledCounter: 1 });
  });
});
