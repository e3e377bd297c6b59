import type { ServiceImpl } from '@connectrpc/connect';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { eventually } from '../support/eventually.ts';
import type { FakePace } from './support/fake-server.ts';
import { broken, clientOf, failureOf, kelpFailure } from './support/fake-server.ts';

const seconds = (count: number): { seconds: bigint; nanos: number } => ({ seconds: BigInt(count), nanos: 0 });
const gone = (): Error => kelpFailure(Code.NotFound, ErrorReason.LEASE_NOT_FOUND);

/** A server with lease 7 of 9 seconds, whose answers to renewals a test gives. */
function leasing(
  renew: (attempt: number) => void = () => undefined,
  more: Partial<ServiceImpl<typeof LeaseService>> = {},
): { client: KelpClient; pace: FakePace; renewals: number[] } {
  const renewals: number[] = [];
  const { client, pace } = clientOf((router) => {
    router.service(LeaseService, {
      grant: ({ ttl, leaseId }) => ({ leaseId: leaseId || 7n, ...(ttl && { ttl }), revision: 1n }),
      renew: ({ leaseId }) => {
        renewals.push(pace.nowMs);
        renew(renewals.length);
        return { leaseId, ttl: seconds(9) };
      },
      ...more,
    });
  });
  return { client, pace, renewals };
}

describe('a lease that is kept alive', () => {
  test('is renewed each time a third of its time has passed', async () => {
    const { client, renewals } = leasing((attempt) => {
      if (attempt === 4) lease.close();
    });
    const lease = await client.leases.grant(9000);
    lease.keepAlive();
    await eventually(() => renewals).toEqual([4000, 7000, 10_000, 13_000]);
    expect(lease.signal.aborted).toBe(false);
  });

  test('is lost when the server says that it is gone', async () => {
    const { client, renewals } = leasing((attempt) => {
      if (attempt === 2) throw gone();
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    expect(await lease.lost).toMatchObject({ code: 'leaseNotFound' });
    expect(lease.signal.aborted).toBe(true);
    expect(lease.signal.reason).toBe(await lease.lost);
    expect(renewals).toHaveLength(2);
  });

  test('outlives failures that are shorter than its time', async () => {
    const { client, renewals } = leasing((attempt) => {
      if (attempt === 12) lease.close();
      else if (attempt % 4 !== 0) throw broken();
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    await eventually(() => renewals).toHaveLength(12);
    expect(lease.signal.aborted).toBe(false);
  });

  test('is lost when it could not be renewed for as long as it lives', async () => {
    const { client, pace } = leasing(() => {
      throw broken();
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    expect(await lease.lost).toMatchObject({ code: 'unavailable' });
    expect(pace.nowMs).toBeGreaterThanOrEqual(10_000);
    expect(pace.nowMs).toBeLessThan(10_100);
  });

  test('lives from when the renewal that succeeded was sent, not from when it was first tried', async () => {
    const sent: number[] = [];
    const { client, pace } = leasing(() => {
      // From 4000 on it is tried.
      if (pace.nowMs < 8000 || sent.length > 0) throw broken();
      sent.push(pace.nowMs);
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    await lease.lost;
    expect(pace.nowMs).toBeGreaterThanOrEqual((sent[0] ?? 0) + 9000);
    expect(pace.nowMs).toBeLessThan((sent[0] ?? 0) + 9100);
  });

  test('tells how long it lives still, from when it was last renewed', async () => {
    const { client, pace } = leasing();
    const lease = await client.leases.grant(9000);
    expect(lease.remainingMs).toBe(9000);
    pace.nowMs += 4000;
    expect(lease.remainingMs).toBe(5000);
    await lease.renew();
    expect(lease.remainingMs).toBe(9000);
    pace.nowMs += 9001;
    expect(lease.remainingMs).toBe(0);
    const other = await client.leases.grant(9000);
    await other.revoke().catch(() => undefined);
    expect(other.remainingMs).toBe(0);
  });

  test('is renewed at once when keeping it begins late', async () => {
    const { client, pace, renewals } = leasing(() => lease.close());
    const lease = await client.leases.grant(9000);
    pace.nowMs += 8000;
    lease.keepAlive();
    await eventually(() => renewals).toEqual([9000]);
    expect(lease.signal.aborted).toBe(false);
  });

  test('is lost at once when keeping it begins too late', async () => {
    const { client, pace, renewals } = leasing();
    const lease = await client.leases.grant(9000);
    pace.nowMs += 9000;
    expect(await lease.keepAlive().lost).toMatchObject({ code: 'unavailable' });
    expect(renewals).toEqual([]);
  });

  test('is not renewed before its time when it was renewed by hand', async () => {
    const { client, pace, renewals } = leasing((attempt) => {
      if (attempt === 2) lease.close();
    });
    const lease = await client.leases.grant(9000);
    pace.nowMs += 2000;
    await lease.renew();
    lease.keepAlive();
    await eventually(() => renewals).toEqual([3000, 6000]);
  });

  test.each([
    ['a server that is read only', kelpFailure(Code.Unavailable, ErrorReason.READ_ONLY)],
    ['a server that is full', kelpFailure(Code.ResourceExhausted, ErrorReason.LIMIT_REACHED)],
    ['a proxy that refuses', new ConnectError('no', Code.PermissionDenied)],
    ['a defect', new ConnectError('oops', Code.Internal)],
  ])('is not given up early for %s', async (_, failure) => {
    const { client, pace } = leasing((attempt) => {
      if (pace.nowMs < 9500) throw failure;
      if (attempt > 2) lease.close();
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    await eventually(() => pace.nowMs).toBeGreaterThanOrEqual(9500);
    await new Promise((resolve) => setImmediate(resolve));
    expect(lease.signal.aborted).toBe(false);
  });

  test.each([1600, 4000, 10_000])('of %i ms asks for tries of whole milliseconds', async (ttlMs) => {
    const asked: string[] = [];
    const { client } = leasing(undefined, {
      renew: ({ leaseId }, { requestHeader }) => {
        asked.push(requestHeader.get('connect-timeout-ms') ?? 'none');
        if (asked.length === 3) lease.close();
        return { leaseId, ttl: { seconds: BigInt(Math.trunc(ttlMs / 1000)), nanos: (ttlMs % 1000) * 1e6 } };
      },
    });
    const lease = (await client.leases.grant(ttlMs)).keepAlive();
    await eventually(() => asked).toEqual(Array(3).fill(String(Math.ceil(Math.max(ttlMs / 6, 250)))));
  });

  test("tells by a warning, once, why it can't be renewed, while it lives still", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const { client, renewals } = leasing((attempt) => {
      if (attempt === 2) throw broken();
      if (attempt > 2 && attempt < 10) throw new ConnectError('a rule is broken', Code.InvalidArgument);
      if (attempt === 10) lease.close();
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    await eventually(() => renewals).toHaveLength(10);
    expect(lease.signal.aborted).toBe(false);
    await eventually(() => warnings).toMatchObject([
      {
        name: 'KelpWarning',
        message: expect.stringMatching(
          /^lease 7 can't be renewed, .* until its time has passed: a rule is broken/,
        ),
      },
    ]);
  });

  test('is lost with the last reason why it could not be renewed', async () => {
    const { client } = leasing(() => {
      throw new ConnectError('a rule is broken', Code.InvalidArgument);
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    expect(await lease.lost).toMatchObject({
      code: 'unavailable',
      message: 'lease 7 could not be renewed for 9000 ms, as long as it lives: a rule is broken',
      cause: { code: 'invalidArgument' },
    });
  });

  test.each([
    [Code.Unauthenticated, ErrorReason.UNAUTHENTICATED, 'unauthenticated'],
    [Code.PermissionDenied, ErrorReason.PERMISSION_DENIED, 'permissionDenied'],
  ])('is lost by a refusal, also when the last try was not answered: %d', async (code, reason, expected) => {
    const { client } = leasing((attempt) => {
      if (attempt === 1) throw kelpFailure(code, reason, undefined, 'not you');
      throw new ConnectError('late', Code.DeadlineExceeded);
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    expect(await lease.lost).toMatchObject({
      code: expected,
      message: 'lease 7 could not be renewed for 9000 ms, as long as it lives: not you',
    });
  });

  test('of a hundred years is renewed each hour', async () => {
    const years = 100 * 365 * 24 * 60 * 60 * 1000;
    const { client, renewals } = leasing((attempt) => {
      if (attempt === 3) lease.close();
    });
    const lease = (await client.leases.grant(years)).keepAlive();
    await eventually(() => renewals).toEqual([3_601_000, 7_201_000, 10_801_000]);
    expect(lease.signal.aborted).toBe(false);
  });

  test('is given up by the time from which the grant was asked for, not answered', async () => {
    const { client, pace } = clientOf((router) => {
      router.service(LeaseService, {
        grant: () => {
          pace.nowMs += 5000;
          return { leaseId: 7n, ttl: seconds(9) };
        },
        renew: () => {
          throw broken();
        },
      });
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    await lease.lost;
    expect(pace.nowMs).toBeLessThan(10_100);
  });

  test('is not renewed any more once it is revoked or the client is closed', async () => {
    const revoked: bigint[] = [];
    const { client, renewals } = leasing(undefined, {
      revoke: ({ leaseId }) => (revoked.push(leaseId), { revision: 3n, deletedCount: 2n }),
    });
    const lease = (await client.leases.grant(9000)).keepAlive();
    const other = (await client.leases.grant(9000, { leaseId: 8 })).keepAlive();
    expect(await lease.revoke()).toEqual({ firstRevision: 3, revision: 3, deletedCount: 2 });
    client.close();
    await new Promise((resolve) => setImmediate(resolve));
    const count = renewals.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(renewals).toHaveLength(count);
    expect([lease.signal.aborted, other.signal.aborted]).toEqual([false, false]);
    expect(revoked).toEqual([7n]);
  });
});

test('a handle for a lease that exists is made by renewing it', async () => {
  const { client, renewals } = leasing();
  expect(await client.leases.resume(7)).toMatchObject({ id: 7, ttlMs: 9000 });
  expect(renewals).toHaveLength(1);
});

test('a renewal whose answer was lost is asked for again, a grant is not', async () => {
  let grants = 0;
  const { client, renewals } = leasing(
    (attempt) => {
      if (attempt === 1) throw broken();
    },
    {
      grant: () => {
        grants++;
        throw broken();
      },
    },
  );
  expect(await client.leases.renew(7)).toEqual({ ttlMs: 9000 });
  expect(renewals).toHaveLength(2);
  expect(await failureOf(client.leases.grant(9000))).toMatchObject({ mayHaveTakenEffect: true });
  expect(grants).toBe(1);
});

test('the end of a block revokes a lease, also one that is gone', async () => {
  let revokes = 0;
  const { client } = leasing(undefined, {
    revoke: () => {
      revokes++;
      throw gone();
    },
  });
  {
    await using lease = await client.leases.grant(9000);
    expect(lease.id).toBe(7);
  }
  expect(revokes).toBe(1);
});

test('leases are told about and listed', async () => {
  const message = {
    leaseId: 7n,
    ttl: seconds(9),
    remaining: { seconds: 4n, nanos: 500_000_000 },
    keyCount: 2n,
  };
  const { client } = leasing(undefined, {
    get: ({ includeKeys }) => ({ lease: message, keys: includeKeys ? ['a', 'b'] : [] }),
    list: ({ pageToken }) =>
      pageToken === '' ? { leases: [message], nextPageToken: 'x' } : { leases: [{ leaseId: 8n }] },
  });
  const lease = { leaseId: 7, ttlMs: 9000, remainingMs: 4500, keyCount: 2 };
  expect(await client.leases.get(7, { includeKeys: true })).toEqual({ ...lease, keys: ['a', 'b'] });
  expect(await client.leases.list().toArray()).toMatchObject([{ ...lease, keys: [] }, { leaseId: 8 }]);
});
