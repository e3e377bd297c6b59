/** A process that may have few files open, and clients that take all connections there are: the store goes on. */
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RedisClient } from '../server/redis/support/redis-client.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { openClients } from './clients.ts';
import { ServerProcess } from './server-process.ts';

// Each starts several processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const KiB = 1024;
/** Node itself takes about 30 of them. */
const OPEN_FILES_MAX = 64;
const CONNECTIONS_MAX = 16;
const flags = ['--segment-bytes', '64KiB', '--request-timeout', '1h', '--handshake-timeout', '1h'];

test('idle clients take no descriptor that the log needs, and those that are too many are closed', async () => {
  const dataDir = await temporaryDirectory();
  const server = await ServerProcess.start({ dataDir, flags, openFilesMax: OPEN_FILES_MAX });
  expect(
    await server.logged(
      '--connections-max is lowered: the process may not have enough files open (ulimit -n)',
    ),
  ).toMatchObject({
    connectionsMax: CONNECTIONS_MAX,
    openFilesMax: OPEN_FILES_MAX,
  });
  const { reader } = openClients(server.port);
  await reader.put('first', '1');

  const idle = Array.from({ length: 200 }, () => idleClient(server.port));
  const ends = idle.map(({ closed }) => closed);
  // All but those that have a place, beside the client that writes.
  await settledCount(ends, idle.length - (CONNECTIONS_MAX - 1));
  for (let index = 0; index < 20; index++) await reader.put(`key${index}`, Buffer.alloc(30 * KiB));
  await reader.admin.snapshot();
  const { segmentCount } = await reader.admin.status();
  expect(segmentCount).toBeGreaterThan(5);
  await expect(openClients(server.port, 500).writers[0]?.get('first')).rejects.toMatchObject({
    mayHaveTakenEffect: false,
  });

  for (const { socket } of idle) socket.destroy();
  await vi.waitFor(async () => {
    const { writers } = openClients(server.port);
    await Promise.all(writers.map((writer, index) => writer.put(`late${index}`, '1')));
  }, 60_000);
  expect((await reader.get('first')).entry?.text()).toBe('1');
  await server.end('SIGKILL');
  const next = await ServerProcess.start({ dataDir, flags });
  expect((await openClients(next.port).reader.count({ prefix: 'key' })).count).toBe(20);
});

test('clients of Redis are told of as many connections as there are files for', async () => {
  const dataDir = await temporaryDirectory();
  const redis = ['--redis-listen', '127.0.0.1:0'];
  const server = await ServerProcess.start({ dataDir, flags: redis, openFilesMax: OPEN_FILES_MAX });
  const client = await RedisClient.open(server.redisAddress);
  const half = `${CONNECTIONS_MAX / 2}`;
  expect(await client.run('CONFIG', 'GET', 'maxclients')).toEqual(['maxclients', half]);
  expect(await client.run('INFO', 'clients')).toContain(`maxclients:${half}\r\n`);
});

interface IdleClient {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
}

function idleClient(port: number): IdleClient {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined).resume();
  return { socket, closed };
}

/** Resolves when so many of them have settled. */
function settledCount(promises: readonly Promise<unknown>[], wanted: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  for (const each of promises) {
    void each.then(() => {
      count++;
      if (count === wanted) resolve();
    });
  }
  return promise;
}
