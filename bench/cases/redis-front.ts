/**
 * Measures the Redis door of `kelp serve --fsync always` beside `redis-server` with `appendfsync always`: the same commands of
 * `redis-benchmark`, by turns, on the same disk. A ratio is that of one turn, so what else the machine does falls on both.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { startKelp } from '../load/kelp-server.ts';
import { freePort } from '../../test/support/free-port.ts';
import {
  type BenchmarkedServer,
  type CommandName,
  type CommandRates,
  commandRates,
  type ScriptLoad,
} from '../peers/redis-benchmark.ts';
import { startRedis } from '../peers/redis.ts';

interface Load {
  readonly command: CommandName | ScriptLoad;
  /** Of what one command costs, compared to a SET. */
  readonly share: number;
}

/** Each call writes: a lock that is its caller's is released, one that is free is taken. */
const LOCK: ScriptLoad = {
  name: 'EVALSHA of a lock',
  text: `if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1])
else return redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', 60000) end`,
  argument: 'token',
};

/** In this order, so that what is popped is there: of each, half of what was put in. */
const LOADS: readonly Load[] = [
  { command: 'SET', share: 1 },
  { command: 'GET', share: 1 },
  { command: 'INCR', share: 1 },
  { command: 'LPUSH', share: 1 },
  { command: 'RPUSH', share: 1 },
  { command: 'LRANGE_100', share: 0.25 },
  { command: 'LPOP', share: 0.5 },
  { command: 'RPOP', share: 0.5 },
  { command: 'SADD', share: 1 },
  { command: 'SPOP', share: 0.5 },
  { command: 'HSET', share: 1 },
  { command: 'ZADD', share: 1 },
  { command: 'ZPOPMIN', share: 0.5 },
  { command: 'XADD', share: 1 },
  { command: 'MSET', share: 0.25 },
  { command: LOCK, share: 0.5 },
];

const CONNECTIONS = 50;
/** As `redis-benchmark` has them by itself. */
const VALUE_BYTES = 3;
const DEPTHS = [
  { pipeline: 1, count: 50_000 },
  { pipeline: 32, count: 500_000 },
];

export const redisFront: BenchCase = {
  async run(context) {
    const options = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const redis = await startRedis(context, `${context.directory}/redis`, options);
    if (redis === undefined) return context.reportMissing('Redis is not installed');
    const port = await freePort();
    const kelp = await startKelp(context, `${context.directory}/kelp`, 'always', {
      options: [`--redis-listen=127.0.0.1:${port}`],
    });
    const servers = {
      kelp: { processId: kelp.processId, port },
      redis: { processId: redis.child.processId, port: redis.port },
    };
    try {
      for (const { pipeline, count } of DEPTHS)
        for (const { command, share } of LOADS)
          await measure(context, servers, command, pipeline, share * count);
    } finally {
      await Promise.all([kelp.stop(), redis.child.stop()]);
    }
  },
};

async function measure(
  context: CaseContext,
  servers: { readonly kelp: BenchmarkedServer; readonly redis: BenchmarkedServer },
  command: CommandName | ScriptLoad,
  pipeline: number,
  count: number,
): Promise<void> {
  const load = { command, count, connections: CONNECTIONS, pipeline, valueBytes: VALUE_BYTES };
  const kelp: CommandRates[] = [];
  const redis: CommandRates[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const kelpRates = await commandRates(context, servers.kelp, load);
    const redisRates = await commandRates(context, servers.redis, load);
    // In the first, code is compiled: a server is at work for longer than a benchmark.
    if (repetition === 0) continue;
    kelp.push(kelpRates);
    redis.push(redisRates);
  }
  const name = `${typeof command === 'string' ? command : command.name}, P=${pipeline}`;
  const ratios = (kind: keyof CommandRates): number[] =>
    kelp.map((rates, index) => rates[kind] / (redis[index]?.[kind] ?? NaN));
  const report = (what: string, unit: 'operations/s' | 'ratio', samples: number[]): void =>
    context.report({ name: `${name}: ${what}`, unit, samples });
  report(
    'KelpDB',
    'operations/s',
    kelp.map(({ perSecond }) => perSecond),
  );
  report(
    'Redis',
    'operations/s',
    redis.map(({ perSecond }) => perSecond),
  );
  report('KelpDB to Redis', 'ratio', ratios('perSecond'));
  report(
    'KelpDB, by processor time',
    'operations/s',
    kelp.map(({ perCpuSecond }) => perCpuSecond),
  );
  report(
    'Redis, by processor time',
    'operations/s',
    redis.map(({ perCpuSecond }) => perCpuSecond),
  );
  report('KelpDB to Redis, by processor time', 'ratio', ratios('perCpuSecond'));
}
