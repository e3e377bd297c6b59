/** A server with the Redis door: its address, TLS, access, its end, and clients that mean it ill. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fixed, serverFixed } from '../../../../src/limits.ts';
import { startTestServer, temporaryDirectory, type TestServer } from '../../../support/test-server.ts';
import { ErrorReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';
import { toRequest } from '../support/words.ts';

const start = (flags: Readonly<Record<string, string>> = {}): Promise<TestServer> =>
  startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', ...flags } });

describe('the address', () => {
  test('serves what all other doors see', async () => {
    const server = await start();
    const client = await RedisClient.open(server.redisAddress);
    expect(await client.run('SET', 'a', 'b')).toMatchObject({ text: 'OK' });
    expect(await (await fetch(`${server.url}/v1/keys/a`)).text()).toBe('b');
    await fetch(`${server.url}/v1/keys/a`, { method: 'PUT', body: 'c' });
    expect(await client.run('GET', 'a')).toBe('c');
  });

  test('may be a socket of the machine', async () => {
    const path = join(await temporaryDirectory(), 'redis.sock');
    const server = await start({ 'redis-listen': `unix:${path}` });
    expect(server.redisAddress).toBe(`unix:${path}`);
    const client = await RedisClient.open(server.redisAddress);
    expect(await client.run('PING')).toMatchObject({ text: 'PONG' });
  });

  test('has TLS where the server has it, unless that is turned off', async () => {
    const tls = { 'tls-cert': 'test/support/tls/cert.pem', 'tls-key': 'test/support/tls/key.pem' };
    const server = await start(tls);
    const ca = readFileSync('test/support/tls/cert.pem');
    const client = await RedisClient.open(server.redisAddress, { ca });
    expect(await client.run('PING')).toMatchObject({ text: 'PONG' });
    const plain = await start({ ...tls, 'redis-tls': 'off' });
    const other = await RedisClient.open(plain.redisAddress);
    expect(await other.run('PING')).toMatchObject({ text: 'PONG' });
  });

  test('that others reach needs a decision about access', async () => {
    await expect(start({ 'redis-listen': '0.0.0.0:0' })).rejects.toThrow(
      'nothing says who may do what there',
    );
  });

  test('that is taken is told', async () => {
    const server = await start();
    await expect(start({ 'redis-listen': server.redisAddress })).rejects.toThrow(
      /can't listen on .* for Redis/,
    );
  });
});

describe('access', () => {
  async function closed(): Promise<{
    readonly server: TestServer;
    readonly api: (method: string, body: object) => Promise<unknown>;
  }> {
    const server = await start();
    const api = async (method: string, body: object, authorization?: string): Promise<unknown> => {
      const response = await fetch(`${server.url}/kelp.v1.AccessService/${method}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method}: ${text}`);
      return JSON.parse(text) as unknown;
    };
    await api('CreateUser', { name: 'root', password: 'secret of root' });
    const asRoot = `Basic ${Buffer.from('root:secret of root').toString('base64')}`;
    return { server, api: (method, body) => api(method, body, asRoot) };
  }

  test('is that of the users of the store, by password or token', async () => {
    const { server, api } = await closed();
    const client = await RedisClient.open(server.redisAddress);
    expect(await client.run('GET', 'a')).toEqual(new ErrorReply('NOAUTH Authentication required.'));
    expect(await client.run('HELLO', '3')).toMatchObject({
      text: expect.stringMatching(/^NOAUTH HELLO must be called/),
    });
    expect(await client.run('AUTH', 'root', 'wrong')).toEqual(
      new ErrorReply('WRONGPASS invalid username-password pair or user is disabled.'),
    );
    expect(await client.run('AUTH', 'root', 'secret of root')).toMatchObject({ text: 'OK' });
    expect(await client.run('SET', 'a', 'b')).toMatchObject({ text: 'OK' });
    const { secret } = (await api('CreateToken', { name: 'token', user: 'root' })) as { secret: string };
    const other = await RedisClient.open(server.redisAddress);
    expect(await other.run('AUTH', secret)).toMatchObject({ text: 'OK' });
    expect(await other.run('GET', 'a')).toBe('b');
    expect(await other.run('AUTH', 'root', secret)).toMatchObject({ text: 'OK' });
    await api('DeleteToken', { name: 'token' });
    expect(await other.run('GET', 'a')).toEqual(new ErrorReply('NOAUTH Authentication required.'));
  });

  test('is asked for each key of a command, again after each change of it', async () => {
    const { server, api } = await closed();
    await api('CreateRole', { name: 'team' });
    const grant = (permission: string, prefix: string): object => ({
      role: 'team',
      grant: { permission, keys: { prefix: Buffer.from(prefix).toString('base64') } },
    });
    await api('AddGrant', grant('PERMISSION_READWRITE', 'team:'));
    await api('AddGrant', grant('PERMISSION_READ', 'shared:'));
    await api('CreateUser', { name: 'ann', password: 'secret of ann', roles: ['team'] });
    const client = await RedisClient.open(server.redisAddress);
    expect(await client.run('AUTH', 'ann', 'secret of ann')).toMatchObject({ text: 'OK' });
    const refused = { text: expect.stringMatching(/^NOPERM /) as string };
    expect(await client.run('SET', 'team:a', '1')).toMatchObject({ text: 'OK' });
    expect(await client.run('GET', 'shared:a')).toBe(null);
    const calls: [readonly string[], boolean][] = [
      [['SET', 'shared:a', '1'], false],
      [['GET', 'other'], false],
      [['MGET', 'team:a', 'other'], false],
      [['MGET', 'team:a', 'shared:a'], true],
      [['COPY', 'shared:a', 'team:b'], true],
      [['COPY', 'team:a', 'shared:b'], false],
      [['COPY', 'team:a', 'team:b', 'DB', '1'], false],
      [['MOVE', 'team:a', '1'], false],
      [['SORT', 'team:list', 'BY', 'other:*'], false],
      [['SORT', 'team:list'], true],
      [['WATCH', 'other'], false],
      [['KEYS', 'team:*'], false],
      [['SCAN', '0'], false],
      [['DBSIZE'], false],
      [['RANDOMKEY'], false],
      [['FLUSHALL'], false],
      [['FLUSHDB'], false],
      [['CONFIG', 'GET', 'maxmemory'], false],
      [['PING'], true],
    ];
    for (const [words, isAllowed] of calls) {
      const reply = await client.run(...words);
      if (isAllowed) expect(reply, words.join(' ')).not.toMatchObject(refused);
      else expect(reply, words.join(' ')).toMatchObject(refused);
    }
    await client.run('SELECT', '1');
    expect(await client.run('GET', 'team:a')).toMatchObject(refused);
    await client.run('SELECT', '0');
    expect(await client.run('MULTI')).toMatchObject({ text: 'OK' });
    expect(await client.run('GET', 'team:a')).toMatchObject({ text: 'QUEUED' });
    await api('TakeRole', { user: 'ann', role: 'team' });
    expect(await client.run('EXEC')).toEqual([expect.objectContaining(refused)]);
    expect(server.log.lines.filter(({ event }) => event === 'call.denied').length).toBeGreaterThan(0);
  });

  test('takes little of those who have not shown who they are', async () => {
    const { server } = await closed();
    const client = await RedisClient.open(server.redisAddress);
    client.socket.write('*11\r\n');
    expect(await client.next()).toEqual(
      new ErrorReply('ERR Protocol error: unauthenticated multibulk length'),
    );
    await client.closed;
  });
});

describe('before the store is open', () => {
  test('commands get LOADING, INFO says so, and what prepares a connection waits', async () => {
    const server = await startTestServer({
      flags: { 'redis-listen': '127.0.0.1:0' },
      waitUntilReady: false,
    });
    const [early, half, preparing] = await Promise.all(
      [0, 1, 2].map(() => RedisClient.open(server.redisAddress)),
    );
    if (early === undefined || half === undefined || preparing === undefined)
      throw new Error('three clients');
    // The store may be open by now: then all of them are answered as ever.
    early.send('GET', 'a');
    early.send('INFO', 'persistence');
    half.socket.write('*2\r\n$3\r\nGET\r\n$1\r\n');
    preparing.socket.write(Buffer.concat([toRequest(['SELECT', 3]), toRequest(['SET', 'a', 'b'])]));
    expect(await early.next()).toBeOneOf([
      null,
      new ErrorReply('LOADING Redis is loading the dataset in memory'),
    ]);
    expect(await early.next()).toMatch(/loading:[01]\r\n/);
    await server.ready;
    half.socket.write('a\r\n');
    expect(await half.next()).toBe(null);
    expect(await preparing.next()).toMatchObject({ text: 'OK' });
    expect(await preparing.next()).toMatchObject({ text: 'OK' });
    expect(await early.run('GET', 'a')).toBe(null);
  });
});

describe('the end', () => {
  test.each([fixed.turnMs, 0])('answers what has come, and closes, with turns of %d ms', async (turnMs) => {
    const changed = fixed as { turnMs: number };
    const before = changed.turnMs;
    onTestFinished(() => void (changed.turnMs = before));
    changed.turnMs = turnMs;
    const server = await start({ fsync: 'always' });
    const client = await RedisClient.open(server.redisAddress);
    await client.run('PING');
    client.socket.write(
      Buffer.concat(Array.from({ length: 100 }, (_, index) => toRequest(['SET', `k${index}`, 'v']))),
    );
    expect(await client.next()).toMatchObject({ text: 'OK' });
    await server.stop();
    for (let count = 1; count < 100; count++) expect(await client.next()).toMatchObject({ text: 'OK' });
    await client.closed;
  });
});

describe('bad input', { timeout: 60_000 }, () => {
  test('of one client leaves others served', async () => {
    const server = await start();
    const good = await RedisClient.open(server.redisAddress);
    const pings = async (): Promise<void> => expect(await good.run('PING')).toMatchObject({ text: 'PONG' });

    const half = await RedisClient.open(server.redisAddress);
    half.socket.write('*2\r\n$3\r\nGET\r\n$5\r\nab');
    await pings();
    const long = await RedisClient.open(server.redisAddress);
    long.socket.write('*2\r\n$3\r\nGET\r\n$2147483647\r\n');
    expect(await long.next()).toEqual(new ErrorReply('ERR Protocol error: invalid bulk length'));
    const junk = await RedisClient.open(server.redisAddress);
    junk.socket.write(Buffer.alloc(serverFixed.redisLineBytesMax + 10, 'j'));
    expect(await junk.next()).toEqual(new ErrorReply('ERR Protocol error: too big inline request'));
    const many = await RedisClient.open(server.redisAddress);
    const count = 1_000_000;
    many.socket.write(`*${count + 1}\r\n$3\r\nDEL\r\n${'$1\r\na\r\n'.repeat(count)}`);
    expect(await many.next()).toBeInstanceOf(ErrorReply);
    await pings();
    half.socket.write('cde\r\n');
    expect(await half.next()).toBe(null);
  });

  test('of 100 MB in one pipeline is answered in full', async () => {
    const server = await start();
    const client = await RedisClient.open(server.redisAddress);
    const good = await RedisClient.open(server.redisAddress);
    const count = 1000;
    const call = toRequest(['SET', 'a', Buffer.alloc(100_000, 'v')]);
    for (let index = 0; index < count; index++) client.socket.write(call);
    expect(await good.run('PING')).toMatchObject({ text: 'PONG' });
    for (let index = 0; index < count; index++) expect(await client.next()).toMatchObject({ text: 'OK' });
  });

  test('of a thousand idle connections holds nothing up', async () => {
    const server = await start();
    const clients = await Promise.all(
      Array.from({ length: 1000 }, () => RedisClient.open(server.redisAddress)),
    );
    const last = clients.at(-1);
    expect(await last?.run('PING')).toMatchObject({ text: 'PONG' });
  });

  const hasCli = spawnSync('redis-cli', ['--version']).status === 0;
  test.runIf(hasCli)('is not what redis-cli sends', async () => {
    const server = await start();
    const { port } = new URL(`tcp://${server.redisAddress}`);
    const { spawn } = await import('node:child_process');
    const output = await new Promise<string>((resolve) => {
      const child = spawn('redis-cli', ['-p', port, '-3', 'SET', 'a', 'b']);
      let text = '';
      child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
      child.once('close', () => resolve(text));
    });
    expect(output).toBe('OK\n');
  });
});
