/** A watch whose server does not have, any more or yet, what it was to go on with. */
import { describe, expect, test } from 'vitest';
import type { WatchMessage, WatchRequest } from '../../../src/client/messages/types.ts';
import { failureOf } from '../support/fake-server.ts';
import { line, read, readUntilFailure, upTo, watching } from '../support/watch-reading.ts';

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
