/** Client-side caching where it matters when something is durable, who may be told, and how much there is. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Login } from '../../../../src/access/login/login.ts';
import { allRights, type Rights, rightsOf } from '../../../../src/access/rights/rights.ts';
import { serverFixed } from '../../../../src/limits.ts';
import { ErrorReply } from '../support/decoded-reply.ts';
import type { TestClient } from '../support/door-harness.ts';
import { TrackingHarness } from './tracking-harness.ts';

const OK = { text: 'OK' };
const QUEUED = { text: 'QUEUED' };

afterEach(() => void vi.restoreAllMocks());

/** A client in the middle of its life. */
async function opened(...words: readonly string[]): Promise<{
  readonly harness: TrackingHarness;
  readonly client: TestClient;
  readonly other: TestClient;
}> {
  const harness = await TrackingHarness.open();
  await harness.put('k', 'other');
  const client = await harness.connect(...words);
  return { harness, client, other: harness.door.connect() };
}

describe('a key that was read', () => {
  test('is told as its change becomes visible, behind the reply, and not before', async () => {
    const { harness, client, other } = await opened();
    const { flushes } = harness.door.seam;
    flushes.hold();
    other.send('SET', 'k', 'new');
    client.send('GET', 'k');
    expect(harness.come(client)).toEqual(['v']);
    await harness.door.seam.clock.settled();
    expect(harness.come(client)).toEqual([]);
    flushes.release();
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['told k']);
    client.send('GET', 'k');
    expect(harness.come(client)).toEqual(['new']);
  });

  test('is not told of a change that its reply has shown, and is of the next one', async () => {
    const { harness, client, other } = await opened();
    const { flushes } = harness.door.seam;
    flushes.hold();
    other.send('SET', 'k', 'new');
    // Behind a write of its own it is shown the newest state.
    client.pipeline(['SET', 'mine', '1'], ['GET', 'k']);
    flushes.release();
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject([OK, 'new']);
    other.send('SET', 'k', 'newer');
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['told k']);
  });

  test('is told of a change that a later reply has shown, since one before it has not', async () => {
    const { harness, client, other } = await opened();
    const { flushes } = harness.door.seam;
    flushes.hold();
    client.send('STRLEN', 'k');
    other.send('SET', 'k', 'longer');
    client.pipeline(['SET', 'mine', '1'], ['GET', 'k']);
    flushes.release();
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject([1, OK, 'longer', 'told k']);
  });

  test('is told when tracking began while a change was not visible yet', async () => {
    const harness = await TrackingHarness.open();
    await harness.put('k');
    const { flushes } = harness.door.seam;
    const [client, other] = [harness.door.connect(), harness.door.connect()];
    client.send('HELLO', '3');
    client.raw();
    flushes.hold();
    other.send('SET', 'k', 'new');
    client.pipeline(['GET', 'k'], ['CLIENT', 'TRACKING', 'ON'], ['GET', 'k']);
    flushes.release();
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject(['v', OK, 'new']);
    other.send('SET', 'k', 'newer');
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['told k']);
  });

  test('is told behind the end of a long reply', async () => {
    const { harness, client } = await opened();
    const { seam } = harness.door;
    await seam.decide((view) => void view.put(Buffer.from('long'), Buffer.from('x')));
    const fields = Array.from({ length: serverFixed.elementsPerSlice * 3 }, (_, index) => [
      `f${index}`,
      'v',
    ]).flat();
    client.send('DEL', 'long');
    client.send('HSET', 'long', ...fields);
    await harness.door.settled();
    client.raw();
    client.send('HGETALL', 'long');
    expect(client.connection.isBusy).toBe(true);
    await seam.decide((view) => void view.delete(Buffer.from('long'), 'requested'));
    await harness.door.settled();
    const [reply, ...rest] = harness.come(client);
    expect((reply as { map: unknown[] }).map.length).toBe(fields.length / 2);
    expect(rest).toEqual(['told long']);
  });

  test('is told of changes by other doors, deadlines, and ends of leases', async () => {
    const { harness, client } = await opened();
    const { seam } = harness.door;
    const key = Buffer.from('k');
    client.send('GET', 'k');
    await harness.put('k');
    expect(harness.come(client)).toEqual(['v', 'told k']);
    await seam.decide((view) => void view.put(key, Buffer.from('v'), { ttlMs: 1000 }));
    client.send('GET', 'k');
    await harness.door.settled();
    seam.clock.advance(1500);
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['v', 'told k']);
    client.send('GET', 'k');
    expect(harness.come(client)).toEqual([null]);
    await seam.decide((view) => {
      view.grantLease(7, 60_000, '');
      view.put(key, Buffer.from('v'), { leaseId: 7 });
    });
    await harness.door.settled();
    client.send('GET', 'k');
    await seam.decide((view) => void view.endLease(7, 'leaseRevoked'));
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['told k', 'v', 'told k']);
  });

  test('is told when a later call of its transaction leaves it as it was', async () => {
    const { harness, client } = await opened();
    client.pipeline(['MULTI'], ['SET', 'm', '1'], ['GET', 'm'], ['GET', 'k'], ['DEL', 'm'], ['EXEC']);
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject([
      OK,
      QUEUED,
      QUEUED,
      QUEUED,
      QUEUED,
      [OK, '1', 'v', 1],
      'told m',
    ]);
    client.pipeline(
      ['MULTI'],
      ['CLIENT', 'TRACKING', 'OFF'],
      ['CLIENT', 'TRACKING', 'ON'],
      ['SET', 'm', '1'],
      ['GET', 'm'],
      ['DEL', 'm'],
      ['EXEC'],
    );
    await harness.door.settled();
    expect(harness.come(client).at(-1)).toBe('told m');
  });

  test('is told by BCAST, too, when a later call of its transaction leaves it as it was', async () => {
    const { harness, client } = await opened('BCAST', 'PREFIX', 'm', 'PREFIX', 'o');
    client.pipeline(
      ['MULTI'],
      ['MSET', 'm', '1', 'n', '1'],
      ['MGET', 'm', 'n', 'other'],
      ['DEL', 'm', 'n'],
      ['EXEC'],
    );
    await harness.door.settled();
    expect(harness.come(client).slice(4)).toMatchObject([[OK, ['1', '1', 'v'], 2], 'told m']);
  });

  test('is tracked though its command had to wait before it ran', async () => {
    const { harness, client } = await opened('OPTIN');
    harness.door.door.pause(harness.door.seam.clock.nowMs() + 1000, 'all');
    client.pipeline(['CLIENT', 'CACHING', 'YES'], ['GET', 'k']);
    expect(harness.come(client)).toMatchObject([OK]);
    harness.door.seam.clock.advance(1500);
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['v']);
    await harness.put('k');
    expect(harness.come(client)).toEqual(['told k']);
  });

  test('is not told once the log has failed, since nothing changes any more', async () => {
    const { harness, client, other } = await opened();
    client.send('GET', 'k');
    harness.door.seam.flushes.hold();
    other.send('SET', 'k', 'new');
    harness.door.seam.store.fail(new Error('the disk is gone'));
    await harness.door.seam.clock.settled();
    expect(harness.come(client)).toEqual(['v']);
    client.send('GET', 'k');
    expect(harness.come(client)).toEqual(['v']);
  });
});

describe('NOLOOP', () => {
  test('leaves out own changes alone, and the key is tracked on', async () => {
    const { harness, client, other } = await opened('NOLOOP');
    client.pipeline(['GET', 'k'], ['SET', 'k', 'mine']);
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject(['v', OK]);
    other.send('SET', 'k', 'theirs');
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['told k']);
  });

  test('tells of what another client is served by an own change', async () => {
    const { harness, client, other } = await opened('NOLOOP');
    other.send('BLPOP', 'l', '0');
    client.pipeline(['LLEN', 'l'], ['RPUSH', 'l', 'x']);
    await harness.door.settled();
    expect(harness.come(client)).toEqual([0, 1, 'told l']);
  });

  test('of BCAST tells of a key that others have changed, too', async () => {
    const { harness, client, other } = await opened('NOLOOP', 'BCAST', 'PREFIX', 'k');
    harness.door.seam.flushes.hold();
    other.send('SET', 'k', 'theirs');
    client.send('SET', 'k', 'mine');
    harness.door.seam.flushes.release();
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject([OK, 'told k']);
    client.send('SET', 'k', 'mine');
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject([OK]);
  });
});

describe('what is noted', () => {
  test('is bounded: keys by chance are told as changed', async () => {
    const { harness, client } = await opened();
    harness.tracking.keysMax = 2;
    client.send('MGET', 'a', 'b', 'c', 'd');
    await harness.door.settled();
    expect(harness.tracking.figures).toMatchObject({ keyCount: 2, itemCount: 2 });
    const [, told] = harness.come(client) as [unknown, string];
    const evicted = told.split(' ').slice(1);
    expect(evicted.length).toBe(2);
    await harness.put('a', 'b', 'c', 'd');
    const [changed = ''] = harness.come(client) as string[];
    expect([...evicted, ...changed.split(' ').slice(1)].toSorted()).toEqual(['a', 'b', 'c', 'd']);
    client.send('MGET', 'a', 'b');
    harness.tracking.keysMax = 1;
    await harness.door.settled();
    expect(harness.come(client)).toEqual([['v', 'v'], 'told *']);
    expect(harness.tracking.figures).toMatchObject({ keyCount: 0, itemCount: 0 });
  });

  test('goes when the last client ends, and the store listens to nothing more', async () => {
    const { harness, client } = await opened();
    const { store } = harness.door.seam;
    const second = await harness.connect('BCAST', 'PREFIX', 'a', 'PREFIX', 'b');
    client.send('GET', 'k');
    expect(store.takesRows).toBe(false);
    expect([harness.tracking.clientCount, harness.tracking.figures]).toEqual([
      2,
      { keyCount: 1, itemCount: 1, prefixCount: 2 },
    ]);
    second.connection.close();
    expect(harness.tracking.figures.prefixCount).toBe(0);
    client.send('RESET');
    expect(store.takesRows).toBe(true);
    expect([harness.tracking.clientCount, harness.tracking.figures.keyCount]).toEqual([0, 0]);
  });

  test('of a transaction that changes much is told as all keys', async () => {
    const { harness, client } = await opened();
    client.send('GET', 'k');
    const keys = Array.from(
      { length: serverFixed.redisInvalidationVisitsMax + 1 },
      (_, index) => `n${index}`,
    );
    await harness.put(...keys);
    expect(harness.come(client)).toEqual(['v', 'told *']);
    client.send('GET', 'k');
    await harness.put(...keys.slice(1));
    expect(harness.come(client)).toEqual(['v']);
  });

  test('of a call that reads much, or a transaction, its client keeps nothing', async () => {
    const { harness, client } = await opened();
    const keys = Array.from({ length: serverFixed.redisTrackedKeysPerCallMax }, (_, index) => `n${index}`);
    client.send('MGET', ...keys, 'k');
    await harness.door.settled();
    const come = harness.come(client);
    expect([come.length, come.at(-1)]).toEqual([2, 'told *']);
    client.pipeline(['MULTI'], ['MGET', ...keys], ['GET', 'k'], ['EXEC']);
    await harness.door.settled();
    expect(harness.come(client).at(-1)).toBe('told *');
    expect(harness.tracking.figures.keyCount).toBe(0);
  });

  test('of clients is not kept once they are gone, though others go on', async () => {
    const { harness, client } = await opened();
    client.send('GET', 'k');
    const gone = await harness.connect();
    gone.send('GET', 'k');
    expect(harness.tracking.figures.itemCount).toBe(2);
    gone.connection.close();
    expect(harness.tracking.clientCount).toBe(1);
    await harness.put('k');
    expect(harness.come(client)).toEqual(['v', 'told k']);
    expect(harness.tracking.figures.itemCount).toBe(0);
  });

  test('of a change is bounded by the clients that are to be told, too', async () => {
    const { harness } = await opened();
    const clients = await Promise.all(Array.from({ length: 60 }, () => harness.connect('BCAST')));
    await harness.put(...Array.from({ length: 1000 }, (_, index) => `n${index}`));
    for (const each of clients) expect(harness.come(each)).toEqual(['told *']);
  });

  test('is told as all keys when a client is owed too much', async () => {
    const { harness, client } = await opened('BCAST');
    const long = 'x'.repeat(1800);
    const keys = Array.from({ length: 2500 }, (_, index) => `${index}${long}`);
    harness.door.seam.flushes.hold();
    const { store } = harness.door.seam;
    for (let round = 0; round < 4; round++)
      store.decide((view) => {
        for (const key of keys) view.put(Buffer.from(`${round}${key}`), Buffer.from('v'));
      });
    harness.door.seam.flushes.release();
    await harness.door.settled();
    expect(harness.come(client)).toEqual(['told *']);
  });

  test('of prefixes is bounded for all clients together', async () => {
    const { harness, client } = await opened();
    client.send('CLIENT', 'TRACKING', 'OFF');
    const prefixes = Array.from({ length: serverFixed.redisTrackedPrefixesMax + 1 }, (_, index) => [
      'PREFIX',
      `p${String(index).padStart(5, '0')}`,
    ]);
    client.send('CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes.flat());
    client.send('CLIENT', 'TRACKING', 'ON', 'BCAST', ...prefixes.slice(1).flat());
    await harness.door.settled();
    expect(harness.come(client)).toMatchObject([
      OK,
      { text: expect.stringMatching(/^ERR too many prefixes/) as string },
      OK,
    ]);
    expect(harness.tracking.figures.prefixCount).toBe(serverFixed.redisTrackedPrefixesMax);
  });
});

describe('a client', () => {
  test('that does not read is broken off', async () => {
    const { harness, client } = await opened();
    client.send('GET', 'k');
    client.wire.isRead = false;
    client.wire.writableLength = serverFixed.redisPubsubUnsentBytesMax + 1;
    client.send('GET', 'k');
    expect(client.connection.isClosed).toBe(false);
    await harness.put('k');
    expect(client.connection.isClosed).toBe(true);
    expect(harness.tracking.clientCount).toBe(0);
  });

  test('is broken off when what is visible can not be told', async () => {
    const { harness, client } = await opened('BCAST');
    vi.spyOn(String.prototype, 'startsWith').mockImplementationOnce(() => {
      throw new Error('a defect');
    });
    await harness.put('k');
    expect(client.connection.isClosed).toBe(true);
  });

  test('gets names of keys by BCAST when it may read all keys, and is redirected to none of another user', async () => {
    const some = rightsOf([
      { start: Buffer.from('k'), end: Buffer.from('l'), mayRead: true, mayWrite: true, isAdmin: false },
    ]);
    const loginOf = (userName: string, rights: Rights): Login => ({ userName, expireTimeMs: 0, rights });
    const first = [loginOf('ada', some), loginOf('bob', allRights), loginOf('ada', some)].values();
    const next = (): Login => first.next().value ?? loginOf('ada', some);
    const harness = await TrackingHarness.open({
      logins: { first: next, logIn: next, denied: () => undefined },
    });
    const [ada, bob, more] = [harness.door.connect(), harness.door.connect(), harness.door.connect()];
    ada.send('CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'k');
    ada.send('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(bob.connection.id));
    ada.send('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(more.connection.id));
    bob.send('CLIENT', 'TRACKING', 'ON', 'BCAST');
    await harness.door.settled();
    expect(harness.come(ada)).toMatchObject([
      { text: expect.stringMatching(/^NOPERM/) as string },
      new ErrorReply('ERR The client ID you want redirect to does not exist'),
      OK,
    ]);
    expect(harness.come(bob)).toMatchObject([OK]);
    // What it may no longer be told of would be missing in its cache.
    bob.connection.login = loginOf('bob', some);
    await harness.put('z');
    expect(bob.connection.isClosed).toBe(true);
  });
});
