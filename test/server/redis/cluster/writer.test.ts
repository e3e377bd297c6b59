/** The writer of a cluster: what it has read goes out when the shared log has said, after the read, that it still is the writer. */
import { describe, expect, test } from 'vitest';
import { toRequest } from '../support/words.ts';
import { TestNode } from './test-node.ts';

const OK = { text: 'OK' };

describe('the shared log is asked', () => {
  test('for reads, and for writes that have changed nothing', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    const askedBy = async (...words: string[]): Promise<number> => {
      const before = view.barrierCount;
      await client.run(...words);
      return view.barrierCount - before;
    };
    expect(await askedBy('SET', 'a', '1')).toBe(0);
    expect(await askedBy('GET', 'a')).toBe(1);
    expect(await askedBy('INCR', 'a')).toBe(0);
    expect(await askedBy('SETNX', 'a', '1')).toBe(1);
    expect(await askedBy('DEL', 'none')).toBe(1);
    expect(await askedBy('RPUSH', 'l', 'x', 'y')).toBe(0);
    expect(await askedBy('LLEN', 'l')).toBe(1);
    expect(await askedBy('LRANGE', 'l', '0', '-1')).toBe(1);
    expect(await askedBy('GET', 'l')).toBe(1);
    expect(await askedBy('PING')).toBe(0);
    expect(await askedBy('INFO')).toBe(0);
    expect(await askedBy('BLPOP', 'l', '0')).toBe(0);
    expect(await askedBy('BLPOP', 'none', '0.01')).toBe(1);
    const before = view.barrierCount;
    client.socket.write(
      Buffer.concat(
        [
          ['GET', 'a'],
          ['BLPOP', 'none', '0.01'],
        ].map(toRequest),
      ),
    );
    expect([await client.next(), await client.next()]).toEqual(['2', null]);
    expect(view.barrierCount).toBe(before + 2);
  });

  test('once for a pipeline, and not for reads before a change', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    client.socket.write(Buffer.concat(Array.from({ length: 500 }, () => toRequest(['GET', 'a']))));
    for (let index = 0; index < 500; index++) expect(await client.next()).toBe(null);
    expect(view.barrierCount).toBeLessThanOrEqual(2);
    view.barrierCount = 0;
    client.socket.write(
      Buffer.concat(
        [
          ['GET', 'a'],
          ['SET', 'a', '1'],
        ].map(toRequest),
      ),
    );
    expect([await client.next(), await client.next()]).toMatchObject([null, OK]);
    expect(view.barrierCount).toBe(0);
    client.socket.write(
      Buffer.concat(
        [
          ['SET', 'a', '2'],
          ['GET', 'a'],
        ].map(toRequest),
      ),
    );
    expect([await client.next(), await client.next()]).toMatchObject([OK, '2']);
    expect(view.barrierCount).toBe(1);
  });

  test('for transactions that change nothing', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    const transaction = async (...words: string[]): Promise<unknown> => {
      await client.run('MULTI');
      await client.run(...words);
      return await client.run('EXEC');
    };
    expect(await transaction('SET', 'a', '1')).toMatchObject([OK]);
    expect(view.barrierCount).toBe(0);
    expect(await transaction('GET', 'a')).toEqual(['1']);
    expect(view.barrierCount).toBe(1);
  });

  test('not by a server that is alone', async () => {
    const node = await TestNode.start({ role: undefined });
    const client = await node.connect();
    await client.run('GET', 'a');
    expect(node.view.barrierCount).toBe(0);
  });
});

describe('while it has not answered', () => {
  test('reads wait, in the order of their connection, with what is behind them', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    await client.run('SET', 'a', '1');
    view.isHeld = true;
    client.send('GET', 'a');
    client.send('PING');
    await view.asked();
    // The same connection may go on, and another one that asks for nothing is answered.
    const other = await node.connect();
    expect(await other.run('SET', 'a', '2')).toMatchObject(OK);
    expect(client.waitingCount).toBe(0);
    view.answer();
    expect(await client.next()).toBe('1');
    view.answer();
    expect(await client.next()).toMatchObject({ text: 'PONG' });
  });

  test('those that come later share the next question', async () => {
    const { view, ...node } = await started();
    const clients = await Promise.all([0, 1, 2, 3].map(() => node.connect()));
    view.isHeld = true;
    clients[0]?.send('GET', 'a');
    await view.asked();
    for (const client of clients.slice(1)) client.send('GET', 'a');
    // What these have sent is read before this is answered.
    const last = await node.connect();
    await last.run('PING');
    expect(view.barrierCount).toBe(1);
    view.answer();
    expect(await clients[0]?.next()).toBe(null);
    await view.asked();
    expect(view.barrierCount).toBe(2);
    view.answer();
    for (const client of clients.slice(1)) expect(await client.next()).toBe(null);
    expect(view.barrierCount).toBe(2);
  });

  test('a long reply does not begin', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    const members = Array.from({ length: 5000 }, (_, index) => `m${index}`);
    await client.run('RPUSH', 'l', ...members);
    const { receivedBytes } = client;
    view.isHeld = true;
    client.send('LRANGE', 'l', '0', '-1');
    client.send('ECHO', 'behind');
    await view.asked();
    const other = await node.connect();
    await other.run('PING');
    expect(client.receivedBytes).toBe(receivedBytes);
    const [first] = [...node.door.all];
    expect(first?.figures.outputBytes).toBe(0);
    view.answer();
    expect(await client.next()).toEqual(members);
    expect(await client.next()).toBe('behind');
  });

  test('messages come behind the replies before them', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    await client.run('HELLO', '3');
    await client.run('SUBSCRIBE', 'c');
    view.isHeld = true;
    client.send('GET', 'a');
    await view.asked();
    const other = await node.connect();
    expect(await other.run('PUBLISH', 'c', 'hi')).toBe(1);
    expect(client.waitingCount).toBe(0);
    view.answer();
    expect(await client.next()).toBe(null);
    expect(await client.next()).toEqual({ push: ['message', 'c', 'hi'] });
  });
});

describe('a writer that is none any more', () => {
  test('tells nothing of what was read', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    await client.run('SET', 'a', '1');
    view.isHeld = true;
    client.send('GET', 'a');
    await view.asked();
    view.fail();
    expect(await client.next()).toMatchObject({ text: expect.stringMatching(/^CLUSTERDOWN /) as string });
    await client.closed;
  });

  test('does not take the answer to a follower for one to the writer', async () => {
    const { view, ...node } = await started();
    const client = await node.connect();
    view.isHeld = true;
    client.send('GET', 'a');
    await view.asked();
    view.role = 'follower';
    view.answer();
    expect(await client.next()).toMatchObject({ text: expect.stringMatching(/^CLUSTERDOWN /) as string });
    await client.closed;
  });
});

async function started(): Promise<
  Pick<TestNode, 'view' | 'door'> & { readonly connect: TestNode['connect'] }
> {
  const node = await TestNode.start({ role: 'writer' });
  return { view: node.view, door: node.door, connect: () => node.connect() };
}
