/** Clients of Redis that are many, slow, silent or wrong: they are held up, told why, or cut, and all others are served. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Authority } from '../../../support/certificates.ts';
import { eventually } from '../../../support/eventually.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../../../support/test-server.ts';
import { basic, clientsOf } from '../../access/access-client.ts';
import { ErrorReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';
import { toRequest } from '../support/words.ts';

const start = (
  flags: Readonly<Record<string, string>> = {},
  options: TestServerOptions = {},
): Promise<TestServer> => startTestServer({ ...options, flags: { 'redis-listen': '127.0.0.1:0', ...flags } });

const portOf = ({ redisAddress }: TestServer): number => Number(redisAddress.split(':').at(-1));

async function metric(server: TestServer, row: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${row} `));
  return Number(line?.split(' ').at(-1));
}

describe('connections', () => {
  test('that the server has ended are closed, although their clients do not', async () => {
    const server = await start();
    const socket = connect({ port: portOf(server), allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.resume();
    socket.write('QUIT\r\n');
    await once(socket, 'end');
    await eventually(() => metric(server, 'kelp_connections{protocol="redis"}')).toBe(0);
  });

  test('too many of one address are told so, counted, and told of in the log once', async () => {
    const server = await start({ 'connections-per-address-max': '3' }, { countsLoopback: true });
    const [first] = await Promise.all([0, 1, 2].map(() => RedisClient.open(server.redisAddress)));
    for (let count = 0; count < 3; count++) {
      const one = await RedisClient.open(server.redisAddress);
      expect(await one.next()).toEqual(
        new ErrorReply(
          'ERR max number of clients reached: your address has 3 connections open (connections-per-address-max)',
        ),
      );
      await one.closed;
    }
    expect(await first?.run('PING')).toMatchObject({ text: 'PONG' });
    const lines = server.log.lines.filter(({ connectionsPerAddressMax }) => connectionsPerAddressMax === 3);
    expect(lines).toHaveLength(1);
  });

  test('with TLS whose handshake does not end are closed', async () => {
    const tls = { 'tls-cert': 'test/support/tls/cert.pem', 'tls-key': 'test/support/tls/key.pem' };
    const server = await start({ ...tls, 'handshake-timeout': '300ms' });
    const silent = connect({ port: portOf(server) });
    const junk = connect({ port: portOf(server) });
    for (const socket of [silent, junk]) socket.on('error', () => undefined);
    const closed = Promise.all([once(silent, 'close'), once(junk, 'close')]);
    silent.resume();
    junk.resume();
    junk.write('PING\r\n');
    await closed;
    const ca = readFileSync('test/support/tls/cert.pem');
    const client = await RedisClient.open(server.redisAddress, { ca });
    expect(await client.run('PING')).toMatchObject({ text: 'PONG' });
  });

  test('without a login, where one is asked for, are closed; others may be idle', async () => {
    const clock = new ManualClock();
    const server = await start({}, { storeOptions: { clock } });
    await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
    const [silent, ready] = await Promise.all([0, 1].map(() => RedisClient.open(server.redisAddress)));
    expect(await ready?.run('AUTH', 'root', 'top')).toMatchObject({ text: 'OK' });
    await clock.pass(60_000);
    await silent?.closed;
    expect(await ready?.run('PING')).toMatchObject({ text: 'PONG' });
  });
});

describe('logins', () => {
  async function closed(): Promise<TestServer> {
    const server = await start();
    await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
    return server;
  }

  test('with a password alone are those of the user default, and of nobody else', async () => {
    const server = await closed();
    const client = await RedisClient.open(server.redisAddress);
    const refused = new ErrorReply(
      "WRONGPASS invalid token, or password of the user 'default', whom AUTH with a password alone means: others log in with AUTH user password",
    );
    expect(await client.run('AUTH', 'top')).toEqual(refused);
    await clientsOf(server.url, basic('root', 'top')).access.createUser({ name: 'default', password: 'own' });
    expect(await client.run('AUTH', 'top')).toEqual(refused);
    expect(await client.run('AUTH', 'own')).toMatchObject({ text: 'OK' });
    expect(await client.run('ACL', 'WHOAMI')).toBe('default');
  });

  test('within a transaction are told of by EXEC, and hold for what is behind them', async () => {
    const server = await closed();
    const { access } = clientsOf(server.url, basic('root', 'top'));
    await access.createUser({ name: 'ann', password: 'own' });
    const client = await RedisClient.open(server.redisAddress);
    expect(await client.run('AUTH', 'root', 'top')).toMatchObject({ text: 'OK' });
    const calls = [
      ['MULTI'],
      ['SET', 'a', '1'],
      ['AUTH', 'root', 'wrong'],
      ['SET', 'a', '2'],
      ['AUTH', 'too', 'many', 'words'],
      ['HELLO', '3', 'AUTH', 'ann', 'own'],
      ['SET', 'a', '3'],
      ['EXEC'],
      ['ACL', 'WHOAMI'],
    ];
    client.socket.write(Buffer.concat(calls.map(toRequest)));
    expect(await client.next()).toMatchObject({ text: 'OK' });
    for (let count = 0; count < 6; count++) expect(await client.next()).toMatchObject({ text: 'QUEUED' });
    const replies = await client.next();
    expect(replies).toMatchObject([
      { text: 'OK' },
      { text: 'WRONGPASS invalid username-password pair or user is disabled.' },
      { text: 'OK' },
      { text: 'ERR syntax error' },
      expect.anything(),
      { text: expect.stringMatching(/^NOPERM /) },
    ]);
    expect(await client.next()).toBe('ann');
  });

  test('are by client certificate too', async () => {
    const authority = new Authority();
    const directory = await mkdtemp(join(tmpdir(), 'kelp-test-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const { cert, key } = authority.server();
    const files = { cert, key, ca: authority.identity.cert };
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, `${name}.pem`), text);
    const path = (name: string): string => join(directory, `${name}.pem`);
    const before = await start();
    const { access } = clientsOf(before.url);
    await access.createUser({ name: 'root', password: 'top' });
    await clientsOf(before.url, basic('root', 'top')).access.createUser({ name: 'ann', password: 'own' });
    await before.stop();
    const server = await start({
      'data-dir': before.dataDir,
      'tls-cert': path('cert'),
      'tls-key': path('key'),
      'tls-client-ca': path('ca'),
    });
    const open = async (commonName: string | undefined, from = authority): Promise<RedisClient> => {
      const own = commonName === undefined ? {} : from.issue({ commonNames: [commonName] });
      const socket = connectTls({ port: portOf(server), host: '127.0.0.1', ca: files.ca, ...own });
      onTestFinished(() => void socket.destroy());
      return RedisClient.over(socket);
    };
    const ann = await open('ann');
    expect(await ann.run('ACL', 'WHOAMI')).toBe('ann');
    expect(await ann.run('AUTH', 'root', 'top')).toMatchObject({ text: 'OK' });
    expect(await ann.run('ACL', 'WHOAMI')).toBe('root');
    const anybody = await open(undefined);
    expect(await anybody.run('GET', 'a')).toEqual(new ErrorReply('NOAUTH Authentication required.'));
    const stranger = await open('ann', new Authority('another'));
    expect(await stranger.next()).toMatchObject({ text: expect.stringMatching(/^ERR .*certificate/) });
    await stranger.closed;
  });

  test('by wrong passwords, many at a time, leave others alone', async () => {
    const server = await closed();
    const good = await RedisClient.open(server.redisAddress);
    expect(await good.run('AUTH', 'root', 'top')).toMatchObject({ text: 'OK' });
    const guessers = await Promise.all(
      Array.from({ length: 30 }, () => RedisClient.open(server.redisAddress)),
    );
    for (const [index, guesser] of guessers.entries()) {
      for (let guess = 0; guess < 5; guess++) guesser.send('AUTH', 'root', `${index}:${guess}`);
    }
    for (let count = 0; count < 20; count++)
      expect(await good.run('SET', 'a', `${count}`)).toMatchObject({ text: 'OK' });
    const late = await RedisClient.open(server.redisAddress);
    expect(await late.run('AUTH', 'root', 'top')).toMatchObject({ text: 'OK' });
  });
});

describe('rates', () => {
  test('are of a user, whatever doors it comes through', async () => {
    const clock = new ManualClock();
    const server = await start({ 'operations-per-second-max': '10' }, { storeOptions: { clock } });
    await clientsOf(server.url).access.createUser({ name: 'root', password: 'top' });
    const client = await RedisClient.open(server.redisAddress);
    expect(await client.run('AUTH', 'root', 'top')).toMatchObject({ text: 'OK' });
    const value = Array.from({ length: 10 }, (_, index) => [`key:${index}`, 'v']).flat();
    expect(await client.run('MSET', ...value)).toMatchObject({ text: 'OK' });
    const authorization = basic('root', 'top');
    const refused = await fetch(`${server.url}/v1/keys/key:0`, { headers: { authorization } });
    expect(refused.status).toBe(429);
    client.send('GET', 'key:1');
    // What only operators may run is free, on another connection: behind the one that waits it would wait too.
    const operator = await RedisClient.open(server.redisAddress);
    operator.send('AUTH', 'root', 'top');
    expect(await operator.next()).toMatchObject({ text: 'OK' });
    expect(await operator.run('CONFIG', 'GET', 'maxmemory')).not.toBeInstanceOf(ErrorReply);
    await clock.pass(5000);
    expect(await client.next()).toBe('v');
    const waits = await metric(server, 'kelp_rate_waits_total{limit="operations-per-second-max"}');
    expect(waits).not.toBe(0);
  });
});

describe('a client that never reads', { timeout: 120_000 }, () => {
  test('is sent little of what it asks for, while others are served', async () => {
    const server = await start();
    const good = await RedisClient.open(server.redisAddress);
    expect(await good.run('SET', 'a', Buffer.alloc(1_000_000, 'v'))).toMatchObject({ text: 'OK' });
    const deaf = connect({ port: portOf(server) });
    onTestFinished(() => void deaf.destroy());
    deaf.on('error', () => undefined);
    await once(deaf, 'connect');
    deaf.pause();
    deaf.write(Buffer.concat(Array.from({ length: 300 }, () => toRequest(['GET', 'a']))));
    for (let count = 0; count < 20; count++) await good.run('PING');
    expect(await metric(server, 'kelp_redis_commands_total{command="get"}')).toBeLessThan(50);
    // When it reads after all, it gets everything.
    const wanted = 300 * (1_000_000 + '$1000000\r\n\r\n'.length);
    let bytes = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    deaf.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes >= wanted) resolve();
    });
    deaf.resume();
    await promise;
    expect(bytes).toBe(wanted);
  });
});
