/**
 * Measures batches of operations to `kelp serve --fsync always`, and the same commands to Redis with as many of them
 * under way. Server and client share the machine, so read the rows for each second of the server's processor time.
 */
import { emptyGetRequest, emptyPipelineOperation, emptyPutRequest } from '../../gen/kelp/v1/kv_codec.ts';
import type { PipelineOperationShape } from '../../gen/kelp/v1/kv_codec.ts';
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { randomKeys, VALUE_BYTES, Values } from '../load/data.ts';
import { fillServed, servedDirectory } from '../load/served-data.ts';
import { startKelp } from '../load/kelp-server.ts';
import { PipelineLoad, batchBytes } from '../load/pipeline-load.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import { startRedis } from '../peers/redis.ts';
import { commandRates } from '../peers/redis-benchmark.ts';

const BATCH_OPERATIONS = 100;
const CONNECTIONS = 4;
/** Of each connection, batches that are under way. */
const AHEAD = 4;
const LOADS = [
  { kind: 'get', batchCount: 4000 },
  { kind: 'put', batchCount: 2000 },
] as const;

const REDIS_LOADS = [
  { command: 'SET', count: 1_000_000 },
  { command: 'GET', count: 2_000_000 },
] as const;

export const servedPipeline: BenchCase = {
  prepare: fillServed,

  async run(context) {
    const server = await startKelp(context, servedDirectory(context), 'always');
    try {
      const loads = await Promise.all(
        Array.from({ length: CONNECTIONS }, () => PipelineLoad.open(server.ready)),
      );
      for (const load of LOADS) await measure(context, server.processId, loads, load);
      for (const load of loads) load.close();
    } finally {
      await server.stop();
    }
    await measureRedis(context);
  },
};

/** The same commands, as many of them under way. */
async function measureRedis(context: CaseContext): Promise<void> {
  const options = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const redis = await startRedis(context, `${context.directory}/redis`, options);
  if (redis === undefined) return context.reportMissing('Redis is not installed');
  try {
    // What is set first is there to be got.
    const server = { processId: redis.child.processId, port: redis.port };
    for (const { command, count } of REDIS_LOADS) {
      const samples: number[] = [];
      for (let repetition = 0; repetition <= context.repetitions; repetition++) {
        const load = { command, count, connections: CONNECTIONS, pipeline: BATCH_OPERATIONS * AHEAD };
        const { perCpuSecond } = await commandRates(context, server, load);
        if (repetition > 0) samples.push(perCpuSecond);
      }
      const name = `Redis: ${command.toLowerCase()}, appendfsync always, -c ${CONNECTIONS} -P ${BATCH_OPERATIONS * AHEAD}`;
      context.report({ name: `${name}, by the server's processor time`, unit: 'operations/s', samples });
    }
  } finally {
    await redis.child.stop();
  }
}

async function measure(
  context: CaseContext,
  processId: number,
  loads: readonly PipelineLoad[],
  { kind, batchCount }: (typeof LOADS)[number],
): Promise<void> {
  const count = operationCount(context, batchCount);
  const values = new Values();
  const rates: number[] = [];
  const costs: number[] = [];
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const batches = loads.map((_, load) => {
      const keys = randomKeys(count * BATCH_OPERATIONS, context.keyCount, repetition * CONNECTIONS + load);
      return Array.from({ length: count }, (_, batch) => {
        const from = batch * BATCH_OPERATIONS;
        const batchKeys = keys.slice(from, from + BATCH_OPERATIONS);
        return batchBytes({
          operations: batchKeys.map((key, index) => operationOf(kind, key, values.of(from + index))),
        });
      });
    });
    const cpuBefore = await cpuSecondsOf(processId);
    const beganAt = performance.now();
    const replyBytes = await Promise.all(loads.map((load, index) => load.run(batches[index] ?? [], AHEAD)));
    const seconds = (performance.now() - beganAt) / 1000;
    const operations = CONNECTIONS * count * BATCH_OPERATIONS;
    if (kind === 'get' && replyBytes.reduce((sum, bytes) => sum + bytes, 0) < operations * VALUE_BYTES) {
      throw new Error('the server did not find all keys');
    }
    // The first compiles the code.
    if (repetition === 0) continue;
    rates.push(operations / seconds);
    costs.push(operations / Math.max(0.01, (await cpuSecondsOf(processId)) - cpuBefore));
  }
  const load = `${kind} in batches of ${BATCH_OPERATIONS}, ${CONNECTIONS} connections`;
  context.report({ name: load, unit: 'operations/s', samples: rates });
  context.report({ name: `${load}, by the server's processor time`, unit: 'operations/s', samples: costs });
}

function operationOf(kind: 'get' | 'put', key: string, value: Uint8Array): PipelineOperationShape {
  const operation: PipelineOperationShape['operation'] =
    kind === 'get'
      ? { case: 'get', value: { ...emptyGetRequest(), key } }
      : { case: 'put', value: { ...emptyPutRequest(), key, value } };
  return { ...emptyPipelineOperation(), operation };
}
