import type { ConnectError } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import type { ClientOptions, KelpClient } from '../../src/client/client.ts';
import { client as limits } from '../../src/limits.ts';
import type { FakePace } from './fake-server.ts';
import { broken, clientOf, failureOf, kelpFailure, recovering } from './fake-server.ts';

/** A client whose calls fail with these errors, one after the other, and then succeed. */
function failingClient(
  failures: ConnectError[],
  options?: Partial<ClientOptions>,
): { client: KelpClient; pace: FakePace; tries: () => number } {
  let tries = 0;
  const fail = (): void => {
    tries++;
    const failure = failures.shift();
    if (failure) throw failure;
  };
  const { client, pace } = clientOf((router) => {
    router.service(KvService, {
      get: () => (fail(), { revision: 5n }),
      put: () => (fail(), { revision: 5n }),
    });
  }, options);
  return { client, pace, tries: () => tries };
}

describe('a read', () => {
  test('is repeated after failures that may pass', async () => {
    const stopping = kelpFailure(Code.Unavailable, ErrorReason.SHUTTING_DOWN);
    const { client, tries } = failingClient([broken(), recovering(), stopping]);
    expect(await client.get('a')).toMatchObject({ revision: 5 });
    expect(tries()).toBe(4);
  });

  test('is not repeated after others', async () => {
    const { client, tries } = failingClient([
      kelpFailure(Code.InvalidArgument, ErrorReason.INVALID_ARGUMENT),
    ]);
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'invalidArgument' });
    expect(tries()).toBe(1);
  });

  test('gives up after its retries, with the last error', async () => {
    const { client, tries } = failingClient([broken(), broken(), recovering(), broken()], { retries: 2 });
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'recovering' });
    expect(tries()).toBe(3);
  });
});

describe('a write', () => {
  test('is repeated when the server says that it has not begun', async () => {
    const { client, tries } = failingClient([recovering(), recovering()]);
    expect(await client.put('a', '1')).toMatchObject({ revision: 5 });
    expect(tries()).toBe(3);
  });

  test('is never repeated when its answer was lost', async () => {
    const { client, tries } = failingClient([broken()]);
    expect(await failureOf(client.put('a', '1'))).toMatchObject({
      code: 'unavailable',
      mayHaveTakenEffect: true,
    });
    expect(tries()).toBe(1);
  });

  test('with a condition is not repeated either, and says what may be', async () => {
    const { client, tries } = failingClient([broken()]);
    const put = client.put('a', '1', { condition: { kind: 'mustNotExist' } });
    expect(await failureOf(put)).toMatchObject({ mayHaveTakenEffect: true });
    expect(tries()).toBe(1);
  });

  test('a get that refreshes a time to live is one', async () => {
    const { client, tries } = failingClient([broken()]);
    expect(await failureOf(client.get('a', { refreshTtl: true }))).toMatchObject({
      mayHaveTakenEffect: true,
    });
    expect(tries()).toBe(1);
  });
});

describe('pauses between tries', () => {
  test('grow exponentially to their limit, with full jitter', async () => {
    const failures = Array.from({ length: 9 }, () => recovering());
    const { client, pace } = failingClient(failures, { retries: 9, deadlineMs: 60_000 });
    await client.get('a');
    const { backoffMs, backoffMsMax } = limits;
    const ceilings = Array.from({ length: 9 }, (_, n) => Math.min(backoffMsMax, backoffMs * 2 ** n));
    expect(pace.waitsMs).toEqual(ceilings.map((ceiling) => ceiling * pace.chance));
    expect(ceilings.at(-1)).toBe(backoffMsMax);
  });

  test('count towards the deadline', async () => {
    const failures = Array.from({ length: 99 }, () => recovering());
    const { client, pace, tries } = failingClient(failures, { retries: 99, deadlineMs: 500 });
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'recovering' });
    // 50 + 100 + 200 passed; another 400 would be too long.
    expect(pace.waitsMs).toEqual([50, 100, 200]);
    expect(tries()).toBe(4);
  });
});

describe('a deadline', () => {
  const hanging = (options?: Partial<ClientOptions>): KelpClient =>
    clientOf((router) => {
      router.service(KvService, {
        put: (_, { signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      });
    }, options).client;

  test('ends a call that is not answered', async () => {
    const failure = await failureOf(hanging({ deadlineMs: 20 }).put('a', '1'));
    expect(failure).toMatchObject({ code: 'deadlineExceeded', mayHaveTakenEffect: true });
  });

  test('can be given for one call', async () => {
    const failure = await failureOf(hanging().put('a', '1', { deadlineMs: 20 }));
    expect(failure).toMatchObject({ code: 'deadlineExceeded' });
  });

  test('must be above 0', async () => {
    expect(await failureOf(hanging().put('a', '1', { deadlineMs: 0 }))).toMatchObject({
      code: 'invalidArgument',
    });
    expect(() => hanging({ deadlineMs: Number.NaN })).toThrow(RangeError);
    expect(() => hanging({ retries: -1 })).toThrow(RangeError);
  });
});

describe('a signal', () => {
  test('ends a call that is under way', async () => {
    const controller = new AbortController();
    const why = new Error('not needed any more');
    const { client } = clientOf((router) => {
      router.service(KvService, {
        put: () => {
          controller.abort(why);
          return new Promise<never>(() => undefined);
        },
      });
    });
    const failure = await failureOf(client.put('a', '1', { signal: controller.signal }));
    expect(failure).toMatchObject({ code: 'canceled', cause: why, mayHaveTakenEffect: true });
  });

  test('keeps a call from being sent', async () => {
    const { client, tries } = failingClient([]);
    const failure = await failureOf(client.put('a', '1', { signal: AbortSignal.abort() }));
    expect(failure).toMatchObject({ code: 'canceled', mayHaveTakenEffect: false });
    expect(tries()).toBe(0);
  });

  test('ends a pause between tries', async () => {
    const controller = new AbortController();
    const { client, pace, tries } = failingClient([recovering()]);
    const wait = pace.wait.bind(pace);
    pace.wait = (...args) => (controller.abort(), wait(...args));
    const failure = await failureOf(client.put('a', '1', { signal: controller.signal }));
    expect(failure).toMatchObject({ code: 'canceled', mayHaveTakenEffect: false });
    expect(tries()).toBe(1);
  });
});

test('a closed client refuses calls', async () => {
  const { client, tries } = failingClient([]);
  client.close();
  expect(await failureOf(client.get('a'))).toMatchObject({ code: 'closed' });
  expect(tries()).toBe(0);
});
