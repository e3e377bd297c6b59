/** Times of more than 2^31 - 1 ms (some 25 days), which Node's own timers take for 1 ms. */
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { RawConnection } from '../../support/raw-connection.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const getPath = '/kelp.v1.KvService/Get';
/** The field `key` with the value `a`. */
const message = Buffer.from([0x0a, 0x01, 0x61]);

/** Some hundred turns of the event loop of this process, which is also the server's: far more than 1 ms. */
async function serveOthers(server: TestServer): Promise<void> {
  for (let count = 0; count < 30; count++) await (await fetch(`${server.url}/healthz`)).text();
}

describe('a request may take a month', () => {
  const flags = { 'request-timeout': '30d' };

  test.each([
    ['by the short way', {}],
    ['by the way for all calls', { 'grpc-encoding': 'gzip' }],
  ])('over gRPC, %s', async (_, headers) => {
    const server = await startTestServer({ flags });
    const stream = post(await openSession(server.url), getPath, 'application/grpc', headers);
    const body = encodeEnvelope(0, message);
    stream.write(body.subarray(0, 4));
    await serveOthers(server);
    stream.end(body.subarray(4));
    expect((await replyOf(stream)).headers['grpc-status']).toBe(String(status.OK));
  });

  test('over HTTP/1.1', async () => {
    const server = await startTestServer({ flags });
    const connection = await RawConnection.open(server);
    connection.send(`POST ${getPath} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/proto\r\n`);
    connection.send('Content-Length: 3\r\n\r\n\n');
    await serveOthers(server);
    connection.send(message.subarray(1));
    expect(await connection.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('calls that are under way when the server stops may take a month', async () => {
  const server = await startTestServer({ flags: { 'shutdown-timeout': '30d', 'request-timeout': '365d' } });
  const session = await openSession(server.url);
  const stream = post(session, getPath, 'application/grpc');
  const body = encodeEnvelope(0, message);
  stream.write(body.subarray(0, 4));
  // The server has what was sent before the ping.
  const ping = (): Promise<void> => new Promise((resolve) => session.ping(() => resolve()));
  await ping();
  const stopped = server.stop();
  for (let count = 0; count < 100; count++) await ping();
  stream.end(body.subarray(4));
  expect((await replyOf(stream)).headers['grpc-status']).toBe(String(status.OK));
  await stopped;
  expect(server.log.lines.map(({ msg }) => msg)).not.toContain('calls did not finish in time; broken off');
});

describe('the clock', () => {
  const monthMs = 30 * 24 * 60 * 60 * 1000;

  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('times a month to the millisecond', () => {
    const callback = vi.fn<() => void>();
    systemClock.setTimer(monthMs, callback);
    vi.advanceTimersByTime(monthMs - 1);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  test('forgets a timer that was cancelled, on its way too', () => {
    const callback = vi.fn<() => void>();
    const timer = systemClock.setTimer(monthMs, callback);
    vi.advanceTimersByTime(monthMs - 1);
    timer.cancel();
    vi.advanceTimersByTime(monthMs);
    expect(callback).not.toHaveBeenCalled();
  });
});
