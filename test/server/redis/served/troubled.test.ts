/** What clients of Redis see of a store that is opened, of a disk that fails, and of a server that stops while they write. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startTestServer } from '../../../support/test-server.ts';
import { failingDisk, slowDisk } from '../../../support/troubled-disk.ts';
import { RedisClient } from '../support/redis-client.ts';
import { toRequest } from '../support/words.ts';

const redis = { 'redis-listen': '127.0.0.1:0' };

test('while the store is opened commands get LOADING, and the connection goes on when it is', async () => {
  const slow = slowDisk();
  const server = await startTestServer({
    flags: redis,
    storeOptions: { disk: slow.disk },
    waitUntilReady: false,
  });
  const client = await RedisClient.open(server.redisAddress);
  client.socket.write(Buffer.concat([toRequest(['PING']), toRequest(['GET', 'a'])]));
  for (let count = 0; count < 2; count++)
    expect(await client.next()).toMatchObject({ text: 'LOADING Redis is loading the dataset in memory' });
  slow.goOn();
  await server.ready;
  expect(await client.run('PING')).toMatchObject({ text: 'PONG' });
});

test('when the disk has failed who waits for it is cut off, writes are refused, and reads go on', async () => {
  const { disk, fail } = failingDisk();
  const server = await startTestServer({ flags: { ...redis, fsync: 'always' }, storeOptions: { disk } });
  const [writer, other] = [
    await RedisClient.open(server.redisAddress),
    await RedisClient.open(server.redisAddress),
  ];
  expect(await writer.run('SET', 'a', 'kept')).toMatchObject({ text: 'OK' });
  fail();
  writer.send('SET', 'a', 'lost');
  await writer.closed;
  expect(await other.run('GET', 'a')).toBe('kept');
  for (const words of [
    ['SET', 'a', 'more'],
    ['INCR', 'n'],
    ['LPUSH', 'l', '1'],
  ])
    expect(await other.run(...words)).toMatchObject({ text: expect.stringMatching(/^MISCONF /) });
  expect(await other.run('MULTI')).toMatchObject({ text: 'OK' });
  expect(await other.run('SET', 'a', 'more')).toMatchObject({ text: 'QUEUED' });
  expect(await other.run('EXEC')).toMatchObject({ text: expect.stringMatching(/^MISCONF /) });
  expect(await other.run('GET', 'a')).toBe('kept');
});

test('when the server stops in the middle of a pipeline all that was answered is kept', async () => {
  const server = await startTestServer({ flags: { ...redis, fsync: 'always' } });
  const port = Number(server.redisAddress.split(':').at(-1));
  const socket = connect({ port });
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
  const ended = once(socket, 'close');
  const calls = Array.from({ length: 200_000 }, (_, index) => toRequest(['SET', `k${index}`, 'v']));
  socket.write(Buffer.concat(calls));
  await once(socket, 'data');
  await server.stop();
  await ended;
  const answers = received.split('\r\n').filter((line) => line !== '');
  expect(new Set(answers)).toEqual(new Set(['+OK']));
  const again = await startTestServer({ flags: { ...redis, 'data-dir': server.dataDir } });
  const client = await RedisClient.open(again.redisAddress);
  expect(await client.run('DBSIZE')).toBeGreaterThanOrEqual(answers.length);
  expect(await client.run('GET', `k${answers.length - 1}`)).toBe('v');
});
