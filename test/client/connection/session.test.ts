/** Whether a connection is still there, and what becomes of the calls when it is not. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { KelpClient } from '../../../src/client/client.ts';
import { createClient } from '../../../src/client/client.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { FakePace, failureOf } from '../support/fake-server.ts';
import type { ScriptedServer } from '../support/scripted-http2.ts';
import { answer, startScripted } from '../support/scripted-http2.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
});

/** Lets come what is on its way through this process. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

function clientFor({ port }: ScriptedServer): KelpClient {
  const client = createClient({ address: `127.0.0.1:${port}`, deadlineMs: 60_000 }, new FakePace());
  onTestFinished(() => client.close());
  return client;
}

describe('a connection with a call under way that is silent', () => {
  /** The first connection answers only pings, if those. */
  function silent(answersPings: boolean): Promise<ScriptedServer> {
    return startScripted({
      isAlive: (index) => answersPings || index > 0,
      onRequest: (connection, streamId) => {
        if (connection.index > 0) answer(connection, streamId);
      },
    });
  }

  test('is given up when it gives no sign of life: a read goes on over another, a write is open', async () => {
    const server = await silent(false);
    const client = clientFor(server);
    const [got, put] = [client.get('a'), failureOf(client.put('a', '1'))];
    await eventually(() => server.requestCounts).toEqual([2]);
    await vi.advanceTimersByTimeAsync(limits.pingIntervalMs);
    await eventually(() => server.pingCounts).toEqual([1]);
    await vi.advanceTimersByTimeAsync(limits.pingTimeoutMs);
    expect(await put).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: true });
    await got;
    expect(server.requestCounts).toEqual([2, 1]);
  });

  test('is waited for as long as it gives one', async () => {
    const server = await silent(true);
    const client = clientFor(server);
    const put = failureOf(client.put('a', '1'));
    await eventually(() => server.requestCounts).toEqual([1]);
    for (let count = 1; count <= 4; count++) {
      await vi.advanceTimersByTimeAsync(limits.pingIntervalMs);
      await eventually(() => server.pingCounts).toEqual([count]);
      await turns();
      await vi.advanceTimersByTimeAsync(limits.pingTimeoutMs);
      await turns();
    }
    expect(server.requestCounts).toEqual([1]);
    client.close();
    expect(await put).toMatchObject({ code: 'closed', mayHaveTakenEffect: true });
  });
});

describe('a connection that was idle for long', () => {
  test('is asked before a write goes over it, and replaced when it does not answer', async () => {
    const server = await startScripted({ isAlive: (index) => index > 0, onRequest: answer });
    const client = clientFor(server);
    await client.put('a', '1');
    await vi.advanceTimersByTimeAsync(limits.idleMsMax);
    const puts = [client.put('a', '2'), client.put('a', '3')];
    await eventually(() => server.pingCounts).toEqual([1]);
    await vi.advanceTimersByTimeAsync(limits.pingTimeoutMs);
    await Promise.all(puts);
    expect(server.requestCounts).toEqual([1, 2]);
  });

  test('is used again when it answers', async () => {
    const server = await startScripted({ onRequest: answer });
    const client = clientFor(server);
    await client.put('a', '1');
    await vi.advanceTimersByTimeAsync(limits.idleMsMax);
    await client.put('a', '2');
    expect([server.requestCounts, server.pingCounts]).toEqual([[2], [1]]);
  });

  test('is closed in the end', async () => {
    const closed = Promise.withResolvers<void>();
    const server = await startScripted({
      onRequest: (connection, streamId) => {
        connection.socket.once('close', () => closed.resolve());
        answer(connection, streamId);
      },
    });
    const client = clientFor(server);
    await client.put('a', '1');
    await vi.advanceTimersByTimeAsync(limits.idleCloseMs);
    await closed.promise;
    await client.put('a', '2');
    expect(server.requestCounts).toEqual([1, 1]);
  });
});

test('a connection on which the server says nothing is given up in time, and nothing was sent', async () => {
  let connections = 0;
  const server = await startScripted({ onConnection: () => void connections++, onRequest: answer });
  const client = clientFor(server);
  const put = failureOf(client.put('a', '1'));
  for (let count = 1; count <= 3; count++) {
    await eventually(() => connections).toBe(count);
    await vi.advanceTimersByTimeAsync(limits.connectMs);
  }
  client.close();
  expect(await put).toMatchObject({ code: 'closed', mayHaveTakenEffect: false });
});
