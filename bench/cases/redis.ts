/**
 * Measures Redis on the same work: its reads, its writes under each policy of its log, its memory, its snapshot. It is
 * reached over a socket, with the depth of the pipeline where the store in process has callers, so a part of each
 * figure is this process as its client.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { keyOf, randomKeys, Values } from '../load/data.ts';
import { dataBytes } from '../load/memory.ts';
import { residentBytesOf } from '../load/process-figures.ts';
import { shuffledIndexes } from '../load/random.ts';
import { ratesOf } from '../load/repeat.ts';
import { RedisConnection, redisCommand, type RedisServer, startRedis } from '../peers/redis.ts';

const FILL_SEED = 1;
const FILL_UNDER_WAY = 1000;
const CONCURRENCIES = [1, 64, 256];
const COUNT_ONE = 2000;
const COUNT_MANY = 30_000;
const PUT_COUNT_ONE = 1000;

export const redis: BenchCase = {
  async run(context) {
    for (const fsync of ['always', 'everysec', 'no']) {
      const options = ['--appendonly', 'yes', '--appendfsync', fsync];
      const server = await startRedis(context, `${context.directory}/${fsync}`, options);
      if (server === undefined) return context.reportMissing('not installed');
      await withConnection(server, async (connection) => {
        await fill(connection, context.keyCount);
        if (fsync === 'no') await measureGets(context, connection);
        await measureSets(context, connection, fsync);
      });
    }
    await measureMemoryAndSave(context);
  },
};

async function withConnection(
  server: RedisServer,
  run: (connection: RedisConnection) => Promise<void>,
): Promise<void> {
  try {
    const connection = await RedisConnection.open(server.port);
    await run(connection);
    connection.close();
  } finally {
    await server.child.stop();
  }
}

async function fill(connection: RedisConnection, keyCount: number): Promise<void> {
  const values = new Values();
  const order = shuffledIndexes(keyCount, FILL_SEED);
  const commands = Array.from(order, (index) => redisCommand('SET', keyOf(index), values.of(index)));
  await connection.pipeline(commands, FILL_UNDER_WAY);
}

async function measureGets(context: CaseContext, connection: RedisConnection): Promise<void> {
  for (const depth of CONCURRENCIES) {
    const count = operationCount(context, depth === 1 ? COUNT_ONE : COUNT_MANY);
    const samples = await ratesOf(context, {
      count,
      setUp: (repetition) =>
        randomKeys(count, context.keyCount, repetition).map((key) => redisCommand('GET', key)),
      run: (commands) => connection.pipeline(commands, depth),
    });
    context.report({ name: `get, ${depth} under way`, unit: 'operations/s', samples });
  }
}

async function measureSets(context: CaseContext, connection: RedisConnection, fsync: string): Promise<void> {
  const values = new Values();
  for (const depth of CONCURRENCIES) {
    const count = operationCount(context, depth === 1 ? PUT_COUNT_ONE : COUNT_MANY);
    const samples = await ratesOf(context, {
      count,
      setUp: (repetition) =>
        randomKeys(count, context.keyCount, repetition).map((key, index) =>
          redisCommand('SET', key, values.of(index)),
        ),
      run: (commands) => connection.pipeline(commands, depth),
    });
    context.report({ name: `set, appendfsync ${fsync}, ${depth} under way`, unit: 'operations/s', samples });
  }
}

async function measureMemoryAndSave(context: CaseContext): Promise<void> {
  const { keyCount, directory } = context;
  const saveDirectory = `${directory}/save`;
  const server = await startRedis(context, saveDirectory, []);
  if (server === undefined) return;
  await withConnection(server, async (connection) => {
    const before = await residentBytesOf(server.child.processId);
    await fill(connection, keyCount);
    const overheadBytes = (await residentBytesOf(server.child.processId)) - before - dataBytes(keyCount);
    context.report({
      name: 'resident memory over keys and values',
      unit: 'bytes/key',
      samples: [overheadBytes / keyCount],
    });
    const samples: number[] = [];
    for (let repetition = 0; repetition < context.repetitions; repetition++) {
      const startMs = performance.now();
      await connection.send('SAVE');
      samples.push((performance.now() - startMs) / 1000);
    }
    context.report({ name: 'save (no reads or writes meanwhile)', unit: 's', samples });
  });
  const loads: number[] = [];
  for (let repetition = 0; repetition < context.repetitions; repetition++) {
    const loaded = await startRedis(context, saveDirectory, []);
    if (loaded === undefined) return;
    loads.push(loaded.loadSeconds);
    await loaded.child.stop();
  }
  context.report({ name: 'load of a save', unit: 's', samples: loads });
}
