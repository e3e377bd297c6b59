/** What REST answers while the server can't do what is asked. */
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { failingDisk, slowDisk } from '../../support/troubled-disk.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type Exchange, HttpClient, problemIn, versions } from './http-client.ts';

const path = '/v1/keys/a';

/** A put of `value` of which `val` is sent, and that the server has begun to read. */
async function halfPut(http: HttpClient): Promise<Exchange> {
  const headers = { 'content-length': '5', expect: '100-continue' };
  const exchange = http.begin({ method: 'PUT', path, headers });
  exchange.head.catch(() => undefined);
  const { request } = exchange;
  const isRead = once(request, 'continue');
  if ('flushHeaders' in request) request.flushHeaders();
  await isRead;
  request.write('val');
  return exchange;
}

test.each(versions)('over %s a server that recovers says so, and serves once it has', async (version) => {
  const { disk, goOn } = slowDisk();
  const server = await startTestServer({ storeOptions: { disk }, waitUntilReady: false });
  const http = new HttpClient(server.url, version);
  for (const asked of [{ path }, { method: 'PUT', path, body: 'v' }]) {
    const refused = await http.ask(asked);
    expect(problemIn(refused)).toEqual([503, 503, 'recovering', 'application/problem+json']);
    expect(refused.headers['retry-after']).toBe('1');
  }
  goOn();
  await server.ready;
  expect((await http.ask({ path })).status).toBe(404);
});

test.each(versions)(
  'over %s reads go on when the disk has failed, and writes are refused',
  async (version) => {
    const { disk, fail } = failingDisk();
    const { url, log } = await startTestServer({ storeOptions: { disk }, flags: { fsync: 'always' } });
    const http = new HttpClient(url, version);
    await http.ask({ method: 'PUT', path, body: 'before' });
    fail();
    const failed = await http.ask({ method: 'PUT', path, body: 'lost' });
    expect(problemIn(failed).slice(0, 3)).toEqual([503, 503, 'storageFailed']);
    expect(failed.headers['retry-after']).toBeUndefined();
    for (const asked of [
      { method: 'PUT', path, body: 'late' },
      { method: 'DELETE', path },
    ]) {
      const refused = await http.ask(asked);
      expect(problemIn(refused).slice(0, 3)).toEqual([503, 503, 'readOnly']);
    }
    expect((await http.ask({ path })).body.toString()).toBe('before');
    await log.line(({ method, code }) => method === 'PUT /v1/keys/{key}' && code === 'Unavailable');
  },
);

test.each(versions)(
  'over %s a revision that is gone is told with the oldest that is there',
  async (version) => {
    const { url } = await startTestServer();
    const http = new HttpClient(url, version);
    for (const body of ['1', '2', '3']) await http.ask({ method: 'PUT', path, body });
    const compacted = await fetch(`${url}/kelp.v1.AdminService/Compact`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"revision":"3"}',
    });
    expect(compacted.status).toBe(200);
    const { status, body } = await http.ask({ path: `${path}?revision=1` });
    expect([status, JSON.parse(body.toString())]).toMatchObject([
      410,
      { code: 'revisionCompacted', requestedRevision: 1, oldestRevision: 3, newestRevision: 3 },
    ]);
  },
);

test.each(versions)(
  'over %s a call too many is refused, and one that has its place is served',
  async (version) => {
    const { url } = await startTestServer({ flags: { 'calls-max': '1' } });
    const first = new HttpClient(url, version);
    const second = new HttpClient(url, version);
    const { request, head } = first.begin({ method: 'PUT', path, headers: { 'content-length': '5' } });
    request.write('val');
    for (;;) {
      const refused = await second.ask({ path });
      if (refused.status === 404) continue;
      expect(problemIn(refused).slice(0, 3)).toEqual([429, 429, 'limitReached']);
      expect(refused.headers['retry-after']).toBe('1');
      expect(JSON.parse(refused.body.toString()).detail).toContain('1 calls are under way (calls-max)');
      break;
    }
    request.end('ue');
    const { status, body } = await head;
    body.resume();
    expect(status).toBe(201);
  },
);

test.each(versions)('over %s a server that stops finishes what it has begun', async (version) => {
  const server = await startTestServer();
  const http = new HttpClient(server.url, version);
  const { request, head } = await halfPut(http);
  const stopped = server.stop();
  await server.log.message('stopping');
  request.end('ue');
  const { status, body } = await head;
  body.resume();
  expect(status).toBe(201);
  await stopped;
});

test.each(versions)('over %s a request that does not come in time is given up', async (version) => {
  const { url, log } = await startTestServer({ flags: { 'request-timeout': '50ms' } });
  const http = new HttpClient(url, version);
  const { request, head } = await halfPut(http);
  const { status, headers, body } = await head;
  const chunks = await body.toArray();
  expect([status, JSON.parse(Buffer.concat(chunks as Buffer[]).toString()).code]).toEqual([
    408,
    'deadlineExceeded',
  ]);
  expect(headers['connection']).toBe(version === 'HTTP/2' ? undefined : 'close');
  request.destroy();
  await log.line(({ code, status: logged }) => code === 'DeadlineExceeded' && logged === 408);
  expect((await new HttpClient(url, version).ask({ path })).status).toBe(404);
});

test.each(versions)('over %s a client that goes away within its request writes nothing', async (version) => {
  const { url, log } = await startTestServer();
  const http = new HttpClient(url, version);
  const { request } = await halfPut(http);
  request.destroy();
  await log.line(({ method, code }) => method === 'PUT /v1/keys/{key}' && code === 'Canceled');
  expect((await new HttpClient(url, version).ask({ path })).status).toBe(404);
});
