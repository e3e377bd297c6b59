/** Commands of a user who may do so much in a second: they wait, in their order, and none is refused. */
import { describe, expect, it } from 'vitest';
import type { Login } from '../../../../src/access/login/login.ts';
import { allRights } from '../../../../src/access/rights/rights.ts';
import type { LoginGate } from '../../../../src/server/redis/connection/connection-context.ts';
import { DoorHarness, type TestClient } from '../support/door-harness.ts';
import { echoCommands } from '../support/echo-commands.ts';

const PER_SECOND = 10;
const ann: Login = { userName: 'ann', expireTimeMs: 0, rights: allRights };
const asAnn: LoginGate = { first: () => ann, logIn: () => ann, denied: () => undefined };

const open = (rates: { operationsPerSecondMax?: number; bytesPerSecondMax?: number }, options = {}) =>
  DoorHarness.open({
    rows: echoCommands,
    fsync: 'never',
    rates: { operationsPerSecondMax: 0, bytesPerSecondMax: 0, ...rates },
    ...options,
  });

const pings = (count: number): string[][] => Array.from({ length: count }, (_, index) => ['GET', `${index}`]);

describe('a pipeline that is faster than its user may be', () => {
  it('is answered as fast as the user may be, and none of it is refused', async () => {
    const harness = await open({ operationsPerSecondMax: PER_SECOND });
    const client = harness.connect();
    client.pipeline(...pings(35));
    await harness.settled();
    expect(client.replies()).toHaveLength(PER_SECOND);
    expect(client.wire.isPaused).toBe(true);
    for (let second = 1; second <= 2; second++) {
      await harness.seam.clock.pass(1000);
      await harness.settled();
      expect(client.replies()).toEqual(Array.from({ length: PER_SECOND }, () => null));
    }
    await harness.seam.clock.pass(500);
    await harness.settled();
    expect(client.replies()).toHaveLength(5);
    expect(client.wire.isPaused).toBe(false);
  });

  it('leaves other connections alone, unless they are of the same user', async () => {
    const harness = await open({ operationsPerSecondMax: PER_SECOND });
    const [busy, other] = [harness.connect(), harness.connect()];
    busy.pipeline(...pings(20));
    other.send('PING');
    await harness.settled();
    expect(other.raw()).toBe('+PONG\r\n');
    const shared = await open({ operationsPerSecondMax: PER_SECOND }, { logins: asAnn });
    const [first, second] = [shared.connect(), shared.connect()];
    first.pipeline(...pings(20));
    second.send('PING');
    await shared.settled();
    expect(second.raw()).toBe('');
    await shared.seam.clock.pass(300);
    await shared.settled();
    expect(second.raw()).toBe('+PONG\r\n');
  });

  it('ends with its connection, and with the server', async () => {
    const harness = await open({ operationsPerSecondMax: PER_SECOND });
    const [gone, stopped] = [harness.connect(), harness.connect()];
    for (const client of [gone, stopped]) client.pipeline(...pings(20));
    gone.connection.close();
    harness.door.stop();
    expect(stopped.wire.isEnded).toBe(true);
    await harness.seam.clock.pass(5000);
    await harness.settled();
    expect([gone.replies().length, stopped.replies().length]).toEqual([PER_SECOND, PER_SECOND]);
  });
});

describe('a command', () => {
  async function answeredAfter(calls: readonly string[][], seconds: number): Promise<number[]> {
    const harness = await open({ operationsPerSecondMax: PER_SECOND });
    const client = harness.connect();
    client.pipeline(...calls);
    const counts: number[] = [];
    for (let second = 0; second <= seconds; second++) {
      await harness.settled();
      counts.push(client.replies().length);
      await harness.seam.clock.pass(1000);
    }
    return counts;
  }

  it('counts for as many keys as it names, and at least for one', async () => {
    const letters = Array.from({ length: 20 }, (_, index) => `${index}`);
    // The first makes a debt of eleven, which takes more than a second.
    expect(await answeredAfter([['MULTI'], ['TAKELETTER', ...letters, '1'], ['EXEC'], ['PING']], 2)).toEqual([
      2, 0, 2,
    ]);
  });

  it('counts as it is queued in a transaction', async () => {
    expect(await answeredAfter([['MULTI'], ...pings(10), ['EXEC'], ['PING']], 1)).toEqual([10, 3]);
  });

  it('is counted once, though it runs in parts or waits for the log', async () => {
    const sets = pings(7).map(([, key = '']) => ['APPEND', key, 'a']);
    expect(await answeredAfter([...sets, ['DELETEALL'], ['PING'], ['PING'], ['PING']], 1)).toEqual([10, 1]);
  });
});

describe('bytes', () => {
  const SECOND_BYTES = 1000;
  const filled = async (): Promise<readonly [DoorHarness, TestClient]> => {
    const harness = await open({ bytesPerSecondMax: SECOND_BYTES });
    harness.connect().send('SET', 'a', Buffer.alloc(2 * SECOND_BYTES));
    await harness.settled();
    return [harness, harness.connect()];
  };

  it('of what comes in and of replies hold the next command up', async () => {
    const [harness, client] = await filled();
    client.pipeline(['GET', 'a'], ['PING']);
    await harness.settled();
    expect(client.replies()).toHaveLength(2);
    client.send('PING');
    await harness.settled();
    expect(client.raw()).toBe('');
    await harness.seam.clock.pass(1200);
    await harness.settled();
    expect(client.raw()).toBe('+PONG\r\n');
  });

  it('of messages are not counted', async () => {
    const [harness, client] = await filled();
    client.connection.push(Buffer.alloc(5 * SECOND_BYTES, '+'));
    client.raw();
    client.send('PING');
    await harness.settled();
    expect(client.raw()).toBe('+PONG\r\n');
  });
});
