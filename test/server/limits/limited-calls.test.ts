/** What users may do in a second, through every door. Where time stands still, what is over stays so. */
import { Readable } from 'node:stream';
import { Code, type ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { createClient as createKelpClient } from '../../../src/client/client.ts';
import type { KelpError } from '../../../src/client/errors/error.ts';
import { readRetryInfo } from '../../../src/client/errors/status-details.ts';
import { serverFixed } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type Clients, basic, clientsOf, doors, refusalOf } from '../access/access-client.ts';

const MANY_OPERATIONS = 10_000;
/** As long as a debt may be. */
const DEBT_MS = serverFixed.rateDebtMsMax;

/** More than its user may do in minutes; it is done, as the first of them. */
function longTxn(key: string) {
  const put = { case: 'put', value: { key } } as const;
  return { success: Array.from({ length: MANY_OPERATIONS }, () => ({ operation: put })) };
}

/** One for which no time passes. */
function stillServer(flags: Readonly<Record<string, string>>) {
  return startTestServer({ flags, storeOptions: { clock: new ManualClock() } });
}

/** A server whose access is closed, with `ann` and `bob`, who may do everything with keys. */
async function limitedServer(flags: Readonly<Record<string, string>>) {
  const server = await stillServer(flags);
  const { url } = server;
  await clientsOf(url).access.createUser({ name: 'root', password: 'top' });
  const { access } = clientsOf(url, basic('root', 'top'));
  await access.createRole({ name: 'all' });
  const grant = {
    permission: Permission.READWRITE,
    keys: { keys: { case: 'prefix', value: new Uint8Array(0) } },
  } as const;
  await access.addGrant({ role: 'all', grant });
  for (const name of ['ann', 'bob']) await access.createUser({ name, password: name, roles: ['all'] });
  return server;
}

function retryAfterMsOf({ details }: ConnectError): number | undefined {
  for (const detail of details) {
    if (!('type' in detail) || detail.type !== 'google.rpc.RetryInfo') continue;
    const bytes = Buffer.from(detail.value);
    return readRetryInfo(bytes, 0, bytes.length);
  }
  return undefined;
}

/** How often something has waited; metrics are read without a user, while access is open. */
async function waitsOf(url: string, limit: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`kelp_rate_waits_total\\{limit="${limit}"\\} (\\d+)\n`).exec(metrics)?.[1]);
}

async function expectRefused(call: Promise<unknown>): Promise<void> {
  const refusal = await refusalOf(call);
  expect(refusal.code).toBe(Code.ResourceExhausted);
  expect(refusal.findDetails(ErrorDetailSchema)).toMatchObject([{ reason: ErrorReason.LIMIT_REACHED }]);
  expect(retryAfterMsOf(refusal)).toBeGreaterThan(DEBT_MS);
  expect(retryAfterMsOf(refusal)).toBeLessThanOrEqual(DEBT_MS + 1000);
}

test('a user who has done too much is refused through every door, and others are served', async () => {
  const server = await limitedServer({ 'operations-per-second-max': '1' });
  const { url } = server;
  const [ann, bob] = [basic('ann', 'ann'), basic('bob', 'bob')];
  const { revision } = await clientsOf(url, ann).kv.txn(longTxn('a'));

  for (const door of doors) {
    const { kv, admin, access } = clientsOf(url, ann, door);
    await expectRefused(kv.get({ key: 'a' }));
    await expectRefused(kv.put({ key: 'a' }));
    expect((await admin.status({})).revision).toBe(revision);
    expect((await access.whoAmI({})).user).toBe('ann');
  }
  const rest = await fetch(`${url}/v1/keys/a`, { headers: { authorization: ann } });
  expect([rest.status, await rest.json()]).toMatchObject([429, { code: 'limitReached' }]);
  expect(Number(rest.headers.get('retry-after'))).toBe(DEBT_MS / 1000 + 1);
  const scripts = await fetch(`${url}/get/a`, { headers: { authorization: ann } });
  expect([scripts.status, await scripts.json()]).toMatchObject([
    429,
    { error: expect.stringContaining('operations-per-second-max') },
  ]);
  expect(scripts.headers.has('retry-after')).toBe(true);
  expect((await fetch(`${url}/health`)).status).toBe(200);

  expect((await clientsOf(url, bob).kv.get({ key: 'a' })).revision).toBe(revision);
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: bob } })).text();
  expect(metrics).toContain('kelp_rate_refusals_total{limit="operations-per-second-max"} 10\n');
});

test('a transaction over REST counts as its operations', async () => {
  const { url } = await limitedServer({ 'operations-per-second-max': '1' });
  const headers = { authorization: basic('ann', 'ann'), 'content-type': 'application/json' };
  const success = Array.from({ length: MANY_OPERATIONS }, () => ({ delete: { key: 'a' } }));
  const txn = await fetch(`${url}/v1/txn`, { method: 'POST', headers, body: JSON.stringify({ success }) });
  expect(txn.status).toBe(200);
  await expectRefused(clientsOf(url, headers.authorization).kv.get({ key: 'a' }));
});

test('connections without a user count each for itself while access is open', async () => {
  const { url } = await stillServer({ 'operations-per-second-max': '1' });
  const [one, other] = [clientsOf(url), clientsOf(url)];
  await one.kv.txn(longTxn('a'));
  await expectRefused(one.kv.get({ key: 'a' }));
  expect((await other.kv.get({ key: 'a' })).revision).toBe(1n);
});

test('leases are renewed whatever else their holder has done', async () => {
  const { url } = await stillServer({ 'operations-per-second-max': '10' });
  const transport = createGrpcTransport({ baseUrl: url });
  const [kv, leases] = [createClient(KvService, transport), createClient(LeaseService, transport)];
  const { leaseId } = await leases.grant({ ttl: { seconds: 60n } });
  await kv.txn(longTxn('a'));
  await expectRefused(kv.get({ key: 'a' }));
  for (let round = 0; round < 20; round++) await leases.renew({ leaseId });
  const renewed: bigint[] = [];
  const asked = Array.from({ length: 20 }, () => ({ leaseId }));
  for await (const { ttl } of leases.keepAlive(Readable.from(asked) as AsyncIterable<{ leaseId: bigint }>))
    renewed.push(ttl?.seconds ?? 0n);
  expect(renewed).toEqual(asked.map(() => 60n));
});

test('an open watch is told of everything, however much its user has done', async () => {
  const { url } = await limitedServer({ 'operations-per-second-max': '10', 'bytes-per-second-max': '1KiB' });
  const [ann, bob] = ['ann', 'bob'].map((name) => clientsOf(url, basic(name, name))) as [Clients, Clients];
  const controller = new AbortController();
  const watches = createClient(WatchService, createGrpcTransport({ baseUrl: url }));
  const options = { headers: { authorization: basic('ann', 'ann') }, signal: controller.signal };
  const watch = watches.watch({ ranges: [{}] }, options)[Symbol.asyncIterator]();
  await watch.next();
  await ann.kv.txn(longTxn('a'));
  await expectRefused(ann.kv.get({ key: 'a' }));
  const { revision } = await bob.kv.put({ key: 'b', value: new Uint8Array(100_000) });
  for (;;) {
    const { value } = await watch.next();
    if (value?.message.case === 'events' && value.message.value.revision === revision) break;
  }
  controller.abort();
});

test('what a reply was longer than the limit is paid before the next call', async () => {
  const { url } = await limitedServer({ 'bytes-per-second-max': '1KiB' });
  const [ann, bob] = ['ann', 'bob'].map((name) => clientsOf(url, basic(name, name))) as [Clients, Clients];
  await bob.kv.put({ key: 'a', value: new Uint8Array(12_000_000) });
  await expectRefused(bob.kv.get({ key: 'a' }));
  expect((await ann.kv.get({ key: 'a' })).entry?.value.length).toBe(12_000_000);
  await expectRefused(ann.kv.get({ key: 'b' }));
  const rest = await fetch(`${url}/v1/keys/b`, { headers: { authorization: basic('ann', 'ann') } });
  expect([rest.status, await rest.json()]).toMatchObject([
    429,
    { detail: expect.stringMatching(/1024 bytes of requests and replies .*\(bytes-per-second-max\)/) },
  ]);
});

test('bytes over REST count as those of gRPC', async () => {
  const { url } = await limitedServer({ 'bytes-per-second-max': '1KiB' });
  const headers = { authorization: basic('ann', 'ann') };
  const put = await fetch(`${url}/v1/keys/a`, { method: 'PUT', headers, body: new Uint8Array(12_000_000) });
  expect(put.status).toBe(201);
  await expectRefused(clientsOf(url, headers.authorization).kv.get({ key: 'b' }));
  const read = await fetch(`${url}/v1/keys/a`, { headers: { authorization: basic('bob', 'bob') } });
  expect((await read.arrayBuffer()).byteLength).toBe(12_000_000);
  await expectRefused(clientsOf(url, basic('bob', 'bob')).kv.get({ key: 'b' }));
});

test('a batch of a pipeline waits while its user has done too much', async () => {
  const { url } = await stillServer({ 'operations-per-second-max': '1' });
  const transport = createGrpcTransport({ baseUrl: url });
  const kv = createClient(KvService, transport);
  const puts = (count: number) => ({
    operations: Array.from({ length: count }, () => ({
      operation: { case: 'put', value: { key: 'a' } } as const,
    })),
  });
  const waiting = Promise.withResolvers<void>();
  const batches = (async function* () {
    yield puts(1000);
    yield puts(1);
    await waiting.promise;
  })();
  const controller = new AbortController();
  const replies = kv.pipeline(batches, { signal: controller.signal })[Symbol.asyncIterator]();
  expect((await replies.next()).value?.results).toHaveLength(1000);
  const next = refusalOf(replies.next());
  await eventually(() => waitsOf(url, 'operations-per-second-max')).toBe(1);
  await expectRefused(kv.get({ key: 'a' }));
  controller.abort();
  expect((await next).code).toBe(Code.Canceled);
  waiting.resolve();
});

test('batches of a pipeline wait for their turn, and none of their operations fails', async () => {
  const server = await startTestServer({ flags: { 'operations-per-second-max': '400' } });
  await using client = createKelpClient({ address: server.address });
  const calls = Array.from({ length: 1000 }, (_, index) => client.put(`k${index}`, '1'));
  const revisions = (await Promise.all(calls)).map(({ revision }) => revision);
  expect(new Set(revisions).size).toBe(1000);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('kelp_rate_refusals_total{limit="operations-per-second-max"} 0\n');
});

test('a client waits as long as the server says, and is told at once when that is too long', async () => {
  const server = await startTestServer({ flags: { 'operations-per-second-max': '10' } });
  await using client = createKelpClient({ address: server.address, pipeline: false });
  // It waits for its turn in the second second.
  for (let index = 0; index < 15; index++) await client.put('a', `${index}`);
  const success = Array.from({ length: MANY_OPERATIONS }, () => ({ kind: 'delete', key: 'a' }) as const);
  await client.txn({ success });
  const refused: unknown = await client.get('a', { deadlineMs: 1000 }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'limitReached', mayHaveTakenEffect: false });
  expect((refused as KelpError).retryAfterMs).toBeGreaterThan(1000);
});

test('a stream of entries waits until what it has sent is paid for, and loses none', async () => {
  const { url } = await startTestServer({ flags: { 'bytes-per-second-max': '200KiB' } });
  const [writer, reader] = [clientsOf(url), clientsOf(url)];
  for (let index = 0; index < 4; index++) {
    await clientsOf(url).kv.put({ key: `k${index}`, value: new Uint8Array(100_000) });
  }
  expect((await writer.kv.get({ key: 'k3' })).revision).toBe(4n);
  const keys: string[] = [];
  for await (const { entries } of reader.kv.scanStream({ range: {}, chunkLimit: 1 })) {
    keys.push(...entries.map(({ key }) => key));
  }
  expect(keys).toEqual(['k0', 'k1', 'k2', 'k3']);
});

test('the next part of a stream of entries waits while its user has been sent too much', async () => {
  const { url } = await stillServer({ 'bytes-per-second-max': '1KiB' });
  for (const key of ['a', 'b']) await clientsOf(url).kv.put({ key, value: new Uint8Array(100_000) });
  const controller = new AbortController();
  const { kv } = clientsOf(url);
  const stream = kv.scanStream({ range: {}, chunkLimit: 1 }, { signal: controller.signal });
  const parts = stream[Symbol.asyncIterator]();
  expect((await parts.next()).value?.entries).toHaveLength(1);
  const next = refusalOf(parts.next());
  await eventually(() => waitsOf(url, 'bytes-per-second-max')).toBe(1);
  controller.abort();
  expect((await next).code).toBe(Code.Canceled);
});
