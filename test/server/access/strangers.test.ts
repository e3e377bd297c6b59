/** Who has not logged in holds neither the memory nor the places of calls that users need. */
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { serverFixed } from '../../../src/limits.ts';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, clientsOf } from './access-client.ts';

const CALLS = 32;

async function closed(flags: Readonly<Record<string, string>> = {}) {
  const clock = new ManualClock();
  const { url } = await startTestServer({ flags, storeOptions: { clock } });
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  const root = clientsOf(url, basic('root', 'top'));
  await root.kv.put({ key: 'a' });
  return { url, root, clock };
}

/** Of a message that is announced and does not come to its end. */
function part(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  body.writeUInt32BE(40 << 20, 1);
  return body;
}

test.each([
  '/kelp.v1.KvService/Put',
  '/kelp.v1.KvService/ScanStream',
  '/kelp.v1.WatchService/Watch',
  '/kelp.v1.KvService/Pipeline',
])(
  'of a request to %s comes no more than a window while its password is checked, and nothing is kept when it was wrong',
  async (path) => {
    const { url, root, clock } = await closed();
    const session = await openSession(url);
    // The first one that is wrong makes the second wait for its turn.
    const first = post(session, path, 'application/grpc', { authorization: basic('root', 'wrong') });
    first.end();
    const stream = post(session, path, 'application/grpc', { authorization: basic('root', 'wrong, too') });
    const sent = serverFixed.streamWindowBytes;
    stream.write(part(4 * sent));
    const held = async (): Promise<number> => {
      const reply = await fetch(new URL('/metrics', url), {
        headers: { authorization: basic('root', 'top') },
      });
      return Number(/^kelp_call_memory_bytes (\d+)$/m.exec(await reply.text())?.[1]);
    };
    while ((await held()) < sent);
    await root.kv.get({ key: 'a' });
    expect(await held()).toBeLessThanOrEqual(2 * sent);
    const reply = replyOf(stream);
    while (!stream.closed) await clock.pass(100);
    expect((await reply).headers['grpc-status']).toBe('16');
    while ((await held()) > 0);
  },
);

test('requests of Authenticate, which need no login, fill no more than a part of the calls', async () => {
  const { url, root } = await closed({ 'calls-max': String(CALLS) });
  const session = await openSession(url);
  const ask = (): ReturnType<typeof post> =>
    post(session, '/etcdserverpb.Auth/Authenticate', 'application/grpc');
  const begun = Array.from({ length: CALLS * serverFixed.strangerCallsShareMax }, ask);
  for (const stream of begun) stream.write(part(5).subarray(0, 4));
  const refused = ask();
  refused.write(part(5).subarray(0, 4));
  expect((await replyOf(refused)).headers['grpc-status']).toBe(String(Code.ResourceExhausted));
  expect((await root.kv.get({ key: 'a' })).entry?.key).toBe('a');
  // What is longer than any name and password is refused as soon as that is announced.
  const [long] = begun;
  const reply = long && replyOf(long);
  long?.write(Buffer.from([0xff]));
  expect((await reply)?.headers['grpc-message']).toContain('longer than');
});

test('watches of health, which need no login, fill no more than a part of the calls', async () => {
  const { url, root } = await closed({ 'calls-max': String(CALLS) });
  const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
  const places = CALLS * serverFixed.strangerCallsShareMax;
  const watches = Array.from({ length: places }, () => health.watch({})[Symbol.asyncIterator]());
  for (const watch of watches) await watch.next();
  const others = Array.from({ length: CALLS }, () => health.watch({})[Symbol.asyncIterator]().next());
  for (const refused of await Promise.allSettled(others)) {
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: Code.ResourceExhausted } });
  }
  expect((await root.kv.get({ key: 'a' })).entry?.key).toBe('a');
  expect((await health.check({})).status).toBe(1);
});
