/** A follower passes connections on to the writer: from their first command that is about keys or messages. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { formatAddress } from '../../../../src/server/config/option-values.ts';
import { ErrorReply, type DecodedReply } from '../support/decoded-reply.ts';
import { toRequest } from '../support/words.ts';
import { NODE_TOKEN, startPair, type TestNode } from './test-node.ts';

const OK = { text: 'OK' };
const DOWN = { text: expect.stringMatching(/^CLUSTERDOWN /) as string };

/** What the writer itself answers. */
async function atWriter(writer: TestNode, ...words: string[]): Promise<DecodedReply> {
  return (await writer.connect()).run(...words);
}

describe('a connection at a follower', () => {
  test('is prepared there, and goes to the writer with its first command of another kind', async () => {
    const { writer, follower } = await startPair();
    const client = await follower.connect();
    expect(await client.run('PING')).toMatchObject({ text: 'PONG' });
    expect(await client.run('CLIENT', 'SETNAME', 'me')).toMatchObject(OK);
    expect(await client.run('CLIENT', 'SETINFO', 'LIB-NAME', 'lib')).toMatchObject(OK);
    expect(await client.run('SELECT', '3')).toMatchObject(OK);
    expect(writer.door.count).toBe(0);
    expect(await client.run('SET', 'a', '1')).toMatchObject(OK);
    expect(writer.door.count).toBe(1);
    expect(await client.run('CLIENT', 'INFO')).toMatch(/ name=me .* db=3 .* lib-name=lib /);
    expect(await client.run('GET', 'a')).toBe('1');
    expect(await atWriter(writer, 'GET', 'a')).toBe(null);
  });

  test('changes users at the writer, and asks for them here', async () => {
    const { follower } = await startPair();
    const client = await follower.connect();
    expect(await client.run('ACL', 'LIST')).toEqual(['user default on nopass ~* &* +@all']);
    expect(await client.run('INFO', 'replication')).toContain('role:slave');
    expect(await client.run('ACL', 'DELUSER', 'nosuch')).toBe(0);
    expect(await client.run('INFO', 'replication')).toContain('role:master');
    const reader = await follower.connect();
    await reader.run('READONLY');
    expect(await reader.run('ACL', 'DELUSER', 'nosuch')).toMatchObject({
      text: "READONLY You can't write against a read only replica.",
    });
  });

  test('speaks RESP3 there when it does here', async () => {
    const { follower } = await startPair();
    const client = await follower.connect();
    expect(await client.run('HELLO', '3')).toMatchObject({
      map: expect.arrayContaining([['role', 'replica']]),
    });
    await client.run('HSET', 'h', 'f', 'v');
    expect(await client.run('HGETALL', 'h')).toEqual({ map: [['f', 'v']] });
    expect(await client.run('HELLO', '3')).toMatchObject({
      map: expect.arrayContaining([['role', 'master']]),
    });
  });

  test('is one whose pieces may come in any way', async () => {
    const { writer, follower } = await startPair();
    const client = await follower.connect();
    const calls = [['PING'], ['SELECT', '1'], ['SET', 'a', '1'], ['GET', 'a'], ['ECHO', 'end']].map(
      toRequest,
    );
    for (const byte of Buffer.concat(calls)) client.socket.write(Buffer.of(byte));
    const replies: DecodedReply[] = [];
    while (replies.length < calls.length) replies.push(await client.next());
    expect(replies).toMatchObject([{ text: 'PONG' }, OK, OK, '1', 'end']);
    expect(writer.door.count).toBe(1);
  });

  test('has transactions, WATCH and waits for keys at the writer', async () => {
    const { writer, follower } = await startPair();
    const client = await follower.connect();
    await client.run('WATCH', 'a');
    await atWriter(writer, 'SET', 'a', '1');
    await client.run('MULTI');
    expect(await client.run('SET', 'a', '2')).toMatchObject({ text: 'QUEUED' });
    expect(await client.run('EXEC')).toBe(null);
    await client.run('MULTI');
    await client.run('INCR', 'a');
    expect(await client.run('EXEC')).toEqual([2]);
    client.send('BLPOP', 'l', '0');
    const other = await follower.connect();
    expect(await other.run('RPUSH', 'l', 'x')).toBe(1);
    expect(await client.next()).toEqual(['l', 'x']);
  });

  test('has messages of the writer', async () => {
    const { follower } = await startPair();
    const client = await follower.connect();
    expect(await client.run('SUBSCRIBE', 'c')).toEqual(['subscribe', 'c', 1]);
    const other = await follower.connect();
    expect(await other.run('PUBLISH', 'c', 'hi')).toBe(1);
    expect(await client.next()).toEqual(['message', 'c', 'hi']);
  });

  test('takes pipelines and values that are larger than all buffers', async () => {
    const { follower } = await startPair();
    const client = await follower.connect();
    const value = 'v'.repeat(2_000_000);
    client.socket.write(
      Buffer.concat(Array.from({ length: 4 }, (_, key) => toRequest(['SET', `k${key}`, value]))),
    );
    for (let key = 0; key < 4; key++) expect(await client.next()).toMatchObject(OK);
    client.socket.pause();
    client.socket.write(
      Buffer.concat(Array.from({ length: 5_000 }, (_, key) => toRequest(['GET', `k${key % 4}x`]))),
    );
    client.socket.write(
      Buffer.concat(Array.from({ length: 4 }, (_, key) => toRequest(['STRLEN', `k${key}`]))),
    );
    client.socket.write(Buffer.concat(Array.from({ length: 4 }, (_, key) => toRequest(['GET', `k${key}`]))));
    client.socket.resume();
    for (let key = 0; key < 5_000; key++) if ((await client.next()) !== null) throw new Error('not null');
    for (let key = 0; key < 4; key++) expect(await client.next()).toBe(value.length);
    for (let key = 0; key < 4; key++) expect(((await client.next()) as string).length).toBe(value.length);
  });

  test('holds no more than its buffers of what the client does not read', async () => {
    const { writer, follower } = await startPair();
    const value = 'v'.repeat(1_000_000);
    await atWriter(writer, 'SET', 'a', value);
    const client = await follower.connect();
    await client.run('GET', 'none');
    client.socket.pause();
    client.socket.write(Buffer.concat(Array.from({ length: 40 }, () => toRequest(['GET', 'a']))));
    // By then all on the way is full, or all replies would be here.
    const [here] = [...follower.door.all];
    let bytesMax = 0;
    for (let turn = 0; turn < 3000; turn++) {
      await new Promise(setImmediate);
      bytesMax = Math.max(bytesMax, here?.figures.outputBytes ?? 0);
    }
    expect(bytesMax).toBeGreaterThan(0);
    expect(bytesMax).toBeLessThan(2_000_000);
    client.socket.resume();
    for (let index = 0; index < 40; index++)
      expect(((await client.next()) as string).length).toBe(value.length);
  });

  test('shows the writer what it has logged in with', async () => {
    const { writer, follower } = await startPair({ password: 'secret' });
    const client = await follower.connect();
    expect(await client.run('GET', 'a')).toEqual(new ErrorReply('NOAUTH Authentication required.'));
    expect(await client.run('AUTH', 'ada', 'wrong')).toMatchObject({
      text: expect.stringMatching(/^WRONGPASS /),
    });
    expect(await client.run('AUTH', 'ada', 'secret')).toMatchObject(OK);
    expect(await client.run('SET', 'a', '1')).toMatchObject(OK);
    expect([...writer.door.all].map(({ userName }) => userName)).toEqual(['ada']);
    const other = await follower.connect();
    other.send('HELLO', '3', 'AUTH', 'ada', 'secret', 'SETNAME', 'other');
    other.send('GET', 'a');
    expect(await other.next()).toMatchObject({ map: expect.anything() });
    expect(await other.next()).toBe('1');
  });

  test('goes over TLS where its own is', async () => {
    const { follower } = await startPair({ hasTls: true });
    const client = await follower.connect();
    expect(await client.run('SET', 'a', '1')).toMatchObject(OK);
    expect(await client.run('GET', 'a')).toBe('1');
    client.socket.end(toRequest(['GET', 'a']));
    expect(await client.next()).toBe('1');
    await client.closed;
  });

  test('may end its side and wait for the last replies, and QUIT', async () => {
    const { writer, follower } = await startPair();
    const client = await follower.connect();
    client.socket.end(
      Buffer.concat(
        [
          ['SET', 'a', '1'],
          ['GET', 'a'],
        ].map(toRequest),
      ),
    );
    expect(await client.next()).toMatchObject(OK);
    expect(await client.next()).toBe('1');
    await client.closed;
    const other = await follower.connect();
    await other.run('GET', 'a');
    expect(await other.run('QUIT')).toMatchObject(OK);
    await other.closed;
    await gone(writer);
  });

  test('takes that of the writer with it when it is closed', async () => {
    const { writer, follower } = await startPair();
    const client = await follower.connect();
    await client.run('GET', 'a');
    client.send('BLPOP', 'l', '0');
    client.socket.destroy();
    await gone(writer);
    await gone(follower);
  });

  test('with CLIENT REPLY gets what it asks for', async () => {
    const { follower } = await startPair();
    const client = await follower.connect();
    client.send('CLIENT', 'REPLY', 'OFF');
    client.send('SET', 'a', '1');
    client.send('CLIENT', 'REPLY', 'ON');
    expect(await client.next()).toMatchObject(OK);
    const other = await follower.connect();
    other.send('CLIENT', 'REPLY', 'SKIP');
    other.send('SET', 'a', '2');
    expect(await other.run('GET', 'a')).toBe('2');
  });

  test('is watched by MONITOR of this node without harm', async () => {
    const { follower } = await startPair();
    const client = await follower.connect();
    expect(await client.run('MONITOR')).toMatchObject(OK);
    client.send('GET', 'a');
    const other = await follower.connect();
    await other.run('PING');
    let reply = await client.next();
    while (reply !== null) reply = await client.next();
    await other.run('PING');
    expect(await client.run('ECHO', 'only this')).toBe('only this');
  });
});

describe('without a writer', () => {
  test('that is known, commands wait for one', async () => {
    const { writer, follower } = await startPair();
    follower.view.writerRedisAddress = '';
    const client = await follower.connect();
    client.send('SET', 'a', '1');
    client.send('PING');
    const other = await follower.connect();
    await other.run('PING');
    expect(client.waitingCount).toBe(0);
    follower.view.writerRedisAddress = writer.address;
    expect(await client.next()).toMatchObject(OK);
    expect(await client.next()).toMatchObject({ text: 'PONG' });
    expect(writer.door.count).toBe(1);
  });

  test('that is reached, commands wait for another one', async () => {
    const { writer, follower } = await startPair();
    follower.view.writerRedisAddress = await unusedAddress();
    const client = await follower.connect();
    client.send('GET', 'a');
    await new Promise(setImmediate);
    follower.view.writerRedisAddress = writer.address;
    expect(await client.next()).toBe(null);
    expect(follower.unreached).toEqual([]);
  });

  test('but the node itself, by then, commands run here', async () => {
    const { writer, follower } = await startPair();
    follower.view.writerRedisAddress = '';
    const client = await follower.connect();
    client.send('SET', 'a', '1');
    await new Promise(setImmediate);
    follower.view.role = 'writer';
    expect(await client.next()).toMatchObject(OK);
    expect(await client.run('GET', 'a')).toBe('1');
    expect(writer.door.count).toBe(0);
  });

  test.each(['known', 'reached'])(
    'that is %s for too long, the command gets CLUSTERDOWN, and the connection is closed',
    async (what) => {
      const { follower } = await startPair({ writerWaitMs: 1 });
      const address = what === 'known' ? '' : await unusedAddress();
      follower.view.writerRedisAddress = address;
      const client = await follower.connect();
      client.send('GET', 'a');
      client.send('GET', 'b');
      expect(await client.next()).toMatchObject(DOWN);
      await client.closed;
      expect(client.waitingCount).toBe(0);
      expect(follower.unreached).toEqual(what === 'known' ? [] : [address]);
      // Told once.
      const other = await follower.connect();
      expect(await other.run('GET', 'a')).toMatchObject(DOWN);
      expect(follower.unreached.length).toBeLessThan(2);
    },
  );

  test('where it is thought to be, no connection goes in circles', async () => {
    const { follower } = await startPair({ writerWaitMs: 1 });
    const other = await silentWriter('replica');
    follower.view.writerRedisAddress = other.address;
    const client = await follower.connect();
    expect(await client.run('GET', 'a')).toMatchObject(DOWN);
    await client.closed;
    await other.heard('HELLO');
    expect(other.text()).not.toContain('GET');
    expect(follower.unreached).toEqual([other.address]);
  });

  test('a client that goes, and a server that stops, wait for none', async () => {
    const { follower } = await startPair();
    follower.view.writerRedisAddress = '';
    const client = await follower.connect();
    client.send('GET', 'a');
    client.socket.destroy();
    const other = await follower.connect();
    other.send('GET', 'a');
    await new Promise(setImmediate);
    follower.listener.stopAccepting();
    await follower.listener.drained();
    await other.closed;
  });

  test('that goes on in the middle, the connection is closed', async () => {
    const { writer, follower } = await startPair();
    const client = await follower.connect();
    await client.run('GET', 'a');
    client.send('BLPOP', 'l', '0');
    writer.listener.destroy();
    await client.closed;
    expect(client.waitingCount).toBe(0);
  });

  test('that is the one it was, the connection is closed, though the old one is silent', async () => {
    const { follower } = await startPair();
    const silent = await silentWriter();
    follower.view.writerRedisAddress = silent.address;
    const client = await follower.connect();
    client.send('GET', 'a');
    await silent.heard('GET');
    follower.view.writerRedisAddress = '127.0.0.1:1';
    await client.closed;
  });

  test('a node that has become the writer itself cuts what it had passed on', async () => {
    const { follower } = await startPair();
    const silent = await silentWriter();
    follower.view.writerRedisAddress = silent.address;
    const client = await follower.connect();
    client.send('GET', 'a');
    await silent.heard('GET');
    follower.view.role = 'writer';
    await client.closed;
    expect(await atWriter(follower, 'SET', 'a', '1')).toMatchObject(OK);
  });

  test('a server that stops lets what was begun be answered', async () => {
    const { writer, follower } = await startPair();
    const client = await follower.connect();
    await client.run('SET', 'a', '1');
    writer.view.isHeld = true;
    client.send('GET', 'a');
    await writer.view.asked();
    follower.listener.stopAccepting();
    writer.view.answer();
    expect(await client.next()).toBe('1');
    await client.closed;
    await follower.listener.drained();
  });
});

/** Waits until a node has no connection any more. */
async function gone(node: TestNode): Promise<void> {
  while (node.door.count > 0) await new Promise(setImmediate);
}

/** Where no server listens. */
async function unusedAddress(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { readonly port: number };
  server.close();
  return `127.0.0.1:${port}`;
}

/** A server that greets as a writer does, or a follower, and then answers nothing. */
async function silentWriter(role = 'master'): Promise<{
  readonly address: string;
  /** What was sent to it. */
  text(): string;
  heard(word: string): Promise<void>;
}> {
  let heard = '';
  let wake = (): void => undefined;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (heard === '') socket.write(`*4\r\n$4\r\nrole\r\n$${role.length}\r\n${role}\r\n$1\r\na\r\n*0\r\n`);
      heard += bytes.toString();
      wake();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { address: host, port } = server.address() as { readonly address: string; readonly port: number };
  return {
    address: formatAddress({ host, port }),
    text: () => heard,
    heard: async (word) => {
      while (!heard.includes(word)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

describe('the writer knows of a connection that is passed on', () => {
  const password = 'secret';

  async function infoThrough(options: Parameters<typeof startPair>[0]): Promise<{
    readonly info: DecodedReply;
    readonly own: string;
  }> {
    const { follower } = await startPair(options);
    const client = await follower.connect();
    if (options?.password !== undefined) await client.run('AUTH', 'ada', password);
    const { localAddress, localPort } = client.socket;
    return { info: await client.run('CLIENT', 'INFO'), own: ` addr=${localAddress}:${localPort} ` };
  }

  test('whose it is, when the node shows its token; and not whose that is', async () => {
    const { info, own } = await infoThrough({ password, token: NODE_TOKEN });
    expect(info).toContain(own);
    expect(info).toContain(' user=ada ');
  });

  test.each([
    ['whose token is none', { password, token: 'another one' }],
    ['without a token', { password }],
    ['while access is open', { token: NODE_TOKEN }],
  ])('that a node passes it on, %s', async (_, options) => {
    const { info, own } = await infoThrough(options);
    expect(info).toContain(' addr=127.0.0.1:');
    expect(info).not.toContain(own);
  });

  test('nothing of what a client says of itself', async () => {
    const { writer } = await startPair();
    const client = await writer.connect();
    expect(await client.run('CLIENT', 'FORWARDED', '9.9.9.9:1')).toMatchObject({
      text: 'NOPERM only a node of the cluster says whose connection it passes on',
    });
    expect(await client.run('CLIENT', 'INFO')).not.toContain('9.9.9.9');
  });
});

test('connections that are passed on are counted, and those whose writer is not there', async () => {
  const { follower } = await startPair({ writerWaitMs: 1 });
  const client = await follower.connect();
  expect(await client.run('SET', 'a', '1')).toMatchObject(OK);
  expect(follower.meter.relayedCount).toBe(1);
  client.socket.destroy();
  await expect.poll(() => follower.meter.relayedCount).toBe(0);
  follower.view.writerRedisAddress = '';
  expect(await (await follower.connect()).run('SET', 'a', '1')).toMatchObject(DOWN);
  expect(follower.meter.relayCounts).toEqual({ passedOn: 1, notReached: 1 });
});
