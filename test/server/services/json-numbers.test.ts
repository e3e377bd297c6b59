/** Numbers of 64 bits in JSON, which JavaScript would round: no door takes one that is not exact. */
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const BEYOND = '9007199254740993';

/** A message with its prefix, as streams and gRPC have it. */
function enveloped(json: string): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(json), 1);
  return Buffer.concat([prefix, Buffer.from(json)]);
}

async function call(
  { url }: TestServer,
  method: string,
  json: string,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly reply: unknown }> {
  const body = headers['content-encoding'] === 'gzip' ? gzipSync(json) : json;
  const response = await fetch(`${url}/kelp.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, reply: await response.json() };
}

const refused = {
  status: 400,
  reply: {
    code: 'invalid_argument',
    message: expect.stringMatching(/would be rounded; .* as text/) as string,
  },
};

describe('a number that is not exact is refused', () => {
  test.each([
    ['KvService/Increment', `{"key":"n","delta":${BEYOND}}`],
    ['KvService/Increment', `{"key":"n","delta":-${BEYOND}}`],
    ['KvService/Increment', `{"key":"n","delta":${BEYOND}.0}`],
    ['KvService/Increment', '{"key":"n","delta":1e18}'],
    ['KvService/Increment', '{"key":"n","delta":1.00000000000000000001}'],
    ['KvService/Increment', `{"key":"n","delta":${BEYOND},"delta":1}`],
    ['KvService/Get', `{"key":"n","revision":${BEYOND}}`],
    ['KvService/Put', `{"key":"n","value":"","leaseId":${BEYOND}}`],
    ['KvService/Put', `{"key":"n","condition":{"modRevisionEquals":${BEYOND}}}`],
    ['KvService/Txn', `{"success":[{"increment":{"key":"n","delta":${BEYOND}}}]}`],
    ['KvService/Txn', `{"compares":[{"key":"n","version":${BEYOND}}]}`],
    ['LeaseService/Grant', `{"ttl":"5s","leaseId":${BEYOND}}`],
    ['LeaseService/Renew', `{"leaseId":${BEYOND}}`],
    ['AdminService/Compact', `{"revision":${BEYOND}}`],
  ])('%s %s', async (method, json) => {
    const server = await startTestServer();
    for (const headers of [{}, { 'content-encoding': 'gzip' }, { 'content-type': 'Application/JSON' }]) {
      expect(await call(server, method, json, headers as Record<string, string>)).toMatchObject(refused);
    }
    expect((await call(server, 'KvService/Get', '{"key":"n"}')).reply).not.toHaveProperty('entry');
  });

  test.each(['application/grpc+json', 'application/grpc-web+json'])('over %s', async (contentType) => {
    const server = await startTestServer();
    const path = '/kelp.v1.KvService/Increment';
    const stream = post(await openSession(server.url), path, contentType);
    stream.end(enveloped(`{"key":"n","delta":${BEYOND}}`));
    const { headers, body } = await replyOf(stream);
    // gRPC-Web has its trailers in the body when there is one.
    expect(headers['grpc-status'] ?? /grpc-status: *(\d+)/.exec(body.toString())?.[1]).toBe(
      String(status.INVALID_ARGUMENT),
    );
  });

  test('in a stream of Connect', async () => {
    const server = await startTestServer();
    const path = '/kelp.v1.WatchService/Watch';
    const stream = post(await openSession(server.url), path, 'application/connect+json');
    stream.end(enveloped(`{"startRevision":${BEYOND}}`));
    expect((await replyOf(stream)).body.toString()).toMatch(/invalid_argument.*would be rounded/);
  });

  test('in any message of a stream of requests', async () => {
    const server = await startTestServer();
    const path = '/kelp.v1.LeaseService/KeepAlive';
    const stream = post(await openSession(server.url), path, 'application/connect+json');
    stream.write(enveloped('{"leaseId":5}'));
    stream.end(enveloped(`{"leaseId":${BEYOND}}`));
    expect((await replyOf(stream)).body.toString()).toMatch(/invalid_argument.*would be rounded/);
  });
});

test('as text a number goes through exactly, in and out', async () => {
  const server = await startTestServer();
  const increment = (delta: string): ReturnType<typeof call> =>
    call(server, 'KvService/Increment', `{"key":"n","delta":"${delta}"}`);
  expect(await increment(BEYOND)).toMatchObject({ status: 200, reply: { value: BEYOND } });
  expect(await increment('9214364837600034814')).toMatchObject({ reply: { value: '9223372036854775807' } });
  expect(await call(server, 'KvService/Increment', '{"key":"m","delta":9007199254740991}')).toMatchObject({
    reply: { value: '9007199254740991', revision: '3' },
  });
  // A number in a text is none.
  expect(await call(server, 'KvService/Put', `{"key":"k${BEYOND}","value":"9007"}`)).toMatchObject({
    status: 200,
  });
});

test.each(['0.5', '"0.5"', '"9223372036854775808"', '"x"', 'true', '"0x10"', '" 5 "', '""', '"+5"'])(
  'a delta of %s is refused',
  async (delta) => {
    const server = await startTestServer();
    expect(await call(server, 'KvService/Increment', `{"key":"n","delta":${delta}}`)).toMatchObject({
      status: 400,
      reply: { code: 'invalid_argument' },
    });
  },
);

test.each(['"1.0000000001s"', '"9007199254740993s"', '5', '""'])('a ttl of %s is refused', async (ttl) => {
  const server = await startTestServer();
  const json = `{"key":"n","value":"","ttl":${ttl}}`;
  expect(await call(server, 'KvService/Put', json)).toMatchObject({
    status: 400,
    reply: { code: 'invalid_argument' },
  });
});
