/**
 * Collections over real processes that are killed: what was acknowledged over a socket of the Redis protocol, or by the services of
 * collections over gRPC, is there after the restart, and what was deleted is swept in the end, whenever the kill came.
 *
 * KILL_SEED decides what the clients do and when the kills come.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient, type KelpClient } from '../../../src/client/client.ts';
import { isKelpError } from '../../../src/client/errors/error.ts';
import { verifyDirectory } from '../../../src/offline/verify/verify.ts';
import { SWEPT_KEYS } from '../../../src/store/collections/collection-keys.ts';
import { openDurableStore } from '../../../src/store/open-durable-store.ts';
import type { DecodedReply } from '../../server/redis/support/decoded-reply.ts';
import { RedisClient } from '../../server/redis/support/redis-client.ts';
import { eventually } from '../../support/eventually.ts';
import { SeededRandom } from '../../support/random.ts';
import { rounds } from '../../support/share.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { ServerProcess } from '../server-process.ts';
import { callCommands, readCommands } from './collection-calls.ts';
import { OwnedCollections } from './owned-collections.ts';

vi.setConfig({ testTimeout: 180_000 });

const CYCLES = rounds(100);
const SEED = Number(process.env['KILL_SEED'] ?? 1);
const CLIENTS = 6;
const CALLERS = 4;
const CALLS_MAX = 200;
const MOMENT_MS_MAX = 20;
const REDIS = ['--redis-listen', '127.0.0.1:0'];
/** Small segments, frequent snapshots and short history, so that kills meet rotations, snapshots and sweeps too. */
const FLAGS = [
  ...REDIS,
  '--segment-bytes',
  '256KiB',
  '--snapshot-log-bytes',
  '512KiB',
  '--history-revisions-max',
  '50',
];
const ELEMENTS = { start: Uint8Array.of(0xfa), end: Uint8Array.of(0xfb) };

test(
  `no acknowledged change of a collection is lost over ${CYCLES} kills, seed ${SEED}`,
  { timeout: 60_000 + CYCLES * 20_000 },
  async () => {
    const dataDir = await temporaryDirectory();
    const random = new SeededRandom(SEED);
    const owners = Array.from(
      { length: CLIENTS },
      (_, index) => new OwnedCollections(`owner-${index}`, new SeededRandom(SEED * 1000 + index)),
    );
    const callers = Array.from(
      { length: CALLERS },
      (_, index) => new OwnedCollections(`caller-${index}`, new SeededRandom(SEED * 1000 + 500 + index)),
    );
    let server = await ServerProcess.start({ dataDir, flags: FLAGS });
    const count = { done: 0, called: 0 };
    for (let cycle = 1; cycle <= CYCLES; cycle++) {
      const { address, redisAddress } = server;
      const reached = count.done + random.between(1, CALLS_MAX);
      const enough = Promise.withResolvers<void>();
      const writing = owners.map((owner, index) =>
        write(redisAddress, owner, new SeededRandom(SEED * 100_000 + cycle * 100 + index), () => {
          if (++count.done >= reached) enough.resolve();
        }),
      );
      writing.push(
        ...callers.map((caller) =>
          call(address, caller, () => {
            count.called++;
          }),
        ),
      );
      await Promise.race([enough.promise, ...writing]);
      await delay(random.below(MOMENT_MS_MAX));
      await server.end('SIGKILL');
      await Promise.all(writing);
      server = await ServerProcess.start({ dataDir, flags: FLAGS });
      const reader = await RedisClient.open(server.redisAddress);
      for (const owner of owners) {
        const replies: DecodedReply[] = [];
        for (const read of owner.reads) replies.push(await reader.run(...read));
        expect(owner.settle(replies), `after kill ${cycle}`).toBeUndefined();
      }
      for (const caller of callers) {
        const replies = await readCommands(clientOf(server), caller.reads);
        expect(caller.settle(replies), `after kill ${cycle}`).toBeUndefined();
      }
    }
    expect(count.done).toBeGreaterThan(CYCLES);
    expect(count.called).toBeGreaterThan(CYCLES);
    await server.end('SIGTERM');
    expect(await verifyDirectory(dataDir, () => undefined)).toMatchObject({ isWhole: true });
  },
);

/** Sends commands, some at once, until the connection ends. */
async function write(
  address: string,
  owner: OwnedCollections,
  random: SeededRandom,
  done: () => void,
): Promise<void> {
  const client = await RedisClient.open(address);
  const ended = client.closed.then(
    () => undefined,
    () => undefined,
  );
  for (;;) {
    const groups = Array.from({ length: random.pick([1, 1, 3]) }, () => owner.begin());
    for (const command of groups.flatMap(({ commands }) => commands)) client.send(...command);
    for (const { commands, reply } of groups) {
      let last: DecodedReply | undefined;
      for (const _ of commands) {
        last = await Promise.race([client.next(), ended]);
        if (last === undefined) return;
      }
      expect(JSON.stringify(last), commands.join(' ; ')).toBe(reply);
      owner.acknowledge();
      done();
    }
  }
}

/** Makes calls over gRPC, one behind the other, until one fails as the server is gone. */
async function call(address: string, caller: OwnedCollections, done: () => void): Promise<void> {
  await using client = createClient({ address, retries: 0 });
  for (;;) {
    const { commands, reply } = caller.begin();
    try {
      const answer = await callCommands(client, commands);
      expect(JSON.stringify(answer), commands.join(' ; ')).toBe(reply);
    } catch (error) {
      if (!isKelpError(error)) throw error;
      if (!error.mayHaveTakenEffect) caller.refuse();
      return;
    }
    caller.acknowledge();
    done();
  }
}

const LARGE = 100_000;
const AT_ONCE = 2000;

test('a large collection that was deleted is swept by the next start, whenever the kill came', async () => {
  const dataDir = await temporaryDirectory();
  let server = await ServerProcess.start({ dataDir, flags: REDIS });
  const redis = await RedisClient.open(server.redisAddress);
  await redis.run('RPUSH', 'kept list', ...names(0, 1000));
  await redis.run('SADD', 'kept set', ...names(0, 1000));
  const emptyBytes = await memoryBytes(server);
  for (let from = 0; from < LARGE; from += AT_ONCE) redis.send('SADD', 'large', ...names(from, AT_ONCE));
  for (let from = 0; from < LARGE; from += AT_ONCE) expect(await redis.next()).toBe(AT_ONCE);
  const fullBytes = await memoryBytes(server);
  const { revision: deletedAt } = await clientOf(server).admin.status();
  expect(await redis.run('DEL', 'large')).toBe(1);
  await server.end('SIGKILL');

  // Its history is kept, and all of its elements with it.
  server = await ServerProcess.start({ dataDir, flags: REDIS });
  expect(await memoryBytes(server)).toBeGreaterThan((emptyBytes + fullBytes) / 2);
  const { entry } = await clientOf(server).get('large', { revision: deletedAt });
  expect(entry?.type).toBe('set');
  // From here on it may be swept, and is on the way when the kill comes, or is done and has said so.
  const { revision } = await clientOf(server).admin.status();
  await clientOf(server).admin.compact(revision);
  await server.end('SIGKILL');
  for (const momentMs of [0, 30]) {
    server = await ServerProcess.start({ dataDir, flags: REDIS });
    await delay(momentMs);
    await server.end('SIGKILL');
  }

  server = await ServerProcess.start({ dataDir, flags: REDIS });
  const last = server;
  await eventually(() => memoryBytes(last), { timeout: 60_000 }).toBeLessThan(
    emptyBytes + (fullBytes - emptyBytes) / 4,
  );
  const reader = await RedisClient.open(server.redisAddress);
  expect(await reader.run('LRANGE', 'kept list', '0', '-1')).toEqual(names(0, 1000));
  expect(await reader.run('SCARD', 'kept set')).toBe(1000);
  expect(await reader.run('EXISTS', 'large')).toBe(0);
  await server.end('SIGTERM');
  expect(await verifyDirectory(dataDir, () => undefined)).toMatchObject({ isWhole: true, damages: [] });
  const store = await openDurableStore({ dataDir });
  // A set of 1000 and the chunks of a list are left.
  const left = (): object =>
    store.decide((view) => ({
      marks: view.count(SWEPT_KEYS),
      isSwept: view.count(ELEMENTS) > 1000 && view.count(ELEMENTS) < 2000,
    })).result;
  await eventually(left, { timeout: 60_000 }).toEqual({ marks: 0, isSwept: true });
  await store.close();
});

function names(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `member-${from + index}`);
}

async function memoryBytes(server: ServerProcess): Promise<number> {
  return (await clientOf(server).admin.status()).memoryBytes;
}

const clients = new WeakMap<ServerProcess, KelpClient>();

function clientOf(server: ServerProcess): KelpClient {
  const known = clients.get(server);
  if (known !== undefined) return known;
  const client = createClient({ address: server.address });
  onTestFinished(() => client.close());
  clients.set(server, client);
  return client;
}
