/**
 * A queue of BullMQ under load while its server is killed again and again: every job that was added is done at least once, and a
 * job whose end its worker has heard of stays ended. It may be begun again all the same: a worker of BullMQ keeps jobs that it has
 * fetched while it waits for the next one, and another worker may have done them by then.
 *
 * KILL_SEED decides what is added and how long it takes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Job, type Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { ServerProcess } from '../../crash/server-process.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { SeededRandom } from '../../support/random.ts';
import { rounds } from '../../support/share.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { BullQueues } from './bullmq-queues.ts';

/** As a whole ten minutes. A sample has two at least, in quick succession: the one between them is a start among the rest. */
const KILLS = Math.max(2, rounds(30));
const PERIOD_MS = KILLS > 2 ? 20_000 : 5_000;
const SEED = Number(process.env['KILL_SEED'] ?? 1);

const JOB_MS_MAX = 60;
/** Jobs that wait: nothing more is added meanwhile. */
const WAITING_MAX = 300;
const ADDED_AT_ONCE_MAX = 40;
/** The queue is read at the end in pieces. */
const READ_AT_ONCE = 1000;

/** What the clients know. */
class Ledger {
  /** Whose addition was acknowledged. */
  readonly added = new Set<string>();
  readonly begun = new Set<string>();
  /** Of whose end the worker has heard. */
  readonly completed = new Set<string>();
}

test(
  `no job is lost over ${KILLS} kills, one each ${PERIOD_MS / 1000} s, seed ${SEED}`,
  async () => {
    const port = await freePort();
    const start = {
      dataDir: await temporaryDirectory(),
      port: await freePort(),
      // Small segments and frequent snapshots, so that kills meet rotations, snapshots and removals too.
      flags: [
        `--redis-listen=127.0.0.1:${port}`,
        '--segment-bytes=4MiB',
        '--snapshot-log-bytes=16MiB',
        '--log-retention-bytes=16MiB',
      ],
    };
    let server = await ServerProcess.start(start);
    const bull = new BullQueues(port);
    const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 50 });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    const ledger = new Ledger();
    const random = new SeededRandom(SEED);
    const work = async (job: Job<{ takesMs: number; failures: number }>): Promise<string> => {
      ledger.begun.add(job.id ?? '');
      await delay(job.data.takesMs);
      if (job.attemptsMade < job.data.failures) throw new Error('once more');
      return `result of ${job.id}`;
    };
    // What a worker took when the reply was lost belongs to none until it counts as stalled, which may befall a job twice.
    const options = { concurrency: 15, lockDuration: 5000, stalledInterval: 2000, maxStalledCount: 1000 };
    for (const worker of [bull.worker('load', work, options), bull.worker('load', work, options)])
      worker.on('completed', ({ id = '' }) => ledger.completed.add(id));
    const queue = bull.queue('load');
    let isOver = false;
    const adding = addJobs(queue, ledger, random, () => isOver);
    for (let kill = 1; kill <= KILLS; kill++) {
      const completedBefore = ledger.completed.size;
      await delay(PERIOD_MS);
      expect(ledger.completed.size, `before kill ${kill}`).toBeGreaterThan(completedBefore);
      await server.end('SIGKILL');
      const heard = [...ledger.completed];
      server = await ServerProcess.start(start);
      const completed = await completedIds(client);
      const lost = heard.filter((id) => !completed.has(id));
      expect(lost, `kill ${kill}`).toEqual([]);
    }
    isOver = true;
    await adding;

    // A completion whose reply was lost is none that a worker has heard of: the queue has the last word.
    const ends = async (): Promise<object> => queue.getJobCounts();
    await eventually(ends, { timeout: 120_000, interval: 500 }).toEqual({
      active: 0,
      completed: ledger.added.size,
      delayed: 0,
      failed: 0,
      prioritized: 0,
      waiting: 0,
      'waiting-children': 0,
    });
    const resultById = await results(client);
    const wrong = [...ledger.added].filter((id) => resultById.get(id) !== JSON.stringify(`result of ${id}`));
    expect(wrong).toEqual([]);
    expect([...ledger.completed].filter((id) => !resultById.has(id))).toEqual([]);
    expect([...ledger.added].filter((id) => !ledger.begun.has(id))).toEqual([]);
    expect(ledger.added.size).toBeGreaterThan(KILLS * 100);
  },
  240_000 + KILLS * (PERIOD_MS + 60_000),
);

/** Adds jobs of all kinds until it is over, each by a name of its own: one that is sent again is there once. */
async function addJobs(
  queue: Queue,
  ledger: Ledger,
  random: SeededRandom,
  isOver: () => boolean,
): Promise<void> {
  let number = 0;
  while (!isOver()) {
    if ((await queue.count()) >= WAITING_MAX) {
      await delay(JOB_MS_MAX);
      continue;
    }
    const jobs = Array.from({ length: random.between(1, ADDED_AT_ONCE_MAX) }, () => ({
      name: 'job',
      data: { takesMs: random.below(JOB_MS_MAX), failures: random.below(10) === 0 ? 1 : 0 },
      opts: {
        jobId: `job-${++number}`,
        attempts: 1000,
        backoff: random.below(2) * 100,
        ...(random.below(5) === 0 && { delay: random.below(2000) }),
        ...(random.below(5) === 0 && { priority: random.between(1, 5) }),
      },
    }));
    for (const { opts } of await addSurely(queue, jobs)) ledger.added.add(opts.jobId ?? '');
  }
}

/** What is cut off in the middle of a transaction is told as an error: then it is added again. */
async function addSurely(queue: Queue, jobs: Parameters<Queue['addBulk']>[0]): Promise<Job[]> {
  for (;;) {
    try {
      return await queue.addBulk(jobs);
    } catch {
      await delay(50);
    }
  }
}

async function completedIds(client: Redis): Promise<Set<string>> {
  return new Set(await client.zrange('bull:load:completed', '0', '-1'));
}

/** What the store has of each job that is completed, by its identifier. */
async function results(client: Redis): Promise<Map<string, string | null>> {
  const ids = [...(await completedIds(client))];
  const resultById = new Map<string, string | null>();
  for (let from = 0; from < ids.length; from += READ_AT_ONCE) {
    const some = ids.slice(from, from + READ_AT_ONCE);
    const read = await Promise.all(some.map((id) => client.hget(`bull:load:${id}`, 'returnvalue')));
    for (const [index, id] of some.entries()) resultById.set(id, read[index] ?? null);
  }
  return resultById;
}
