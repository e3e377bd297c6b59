import { Code } from '@connectrpc/connect';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import type { KelpClient } from '../../src/client/client.ts';
import type { KelpError } from '../../src/client/errors/error.ts';
import type { WatchMessage, WatchRequest } from '../../src/client/messages/types.ts';
import { eventually } from '../support/eventually.ts';
import type { FakePace } from './fake-server.ts';
import { clientOf, failureOf, kelpFailure, recovering } from './fake-server.ts';
import { FakeWatchServer } from './fake-watch-server.ts';

function watching(options?: Partial<ClientOptions>): {
  server: FakeWatchServer;
  client: KelpClient;
  pace: FakePace;
} {
  const server = new FakeWatchServer();
  return { server, ...clientOf(server.routes, options) };
}

/** Reads until a message that `isLast` accepts, or the end. */
async function read(
  client: KelpClient,
  request: WatchRequest,
  isLast: (message: WatchMessage) => boolean,
): Promise<WatchMessage[]> {
  const messages: WatchMessage[] = [];
  for await (const message of client.watch(request)) {
    messages.push(message);
    if (isLast(message)) break;
  }
  return messages;
}

/** @returns the failure with which the watch ends, and the messages before it. */
async function readUntilFailure(
  client: KelpClient,
  request: WatchRequest,
): Promise<{ messages: WatchMessage[]; failure: unknown }> {
  const messages: WatchMessage[] = [];
  const takeIn = async (): Promise<void> => {
    for await (const message of client.watch(request)) messages.push(message);
  };
  const failure = await failureOf(takeIn());
  return { messages, failure };
}

const upTo =
  (revision: number) =>
  (message: WatchMessage): boolean =>
    'revision' in message && message.kind !== 'current' && message.revision >= revision;

/** A message in a line: `events 3: a b`. */
function line(message: WatchMessage): string {
  switch (message.kind) {
    case 'current':
      return `current ${message.revision}: ${message.entries.map(({ key }) => key).join(' ')}`;
    case 'events':
      return `events ${message.revision}: ${message.events.map((event) => ('key' in event ? event.key : event.entry.key)).join(' ')}`;
    case 'restarted':
      return `restarted: ${message.reason}`;
    case 'compacted':
      return `compacted: ${message.requestedRevision} of ${message.oldestRevision} to ${message.newestRevision}`;
    default:
      return `${message.kind} ${message.revision}`;
  }
}

describe('an unbroken watch', () => {
  test('hands out the past from its start, then what comes', async () => {
    const { server, client } = watching();
    server.commit('a');
    server.commit('b', '-c');
    const lines: string[] = [];
    for await (const message of client.watch({ startRevision: 2 })) {
      lines.push(line(message));
      if (message.kind === 'synced') server.commit('d');
      if (upTo(3)(message)) break;
    }
    expect(lines).toEqual(['events 2: b -c', 'synced 2', 'events 3: d']);
  });

  test('gives events as plain data', async () => {
    const { server, client } = watching();
    server.commit('a', '-b');
    const [events] = await read(client, { startRevision: 1 }, upTo(1));
    expect(events).toMatchObject({
      kind: 'events',
      revision: 1,
      commitTimeMs: 1000,
      events: [
        { type: 'put', entry: { key: 'a', modRevision: 1 }, previous: undefined },
        { type: 'delete', key: '-b', modRevision: 1, reason: 'expired', previous: undefined },
      ],
    });
  });

  test('joins the fragments of a revision', async () => {
    const { server, client } = watching();
    server.commit('a', 'b', 'c', 'd', 'e');
    const messages = await read(client, { startRevision: 1 }, upTo(1));
    expect(messages.map(line)).toEqual(['events 1: a b c d e']);
  });

  test('asks for what it was asked for', async () => {
    const { server, client } = watching();
    await read(
      client,
      {
        ranges: [{ prefix: 'p/' }, { key: 'k' }],
        includeCurrent: true,
        eventTypes: ['touch'],
        keysOnly: true,
        returnPrevious: true,
        progressIntervalMs: 500,
      },
      upTo(0),
    );
    expect(server.requests).toMatchObject([
      {
        ranges: [
          { prefix: 'p/', key: '' },
          { prefix: '', key: 'k' },
        ],
        startRevision: 0n,
        includeCurrent: true,
        eventTypes: [3],
        keysOnly: true,
        returnPrevious: true,
        progressInterval: { seconds: 0n, nanos: 500_000_000 },
      },
    ]);
  });

  test('tells the server when its loop is left', async () => {
    const { server, client } = watching();
    await read(client, {}, upTo(0));
    await eventually(() => server.openCount).toBe(0);
  });
});

describe('a broken watch', () => {
  test('goes on one above what was complete', async () => {
    const { server, client, pace } = watching();
    for (const key of ['a', 'b', 'c']) server.commit(key);
    server.breaks = [2];
    const interruptions: KelpError[] = [];
    const onInterrupted = (error: KelpError): void => void interruptions.push(error);
    const messages = await read(client, { startRevision: 1, onInterrupted }, upTo(3));
    expect(messages.map(line)).toEqual(['events 1: a', 'events 2: b', 'events 3: c']);
    expect(server.requests.map(({ startRevision }) => startRevision)).toEqual([1n, 3n]);
    expect(interruptions).toMatchObject([{ code: 'unavailable' }]);
    expect(pace.waitsMs).toHaveLength(1);
  });

  test('drops the fragments of a revision that was cut', async () => {
    const { server, client } = watching();
    server.commit('a', 'b', 'c', 'd', 'e');
    server.breaks = [2, 1];
    const messages = await read(client, { startRevision: 1 }, upTo(1));
    expect(messages.map(line)).toEqual(['events 1: a b c d e']);
    expect(server.requests.map(({ startRevision }) => startRevision)).toEqual([1n, 1n, 1n]);
  });

  test('takes the revision of progress and of synced as complete', async () => {
    const { server, client } = watching();
    server.commit('a');
    server.commit();
    server.commit('b');
    server.breaks = [2, 2];
    const messages = await read(client, { startRevision: 1 }, (message) => message.kind === 'synced');
    expect(messages.map(line)).toEqual(['events 1: a', 'progress 2', 'events 3: b', 'synced 3']);
    expect(server.requests.map(({ startRevision }) => startRevision)).toEqual([1n, 3n]);
  });

  test('goes on even from before the first revision', async () => {
    const { server, client } = watching();
    server.breaks = [1];
    const lines: string[] = [];
    for await (const message of client.watch({ onInterrupted: () => server.commit('a') })) {
      lines.push(line(message));
      if (upTo(1)(message)) break;
    }
    expect(lines.slice(0, 2)).toEqual(['synced 0', 'events 1: a']);
    expect(server.requests.map(({ startRevision }) => startRevision)).toEqual([0n, 1n]);
  });

  test('says synced once, and progress for every later one', async () => {
    const { server, client } = watching();
    server.commit('a');
    server.breaks = [1, 1];
    let rounds = 0;
    const messages = await read(client, {}, () => ++rounds === 3);
    expect(messages.map(line)).toEqual(['synced 1', 'progress 1', 'progress 1']);
  });

  test('begins anew when present entries were cut, and says so', async () => {
    const { server, client } = watching();
    server.commit('a', 'b');
    server.breaks = [1];
    const request: WatchRequest = { includeCurrent: true, onInterrupted: () => server.commit('c') };
    const messages = await read(client, request, upTo(2));
    expect(messages.map(line)).toEqual([
      'current 1: a',
      'restarted: interrupted',
      'current 2: a',
      'current 2: b',
      'current 2: c',
      'synced 2',
    ]);
  });

  test('takes no progress between present entries for all of them', async () => {
    const { server, client } = watching();
    server.commit('a', 'b');
    server.breaks = [2];
    server.hasProgressAmongCurrent = true;
    const messages = await read(client, { includeCurrent: true }, (message) => message.kind === 'synced');
    expect(messages.map(line)).toEqual([
      'current 1: a',
      'progress 1',
      'restarted: interrupted',
      'current 1: a',
      'progress 1',
      'current 1: b',
      'progress 1',
      'synced 1',
    ]);
  });

  test('does not begin anew when all present entries had come', async () => {
    const { server, client } = watching();
    server.commit('a', 'b');
    server.breaks = [3];
    const request: WatchRequest = { includeCurrent: true, onInterrupted: () => server.commit('c') };
    const messages = await read(client, request, upTo(2));
    expect(messages.map(line)).toEqual(['current 1: a', 'current 1: b', 'synced 1', 'events 2: c']);
  });

  test('backs off while the server stays away, without end', async () => {
    const { server, client, pace } = watching({ retries: 0 });
    server.commit('a');
    server.breaks = [1, ...Array.from({ length: 20 }, () => 0)];
    const messages = await read(client, { startRevision: 1 }, (message) => message.kind === 'synced');
    expect(messages.map(line)).toEqual(['events 1: a', 'synced 1']);
    expect(pace.waitsMs).toHaveLength(21);
    expect(pace.waitsMs[0]).toBeLessThan(pace.waitsMs.at(-1) ?? 0);
  });

  test('goes on after a server that says that it stops, is full or finds the watch slow', async () => {
    const { server, client } = watching();
    server.commit('a');
    server.commit('b');
    const resume = { case: 'watchEnded', value: { resumeRevision: 99n } } as const;
    server.failures = [
      kelpFailure(Code.Unavailable, ErrorReason.SHUTTING_DOWN, resume),
      recovering(),
      kelpFailure(Code.ResourceExhausted, ErrorReason.LIMIT_REACHED),
      kelpFailure(Code.ResourceExhausted, ErrorReason.SLOW_WATCHER, resume),
    ];
    server.breaks = [1, 0, 0, 0];
    const messages = await read(client, { startRevision: 1 }, upTo(2));
    expect(messages.map(line)).toEqual(['events 1: a', 'events 2: b']);
  });

  test('throws what another try would not mend', async () => {
    const { server, client } = watching();
    server.commit('a');
    server.breaks = [1];
    server.failures = [kelpFailure(Code.DataLoss, ErrorReason.DAMAGED)];
    const failure = await failureOf(read(client, { startRevision: 1 }, upTo(2)));
    expect(failure).toMatchObject({ code: 'damaged' });
  });
});

describe('a watch that can not begin', () => {
  test('tries until the deadline of a call, then throws', async () => {
    const { server, client, pace } = watching();
    server.breaks = Array.from({ length: 1000 }, () => 0);
    const beganAtMs = pace.nowMs;
    expect(await failureOf(read(client, {}, upTo(0)))).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/tried \d+ times in 99\d\d ms/),
    });
    expect(pace.nowMs - beganAtMs).toBeGreaterThan(9_900);
    expect(pace.nowMs - beganAtMs).toBeLessThanOrEqual(10_000);
  });

  test('begins late when the server comes late', async () => {
    const { server, client, pace } = watching();
    server.commit('a');
    server.breaks = [0, 0, 0, 0, 0, 0];
    const messages = await read(client, { startRevision: 1 }, upTo(1));
    expect(messages.map(line)).toEqual(['events 1: a']);
    expect(pace.waitsMs).toHaveLength(6);
  });

  test('tries no more often than its client allows', async () => {
    const { server, client } = watching({ retries: 2 });
    server.breaks = [0, 0, 0, 0];
    expect(await failureOf(read(client, {}, upTo(0)))).toMatchObject({ code: 'unavailable' });
    expect(server.requests).toHaveLength(3);
  });

  test('throws what the server refuses', async () => {
    const { server, client } = watching();
    server.breaks = [0];
    server.failures = [kelpFailure(Code.ResourceExhausted, ErrorReason.LIMIT_REACHED)];
    expect(await failureOf(read(client, {}, upTo(0)))).toMatchObject({ code: 'limitReached' });
    expect(server.requests).toHaveLength(1);
  });

  test('throws when its start lies in the future', async () => {
    const { client } = watching();
    const failure = await failureOf(read(client, { startRevision: 7 }, upTo(0)));
    expect(failure).toMatchObject({ code: 'revisionFuture', details: { newestRevision: 0 } });
  });

  test('refuses a request that makes no sense before it is sent', async () => {
    const { server, client } = watching();
    const failure = await failureOf(read(client, { startRevision: -7 }, upTo(0)));
    expect(failure).toMatchObject({ code: 'invalidArgument' });
    expect(server.requests).toHaveLength(0);
  });
});

describe('a watch whose revisions are gone', () => {
  test('says so and ends', async () => {
    const { server, client } = watching();
    for (const key of ['a', 'b', 'c', 'd']) server.commit(key);
    server.breaks = [1];
    const onInterrupted = (): void => void (server.compactedRevision = 3);
    const messages = await read(client, { startRevision: 1, onInterrupted }, () => false);
    expect(messages.map(line)).toEqual(['events 1: a', 'compacted: 2 of 3 to 4']);
  });

  test('begins again with the present entries if it was told to', async () => {
    const { server, client } = watching();
    for (const key of ['a', 'b', 'c']) server.commit(key);
    server.breaks = [1];
    const onInterrupted = (): void => void (server.compactedRevision = 2);
    const request: WatchRequest = { startRevision: 1, restartWhenLost: true, onInterrupted };
    const messages = await read(client, request, upTo(3));
    expect(messages.map(line)).toEqual([
      'events 1: a',
      'restarted: lost',
      'current 3: a',
      'current 3: b',
      'current 3: c',
      'synced 3',
    ]);
  });

  test('also when the server, restored from a backup, has never had them', async () => {
    const { server, client } = watching();
    server.commit('a');
    server.commit('b');
    server.commit('c');
    server.breaks = [4];
    const onInterrupted = (): void => void (server.log.length = 1);
    const request: WatchRequest = { startRevision: 1, restartWhenLost: true, onInterrupted };
    const isAnew = (message: WatchMessage): boolean => upTo(1)(message) && server.requests.length === 3;
    const messages = await read(client, request, isAnew);
    expect(messages.map(line).slice(3)).toEqual(['synced 3', 'restarted: lost', 'current 1: a', 'synced 1']);
  });

  test('without that it throws', async () => {
    const { server, client } = watching();
    server.commit('a');
    server.commit('b');
    server.breaks = [2];
    const onInterrupted = (): void => void (server.log.length = 0);
    const failure = await failureOf(read(client, { startRevision: 1, onInterrupted }, () => false));
    expect(failure).toMatchObject({
      code: 'revisionFuture',
      details: { requestedRevision: 3, newestRevision: 0 },
    });
  });
});

describe('a watch whose server comes back with another store', () => {
  const [first, second] = ['a'.repeat(32), 'b'.repeat(32)];

  test('says so, though the revision can be had there', async () => {
    const { server, client } = watching();
    for (const key of ['a', 'b', 'c']) server.commit(key);
    server.breaks = [2];
    const onInterrupted = (): void => void (server.storeId = second);
    const { messages, failure } = await readUntilFailure(client, { startRevision: 1, onInterrupted });
    expect(failure).toMatchObject({
      code: 'otherStore',
      details: { requestedStoreId: first, storeId: second },
    });
    expect(messages.map(line)).toEqual(['events 1: a', 'events 2: b']);
    expect(server.requests.map(({ storeId }) => storeId)).toEqual(['', first]);
  });

  test('begins again with the present entries there if it was told to', async () => {
    const { server, client } = watching();
    for (const key of ['a', 'b', 'c']) server.commit(key);
    server.breaks = [2];
    const onInterrupted = (): void => void (server.storeId = second);
    const request: WatchRequest = { startRevision: 1, restartWhenLost: true, onInterrupted };
    const messages = await read(client, request, (message) => message.kind === 'synced');
    expect(messages.map(line).slice(2)).toEqual([
      'restarted: lost',
      'current 3: a',
      'current 3: b',
      'current 3: c',
      'synced 3',
    ]);
    expect(messages.at(-1)).toMatchObject({ kind: 'synced', revision: 3, storeId: second });
    expect(server.requests.map(({ storeId }) => storeId)).toEqual(['', first, '']);
  });

  test('takes the present entries of whatever store there is, if it broke before they were all there', async () => {
    const { server, client } = watching();
    for (const key of ['a', 'b']) server.commit(key);
    server.breaks = [1];
    const onInterrupted = (): void => void (server.storeId = second);
    const request: WatchRequest = { includeCurrent: true, onInterrupted };
    const messages = await read(client, request, (message) => message.kind === 'synced');
    expect(messages.at(-1)).toMatchObject({ kind: 'synced', revision: 2, storeId: second });
  });

  test('refuses it from the first connection on when it was told which store to expect', async () => {
    const { server, client } = watching();
    server.commit('a');
    const failure = await failureOf(read(client, { startRevision: 1, storeId: second }, () => false));
    expect(failure).toMatchObject({ code: 'otherStore' });
    const messages = await read(client, { startRevision: 1, storeId: first }, upTo(1));
    expect(messages.map(line)).toEqual(['events 1: a']);
  });
});

describe('a watch whose server comes back with another history of the store', () => {
  const [first, second, third] = ['1', '2', '3'].map((digit) => digit.repeat(32)) as [string, string, string];

  test('says so, though the revision can be had there', async () => {
    const { server, client } = watching();
    server.incarnation = first;
    for (const key of ['a', 'b', 'c']) server.commit(key);
    server.breaks = [3];
    const onInterrupted = (): void => {
      server.turnBack(1, second);
      for (const key of ['x', 'y', 'z']) server.commit(key);
    };
    const { messages, failure } = await readUntilFailure(client, { startRevision: 1, onInterrupted });
    expect(failure).toMatchObject({
      code: 'historyDiffers',
      details: {
        requestedRevision: 3,
        requestedIncarnation: first,
        incarnation: second,
        newestRevision: 4,
      },
    });
    expect(messages.map(line)).toEqual(['events 1: a', 'events 2: b', 'events 3: c']);
  });

  test('begins again with the present entries if it was told to', async () => {
    const { server, client } = watching();
    server.incarnation = first;
    for (const key of ['a', 'b', 'c']) server.commit(key);
    server.breaks = [3];
    const onInterrupted = (): void => {
      server.turnBack(1, second);
      server.commit('x');
    };
    const request: WatchRequest = { startRevision: 1, restartWhenLost: true, onInterrupted };
    const messages = await read(client, request, (message) => message.kind === 'synced');
    expect(messages.map(line).slice(3)).toEqual([
      'restarted: lost',
      'current 2: a',
      'current 2: x',
      'synced 2',
    ]);
    expect(messages.at(-1)).toMatchObject({ incarnation: second });
  });

  test('goes on where it has seen nothing that is not there', async () => {
    const { server, client } = watching();
    server.incarnation = first;
    for (const key of ['a', 'b', 'c']) server.commit(key);
    server.breaks = [2];
    const onInterrupted = (): void => {
      server.turnBack(2, second);
      server.commit('x');
    };
    const messages = await read(client, { startRevision: 1, onInterrupted }, upTo(3));
    expect(messages.map(line)).toEqual(['events 1: a', 'events 2: b', 'events 3: x']);
  });

  test('names what wrote the last whole revision, not the one of which a part came', async () => {
    const { server, client } = watching();
    server.incarnation = first;
    server.commit('a');
    server.incarnation = second;
    server.commit('b1', 'b2', 'b3');
    server.incarnation = third;
    server.commit('c');
    server.breaks = [2, 1, 2, 1];
    const messages = await read(client, { startRevision: 1 }, upTo(3));
    expect(messages.map(line)).toEqual(['events 1: a', 'events 2: b1 b2 b3', 'events 3: c']);
    const places = server.requests.map(({ startRevision, incarnation }) => [startRevision, incarnation]);
    expect(places).toEqual([
      [1n, ''],
      [2n, first],
      [2n, first],
      [3n, second],
    ]);
  });

  test('tells with every message what wrote its revision', async () => {
    const { server, client } = watching();
    for (const incarnation of [first, first, second, third, third]) {
      server.incarnation = incarnation;
      server.commit('a');
    }
    const messages = await read(client, { startRevision: 1 }, (message) => message.kind === 'synced');
    const told = messages.map((message) => 'incarnation' in message && message.incarnation);
    expect(told).toEqual([first, first, second, third, third, third]);
  });

  test('begins with the place that it is given, and goes on from there', async () => {
    const { server, client } = watching();
    server.incarnation = first;
    for (const key of ['a', 'b']) server.commit(key);
    server.breaks = [0];
    const messages = await read(client, { startRevision: 2, incarnation: first }, upTo(2));
    expect(messages.map(line)).toEqual(['events 2: b']);
    const failure = await failureOf(read(client, { startRevision: 2, incarnation: second }, () => false));
    expect(failure).toMatchObject({ code: 'historyDiffers' });
    const restarted: WatchRequest = { startRevision: 2, incarnation: second, restartWhenLost: true };
    const anew = await read(client, restarted, (message) => message.kind === 'synced');
    expect(anew.map(line)[0]).toBe('restarted: lost');
  });
});

test('an outage is told once, however many tries it takes, and so is its end', async () => {
  const { server, client } = watching();
  server.commit('a');
  server.breaks = [1, 0, 0, 0, 1, 0];
  const told: string[] = [];
  const onInterrupted = (): void => void told.push('interrupted');
  const onResumed = (): void => void told.push('resumed');
  for await (const message of client.watch({ startRevision: 1, onInterrupted, onResumed })) {
    told.push(line(message));
    if (server.requests.length === 7) break;
  }
  expect(told).toEqual([
    'events 1: a',
    'interrupted',
    'resumed',
    'synced 1',
    'interrupted',
    'resumed',
    'progress 1',
  ]);
});

describe('a watch is ended', () => {
  test('by its signal, while it waits', async () => {
    const { server, client } = watching();
    const controller = new AbortController();
    const messages: string[] = [];
    for await (const message of client.watch({ signal: controller.signal })) {
      messages.push(line(message));
      setImmediate(() => controller.abort());
    }
    expect(messages).toEqual(['synced 0']);
    await eventually(() => server.openCount).toBe(0);
  });

  test('by closing the client', async () => {
    const { server, client } = watching();
    const reading = read(client, {}, () => false);
    await eventually(() => server.openCount).toBe(1);
    client.close();
    expect((await reading).map(line)).toEqual(['synced 0']);
  });

  test('by its return, while a message is waited for', async () => {
    const { server, client } = watching();
    const watch = client.watch();
    await watch.next();
    const waiting = watch.next();
    await watch.return();
    expect(await waiting).toMatchObject({ done: true });
    await eventually(() => server.openCount).toBe(0);
  });

  test('at the end of its block', async () => {
    const { server, client } = watching();
    {
      await using watch = client.watch();
      await watch.next();
      expect(server.openCount).toBe(1);
    }
    await eventually(() => server.openCount).toBe(0);
  });

  test('by a revision too large to be handed out at once', async () => {
    const { server, client } = watching();
    server.commit('k'.repeat(60), 'k'.repeat(50));
    const failure = await failureOf(read(client, { startRevision: 1, revisionBytesMax: 100 }, upTo(1)));
    expect(failure).toMatchObject({ code: 'limitReached' });
    expect(server.requests).toHaveLength(1);
    await eventually(() => server.openCount).toBe(0);
  });
});

test('however it breaks, a watch hands out every revision once, whole and in order', async () => {
  const revisions = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', '-d'), { maxLength: 5 }), {
    minLength: 1,
    maxLength: 12,
  });
  const breaks = fc.array(fc.nat(4), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      revisions,
      revisions,
      breaks,
      fc.integer({ min: 1, max: 3 }),
      async (past, live, breaks, size) => {
        const { server, client } = watching();
        server.breaks = breaks;
        server.fragmentSize = size;
        for (const keys of past) server.commit(...keys);
        const seen: string[] = [];
        const rest = [...live];
        const end = past.length + live.length;
        for await (const message of client.watch({ startRevision: 1 })) {
          if (message.kind === 'events') seen.push(line(message));
          if (rest.length > 0) server.commit(...(rest.shift() ?? []));
          if (rest.length === 0 && upTo(end)(message)) break;
        }
        const expected = [...past, ...live].flatMap((keys, index) =>
          keys.length === 0 ? [] : [`events ${index + 1}: ${keys.join(' ')}`],
        );
        expect(seen).toEqual(expected);
      },
    ),
  );
});

test('however it breaks, present entries and later events give the state of the server', async () => {
  const revisions = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 4 }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(
      revisions,
      revisions,
      fc.array(fc.nat(6), { maxLength: 8 }),
      async (past, live, breaks) => {
        const { server, client } = watching();
        server.breaks = breaks;
        for (const keys of past) server.commit(...keys);
        const rest = [...live];
        const modRevisionByKey = new Map<string, number>();
        const atLeast = (key: string, revision: number): void =>
          void modRevisionByKey.set(key, Math.max(revision, modRevisionByKey.get(key) ?? 0));
        for await (const message of client.watch({ includeCurrent: true, onInterrupted: commitOne })) {
          if (message.kind === 'restarted') modRevisionByKey.clear();
          if (message.kind === 'current') for (const { key } of message.entries) atLeast(key, 0);
          if (message.kind === 'events') {
            for (const event of message.events)
              if ('entry' in event) atLeast(event.entry.key, message.revision);
          }
          if (message.kind !== 'current') commitOne();
          if (rest.length === 0 && upTo(server.log.length)(message)) break;
        }
        expect(new Set(modRevisionByKey.keys())).toEqual(new Set(server.log.flat()));

        function commitOne(): void {
          const keys = rest.shift();
          if (keys) server.commit(...keys);
        }
      },
    ),
  );
});
