/**
 * The heavy calls of each service, many at once, through a socket: on one connection and on several. What is asserted is what
 * one turn of the event loop does for all of them, in keys looked at and bytes (`counted-engine.ts`), and no time. What one call may
 * do alone is tested by `test/store/bounds`.
 */
import type { ClientHttp2Session } from 'node:http2';
import { type DescMessage, type MessageInitShape, create, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import {
  DeleteRangeRequestSchema,
  ExistsRequestSchema,
  GetRequestSchema,
  KeysRequestSchema,
  ScanRequestSchema,
  ScanStreamRequestSchema,
  TxnRequestSchema,
} from '../../../gen/kelp/v1/kv_pb.ts';
import {
  GrantRequestSchema,
  LeaseServiceGetRequestSchema,
  ListRequestSchema,
  RevokeRequestSchema,
} from '../../../gen/kelp/v1/lease_pb.ts';
import { createClient } from '../../../src/client/client.ts';
import { fixed } from '../../../src/limits.ts';
import { LeaseOrder } from '../../../src/store/leases/lease-order.ts';
import { CountedEngine, type Work, WorkMeter } from '../../store/bounds/counted-engine.ts';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';

const CALLS = 40;
const KEYS = 60_000;
const LEASES = 3000;
const ENDED_LEASE_KEYS = 1000;
const MiB = 1024 * 1024;

/*
 * What one turn may do of all calls. Numbers of their own, so that a limit that is raised is seen here.
 */
/** Of calls in pieces: one of these. */
const PIECE_VISITS = 25_000;
/** Of calls that end in one piece: so much, and the one that goes over it. */
const TURN_VISITS = 45_000;
/** ... which may be a transaction that looks at 128 Ki keys. */
const TRANSACTION_VISITS = 160_000;
/** What is changed counts here, and not in what ends a turn. */
const WRITE_VISITS = 45_000;
const TURN_BYTES = 6 * MiB;

vi.setConfig({ testTimeout: 120_000 });

const meter = new WorkMeter();

async function filledServer(): Promise<TestServer> {
  const server = await startTestServer({
    flags: { 'history-revisions-max': '1000000' },
    storeOptions: { makeEngine: () => new CountedEngine(meter) },
  });
  const client = createClient({ address: server.address });
  for (let from = 0; from < KEYS; from += fixed.txnOperationsMax) {
    const keys = Array.from(
      { length: fixed.txnOperationsMax },
      (_, index) => `k${String(from + index).padStart(5, '0')}`,
    );
    await client.txn({ success: keys.map((key) => ({ kind: 'put', key, value: '' })) });
  }
  await client.put('large', Buffer.alloc(MiB));
  client.close();
  return server;
}

/** One call of a method, as the only message of its stream. @returns its status. */
async function call<Schema extends DescMessage>(
  session: ClientHttp2Session,
  method: string,
  schema: Schema,
  request: MessageInitShape<Schema>,
): Promise<string> {
  const message = toBinary(schema, create(schema, request));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const stream = post(session, `/kelp.v1.${method}`, 'application/grpc');
  stream.end(Buffer.concat([head, message]));
  const { headers } = await replyOf(stream);
  return String(headers['grpc-status']);
}

/** Makes calls, as many on each session. @returns what was done in the turn in which most was, and in all. */
async function measured(
  sessions: readonly ClientHttp2Session[],
  make: (session: ClientHttp2Session, index: number) => Promise<unknown>,
): Promise<{ readonly results: readonly unknown[]; readonly most: Work; readonly all: Work }> {
  meter.begin();
  const progress = { isOver: false };
  const endTurn = (): void => {
    meter.endTurn();
    if (!progress.isOver) setImmediate(endTurn);
  };
  setImmediate(endTurn);
  const calls = Array.from({ length: CALLS }, (_, index) =>
    make(sessions[index % sessions.length] as ClientHttp2Session, index),
  );
  const results = await Promise.all(calls).finally(() => (progress.isOver = true));
  meter.endTurn();
  return { results, most: meter.most, all: meter.all };
}

/** A lease that is listed counts as a visit. */
beforeAll(() => {
  // oxlint-disable-next-line typescript/unbound-method -- called with its receiver
  const { after } = LeaseOrder.prototype;
  LeaseOrder.prototype.after = function (this: LeaseOrder, afterId, limit) {
    const ids = after.call(this, afterId, limit);
    meter.spend(ids.length);
    return ids;
  };
});

describe.each([1, 8])('heavy calls on %i connections do a bounded amount in each turn', (connections) => {
  test('of the service of keys', async () => {
    const server = await filledServer();
    const sessions = await Promise.all(Array.from({ length: connections }, () => openSession(server.url)));
    const OK = Array.from({ length: CALLS }, () => '0');
    const row = async (
      visitsMax: number,
      make: (session: ClientHttp2Session, index: number) => Promise<string>,
    ): Promise<void> => {
      const { results, most, all } = await measured(sessions, make);
      expect(results).toEqual(OK);
      expect(all.visits).toBeGreaterThan(2 * visitsMax);
      expect(most.visits).toBeLessThanOrEqual(visitsMax);
    };
    const hidden = { range: { start: 'k1' }, revision: 1n, keysOnly: true };
    await row(TURN_VISITS, (session) => call(session, 'KvService/Scan', ScanRequestSchema, hidden));
    await row(PIECE_VISITS, (session) =>
      call(session, 'KvService/ScanStream', ScanStreamRequestSchema, hidden),
    );
    const counted = { countOnly: true, revision: 6n };
    await row(PIECE_VISITS, (session) => call(session, 'KvService/Scan', ScanRequestSchema, counted));
    const pattern = { pattern: '*x' };
    await row(TURN_VISITS, (session) => call(session, 'KvService/Keys', KeysRequestSchema, pattern));
    const keys = Array.from({ length: 3000 }, (_, index) => `k${String(index).padStart(5, '0')}`);
    await row(TURN_VISITS, (session) => call(session, 'KvService/Exists', ExistsRequestSchema, { keys }));
    const compare = {
      subject: { case: 'range' as const, value: { prefix: 'k' } },
      operand: { case: 'version' as const, value: 1n },
    };
    const compares = { compares: [compare, compare] };
    await row(TRANSACTION_VISITS, (session) => call(session, 'KvService/Txn', TxnRequestSchema, compares));

    const got = await measured(sessions, (session) =>
      call(session, 'KvService/Get', GetRequestSchema, { key: 'large' }),
    );
    expect(got.results).toEqual(OK);
    expect(got.all.bytes).toBeGreaterThan(CALLS * MiB);
    expect(got.most.bytes).toBeLessThanOrEqual(TURN_BYTES);

    const keyAt = (place: number): string => `k${String(place).padStart(5, '0')}`;
    const rangeOf = (index: number): object => ({ start: keyAt(index * 500), end: keyAt(index * 500 + 500) });
    for (const [first, inParts] of [
      [0, true],
      [CALLS, false],
    ] as const) {
      const deleted = await measured(sessions, (session, index) =>
        call(session, 'KvService/DeleteRange', DeleteRangeRequestSchema, {
          range: rangeOf(first + index),
          inParts,
        }),
      );
      expect(deleted.results).toEqual(OK);
      expect(deleted.all.visits).toBeGreaterThan(CALLS * 1000);
      expect(deleted.most.visits).toBeLessThanOrEqual(WRITE_VISITS);
    }
  });

  test('of the service of leases', async () => {
    const server = await startTestServer({ storeOptions: { makeEngine: () => new CountedEngine(meter) } });
    const client = createClient({ address: server.address });
    const sessions = await Promise.all(Array.from({ length: connections }, () => openSession(server.url)));
    const session = sessions[0] as ClientHttp2Session;
    const ids = Array.from({ length: LEASES }, (_, index) => index + 1);
    for (let from = 0; from < LEASES; from += 500) {
      const granted = ids.slice(from, from + 500).map((leaseId) => {
        const request = { leaseId: BigInt(leaseId), ttl: { seconds: 1000n } };
        return call(session, 'LeaseService/Grant', GrantRequestSchema, request);
      });
      expect(new Set(await Promise.all(granted))).toEqual(new Set(['0']));
    }
    const ended = ids.slice(0, CALLS);
    for (const leaseId of ended) {
      const keys = Array.from({ length: ENDED_LEASE_KEYS }, (_, index) => `l${leaseId}/${index}`);
      await client.txn({ success: keys.map((key) => ({ kind: 'put', key, value: '', leaseId })) });
    }
    client.close();
    const listed = await measured(sessions, (each) =>
      call(each, 'LeaseService/List', ListRequestSchema, { limit: LEASES }),
    );
    expect(listed.all.visits).toBeGreaterThanOrEqual(CALLS * LEASES);
    expect(listed.most.visits).toBeLessThanOrEqual(PIECE_VISITS);
    const got = await measured(sessions, (each, index) =>
      call(each, 'LeaseService/Get', LeaseServiceGetRequestSchema, {
        leaseId: BigInt(index + 1),
        includeKeys: true,
      }),
    );
    expect(new Set([...listed.results, ...got.results])).toEqual(new Set(['0']));
    const revoked = await measured(sessions, (each, index) =>
      call(each, 'LeaseService/Revoke', RevokeRequestSchema, { leaseId: BigInt(index + 1) }),
    );
    expect(new Set(revoked.results)).toEqual(new Set(['0']));
    expect(revoked.all.visits).toBeGreaterThan(CALLS * ENDED_LEASE_KEYS);
    expect(revoked.most.visits).toBeLessThanOrEqual(WRITE_VISITS);
  });

  test('of the service of watches', async () => {
    const server = await filledServer();
    const clients = Array.from({ length: connections }, () => createClient({ address: server.address }));
    const { all, most } = await measured([], async (_, index) => {
      const client = clients[index % connections];
      // No two want the same, so they share nothing.
      const ranges = [{ prefix: 'k1' }, { prefix: `x${index}` }];
      const watch = client?.watch({ ranges, includeCurrent: true, keysOnly: true });
      for await (const message of watch ?? []) if (message.kind === 'synced') break;
    });
    for (const client of clients) client.close();
    expect(all.visits).toBeGreaterThan(CALLS * 10_000);
    expect(most.visits).toBeLessThanOrEqual(10_000);
  });
});
