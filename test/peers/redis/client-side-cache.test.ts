/** Client-side caching as clients that others have written do it: node-redis by a cache of its own, ioredis by what is told. */
import { Redis } from 'ioredis';
import { BasicClientSideCache, createClient } from 'redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient as createKelpClient } from '../../../src/client/client.ts';
import { openDoor } from './redis-server-under-test.ts';

describe('node-redis with its client-side cache', { timeout: 60_000 }, () => {
  async function open() {
    const { server, port } = await openDoor();
    const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
    const client = createClient({ RESP: 3, clientSideCache: cache, socket: { port, host: '127.0.0.1' } });
    const other = createClient({ RESP: 3, socket: { port, host: '127.0.0.1' } });
    for (const each of [client, other]) {
      each.on('error', () => undefined);
      onTestFinished(() => each.destroy());
      await each.connect();
    }
    /** Waits for the next key that it is told of; null: all. */
    const told = (): Promise<string | null> =>
      new Promise((resolve) =>
        cache.once('invalidate', (key: Buffer | string | null) => resolve(key === null ? null : String(key))),
      );
    return { server, cache, client, other, told };
  }

  test('reads from it until the key is changed by another client', async () => {
    const { cache, client, other, told } = await open();
    await other.set('k', '1');
    expect([await client.get('k'), await client.get('k'), await client.get('k')]).toEqual(['1', '1', '1']);
    expect(cache.stats()).toMatchObject({ hitCount: 2, missCount: 1 });
    const changed = told();
    await other.set('k', '2');
    expect(await changed).toBe('k');
    expect(await client.get('k')).toBe('2');
    expect(cache.stats()).toMatchObject({ hitCount: 2, missCount: 2 });
  });

  test('forgets what other doors, deadlines and FLUSHALL change, of all types', async () => {
    const { server, cache, client, other, told } = await open();
    const kelp = createKelpClient({ address: server.address });
    onTestFinished(() => kelp.close());
    await other.hSet('h', { a: '1', b: '2' });
    expect([await client.hGet('h', 'a'), await client.hGet('h', 'b')]).toEqual(['1', '2']);
    expect(cache.size()).toBe(2);
    const byKelp = told();
    await kelp.hash.set('h', { a: '3' });
    expect(await byKelp).toBe('h');
    expect(cache.size()).toBe(0);
    expect([await client.hGet('h', 'a'), await client.hGet('h', 'b')]).toEqual(['3', '2']);
    await other.set('k', '1');
    expect(await client.get('k')).toBe('1');
    const byDeadline = told();
    await other.pExpire('h', 1);
    expect(await byDeadline).toBe('h');
    await vanished(other, 'h');
    expect(await client.hGet('h', 'a')).toBe(null);
    const all = new Promise<void>((resolve) => {
      cache.on('invalidate', (key: unknown) => {
        if (key === null) resolve();
      });
    });
    await other.flushAll();
    await all;
    expect(await client.get('k')).toBe(null);
  });
});

/** Until a deadline has come. */
async function vanished(client: { exists(key: string): Promise<number> }, key: string): Promise<void> {
  while ((await client.exists(key)) > 0);
}

test('ioredis is told by a client that listens to messages, in RESP2', { timeout: 60_000 }, async () => {
  const { port } = await openDoor();
  const connect = (): Redis => {
    const client = new Redis({ port, protocol: 2 });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  };
  const [client, listener, other] = [connect(), connect(), connect()];
  const id = await listener.client('ID');
  await listener.subscribe('__redis__:invalidate');
  const message = (): Promise<unknown[]> =>
    new Promise((resolve) => listener.once('message', (...words: unknown[]) => resolve(words)));
  expect(await client.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id))).toBe('OK');
  await other.set('k', '1');
  expect(await client.get('k')).toBe('1');
  const told = message();
  await other.set('k', '2');
  const [channel, keys] = await told;
  expect([channel, String(keys)]).toEqual(['__redis__:invalidate', 'k']);
  expect(await client.get('k')).toBe('2');
});
