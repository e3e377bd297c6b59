/** Leases of etcd's API, call by call against a real etcd; and by themselves where etcd is more generous. */
import { toJson } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import {
  LeaseGrantResponseSchema,
  LeaseKeepAliveResponseSchema,
  LeaseLeasesResponseSchema,
  LeaseRevokeResponseSchema,
  LeaseTimeToLiveResponseSchema,
  PutResponseSchema,
  RangeResponseSchema,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { fixed, serverDefaults } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { leases as listLeases } from '../../../src/server/etcd/lease/reads.ts';
import { opened } from '../../access/opened.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type EtcdClient, comparable, etcdClient } from './support/etcd-client.ts';
import { hasRealEtcd } from './support/real-etcd.ts';
import { SideBySide } from './support/side-by-side.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const all = { key: bytes('\0'), rangeEnd: bytes('\0') };

function grant(both: SideBySide, what: string, ID: bigint, TTL: bigint): Promise<unknown> {
  return both.same(what, LeaseGrantResponseSchema, ({ lease }) => lease.leaseGrant({ ID, TTL }));
}

function put(both: SideBySide, name: string, lease: bigint): Promise<unknown> {
  return both.same(`a put of ${name}`, PutResponseSchema, ({ kv }) =>
    kv.put({ key: bytes(name), value: bytes('v'), lease }),
  );
}

function revoke(both: SideBySide, what: string, ID: bigint): Promise<unknown> {
  return both.same(what, LeaseRevokeResponseSchema, ({ lease }) => lease.leaseRevoke({ ID }));
}

/** Its TTL counts down: what is left is compared as long as it is near to what was granted. */
function timeToLive(both: SideBySide, what: string, ID: bigint): Promise<unknown> {
  return both.same(what, LeaseTimeToLiveResponseSchema, async ({ lease }) => {
    const reply = await lease.leaseTimeToLive({ ID, keys: true });
    if (reply.TTL > reply.grantedTTL - 60n && reply.grantedTTL > 0n) reply.TTL = reply.grantedTTL;
    reply.keys.sort((a, b) => Buffer.compare(a, b));
    return reply;
  });
}

async function keepAlives({ lease }: EtcdClient, ids: readonly bigint[]): Promise<unknown[]> {
  async function* requests(): AsyncGenerator<{ ID: bigint }> {
    for (const ID of ids) yield { ID };
  }
  const replies: unknown[] = [];
  for await (const reply of lease.leaseKeepAlive(requests()))
    replies.push(comparable(toJson(LeaseKeepAliveResponseSchema, reply)));
  return replies;
}

describe.skipIf(!hasRealEtcd)('as etcd does', () => {
  test('leases are granted, used and revoked', async () => {
    const both = await SideBySide.start();
    await grant(both, 'a grant', 7n, 600n);
    await grant(both, 'a grant of an id that is taken', 7n, 100n);
    await grant(both, 'a short time to live', 8n, 1n);
    await grant(both, 'no time to live', 9n, 0n);
    await grant(both, 'a negative time to live', 10n, -5n);
    await grant(both, 'the longest time to live but for one', 11n, 3_000_000_000n);
    await grant(both, 'too long a time to live', 12n, 9_000_000_001n);
    await put(both, 'b', 7n);
    await put(both, 'a', 7n);
    await put(both, 'c', 11n);
    await timeToLive(both, 'what is left', 7n);
    await put(both, 'a', 0n);
    await timeToLive(both, 'what is left of a lease that a key was taken from', 7n);
    await put(both, 'c', 7n);
    await timeToLive(both, 'what is left of a lease that a key has left', 11n);
    await timeToLive(both, 'what is left of no lease', 99n);
    await timeToLive(both, 'what is left of lease 0', 0n);
    await timeToLive(both, 'what is left of a negative lease', -3n);
    await timeToLive(both, 'what is left of a lease beyond 53 bits', 2n ** 60n);
    await revoke(both, 'the end of a lease', 7n);
    await both.same('what is left', RangeResponseSchema, ({ kv }) => kv.range(all));
    await revoke(both, 'the end of a lease that has ended', 7n);
    await revoke(both, 'the end of no lease', 0n);
    await revoke(both, 'the end of a negative lease', -1n);
    await revoke(both, 'the end of a lease beyond 53 bits', 2n ** 60n);
    await revoke(both, 'the end of a lease without keys', 11n);
    await put(both, 'd', 7n);
  });

  test('leases are listed by when they end', async () => {
    const both = await SideBySide.start();
    const list = (what: string): Promise<unknown> =>
      both.same(what, LeaseLeasesResponseSchema, ({ lease }) => lease.leaseLeases({}));
    await list('no leases');
    for (const [id, seconds] of [
      [5n, 500n],
      [3n, 900n],
      [9n, 700n],
      [1n, 800n],
    ] as const)
      await grant(both, `the grant of ${id}`, id, seconds);
    await list('four leases');
  });

  test('a stream renews leases, and answers 0 for those that are not there', async () => {
    const both = await SideBySide.start();
    await grant(both, 'a grant', 7n, 600n);
    await grant(both, 'another grant', 8n, 300n);
    await put(both, 'a', 7n);
    const ids = [7n, 99n, 8n, 0n, -4n, 2n ** 60n, 7n];
    expect(await keepAlives(both.kelp, ids)).toEqual(await keepAlives(both.etcd, ids));
  });

  test('the ids that are chosen are free, and can be used', async () => {
    const both = await SideBySide.start();
    for (const client of [both.kelp, both.etcd]) {
      const first = await client.lease.leaseGrant({ TTL: 60n });
      const second = await client.lease.leaseGrant({ TTL: 60n });
      expect(first.ID).toBeGreaterThan(0n);
      expect(second.ID).toBeGreaterThan(0n);
      expect(second.ID).not.toBe(first.ID);
      await client.kv.put({ key: bytes('a'), lease: first.ID });
      expect((await client.lease.leaseTimeToLive({ ID: first.ID, keys: true })).keys).toHaveLength(1);
    }
  });
});

test('an id that no lease can have is refused, and named by what it may be', async () => {
  const { url } = await startTestServer();
  const { lease } = etcdClient(url);
  for (const ID of [-1n, 2n ** 53n, -(2n ** 63n)]) {
    const error = ConnectError.from(await lease.leaseGrant({ ID, TTL: 60n }).catch((e: unknown) => e));
    expect([error.code, error.rawMessage]).toEqual([
      Code.InvalidArgument,
      'etcdserver: lease ID must be 0, or 1 to 9007199254740991',
    ]);
  }
  expect((await lease.leaseGrant({ ID: 2n ** 53n - 1n, TTL: 60n })).ID).toBe(2n ** 53n - 1n);
});

test('more than a hundred years are granted as a hundred years', async () => {
  const { url } = await startTestServer();
  const { TTL } = await etcdClient(url).lease.leaseGrant({ TTL: 9_000_000_000n });
  expect(TTL).toBe(3_153_600_000n);
});

test('more leases than a page has are listed in one order', async () => {
  const { store } = await opened();
  const count = fixed.pageLimitMax + 100;
  // The higher the id, the sooner it ends.
  for (let id = 1; id <= count; id++) void store.grantLease(10 ** 9 - 60_000 * (id - count), id);
  const call = new CallTable(serverDefaults).open({ cut: () => undefined }, false);
  const { leases } = await listLeases(store, {}, call);
  expect(leases.map(({ ID }) => ID)).toEqual(Array.from({ length: count }, (_, index) => count - index));
});
