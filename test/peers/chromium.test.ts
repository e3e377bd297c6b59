/** A page in Chromium calls the server by `fetch`, over TLS and HTTP/2: Connect with JSON, its streams, and gRPC-Web. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GetRequestSchema, GetResponseSchema } from '../../gen/kelp/v1/kv_pb.ts';
import { type TestServer, startTestServer } from '../support/test-server.ts';
import { Chromium, type Page, isChromiumInstalled, keyOf } from './chromium.ts';

const tls = { cert: 'test/support/tls/cert.pem', key: 'test/support/tls/key.pem' };

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** In the page: makes calls all at once, and gives their answers. */
async function callAll(calls: readonly (readonly [method: string, request: object])[]): Promise<Answer[]> {
  performance.setResourceTimingBufferSize(10_000);
  return Promise.all(
    calls.map(async ([method, request]) => {
      const response = await fetch(`/kelp.v1.KvService/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
        body: JSON.stringify(request),
      });
      return { status: response.status, body: await response.json() };
    }),
  );
}

/** In the page: what the calls so far went over, and how many of them had a connection made for them. */
async function connectionsUsed(): Promise<{ protocols: string[]; opened: number; count: number }> {
  const entries = performance.getEntriesByType('resource') as unknown as readonly {
    readonly nextHopProtocol: string;
    readonly connectStart: number;
    readonly connectEnd: number;
  }[];
  return Promise.resolve({
    protocols: [...new Set(entries.map(({ nextHopProtocol }) => nextHopProtocol))],
    opened: entries.filter(({ connectStart, connectEnd }) => connectEnd > connectStart).length,
    count: entries.length,
  });
}

/** In the page: watches, writes once the watch is live, reads what it is told of that, and leaves. */
async function watchWrites(keys: readonly string[]): Promise<unknown[]> {
  const leave = new AbortController();
  const request = new TextEncoder().encode(JSON.stringify({ ranges: [{ prefix: 'w/' }] }));
  const body = new Uint8Array(5 + request.length);
  new DataView(body.buffer).setUint32(1, request.length);
  body.set(request, 5);
  const response = await fetch('/kelp.v1.WatchService/Watch', {
    method: 'POST',
    headers: { 'content-type': 'application/connect+json', 'connect-protocol-version': '1' },
    body,
    signal: leave.signal,
  });
  const reader = response.body?.getReader();
  let bytes = new Uint8Array();
  const next = async (): Promise<unknown> => {
    for (;;) {
      const length = bytes.length < 5 ? Infinity : new DataView(bytes.buffer).getUint32(1);
      if (bytes.length >= 5 + length) {
        const message = JSON.parse(new TextDecoder().decode(bytes.subarray(5, 5 + length)));
        bytes = bytes.slice(5 + length);
        return message;
      }
      const read = await reader?.read();
      if (read?.value === undefined) throw new Error('the stream has ended');
      const both = new Uint8Array(bytes.length + read.value.length);
      both.set(bytes);
      both.set(read.value, bytes.length);
      bytes = both;
    }
  };
  const messages = [await next()];
  for (const key of keys) {
    await fetch('/kelp.v1.KvService/Put', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
      body: JSON.stringify({ key }),
    });
    messages.push(await next());
  }
  leave.abort();
  return messages;
}

/** In the page: makes one call by gRPC-Web. Bytes are text of base64. */
async function callGrpcWeb(path: string, request: string): Promise<{ message: string; trailers: string }> {
  const message = Uint8Array.from(atob(request), (character) => character.charCodeAt(0));
  const body = new Uint8Array(5 + message.length);
  new DataView(body.buffer).setUint32(1, message.length);
  body.set(message, 5);
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
    body,
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const end = 5 + new DataView(bytes.buffer).getUint32(1);
  return {
    message: btoa(String.fromCharCode(...bytes.subarray(5, end))),
    trailers: new TextDecoder().decode(bytes.subarray(end + 5)),
  };
}

describe.runIf(isChromiumInstalled)('a page in Chromium', () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await Chromium.start(keyOf(tls.cert));
  });
  afterAll(() => chromium.close());

  /** A page of the server itself. */
  async function openPage(): Promise<{ readonly server: TestServer; readonly page: Page }> {
    const server = await startTestServer({ flags: { 'tls-cert': tls.cert, 'tls-key': tls.key } });
    return { server, page: await chromium.open(`${server.url}/healthz`) };
  }

  test('gets, puts and is refused', async () => {
    const { page } = await openPage();
    const value = Buffer.from('1').toString('base64');
    expect(await page.run(callAll, [['Put', { key: 'a', value }]])).toEqual([
      { status: 200, body: { revision: '1' } },
    ]);
    const answers = await page.run(callAll, [
      ['Get', { key: 'a' }],
      ['Put', { key: 'a', condition: { mustNotExist: true } }],
      ['Get', { key: '' }],
    ]);
    expect(answers).toMatchObject([
      { status: 200, body: { entry: { key: 'a', value, version: '1' }, revision: '1' } },
      {
        status: 400,
        body: { code: 'failed_precondition', details: [{ type: 'kelp.v1.ErrorDetail' }] },
      },
      { status: 400, body: { code: 'invalid_argument' } },
    ]);
    expect(await page.run(connectionsUsed)).toEqual({ protocols: ['h2'], opened: 0, count: 4 });
  });

  test('makes many calls at once on the connection that it came by', async () => {
    const { page } = await openPage();
    const calls = Array.from({ length: 300 }, () => ['Increment', { key: 'n', delta: '1' }] as const);
    const answers = await page.run(callAll, calls);
    const values = answers.map(({ body }) => Number((body as { value: string }).value));
    expect(values.sort((a, b) => a - b)).toEqual(calls.map((_, index) => index + 1));
    expect(await page.run(connectionsUsed)).toEqual({ protocols: ['h2'], opened: 0, count: 300 });
  });

  test('sends and reads values that are longer than the windows', async () => {
    const { page } = await openPage();
    const values = ['a', 'b', 'c'].map((key, index) => [
      key,
      Buffer.alloc(2_000_000, index + 1).toString('base64'),
    ]);
    const puts = values.map(([key, value]) => ['Put', { key, value }] as const);
    expect((await page.run(callAll, puts)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const gets = values.map(([key]) => ['Get', { key }] as const);
    const answers = await page.run(callAll, gets);
    const read = answers.map(({ body }) => (body as { entry: { key: string; value: string } }).entry);
    expect(read.map(({ key, value }) => [key, value])).toEqual(values);
  });

  test('watches while it writes, and leaves', async () => {
    const { server, page } = await openPage();
    const messages = await page.run(watchWrites, ['w/1', 'w/2', 'w/3']);
    expect(messages).toMatchObject([
      { synced: {} },
      { events: { revision: '1', events: [{ entry: { key: 'w/1' } }] } },
      { events: { revision: '2', events: [{ entry: { key: 'w/2' } }] } },
      { events: { revision: '3', events: [{ entry: { key: 'w/3' } }] } },
    ]);
    await server.log.line(
      (line) => line['method'] === 'kelp.v1.WatchService/Watch' && line['code'] === 'Canceled',
    );
    expect((await page.run(connectionsUsed)).opened).toBe(0);
  });

  test('calls by gRPC-Web, in binary', async () => {
    const { page } = await openPage();
    await page.run(callAll, [['Put', { key: 'a', value: Buffer.from('1').toString('base64') }]]);
    const request = toBinary(GetRequestSchema, create(GetRequestSchema, { key: 'a' }));
    const { message, trailers } = await page.run(
      callGrpcWeb,
      '/kelp.v1.KvService/Get',
      Buffer.from(request).toString('base64'),
    );
    const { entry } = fromBinary(GetResponseSchema, Buffer.from(message, 'base64'));
    expect(Buffer.from(entry?.value ?? []).toString()).toBe('1');
    expect(trailers).toContain('grpc-status: 0');
  });
});
