/** A watch goes on over broken connections, without gap or repeat. */
import { Code } from '@connectrpc/connect';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import type { KelpError } from '../../../src/client/errors/error.ts';
import type { WatchRequest } from '../../../src/client/messages/types.ts';
import { failureOf, kelpFailure, recovering } from '../support/fake-server.ts';
import { line, read, upTo, watching } from '../support/watch-reading.ts';

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
