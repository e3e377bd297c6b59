/** Very many clients of Redis, and what all of them together may take. */
import { expect, test } from 'vitest';
import { serverFixed } from '../../../../src/limits.ts';
import { openFilesMax } from '../../../../src/server/config/open-files.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { DoorHarness } from '../support/door-harness.ts';
import { echoCommands } from '../support/echo-commands.ts';
import { RedisClient } from '../support/redis-client.ts';

const CLIENTS = 10_000;
/** Of the store, of Node, and of the tests themselves. */
const OTHER_FILES = 500;

test('ten thousand idle connections are kept, and hold nothing up', { timeout: 300_000 }, async () => {
  // Both ends of each are open files of this process.
  const count = Math.min(CLIENTS, Math.floor((openFilesMax() - OTHER_FILES) / 2));
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0' } });
  const clients: RedisClient[] = [];
  while (clients.length < count) {
    const batch = Math.min(200, count - clients.length);
    clients.push(
      ...(await Promise.all(Array.from({ length: batch }, () => RedisClient.open(server.redisAddress)))),
    );
  }
  const one = clients[0];
  expect(await one?.run('SET', 'a', 'b')).toMatchObject({ text: 'OK' });
  for (const client of clients) client.send('GET', 'a');
  for (const client of clients) expect(await client.next()).toBe('b');
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const row = metrics.split('\n').find((line) => line.startsWith('kelp_connections{protocol="redis"}'));
  expect(row).toBe(`kelp_connections{protocol="redis"} ${count}`);
});

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
