/**
 * What a durable put costs the processor: of the store in this process with its callers, and of Redis alone under its own
 * `redis-benchmark`, each batch flushed before it is acknowledged. In turn, so that both meet the same machine.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { cpuNanos } from '../load/cpu.ts';
import { randomKeys, VALUE_BYTES, Values } from '../load/data.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';
import { startRedis, type RedisServer } from '../peers/redis.ts';

const UNDER_WAY = 256;
const PUT_COUNT = 200_000;
const NANOS_PER_SECOND = 1e9;
const REDIS_CONNECTIONS = 50;
const REDIS_PIPELINE = 32;
const REDIS_SET_COUNT = 1_000_000;

export const durablePuts: BenchCase = {
  async run(context) {
    const options = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const redis = await startRedis(context, `${context.directory}/redis`, options);
    if (redis === undefined) return context.reportMissing('not installed');
    try {
      await setWithRedisBenchmark(context, redis);
      await measureInTurn(context, redis);
    } finally {
      await redis.child.stop();
    }
  },
};

async function measureInTurn(context: CaseContext, redis: RedisServer): Promise<void> {
  const stored: number[] = [];
  const setByRedis: number[] = [];
  const values = new Values();
  await withFilledStore(context, 'always', async (store) => {
    const count = operationCount(context, PUT_COUNT);
    for (let repetition = 0; repetition <= context.repetitions; repetition++) {
      const keys = randomKeys(count, context.keyCount, repetition);
      const before = cpuNanos();
      await underWay(UNDER_WAY, count, (index) => store.put(keys[index] ?? '', values.of(index)));
      const seconds = (cpuNanos() - before) / NANOS_PER_SECOND;
      const redisRate = await setWithRedisBenchmark(context, redis);
      if (repetition === 0) continue;
      stored.push(count / seconds);
      setByRedis.push(redisRate);
    }
  });
  const unit = 'operations/s';
  context.report({ name: `put per CPU second, fsync always, ${UNDER_WAY} under way`, unit, samples: stored });
  const load = `-c ${REDIS_CONNECTIONS} -P ${REDIS_PIPELINE} -d ${VALUE_BYTES}`;
  context.report({
    name: `Redis: SET per CPU second, appendfsync always, ${load}`,
    unit,
    samples: setByRedis,
  });
}

/** @returns how many SETs it did with one second of Redis' processor time. */
async function setWithRedisBenchmark(context: CaseContext, { child, port }: RedisServer): Promise<number> {
  const count = operationCount(context, REDIS_SET_COUNT);
  const before = await cpuSecondsOf(child.processId);
  const load = ['-c', REDIS_CONNECTIONS, '-P', REDIS_PIPELINE, '-d', VALUE_BYTES, '-r', context.keyCount];
  const args = ['-p', port, '-t', 'set', '-n', count, '-q', ...load];
  await promisify(execFile)('redis-benchmark', args.map(String));
  return count / ((await cpuSecondsOf(child.processId)) - before);
}
