/**
 * Measures collections of the Redis door beside those of Redis: what they take in memory, by each server's own count
 * (`used_memory`) and resident, and what work at one of many elements costs the event loop.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { startKelp } from '../load/kelp-server.ts';
import { freePort } from '../../test/support/free-port.ts';
import { cpuSecondsOf, residentBytesOf } from '../load/process-figures.ts';
import { makeRandom } from '../load/random.ts';
import { RedisConnection, redisCommand, startRedis } from '../peers/redis.ts';

interface Server {
  readonly name: string;
  readonly processId: number;
  readonly port: number;
  readonly connection: RedisConnection;
}

/** Of one command that fills. */
const ELEMENTS_PER_COMMAND = 100;
const FILL_DEPTH = 16;
const POP_DEPTH = 32;
const MICROS_PER_MILLI = 1000;
const MICROS_PER_SECOND = 1_000_000;
/** A quick try may take less than the step in which processor time is told. */
const CPU_SECONDS_MIN = 0.01;
const SEED = 3;

const member = (index: number): string => `element:${String(index).padStart(12, '0')}`;

interface Shape {
  readonly name: string;
  /** The commands that make it, of so many elements together. */
  readonly commands: (elementCount: number) => Buffer[];
}

function inOne(command: string, wordsOf: (index: number) => string[]): Shape['commands'] {
  return (elementCount) =>
    pieces(elementCount, ELEMENTS_PER_COMMAND, (from, to) =>
      redisCommand(command, 'many', ...words(from, to, wordsOf)),
    );
}

function words(from: number, to: number, wordsOf: (index: number) => string[]): string[] {
  const all: string[] = [];
  for (let index = from; index < to; index++) all.push(...wordsOf(index));
  return all;
}

function pieces(count: number, length: number, make: (from: number, to: number) => Buffer): Buffer[] {
  const made: Buffer[] = [];
  for (let from = 0; from < count; from += length) made.push(make(from, Math.min(count, from + length)));
  return made;
}

/** From 65 to 512 elements in each, in one command: no form of few elements takes them in KelpDB. */
function middling(command: string, wordsOf: (index: number) => string[]): Shape['commands'] {
  return (elementCount) => {
    const random = makeRandom(SEED);
    const made: Buffer[] = [];
    for (let from = 0; from < elementCount;) {
      const to = Math.min(elementCount, from + 65 + random.below(448));
      made.push(redisCommand(command, `middling:${from}`, ...words(from, to, wordsOf)));
      from = to;
    }
    return made;
  };
}

const scored = (index: number): string[] => [String((index * 7919) % 1_000_003), member(index)];

const SHAPES: readonly Shape[] = [
  { name: 'set', commands: inOne('SADD', (index) => [member(index)]) },
  { name: 'sorted set', commands: inOne('ZADD', scored) },
  { name: 'list', commands: inOne('RPUSH', (index) => [member(index)]) },
  {
    name: 'hashes of 10 small fields',
    commands: (elementCount) =>
      pieces(elementCount, 10, (from, to) =>
        redisCommand(
          'HSET',
          `user:${String(from).padStart(10, '0')}`,
          ...words(from, to, (index) => [`field${index % 10}`, `value${index % 1000}`]),
        ),
      ),
  },
  { name: 'sets of 65 to 512', commands: middling('SADD', (index) => [member(index)]) },
  { name: 'sorted sets of 65 to 512', commands: middling('ZADD', scored) },
  {
    name: 'hashes of 65 to 512',
    commands: middling('HSET', (index) => [member(index), `value${index % 1000}`]),
  },
];

export const redisTypes: BenchCase = {
  async run(context) {
    for (const shape of SHAPES) {
      const isThere = await withServers(context, shape.name.replaceAll(' ', '-'), (servers) =>
        memoryOf(context, servers, shape),
      );
      if (!isThere) return context.reportMissing('Redis is not installed');
    }
    await withServers(context, 'work', async (servers) => {
      for (const server of servers) {
        await popQueue(context, server);
        await readAndDelete(context, server);
      }
    });
  },
};

/** @returns false: Redis is not installed. */
async function withServers(
  context: CaseContext,
  name: string,
  run: (servers: readonly [kelp: Server, redis: Server]) => Promise<void>,
): Promise<boolean> {
  const redis = await startRedis(context, `${context.directory}/redis-${name}`, ['--appendonly', 'no']);
  if (redis === undefined) return false;
  const port = await freePort();
  const kelp = await startKelp(context, `${context.directory}/kelp-${name}`, 'interval', {
    options: [`--redis-listen=127.0.0.1:${port}`],
  });
  try {
    const servers: [Server, Server] = [
      { name: 'KelpDB', processId: kelp.processId, port, connection: await RedisConnection.open(port) },
      {
        name: 'Redis',
        processId: redis.child.processId,
        port: redis.port,
        connection: await RedisConnection.open(redis.port),
      },
    ];
    await run(servers);
    for (const { connection } of servers) connection.close();
  } finally {
    await Promise.all([kelp.stop(), redis.child.stop()]);
  }
  return true;
}

async function memoryOf(
  context: CaseContext,
  servers: readonly [Server, Server],
  { name, commands }: Shape,
): Promise<void> {
  const { keyCount } = context;
  const made = commands(keyCount);
  const counted: number[] = [];
  for (const server of servers) {
    const before = await usedMemory(server);
    const residentBefore = await residentBytesOf(server.processId);
    await server.connection.pipeline(made, FILL_DEPTH);
    counted.push((await usedMemory(server)) - before);
    const resident = (await residentBytesOf(server.processId)) - residentBefore;
    const unit = 'bytes/key';
    context.report({
      name: `${name}: ${server.name}, as it counts`,
      unit,
      samples: [(counted.at(-1) ?? NaN) / keyCount],
    });
    context.report({ name: `${name}: ${server.name}, resident`, unit, samples: [resident / keyCount] });
  }
  const [kelp = NaN, redis = NaN] = counted;
  context.report({ name: `${name}: KelpDB to Redis, as they count`, unit: 'ratio', samples: [kelp / redis] });
}

async function usedMemory({ connection }: Server): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await connection.send('INFO', 'memory'))?.[1]);
}

/** How fast a queue is popped at its start, and once it was popped as often as there are elements in the case. */
async function popQueue(context: CaseContext, { name, processId, connection }: Server): Promise<void> {
  const { keyCount } = context;
  const measured = Math.max(POP_DEPTH, Math.ceil(keyCount / 20));
  // The first pops compile the code.
  await connection.pipeline(inOneQueue(keyCount + 3 * measured), FILL_DEPTH);
  await pop(connection, measured);
  const costs: number[] = [];
  for (const when of ['at the start', `after ${keyCount} pops`]) {
    if (costs.length > 0) await pop(connection, keyCount);
    const before = await cpuSecondsOf(processId);
    const micros = await pop(connection, measured);
    const seconds = Math.max(CPU_SECONDS_MIN, (await cpuSecondsOf(processId)) - before);
    costs.push(micros);
    context.report({ name: `${name}: ZPOPMIN ${when}, as it counts`, unit: 'µs', samples: [micros] });
    context.report({
      name: `${name}: ZPOPMIN ${when}, by processor time`,
      unit: 'µs',
      samples: [(seconds * MICROS_PER_SECOND) / measured],
    });
  }
  const [first = NaN, last = NaN] = costs;
  context.report({
    name: `${name}: ZPOPMIN at the end to that at the start, as it counts`,
    unit: 'ratio',
    samples: [last / first],
  });
}

/** @returns the microseconds of a pop, as the server counts them. */
async function pop(connection: RedisConnection, count: number): Promise<number> {
  await connection.send('CONFIG', 'RESETSTAT');
  await popAll(
    connection,
    Array.from({ length: count }, () => redisCommand('ZPOPMIN', 'queue')),
  );
  return (await microsOf(connection, 'zpopmin')) / count;
}

/** What the calls of a command took since the counts were set back. */
async function microsOf(connection: RedisConnection, command: string): Promise<number> {
  const stats = await connection.send('INFO', 'commandstats');
  return Number(new RegExp(`^cmdstat_${command}:calls=\\d+,usec=([\\d.]+)`, 'm').exec(stats)?.[1]);
}

function inOneQueue(count: number): Buffer[] {
  return pieces(count, ELEMENTS_PER_COMMAND, (from, to) =>
    redisCommand('ZADD', 'queue', ...words(from, to, scored)),
  );
}

/** Each reply is an array of two texts, which come one by one as the connection sees it: a line, then two texts. */
async function popAll(connection: RedisConnection, pops: readonly Buffer[]): Promise<void> {
  const REPLIES_OF_POP = 3;
  const waits: Uint8Array[] = [];
  for (let index = 0; index < pops.length; index += POP_DEPTH)
    waits.push(Buffer.concat(pops.slice(index, index + POP_DEPTH)));
  for (const piece of waits) {
    const count = piece.length / (pops[0]?.length ?? 1);
    // The rest of the pipeline is nothing to send: it stands for the replies that come.
    const rest = Array.from({ length: count * REPLIES_OF_POP - 1 }, () => Buffer.alloc(0));
    await connection.pipeline([piece, ...rest], count * REPLIES_OF_POP);
  }
}

/** The longest GET beside a reply of all members, and the time of the event loop that a DEL of all takes. */
async function readAndDelete(context: CaseContext, { name, port, connection }: Server): Promise<void> {
  const { keyCount } = context;
  await connection.pipeline(inOne('SADD', (index) => [member(index)])(keyCount), FILL_DEPTH);
  await connection.send('SET', 'small', 'value');
  const state = { isOver: false };
  const reading = readMembers(port, keyCount).finally(() => {
    state.isOver = true;
  });
  let longestMs = 0;
  while (!state.isOver) {
    const before = performance.now();
    await connection.send('GET', 'small');
    longestMs = Math.max(longestMs, performance.now() - before);
  }
  await reading;
  context.report({ name: `${name}: longest GET beside SMEMBERS of all`, unit: 'ms', samples: [longestMs] });
  await connection.send('CONFIG', 'RESETSTAT');
  await connection.send('DEL', 'many');
  const micros = await microsOf(connection, 'del');
  context.report({
    name: `${name}: DEL of all, as it counts`,
    unit: 'ms',
    samples: [micros / MICROS_PER_MILLI],
  });
}

/** Reads a reply to its end by its length. */
async function readMembers(port: number, count: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const length = member(0).length;
  let left = `*${count}\r\n`.length + count * (`$${length}\r\n`.length + length + 2);
  socket.write(redisCommand('SMEMBERS', 'many'));
  for await (const chunk of socket) {
    left -= (chunk as Buffer).length;
    if (left <= 0) break;
  }
  socket.destroy();
}
