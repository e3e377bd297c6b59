/**
 * Measures BullMQ at the Redis door of `kelp serve --fsync always` beside `redis-server` with `appendfsync always`, by turns, on
 * the same disk: jobs that do nothing are added in bulk while a worker does them. A ratio is that of one turn, so what else
 * the machine does falls on both.
 */
import { Queue, Worker } from 'bullmq';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { startKelp } from '../load/kelp-server.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import type { BenchmarkedServer } from '../peers/redis-benchmark.ts';
import { startRedis } from '../peers/redis.ts';
import { freePort } from '../../test/support/free-port.ts';

const JOBS = 20_000;
const BULK_JOBS = 500;
/** Jobs of the worker at a time. */
const CONCURRENCY = 50;

interface JobRates {
  readonly perSecond: number;
  /** For each second of the server's processor time. */
  readonly perCpuSecond: number;
}

export const redisBullmq: BenchCase = {
  async run(context) {
    const options = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const redis = await startRedis(context, `${context.directory}/redis`, options);
    if (redis === undefined) return context.reportMissing('Redis is not installed');
    const port = await freePort();
    const kelp = await startKelp(context, `${context.directory}/kelp`, 'always', {
      options: [`--redis-listen=127.0.0.1:${port}`],
    });
    const kelpRates: JobRates[] = [];
    const redisRates: JobRates[] = [];
    try {
      for (let repetition = 0; repetition <= context.repetitions; repetition++) {
        const ofKelp = await jobRates(context, { processId: kelp.processId, port });
        const ofRedis = await jobRates(context, { processId: redis.child.processId, port: redis.port });
        // In the first, code is compiled, of the clients too.
        if (repetition === 0) continue;
        kelpRates.push(ofKelp);
        redisRates.push(ofRedis);
      }
    } finally {
      await Promise.all([kelp.stop(), redis.child.stop()]);
    }
    for (const [kind, suffix] of [
      ['perSecond', ''],
      ['perCpuSecond', ', by processor time'],
    ] as const) {
      const [ours, theirs] = [kelpRates, redisRates].map((rates) => rates.map((each) => each[kind]));
      if (ours === undefined || theirs === undefined) throw new Error('two servers');
      context.report({ name: `jobs: KelpDB${suffix}`, unit: 'operations/s', samples: ours });
      context.report({ name: `jobs: Redis${suffix}`, unit: 'operations/s', samples: theirs });
      const ratios = ours.map((rate, index) => rate / (theirs[index] ?? NaN));
      context.report({ name: `jobs: KelpDB to Redis${suffix}`, unit: 'ratio', samples: ratios });
    }
  },
};

/** From the first job added to the last one done. Nothing is left behind. */
async function jobRates(context: CaseContext, { processId, port }: BenchmarkedServer): Promise<JobRates> {
  const count = operationCount(context, JOBS);
  const connection = { host: '127.0.0.1', port };
  const queue = new Queue('bench', { connection });
  const worker = new Worker('bench', async () => undefined, { connection, concurrency: CONCURRENCY });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  try {
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    let left = count;
    worker.on('completed', () => {
      left--;
      if (left === 0) resolve();
    });
    worker.on('failed', (_, error) => reject(error));
    worker.on('error', reject);
    const cpuBefore = await cpuSecondsOf(processId);
    const begunMs = performance.now();
    for (let added = 0; added < count; added += BULK_JOBS) {
      const length = Math.min(BULK_JOBS, count - added);
      await queue.addBulk(Array.from({ length }, () => ({ name: 'job', data: {} })));
    }
    await done;
    const seconds = (performance.now() - begunMs) / 1000;
    const cpuSeconds = (await cpuSecondsOf(processId)) - cpuBefore;
    return { perSecond: count / seconds, perCpuSecond: count / Math.max(0.01, cpuSeconds) };
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
  }
}
