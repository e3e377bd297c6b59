import { randomBytes } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { type Client, Code, ConnectError, type Transport, createClient } from '@connectrpc/connect';
import {
  compressionBrotli,
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { status } from '@grpc/grpc-js';
import { assert, asyncProperty, constantFrom, uint8Array } from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService, PutRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import {
  openSession,
  pingAcknowledged,
  pingFrame,
  post,
  replyOf,
  resetFrame,
  unfinishedPost,
} from '../../support/bare-http2.ts';
import { GrpcJsClient, detailOf } from '../../support/grpc-js-client.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const putPath = '/kelp.v1.KvService/Put';
const getPath = '/kelp.v1.KvService/Get';

/** Limits that are reached with little. */
const small = {
  'value-bytes-max': '64KiB',
  'txn-bytes-max': '128KiB',
  'request-bytes-max': '256KiB',
  'reply-bytes-max': '256KiB',
};

type MakeTransport = (baseUrl: string, compression?: typeof compressionGzip) => Transport;

const transports: Readonly<Record<string, MakeTransport>> = {
  'gRPC, HTTP/2': (baseUrl, compression) => createGrpcTransport({ baseUrl, ...sending(compression) }),
  'gRPC-Web, HTTP/1.1': (baseUrl, compression) =>
    createGrpcWebTransport({ baseUrl, httpVersion: '1.1', ...sending(compression) }),
  'Connect, HTTP/1.1': (baseUrl, compression) =>
    createConnectTransport({ baseUrl, httpVersion: '1.1', ...sending(compression) }),
  'Connect, HTTP/2': (baseUrl, compression) =>
    createConnectTransport({ baseUrl, httpVersion: '2', ...sending(compression) }),
};

function sending(sendCompression: typeof compressionGzip | undefined): object {
  return sendCompression === undefined ? {} : { sendCompression, compressMinBytes: 0 };
}

function kvOf({ url }: TestServer): Client<typeof KvService> {
  return createClient(KvService, createGrpcTransport({ baseUrl: url }));
}

async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => 'no error',
      (reason: unknown) => reason,
    ),
  );
}

async function expectGoesOn(server: TestServer): Promise<void> {
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect((await kvOf(server).put({ key: 'goes on' })).revision).toBeGreaterThan(0n);
}

describe.each(Object.entries(transports))('over %s', (_, makeTransport) => {
  test('a message that is too long is RESOURCE_EXHAUSTED, before all of it is sent', async () => {
    const server = await startTestServer({ flags: small });
    const kv = createClient(KvService, makeTransport(server.url));

    for (const length of [300_000, 5_000_000]) {
      const error = await failureOf(kv.put({ key: 'a', value: randomBytes(length) }));
      expect(Code[error.code]).toBe('ResourceExhausted');
      expect(error.rawMessage).toMatch(/\(request-bytes-max\)/);
      expect(error.findDetails(ErrorDetailSchema)[0]?.reason).toBe(ErrorReason.LIMIT_REACHED);
    }

    await expectGoesOn(server);
  });

  test.each([compressionGzip, compressionBrotli])(
    'a request compressed by $name is read',
    async (compression) => {
      const server = await startTestServer();
      const kv = createClient(KvService, makeTransport(server.url, compression));

      await kv.put({ key: 'a', value: Buffer.alloc(100_000, 'kelp') });

      expect((await kvOf(server).get({ key: 'a' })).entry?.value).toHaveLength(100_000);
    },
  );

  test.each([compressionGzip, compressionBrotli])('a bomb of $name is defused', async (compression) => {
    const server = await startTestServer({ flags: small });
    const kv = createClient(KvService, makeTransport(server.url, compression));

    const error = await failureOf(kv.put({ key: 'a', value: new Uint8Array(50_000_000) }));

    expect(Code[error.code]).toBe('ResourceExhausted');
    expect(error.rawMessage).toMatch(/when decompressed/);
    await expectGoesOn(server);
  });
});

test('a message that is too long is RESOURCE_EXHAUSTED to grpc-js, with its detail', async () => {
  const server = await startTestServer({ flags: small });
  const client = new GrpcJsClient(server.address);

  for (let count = 0; count < 5; count++) {
    const call = client.unary(KvService.method.put, { key: 'a', value: new Uint8Array(5_000_000) });
    const error = await call.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(detailOf(error)?.reason).toBe(ErrorReason.LIMIT_REACHED);
  }
});

test('a transaction whose reply is too long is refused before it writes', async () => {
  const server = await startTestServer({ flags: small });
  const kv = kvOf(server);
  const values = [1, 2, 3, 4, 5].map((index) => ({ key: `${index}`, value: new Uint8Array(60_000) }));
  for (const each of values) await kv.put(each);
  const puts = values.map(({ key }) => {
    const value = { key, value: Buffer.from('new'), returnPrevious: true };
    return { operation: { case: 'put', value } } as const;
  });

  const error = await failureOf(kv.txn({ success: puts }));

  expect(error.rawMessage).toMatch(/\(reply-bytes-max\)/);
  const [detail] = error.findDetails(ErrorDetailSchema);
  expect(detail?.reason).toBe(ErrorReason.LIMIT_REACHED);
  const { entries, revision } = await kv.scan({ keysOnly: true });
  expect(revision).toBe(5n);
  expect(entries.map(({ version }) => version)).toEqual([1n, 1n, 1n, 1n, 1n]);
});

test('a reply that is too long is RESOURCE_EXHAUSTED before it is made', async () => {
  const server = await startTestServer({ flags: small });
  const kv = kvOf(server);
  await kv.put({ key: 'a', value: new Uint8Array(60_000) });

  const get = { operation: { case: 'get', value: { key: 'a' } } } as const;
  expect((await kv.txn({ success: [get, get, get, get] })).results).toHaveLength(4);
  const error = await failureOf(kv.txn({ success: [get, get, get, get, get] }));

  expect(error.code).toBe(Code.ResourceExhausted);
  expect(error.rawMessage).toMatch(/\(reply-bytes-max\)/);
});

describe('bytes that are no message', () => {
  const malformed: Readonly<Record<string, Buffer>> = {
    'a field cut short': Buffer.from([0x0a, 0x05, 0x61]),
    'a key that is no UTF-8': Buffer.from([0x0a, 0x02, 0xc3, 0x28]),
    'a tag of no kind': Buffer.from([0x0f]),
    'a number without end': Buffer.alloc(20, 0xff),
    'groups nested ten thousand deep': Buffer.alloc(10_000, 0x7b),
  };

  test.each(Object.entries(malformed))('%s: INVALID_ARGUMENT over gRPC', async (_, message) => {
    const server = await startTestServer();
    const stream = post(await openSession(server.url), putPath, 'application/grpc');

    stream.end(encodeEnvelope(0, message));

    const { headers } = await replyOf(stream);
    expect(headers).toMatchObject({ ':status': 200, 'grpc-status': String(status.INVALID_ARGUMENT) });
    expect(decodeURIComponent(String(headers['grpc-message']))).toMatch(
      /^the request is no kelp\.v1\.PutRequest: /,
    );
    await expectGoesOn(server);
  });

  test.each(Object.entries(malformed))('%s: 400 over Connect', async (_, message) => {
    const server = await startTestServer();

    const response = await fetch(server.url + putPath, {
      method: 'POST',
      headers: { 'content-type': 'application/proto' },
      body: message,
    });

    expect([response.status, await response.json()]).toMatchObject([400, { code: 'invalid_argument' }]);
  });

  test.each(['\xff', '\xc3\x28', '\xed\xa0\x80'])('JSON that is no UTF-8: %j', async (key) => {
    const server = await startTestServer();
    const body = Buffer.from(`{"key":"${key}"}`, 'latin1');
    const refusal = { code: 'invalid_argument', message: expect.stringMatching(/not UTF-8/) as string };

    for (const isCompressed of [false, true]) {
      const response = await fetch(server.url + putPath, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(isCompressed && { 'content-encoding': 'gzip' }) },
        body: isCompressed ? gzipSync(body) : body,
      });
      expect([response.status, await response.json()]).toMatchObject([400, refusal]);
    }
    const stream = post(await openSession(server.url), putPath, 'application/grpc+json');
    stream.end(encodeEnvelope(0, body));
    expect((await replyOf(stream)).headers['grpc-status']).toBe(String(status.INVALID_ARGUMENT));
  });

  test('compressed, too', async () => {
    const server = await startTestServer();
    const stream = post(await openSession(server.url), putPath, 'application/grpc', {
      'grpc-encoding': 'gzip',
    });

    stream.end(encodeEnvelope(1, gzipSync(Buffer.from([0x0a, 0x05, 0x61]))));

    expect((await replyOf(stream)).headers['grpc-status']).toBe(String(status.INVALID_ARGUMENT));
  });

  test.each(['{', '', '[]', '"a"', '{"key":1}', '{"value":"*"}', '{"ttl":"soon"}', '['.repeat(100_000)])(
    'JSON: %.20s',
    async (body) => {
      const server = await startTestServer();

      const response = await fetch(server.url + putPath, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });

      expect([response.status, await response.json()]).toMatchObject([400, { code: 'invalid_argument' }]);
    },
  );

  test.each([
    ['gzip', Buffer.from('no gzip at all')],
    ['gzip', gzipSync(Buffer.alloc(1000)).subarray(0, 15)],
    ['br', brotliCompressSync(Buffer.alloc(1000)).subarray(0, 5)],
  ])('that claim to be %s', async (encoding, body) => {
    const server = await startTestServer();

    const response = await fetch(server.url + putPath, {
      method: 'POST',
      headers: { 'content-type': 'application/proto', 'content-encoding': encoding },
      body,
    });

    expect([response.status, await response.json()]).toMatchObject([400, { code: 'invalid_argument' }]);
  });

  test('in a compression that is not known: UNIMPLEMENTED, with those that are', async () => {
    const server = await startTestServer();
    const stream = post(await openSession(server.url), putPath, 'application/grpc', {
      'grpc-encoding': 'snappy',
    });

    stream.end(encodeEnvelope(1, new Uint8Array(5)));

    const { headers } = await replyOf(stream);
    expect(headers['grpc-status']).toBe(String(status.UNIMPLEMENTED));
    expect(decodeURIComponent(String(headers['grpc-message']))).toMatch(/supported encodings are gzip,br/);
  });

  test('in two messages where one belongs, or none', async () => {
    const server = await startTestServer();
    const session = await openSession(server.url);
    const message = encodeEnvelope(0, toBinary(PutRequestSchema, create(PutRequestSchema, { key: 'a' })));
    const bodies = [
      Buffer.concat([message, message]),
      Buffer.alloc(0),
      message.subarray(0, 6),
      message.subarray(0, 3),
    ];

    for (const body of bodies) {
      const stream = post(session, putPath, 'application/grpc');
      stream.end(body);
      const { headers } = await replyOf(stream);
      expect(headers['grpc-status']).not.toBe('0');
      expect(headers['grpc-status']).toBeDefined();
    }
    expect((await kvOf(server).get({ key: 'a' })).entry).toBeUndefined();
  });

  test('on any connection leave the server as it was', async () => {
    const server = await startTestServer();
    const starts = [
      '',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'POST /kelp.v1.KvService/Put HTTP/1.1\r\nHost: localhost\r\n',
    ];

    await assert(
      asyncProperty(constantFrom(...starts), uint8Array({ maxLength: 500 }), async (start, bytes) => {
        const connection = await RawConnection.open(server);
        connection.send(start);
        connection.socket.end(bytes);
        await connection.closed;
      }),
      { numRuns: 100 },
    );

    await expectGoesOn(server);
  });
});

describe('headers', () => {
  test.each([
    ['a deadline that is none', { 'grpc-timeout': 'soon' }, status.INVALID_ARGUMENT],
    ['a deadline beyond all timers', { 'grpc-timeout': '99999999H' }, status.OK],
    ['a deadline of a millisecond', { 'grpc-timeout': '1m' }, undefined],
  ])('%s', async (_, headers, code) => {
    const server = await startTestServer();
    const stream = post(await openSession(server.url), getPath, 'application/grpc', headers);

    stream.end(encodeEnvelope(0, Buffer.from([0x0a, 0x01, 0x61])));

    const reply = await replyOf(stream);
    if (code !== undefined) expect(reply.headers['grpc-status']).toBe(String(code));
    await expectGoesOn(server);
  });

  test('a type of content that is not known is 415, a method of HTTP that is not served 405', async () => {
    const server = await startTestServer();

    const unknown = await fetch(server.url + getPath, { method: 'POST', body: 'hello' });
    expect(unknown.status).toBe(415);
    expect(await unknown.json()).toMatchObject({ message: expect.stringContaining('application/json') });
    const put = await fetch(server.url + getPath, { method: 'PUT', body: 'hello' });
    expect(put.status).toBe(405);
    expect(await put.json()).toMatchObject({ message: 'a call is a POST' });
  });

  test('a body for a path where nothing is does not hold the stream open', async () => {
    const server = await startTestServer();
    const session = await openSession(server.url);

    for (const contentType of ['application/grpc', 'application/json']) {
      const stream = post(session, '/nowhere', contentType);
      stream.write('the rest never comes');
      const { headers } = await replyOf(stream);
      expect([headers[':status'], headers['grpc-status']]).toEqual(
        contentType === 'application/grpc' ? [200, '12'] : [404, undefined],
      );
    }
  });
});

describe('half a request', () => {
  const flags = { 'request-timeout': '100ms' };

  test('over gRPC is DEADLINE_EXCEEDED after a while', async () => {
    const server = await startTestServer({ flags });
    const stream = post(await openSession(server.url), putPath, 'application/grpc');

    stream.write(Buffer.from([0, 0, 0, 1, 0, 0x0a]));

    const { headers } = await replyOf(stream);
    expect(headers['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
    expect(decodeURIComponent(String(headers['grpc-message']))).toMatch(/\(request-timeout\)/);
  });

  test('a whole message whose stream is not ended, too', async () => {
    const server = await startTestServer({ flags });
    const stream = post(await openSession(server.url), getPath, 'application/grpc');

    stream.write(encodeEnvelope(0, Buffer.from([0x0a, 0x01, 0x61])));

    expect((await replyOf(stream)).headers['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
  });

  test('over HTTP/1.1 is answered after a while', async () => {
    const server = await startTestServer({ flags });
    const connection = await RawConnection.open(server);

    connection.send(`POST ${putPath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`);
    connection.send('Content-Length: 100\r\n\r\n{"key":');

    expect(await connection.until(/\}/)).toMatch(/^HTTP\/1\.1 \d+ .*deadline_exceeded/s);
  });

  test('that is broken off is not taken for a whole one', async () => {
    const server = await startTestServer();
    const message = toBinary(PutRequestSchema, create(PutRequestSchema, { key: 'half' }));
    // CANCEL, and the reset that says that all is well.
    for (const code of [8, 0]) {
      const http2 = await RawConnection.open(server);
      http2.send(unfinishedPost(putPath, 'application/proto', message));
      http2.send(resetFrame(code));
      http2.send(pingFrame);
      await http2.until(pingAcknowledged);
    }
    const connection = await RawConnection.open(server);
    connection.send(`POST ${putPath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/proto\r\n`);
    connection.send(`Transfer-Encoding: chunked\r\n\r\n${message.length.toString(16)}\r\n`);
    connection.send(message);
    connection.socket.end();
    await connection.closed;

    expect((await kvOf(server).get({ key: 'half' })).entry).toBeUndefined();
  });

  test('a message that comes byte by byte is put together', async () => {
    const server = await startTestServer();
    const session = await openSession(server.url);
    const value = randomBytes(300);
    const stream = post(session, putPath, 'application/grpc');
    for (const byte of encodeEnvelope(
      0,
      toBinary(PutRequestSchema, create(PutRequestSchema, { key: 'a', value })),
    )) {
      stream.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.end();

    expect((await replyOf(stream)).headers['grpc-status']).toBe('0');
    expect(value.equals((await kvOf(server).get({ key: 'a' })).entry?.value ?? new Uint8Array())).toBe(true);
  });

  test('a stream of small messages refuses a long one', async () => {
    const server = await startTestServer();
    const stream = post(await openSession(server.url), '/kelp.v1.LeaseService/KeepAlive', 'application/grpc');

    stream.write(encodeEnvelope(0, new Uint8Array(100_000)).subarray(0, 50));

    expect((await replyOf(stream)).headers['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
  });
});

describe('too much at once', () => {
  test('streams beyond the limit of calls are RESOURCE_EXHAUSTED, the others go on', async () => {
    const server = await startTestServer({ flags: { 'calls-max': '400' } });
    const replies: Promise<unknown>[] = [];
    const refusedCodes: (string | undefined)[] = [];
    let openCount = 0;
    for (let sessionCount = 0; sessionCount < 2; sessionCount++) {
      const session = await openSession(server.url);
      for (let index = 0; index < 300; index++) {
        const stream = post(session, '/kelp.v1.WatchService/Watch', 'application/grpc');
        stream.end(encodeEnvelope(0, new Uint8Array(0)));
        replies.push(
          new Promise<void>((resolve) => {
            // `synced` is what an open watch begins with.
            stream.once('data', () => {
              openCount++;
              resolve();
            });
            void replyOf(stream).then(({ headers }) => {
              refusedCodes.push(headers['grpc-status'] as string | undefined);
              resolve();
            });
          }),
        );
      }
    }

    await Promise.all(replies);

    expect(openCount).toBe(400);
    expect(new Set(refusedCodes)).toEqual(new Set([String(status.RESOURCE_EXHAUSTED)]));
    expect(refusedCodes).toHaveLength(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test('requests that are never finished fill their memory and no more, and give it back', async () => {
    const server = await startTestServer({ flags: { ...small, 'call-bytes-max': '1MiB' } });
    const session = await openSession(server.url);
    const hanging = Array.from({ length: 20 }, () => {
      const stream = post(session, putPath, 'application/proto');
      stream.write(new Uint8Array(200_000));
      return stream;
    });

    const statuses = await new Promise<number[]>((resolve) => {
      const refused: number[] = [];
      for (const stream of hanging) {
        stream.once('response', (headers) => {
          refused.push(Number(headers[':status']));
          // 200,000 bytes take a buffer of more than that and less than twice it.
          if (refused.length === 16) resolve(refused);
        });
      }
    });
    // RESOURCE_EXHAUSTED is 429 in HTTP.
    expect(new Set(statuses)).toEqual(new Set([429]));

    for (const stream of hanging) stream.close(8);
    await new Promise((resolve) => session.ping(resolve));
    await expectGoesOn(server);
  });

  test('replies that nobody reads fill their memory and no more', async () => {
    const server = await startTestServer({ flags: { ...small, 'call-bytes-max': '1MiB' } });
    await kvOf(server).put({ key: 'a', value: new Uint8Array(60_000) });
    const session = connectHttp2(server.url, { settings: { initialWindowSize: 0 } });
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());

    const outcomes = await Promise.all(
      Array.from({ length: 40 }, () => {
        const stream = post(session, getPath, 'application/grpc');
        stream.end(encodeEnvelope(0, Buffer.from([0x0a, 0x01, 0x61])));
        return new Promise<unknown>((resolve) => {
          stream.once('response', (headers) => resolve(headers['content-type']));
          stream.once('close', () => resolve('closed'));
          stream.once('trailers', () => undefined);
        });
      }),
    );

    expect(outcomes).toHaveLength(40);
    const error = await failureOf(kvOf(server).get({ key: 'a' }));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toMatch(/\(call-bytes-max\)/);
    session.destroy();
    await new Promise<void>((resolve) => session.once('close', () => resolve()));
    await expectGoesOn(server);
  });

  test('calls that are begun and canceled at once leave nothing behind', async () => {
    const server = await startTestServer();
    for (let round = 0; round < 5; round++) {
      const session = await openSession(server.url);
      for (let index = 0; index < 100; index++) {
        const stream = post(session, '/kelp.v1.WatchService/Watch', 'application/grpc');
        stream.end(encodeEnvelope(0, new Uint8Array(0)));
        stream.close(8);
      }
      session.destroy();
    }

    await expectGoesOn(server);
    await server.stop();
    expect(server.log.lines.filter((line) => line['level'] === 'error')).toEqual([]);
  });
});

test('services whose requests are small take no long ones', async () => {
  const server = await startTestServer();
  const transport = createGrpcTransport({ baseUrl: server.url });
  const long = 'x'.repeat(20_000);

  const failures = await Promise.all([
    failureOf(createClient(Health, transport).check({ service: long })),
    failureOf(createClient(LeaseService, transport).list({ pageToken: long })),
  ]);
  expect(failures.map(({ code }) => Code[code])).toEqual(['ResourceExhausted', 'ResourceExhausted']);
  // No option makes it longer.
  const message = 'the request message is longer than 16384 bytes';
  expect(failures.map(({ rawMessage }) => rawMessage)).toEqual([message, message]);
});

test('a watch of a hundred of the longest ranges is not too long', async () => {
  const server = await startTestServer();
  const watches = createClient(WatchService, createGrpcTransport({ baseUrl: server.url }));
  const ranges = Array.from({ length: 100 }, (_, index) => ({
    start: `${String(index).padStart(4, '0')}${'a'.repeat(4092)}`,
    end: `${String(index).padStart(4, '0')}${'b'.repeat(4092)}`,
  }));

  for await (const { message } of watches.watch({ ranges })) {
    expect(message.case).toBe('synced');
    break;
  }
});
