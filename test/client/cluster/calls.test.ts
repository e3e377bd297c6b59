/** Calls of a client of several servers, over real connections, while servers go and come back. */
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import type { Pace } from '../../../src/client/calls/pace.ts';
import { client as limits } from '../../../src/limits.ts';
import { startTestServer } from '../../support/test-server.ts';
import { type ClusterFront, ClusterFront as Front, startScriptedNode } from '../support/cluster-front.ts';
import { FakePace, failureOf, kelpFailure, recovering } from '../support/fake-server.ts';

type Kv = Partial<ServiceImpl<typeof KvService>>;

/** The first one by chance is the first. */
class FirstPace extends FakePace {
  override chance = 0;
}

function clientOf(
  fronts: readonly ClusterFront[],
  options: Partial<ClientOptions> = {},
  pace: Pace = new FirstPace(),
): KelpClient {
  const client = createClient({ addresses: fronts.map(({ address }) => address), ...options }, pace);
  onTestFinished(() => client.close());
  return client;
}

/** Servers that count what they are asked. */
async function scripted(...services: Kv[]): Promise<{ fronts: ClusterFront[]; counts: number[] }> {
  const counts = services.map(() => 0);
  const fronts = await Promise.all(
    services.map((service, index) =>
      startScriptedNode(
        (router) =>
          void router.service(
            KvService,
            counted(service, () => (counts[index] = (counts[index] ?? 0) + 1)),
          ),
      ),
    ),
  );
  return { fronts, counts };
}

function counted(service: Kv, count: () => void): Kv {
  const { get, put } = service;
  return {
    ...(get && { get: (...call: Parameters<typeof get>) => (count(), get(...call)) }),
    ...(put && { put: (...call: Parameters<typeof put>) => (count(), put(...call)) }),
  };
}

/** Three addresses of one real server. */
async function frontsOfOneServer(count = 3): Promise<ClusterFront[]> {
  const { port } = await startTestServer();
  return Promise.all(Array.from({ length: count }, () => Front.before(port)));
}

const notWriter = (writerAddress = ''): ConnectError =>
  kelpFailure(Code.Unavailable, ErrorReason.NOT_WRITER, { case: 'notWriter', value: { writerAddress } });
const well: Kv = { get: () => ({ revision: 7n }), put: () => ({ revision: 8n }) };
const failing = (failure: () => ConnectError): Kv => ({
  get: () => Promise.reject(failure()),
  put: () => Promise.reject(failure()),
});

describe('a server that is gone', () => {
  test('is left for the next one, without a pause, and is not asked for a while', async () => {
    const { fronts, counts } = await scripted(well, well, well);
    const pace = new FirstPace();
    const client = clientOf(fronts, {}, pace);
    await client.get('a');
    await fronts[0]?.die();
    for (let call = 0; call < 20; call++) {
      expect((await client.get('a')).revision).toBe(7);
      expect((await client.put('a', '1')).revision).toBe(8);
    }
    expect(pace.waitsMs).toEqual([]);
    expect(counts).toEqual([1, 40, 0]);
    expect(fronts.map(({ connectCount }) => connectCount)).toEqual([1, 1, 0]);
  });

  test('is not gone back to when it is there again, until the others go', async () => {
    const { fronts, counts } = await scripted(well, well);
    const client = clientOf(fronts);
    await fronts[0]?.die();
    await client.get('a');
    await fronts[0]?.rise();
    await client.get('a');
    expect(counts).toEqual([0, 2]);
    await fronts[1]?.die();
    await client.get('a');
    expect(counts).toEqual([1, 2]);
  });

  test('leaves what it may have done open, and what it surely has not is done elsewhere', async () => {
    const { promise: came, resolve } = Promise.withResolvers<void>();
    const hanging: Kv = {
      put: () => {
        resolve();
        return new Promise(() => undefined);
      },
    };
    const { fronts, counts } = await scripted(hanging, well);
    const client = clientOf(fronts);
    const put = failureOf(client.put('a', '1'));
    await came;
    await fronts[0]?.die();
    expect(await put).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });
    expect(counts).toEqual([1, 0]);
    expect((await client.put('a', '1')).revision).toBe(8);
    expect(counts).toEqual([1, 1]);
  });

  test('in the middle of a read: it is made elsewhere', async () => {
    const { promise: came, resolve } = Promise.withResolvers<void>();
    const hanging: Kv = {
      get: () => {
        resolve();
        return new Promise(() => undefined);
      },
    };
    const { fronts, counts } = await scripted(hanging, well);
    const client = clientOf(fronts);
    const get = client.get('a');
    await came;
    fronts[0]?.cut();
    expect((await get).revision).toBe(7);
    expect(counts).toEqual([1, 1]);
  });

  test('without a word: the read that waits for it is out of time, and the next one goes elsewhere', async () => {
    const { fronts, counts } = await scripted(well, well);
    const client = clientOf(fronts);
    await client.get('a');
    fronts[0]?.silence();
    expect(await failureOf(client.get('a', { deadlineMs: 2 * limits.silenceMsMin }))).toMatchObject({
      code: 'deadlineExceeded',
    });
    expect((await client.get('a')).revision).toBe(7);
    expect(counts).toEqual([1, 1]);
  });

  test('without a word: a read with more time is made elsewhere once pings are not answered', async () => {
    const { fronts, counts } = await scripted(well, well);
    const client = clientOf(fronts, { deadlineMs: 60_000 });
    await client.get('a');
    fronts[0]?.silence();
    expect((await client.get('a')).revision).toBe(7);
    expect(counts).toEqual([1, 1]);
  });

  test('without a word, before there was a connection: the next one is asked', async () => {
    const { fronts, counts } = await scripted(well, well);
    fronts[0]?.silence();
    const client = clientOf(fronts, { deadlineMs: 60_000 });
    expect((await client.put('a', '1')).revision).toBe(8);
    expect(counts).toEqual([0, 1]);
  });
});

test('while all are gone each is asked once for each of its rests, however many calls there are', async () => {
  const { fronts } = await scripted(well, well, well);
  await Promise.all(fronts.map((front) => front.die()));
  const pace = new FirstPace();
  const client = clientOf(fronts, { retries: 0 }, pace);
  const failures: unknown[] = [];
  for (let call = 0; call < 50; call++) failures.push(await failureOf(client.get('a')));
  expect(pace.waitsMs).toEqual([]);
  for (const failure of failures) {
    expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
    expect(String(failure)).toMatch(
      /can't reach the server at http:\/\/127\.0\.0\.1:\d+: connection refused/,
    );
  }
  await Promise.all(fronts.map((front) => front.rise()));
  // The rest is over by the client's clock alone.
  expect(await failureOf(client.get('a'))).toMatchObject({ code: 'unavailable' });
  expect(fronts.map(({ connectCount }) => connectCount)).toEqual([0, 0, 0]);
  pace.nowMs += limits.serverRestMs;
  expect((await client.get('a')).revision).toBe(7);
  expect(fronts.reduce((sum, { connectCount }) => sum + connectCount, 0)).toBe(1);
});

test('a call waits for a server to come back, with pauses, until its deadline', async () => {
  const { fronts } = await scripted(well, well);
  await Promise.all(fronts.map((front) => front.die()));
  const pace = new FirstPace();
  pace.chance = 0.5;
  const client = clientOf(fronts, {}, pace);
  const failure = await failureOf(client.put('a', '1'));
  expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
  expect(String(failure)).toMatch(/tried \d+ times in \d+ ms/);
  expect(pace.waitsMs.length).toBeGreaterThan(3);
  const waitedMs = pace.waitsMs.reduce((sum, ms) => sum + ms, 0);
  expect(waitedMs).toBeLessThanOrEqual(limits.deadlineMs);
  expect(waitedMs).toBeGreaterThan(limits.deadlineMs - 2 * limits.lastTryMs);
});

describe('a server that follows', () => {
  test('and can not pass a write on: the next one is asked at once, and what comes later too', async () => {
    const { fronts, counts } = await scripted({ ...well, put: () => Promise.reject(notWriter()) }, well);
    const pace = new FirstPace();
    const client = clientOf(fronts, {}, pace);
    await client.get('a');
    expect((await client.put('a', '1')).revision).toBe(8);
    expect(pace.waitsMs).toEqual([]);
    // It serves what the first one did not.
    await client.get('a');
    expect(counts).toEqual([2, 2]);
  });

  test('and names the writer: that one is asked', async () => {
    const address = { ofWriter: '' };
    const { fronts, counts } = await scripted(
      failing(() => notWriter(address.ofWriter)),
      well,
      well,
    );
    address.ofWriter = fronts[2]?.address ?? '';
    await clientOf(fronts).put('a', '1');
    expect(counts).toEqual([1, 0, 1]);
  });

  test('as all do while none is the writer: a write goes on behind pauses, and is made once', async () => {
    let isElected = false;
    const voting: Kv = { put: () => (isElected ? { revision: 8n } : Promise.reject(notWriter())) };
    const { fronts, counts } = await scripted(voting, voting, voting);
    const pace = new FirstPace();
    const wait = pace.wait.bind(pace);
    pace.wait = (ms, signal) => {
      isElected = pace.waitsMs.length === 2;
      return wait(ms, signal);
    };
    const client = clientOf(fronts, {}, pace);
    expect((await client.put('a', '1')).revision).toBe(8);
    expect(pace.waitsMs).toHaveLength(3);
    expect(counts.reduce((sum, count) => sum + count)).toBe(10);
  });

  test('... and none of the pauses outlasts a takeover', async () => {
    const { fronts } = await scripted(failing(notWriter), failing(notWriter));
    const pace = new FakePace();
    pace.chance = 0.9;
    expect(
      await failureOf(clientOf(fronts, { retries: 9, deadlineMs: 60_000 }, pace).put('a', '1')),
    ).toMatchObject({ code: 'notWriter' });
    expect(pace.waitsMs.map(Math.round)).toEqual([90, 180, 360, 450, 450, 450, 450, 450, 450]);
  });

  test('as all do for as long as it is tried: the error is notWriter', async () => {
    const { fronts } = await scripted(failing(notWriter), failing(notWriter));
    const client = clientOf(fronts, { retries: 3 });
    expect(await failureOf(client.put('a', '1'))).toMatchObject({
      code: 'notWriter',
      details: { writerAddress: '' },
      mayHaveTakenEffect: false,
    });
  });
});

test.each([
  ['recovers', recovering],
  ['stops', () => kelpFailure(Code.Unavailable, ErrorReason.SHUTTING_DOWN)],
  ['is not there behind its proxy', () => new ConnectError('no upstream', Code.Unavailable)],
])('a server that %s rests', async (_, failure) => {
  const { fronts, counts } = await scripted(failing(failure), well);
  const client = clientOf(fronts);
  for (let call = 0; call < 10; call++) await client.get('a');
  expect(counts).toEqual([1, 10]);
});

test('a mistake is told at once, and no other server is asked', async () => {
  const failure = (): ConnectError => kelpFailure(Code.InvalidArgument, ErrorReason.INVALID_ARGUMENT);
  const { fronts, counts } = await scripted(failing(failure), well);
  expect(await failureOf(clientOf(fronts).get('a'))).toMatchObject({ code: 'invalidArgument' });
  expect(counts).toEqual([1, 0]);
});

test('without retries each server is tried once', async () => {
  const { fronts, counts } = await scripted(failing(recovering), failing(recovering), well);
  expect((await clientOf(fronts, { retries: 0 }).get('a')).revision).toBe(7);
  expect(counts).toEqual([1, 1, 1]);
});

test('many calls at once go on together when their server dies, each made once', async () => {
  const fronts = await frontsOfOneServer();
  const client = clientOf(fronts, {}, undefined);
  const condition = { kind: 'mustNotExist' } as const;
  const made: string[] = [];
  const open: string[] = [];
  const make = async (key: string): Promise<void> => {
    try {
      await client.put(key, '', { condition });
      made.push(key);
    } catch (error) {
      expect(error).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });
      open.push(key);
    }
  };
  for (const [round, front] of [...fronts, ...fronts].entries()) {
    const before = Array.from({ length: 200 }, (_, index) => make(`${round}/a/${index}`));
    // In the turn in which they go out, or while they are on their way.
    await Promise.resolve();
    if (round % 2 === 1) await Promise.race(before);
    await front.die();
    const behind = Array.from({ length: 200 }, (_, index) => make(`${round}/b/${index}`));
    await Promise.all([...before, ...behind]);
    await front.rise();
  }
  const keys = await client.keys('*').toArray();
  expect(keys).toEqual(expect.arrayContaining(made));
  expect([...made, ...open]).toEqual(expect.arrayContaining(keys));
  expect(new Set([...made, ...open]).size).toBe(6 * 400);
});
