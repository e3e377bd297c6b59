/** READONLY: reads of a follower's own state; and what nodes tell of themselves. */
import { describe, expect, test } from 'vitest';
import { ErrorReply } from '../support/decoded-reply.ts';
import { startPair, TestNode } from './test-node.ts';

const OK = { text: 'OK' };
const READ_ONLY = new ErrorReply("READONLY You can't write against a read only replica.");

/** Without elements, and with a count that is not known. */
const HYPER_LOG_LOG = Buffer.from('HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff', 'latin1');

/** Each node has its name under `node`, so that a reply tells where it is from. */
async function namedPair(): ReturnType<typeof startPair> {
  const pair = await startPair();
  await pair.writer.store.put('node', 'writer');
  await pair.follower.store.put('node', 'follower');
  return pair;
}

describe('after READONLY', () => {
  test('reads are of the follower, without a question to the shared log', async () => {
    const { writer, follower } = await namedPair();
    const client = await follower.connect();
    expect(await client.run('READONLY')).toMatchObject(OK);
    expect(await client.run('GET', 'node')).toBe('follower');
    expect(await client.run('DBSIZE')).toBe(1);
    await follower.store.put('log', HYPER_LOG_LOG);
    const { revision } = await follower.store.status();
    expect(await client.run('PFCOUNT', 'log')).toBe(0);
    expect((await follower.store.status()).revision).toBe(revision);
    expect(await client.run('MULTI')).toMatchObject(OK);
    await client.run('GET', 'node');
    expect(await client.run('EXEC')).toEqual(['follower']);
    expect(writer.door.count).toBe(0);
    expect(follower.view.barrierCount).toBe(0);
  });

  test('writes are refused, and spoil a transaction', async () => {
    const { follower } = await namedPair();
    const client = await follower.connect();
    await client.run('READONLY');
    expect(await client.run('SET', 'a', '1')).toEqual(READ_ONLY);
    expect(await client.run('BLPOP', 'l', '0')).toEqual(READ_ONLY);
    expect(await client.run('FLUSHALL')).toEqual(READ_ONLY);
    await client.run('MULTI');
    expect(await client.run('SET', 'a', '1')).toEqual(READ_ONLY);
    expect(await client.run('EXEC')).toMatchObject({ text: expect.stringMatching(/^EXECABORT /) as string });
    expect(await client.run('GET', 'node')).toBe('follower');
  });

  test('READWRITE and RESET go back', async () => {
    const { follower } = await namedPair();
    for (const word of ['READWRITE', 'RESET']) {
      const client = await follower.connect();
      await client.run('READONLY');
      expect(await client.run('GET', 'node')).toBe('follower');
      await client.run(word);
      expect(await client.run('GET', 'node')).toBe('writer');
    }
  });

  test('messages are those of the writer, to which the connection goes', async () => {
    const { follower } = await namedPair();
    const client = await follower.connect();
    await client.run('READONLY');
    await client.run('MULTI');
    expect(await client.run('PUBLISH', 'c', 'hi')).toEqual(READ_ONLY);
    await client.run('DISCARD');
    expect(await client.run('SUBSCRIBE', 'c')).toEqual(['subscribe', 'c', 1]);
    const other = await follower.connect();
    await other.run('READONLY');
    expect(await other.run('PUBLISH', 'c', 'hi')).toBe(1);
    expect(await client.next()).toEqual(['message', 'c', 'hi']);
    expect(await other.run('GET', 'node')).toBe('writer');
  });

  test('no writer is needed', async () => {
    const { follower } = await namedPair();
    follower.view.writerRedisAddress = '';
    const client = await follower.connect();
    await client.run('READONLY');
    expect(await client.run('GET', 'node')).toBe('follower');
  });

  test('a connection that is passed on already stays so', async () => {
    const { follower } = await namedPair();
    const client = await follower.connect();
    expect(await client.run('GET', 'node')).toBe('writer');
    expect(await client.run('READONLY')).toMatchObject(OK);
    expect(await client.run('GET', 'node')).toBe('writer');
  });

  test('where there is no cluster they are refused, as by Redis', async () => {
    const client = await (await TestNode.start({ role: undefined })).connect();
    for (const word of ['READONLY', 'READWRITE'])
      expect(await client.run(word)).toEqual(
        new ErrorReply('ERR This instance has cluster support disabled'),
      );
  });

  test('nothing changes at the writer', async () => {
    const node = await TestNode.start({ role: 'writer' });
    const client = await node.connect();
    for (const word of ['READONLY', 'READWRITE']) {
      expect(await client.run(word)).toMatchObject(OK);
      expect(await client.run('SET', 'a', word)).toMatchObject(OK);
      expect(await client.run('GET', 'a')).toBe(word);
    }
  });
});

describe('a node tells what it is', () => {
  test('as a follower', async () => {
    const { writer, follower } = await namedPair();
    const [host, port] = writer.address.split(':');
    const client = await follower.connect();
    const { revision } = await follower.store.status();
    expect(await client.run('ROLE')).toEqual(['slave', host, Number(port), 'connected', revision]);
    const info = await client.run('INFO', 'replication');
    expect(info).toMatch(/^role:slave\r$/m);
    expect(info).toMatch(
      new RegExp(`^master_host:${host}\r\nmaster_port:${port}\r\nmaster_link_status:up\r$`, 'm'),
    );
    expect(info).toMatch(new RegExp(`^master_repl_offset:${revision}\r$`, 'm'));
    follower.view.writerRedisAddress = '';
    expect(await client.run('ROLE')).toEqual(['slave', '', 0, 'connect', revision]);
    expect(await client.run('INFO')).toMatch(/^master_link_status:down\r$/m);
    expect(await client.run('INFO')).toMatch(/^loading:0\r$/m);
  });

  test('as the writer', async () => {
    const node = await TestNode.start({ role: 'writer', followerCount: 2 });
    const client = await node.connect();
    expect(await client.run('ROLE')).toEqual(['master', 0, []]);
    expect(await client.run('INFO', 'replication')).toMatch(/^role:master\r\nconnected_slaves:2\r$/m);
    expect(await client.run('WAIT', '1', '0')).toBe(1);
  });

  test('alone', async () => {
    const node = await TestNode.start({ role: undefined });
    const client = await node.connect();
    expect(await client.run('ROLE')).toEqual(['master', 0, []]);
    expect(await client.run('INFO', 'replication')).toMatch(/^role:master\r\nconnected_slaves:0\r$/m);
    expect(await client.run('WAIT', '1', '0')).toBe(0);
  });
});
