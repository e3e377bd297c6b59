/** Sessions of express-session that connect-redis keeps, over HTTP, as an application has them. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { createClient } from 'redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { openDoor } from './redis-server-under-test.ts';

declare module 'express-session' {
  interface SessionData {
    visits: number;
    name: string;
  }
}

type Middleware = ReturnType<typeof session>;
type Request = Parameters<Middleware>[0];
type Response = Parameters<Middleware>[1];

describe('connect-redis', { timeout: 60_000 }, () => {
  async function openStore() {
    const { port } = await openDoor();
    const client = createClient({ socket: { port, host: '127.0.0.1' } });
    client.on('error', () => undefined);
    onTestFinished(() => client.destroy());
    await client.connect();
    return { client, store: new RedisStore({ client }) };
  }

  /** An application that counts the visits of each session. @returns its address. */
  async function application(store: RedisStore, maxAge?: number): Promise<string> {
    const sessions = session({
      store,
      secret: 'of the test',
      resave: false,
      saveUninitialized: false,
      ...(maxAge !== undefined && { cookie: { maxAge } }),
    });
    const answer = (request: Request, response: ServerResponse): void => {
      if (request.url === '/leave')
        return void request.session.destroy((error: unknown) => response.end(error ? 'kept' : 'left'));
      if (request.url === '/renew')
        return void request.session.regenerate(() => response.end(`${request.session.visits ?? 'none'}`));
      request.session.visits = (request.session.visits ?? 0) + 1;
      request.session.name = 'Grüße';
      response.end(`${request.session.visits}`);
    };
    const server = createServer((message: IncomingMessage, response: ServerResponse) => {
      const request = message as Request;
      sessions(request, response as Response, (error?: unknown) => {
        if (error === undefined) return answer(request, response);
        response.statusCode = 500;
        response.end(error instanceof Error ? error.message : 'no session');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** A client that keeps its cookie. */
  function browser(address: string): (path: string, at?: string) => Promise<string> {
    let cookie = '';
    return async (path, at = address) => {
      const response = await fetch(`${at}${path}`, { headers: cookie === '' ? {} : { cookie } });
      cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
      return response.text();
    };
  }

  test('keeps sessions over requests and over restarts of the application, until they are left', async () => {
    const { client, store } = await openStore();
    const address = await application(store);
    const [ada, bob] = [browser(address), browser(address)];
    expect([await ada('/'), await ada('/'), await bob('/')]).toEqual(['1', '2', '1']);
    expect(await ada('/', await application(new RedisStore({ client })))).toBe('3');
    const keys = await client.keys('sess:*');
    expect(keys).toHaveLength(2);
    expect(await client.ttl(keys[0] ?? '')).toBeGreaterThan(86_000);
    expect(await ada('/leave')).toBe('left');
    expect(await client.keys('sess:*')).toHaveLength(1);
    expect(await ada('/')).toBe('1');
    expect(await bob('/renew')).toBe('none');
    expect(await bob('/')).toBe('1');
  });

  test('forgets a session at its deadline, which each request puts off', async () => {
    const { client, store } = await openStore();
    const visit = browser(await application(store, 600_000));
    await visit('/');
    const [key = ''] = await client.keys('sess:*');
    await client.expire(key, 5);
    expect(await visit('/')).toBe('2');
    expect(await client.ttl(key)).toBeGreaterThan(500);
    await client.pExpire(key, 1);
    await eventually(() => client.exists(key)).toBe(0);
    expect(await visit('/')).toBe('1');
  });

  test('finds, counts and clears all sessions, more than one SCAN tells', async () => {
    const { client, store } = await openStore();
    const cookie = new session.Cookie();
    const numbers = Array.from({ length: 350 }, (_, index) => index);
    await Promise.all(
      numbers.map((number) => store.set(`id ${number}`, { cookie, visits: number, name: 'x' })),
    );
    await client.set('other', '1');
    expect(await store.length()).toBe(350);
    expect(await store.ids()).toEqual(expect.arrayContaining(['id 0', 'id 349']));
    const all = (await store.all()) as { id: string; visits: number }[];
    expect(new Map(all.map(({ id, visits }) => [id, visits]))).toEqual(
      new Map(numbers.map((number) => [`id ${number}`, number])),
    );
    expect(await store.get('id 7')).toMatchObject({ visits: 7, name: 'x' });
    await store.destroy('id 7');
    expect(await store.get('id 7')).toBe(null);
    await store.clear();
    expect(await store.length()).toBe(0);
    expect(await client.get('other')).toBe('1');
  });
});
