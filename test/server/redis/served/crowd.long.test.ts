/** Very many clients of Redis, and what all of them together may take. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../../src/client/client.ts';
import { serverFixed } from '../../../../src/limits.ts';
import { ServerProcess } from '../../../crash/server-process.ts';
import { eventually } from '../../../support/eventually.ts';
import { engineOfTests } from '../../../support/test-engine.ts';
import { temporaryDirectory } from '../../../support/test-server.ts';
import { DoorHarness } from '../support/door-harness.ts';
import { echoCommands } from '../support/echo-commands.ts';
import type { CrowdOrder } from './crowd-process.ts';
import { RedisClient } from '../support/redis-client.ts';

const CLIENTS = 10_000;
const CROWDS = 2;
/** Places that are left to others. */
const OTHERS = 30;
/** Of resident memory, what Node has for it included: three times of what it takes. */
const CONNECTION_BYTES_MAX = 16 * 1024;

// It is about what connections take, whatever keeps the keys.
const crowdTest = test.skipIf(engineOfTests() !== undefined);

crowdTest('ten thousand idle connections are kept, and hold nothing up', { timeout: 300_000 }, async () => {
  const dataDir = await temporaryDirectory();
  const flags = ['--redis-listen', '127.0.0.1:0', '--handshake-timeout', '1h', '--connections-max', '11000'];
  const server = await ServerProcess.start({ dataDir, flags });
  const one = await RedisClient.open(server.redisAddress);
  const emptyBytes = await metric(server, 'process_resident_memory_bytes');
  // Where a process may have 20,000 files, half of them are not enough: the last ones come by the other port.
  const [, clientsMax] = (await one.run('CONFIG', 'GET', 'maxclients')) as [string, string];
  const count = CROWDS * Math.floor(Math.min(CLIENTS, Number(clientsMax) - OTHERS) / CROWDS);
  const crowds = await Promise.all(
    Array.from({ length: CROWDS }, () => crowdOf(portOf(server.redisAddress), count / CROWDS)),
  );
  await silentClients(server.port, CLIENTS - count);
  const connections = 'kelp_connections{protocol="redis"}';
  await eventually(() => metric(server, connections)).toBe(count + 1);

  // Others come, write and read, by both doors.
  const grpc = createClient({ address: server.address });
  onTestFinished(() => grpc.close());
  for (let round = 0; round < 20; round++) {
    expect(await one.run('SET', 'a', `${round}`)).toMatchObject({ text: 'OK' });
    expect((await grpc.get('a')).entry?.text()).toBe(`${round}`);
    const next = await RedisClient.open(server.redisAddress);
    expect(await next.run('INCR', 'n')).toBe(round + 1);
    next.socket.destroy();
  }
  expect(await metric(server, 'process_resident_memory_bytes')).toBeLessThan(
    emptyBytes + CLIENTS * CONNECTION_BYTES_MAX,
  );
  const answered = await Promise.all(crowds.map((crowd) => crowd.ask({ key: 'a', value: '19' })));
  expect(answered).toEqual(crowds.map(() => count / CROWDS));
  expect(await metric(server, 'process_resident_memory_bytes')).toBeLessThan(
    emptyBytes + CLIENTS * CONNECTION_BYTES_MAX,
  );
  for (const crowd of crowds) crowd.leave();
  await eventually(() => metric(server, connections), { timeout: 60_000 }).toBe(1);
});

interface Crowd {
  /** @returns how many have got the value. */
  ask(order: CrowdOrder): Promise<number>;
  leave(): void;
}

/** So many connections of a process of their own. */
async function crowdOf(port: number, count: number): Promise<Crowd> {
  const child = fork(new URL('crowd-process.ts', import.meta.url), [`${port}`, `${count}`]);
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await once(child, 'message')).toContain('open');
  return {
    async ask(order) {
      child.send(order);
      const [answered] = (await once(child, 'message')) as [number];
      return answered;
    },
    leave: () => child.disconnect(),
  };
}

/** Connections that never say what they want. */
async function silentClients(port: number, count: number): Promise<void> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}

async function metric(server: ServerProcess, row: string): Promise<number> {
  const text = await (await fetch(`http://${server.address}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${row} `))
      ?.split(' ')
      .at(-1),
  );
}

test('half commands of all clients take a bounded amount of memory, and give it back', async () => {
  const harness = await DoorHarness.open({ rows: echoCommands, valueBytesMax: 64 * 1024 * 1024 });
  const bytes = 40_000_000;
  const piece = Buffer.alloc(bytes, 'x');
  const clients = Array.from({ length: 20 }, () => harness.connect());
  for (const client of clients) {
    client.sendText(`*2\r\n$3\r\nGET\r\n$${bytes + 10}\r\n`);
    client.connection.receive(piece);
    expect(harness.door.inputBytes).toBeLessThanOrEqual(serverFixed.redisInputBytesMax);
  }
  const cut = clients.filter(({ wire }) => wire.isDestroyed);
  expect(cut.length).toBeGreaterThan(0);
  expect(cut.length).toBeLessThan(clients.length);
  const other = harness.connect();
  other.send('PING');
  expect(other.raw()).toBe('+PONG\r\n');
  for (const client of clients) client.connection.close();
  expect(harness.door.inputBytes).toBe(0);
});

test('replies that all clients leave unread are bounded together', async () => {
  const harness = await DoorHarness.open({ rows: echoCommands });
  const value = Buffer.alloc(1_000_000);
  harness.connect().send('SET', 'a', value);
  await harness.settled();
  const clients = Array.from({ length: 800 }, () => harness.connect());
  for (const client of clients) {
    client.wire.isRead = false;
    client.send('GET', 'a');
    client.wire.written.length = 0;
  }
  await harness.settled();
  const kept = clients.filter(({ wire }) => !wire.isDestroyed);
  const keptBytes = kept.reduce((sum, { wire }) => sum + wire.writableLength, 0);
  expect(keptBytes).toBeLessThanOrEqual(serverFixed.redisUnreadBytesOfAllMax);
  expect(keptBytes).toBeGreaterThan(serverFixed.redisUnreadBytesOfAllMax / 2);
  // Those that are cut are those that add to it.
  expect(clients.slice(0, kept.length)).toEqual(kept);
});

test('a transaction of too many commands is given up, and gives its memory back', async () => {
  const harness = await DoorHarness.open({ rows: echoCommands });
  const client = harness.connect();
  const count = serverFixed.redisQueuedCommandsMax + 1;
  client.pipeline(['MULTI'], ...Array.from({ length: count }, () => ['GET', 'a']), ['EXEC']);
  const replies: unknown[] = [];
  while (replies.length < count + 2) {
    await harness.seam.clock.settled();
    replies.push(...client.replies());
  }
  expect(replies.at(-2)).toMatchObject({ text: expect.stringMatching(/^ERR a transaction has at most /) });
  expect(replies.at(-1)).toMatchObject({ text: expect.stringMatching(/^EXECABORT /) });
  expect(harness.door.inputBytes).toBe(0);
});
