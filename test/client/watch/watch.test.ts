import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { eventually } from '../../support/eventually.ts';
import { failureOf, kelpFailure } from '../support/fake-server.ts';
import { line, read, upTo, watching } from '../support/watch-reading.ts';

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
