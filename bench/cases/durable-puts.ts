/**
 * What a durable put costs the processor: of the store in this process with its callers, and of Redis alone under its own
 * `redis-benchmark`, each batch flushed before it is acknowledged. In turn, so that both meet the same machine.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { cpuNanos } from '../load/cpu.ts';
import { randomKeys, VALUE_BYTES, Values } from '../load/data.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';
import { startRedis } from '../peers/redis.ts';
import { type BenchmarkedServer, commandRates } from '../peers/redis-benchmark.ts';

const UNDER_WAY = 256;
const PUT_COUNT = 200_000;
const NANOS_PER_SECOND = 1e9;
const REDIS_LOAD = { command: 'SET', count: 1_000_000, connections: 50, pipeline: 32 } as const;

export const durablePuts: BenchCase = {
  async run(context) {
    const options = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const redis = await startRedis(context, `${context.directory}/redis`, options);
    if (redis === undefined) return context.reportMissing('not installed');
    const server = { processId: redis.child.processId, port: redis.port };
    try {
      await commandRates(context, server, REDIS_LOAD);
      await measureInTurn(context, server);
    } finally {
      await redis.child.stop();
    }
  },
};

async function measureInTurn(context: CaseContext, server: BenchmarkedServer): Promise<void> {
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
      const redisRates = await commandRates(context, server, REDIS_LOAD);
      if (repetition === 0) continue;
      stored.push(count / seconds);
      setByRedis.push(redisRates.perCpuSecond);
    }
  });
  const unit = 'operations/s';
  context.report({ name: `put per CPU second, fsync always, ${UNDER_WAY} under way`, unit, samples: stored });
  const load = `-c ${REDIS_LOAD.connections} -P ${REDIS_LOAD.pipeline} -d ${VALUE_BYTES}`;
  context.report({
    name: `Redis: SET per CPU second, appendfsync always, ${load}`,
    unit,
    samples: setByRedis,
  });
}
