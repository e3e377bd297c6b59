import type { ConnectError, HandlerContext } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import type { KelpError } from '../../../src/client/errors/error.ts';
import { client as limits } from '../../../src/limits.ts';
import type { FakePace } from '../support/fake-server.ts';
import { broken, clientOf, failureOf, kelpFailure, recovering } from '../support/fake-server.ts';

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
      deleteRange: () => (fail(), { revision: 5n }),
    });
  }, options);
  return { client, pace, tries: () => tries };
}

/** A client whose calls fail until so much time has passed. */
function clientOfOutage(
  outageMs: number,
  failure: () => ConnectError = broken,
): { client: KelpClient; pace: FakePace; tries: () => number } {
  let tries = 0;
  const answer = (): { revision: bigint } => {
    tries++;
    if (pace.nowMs < endsAtMs) throw failure();
    return { revision: 5n };
  };
  const deleteRange = () => (answer(), { firstRevision: 5n, revision: 6n, deletedCount: 2n });
  const { client, pace } = clientOf((router) =>
    router.service(KvService, { get: answer, put: answer, deleteRange }),
  );
  const endsAtMs = pace.nowMs + outageMs;
  return { client, pace, tries: () => tries };
}

test.each([0, 1, 700])(
  'a pause that ends %i ms behind the deadline is the end of the call',
  async (lateMs) => {
    const { client, pace, tries } = failingClient([recovering()], { deadlineMs: 1000 });
    const endsAtMs = pace.nowMs + 1000;
    // As in a process that was held up meanwhile.
    pace.wait = () => {
      pace.nowMs = endsAtMs + lateMs;
      return Promise.resolve();
    };
    const failure = await failureOf(client.put('a', '1'));
    expect(failure).toMatchObject({ code: 'recovering', mayHaveTakenEffect: false });
    expect(tries()).toBe(1);
  },
);

describe('a limit of which the server says when it passes', () => {
  /** RetryInfo { retry_delay: { seconds: 2, nanos: 500 ms } } */
  const retryInfo = Buffer.from([0x0a, 8, 0x08, 2, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01]);
  const busy = (): ConnectError => {
    const error = kelpFailure(Code.ResourceExhausted, ErrorReason.LIMIT_REACHED);
    error.details.push({ type: 'google.rpc.RetryInfo', value: retryInfo });
    return error;
  };

  test.each([
    ['a read', (client: KelpClient) => client.get('a')],
    ['a write', (client: KelpClient) => client.put('a', '1')],
  ])('is waited for by %s', async (_, call) => {
    const { client, pace, tries } = failingClient([busy(), busy()]);
    pace.chance = 0;
    expect(await call(client)).toMatchObject({ revision: 5 });
    expect([tries(), pace.waitsMs]).toEqual([3, [2500, 2500]]);
  });

  test('is not waited for when the deadline comes first', async () => {
    const { client, pace, tries } = failingClient([busy(), busy()]);
    expect(await failureOf(client.put('a', '1', { deadlineMs: 2500 }))).toMatchObject({
      code: 'limitReached',
      retryAfterMs: 2500,
      mayHaveTakenEffect: false,
    });
    expect([tries(), pace.waitsMs]).toEqual([1, []]);
  });

  test('is told to a client that repeats nothing', async () => {
    const { client, tries } = failingClient([busy()], { retries: 0 });
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'limitReached', retryAfterMs: 2500 });
    expect(tries()).toBe(1);
  });
});

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

  test('is repeated until its deadline, however long that is', async () => {
    const { client, pace } = clientOfOutage(9_500);
    const beganAtMs = pace.nowMs;
    expect(await client.get('a')).toMatchObject({ revision: 5 });
    expect(pace.nowMs - beganAtMs).toBeLessThanOrEqual(10_000);
    const hour = 60 * 60 * 1000;
    expect(await clientOfOutage(hour - 1000).client.get('a', { deadlineMs: hour })).toMatchObject({
      revision: 5,
    });
  });

  test('that is out of time tells of its last failure, of how many there were and of how long they took', async () => {
    const { client, pace, tries } = clientOfOutage(20_000);
    const beganAtMs = pace.nowMs;
    const failure = (await failureOf(client.get('a'))) as KelpError;
    expect(failure).toMatchObject({ code: 'unavailable', mayHaveTakenEffect: false });
    expect(failure.message).toBe(
      `the connection to the server at fake:7379 was closed (tried ${tries()} times in ${Math.round(pace.nowMs - beganAtMs)} ms)`,
    );
    expect(failure.cause).toMatchObject({
      name: 'KelpError',
      code: 'unavailable',
      cause: { name: 'CallFailure', cause: { name: 'ConnectError' } },
    });
    expect(pace.nowMs - beganAtMs).toBeGreaterThan(9_900);
    expect(pace.nowMs - beganAtMs).toBeLessThanOrEqual(10_000);
  });

  test('that hangs after failures tells of them too', async () => {
    let tries = 0;
    const { client } = clientOf((router) => {
      router.service(KvService, {
        get: () => {
          if (++tries < 3) throw recovering();
          return new Promise<never>(() => undefined);
        },
      });
    });
    const failure = (await failureOf(client.get('a', { deadlineMs: 400 }))) as KelpError;
    expect(failure.code).toBe('deadlineExceeded');
    expect(failure.message).toMatch(
      /no answer .* \(tried 3 times in \d+ ms, before that: as the server says\)/,
    );
  });

  test('is tried as often as its client allows', async () => {
    const { client, tries } = failingClient([broken(), broken(), recovering(), broken()], { retries: 2 });
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'recovering' });
    expect(tries()).toBe(3);
    const once = failingClient([broken()], { retries: 0 });
    const failure = (await failureOf(once.client.get('a'))) as KelpError;
    expect(failure.message).not.toMatch(/tried/);
    expect(once.tries()).toBe(1);
  });

  test('is made one try at a time', async () => {
    let underWay = 0;
    let most = 0;
    let tries = 0;
    const { client } = clientOf((router) => {
      router.service(KvService, {
        get: async () => {
          most = Math.max(most, ++underWay);
          await new Promise((resolve) => setImmediate(resolve));
          underWay--;
          if (++tries < 20) throw broken();
          return { revision: 5n };
        },
      });
    });
    await client.get('a', { deadlineMs: 60_000 });
    expect([most, tries]).toEqual([1, 20]);
  });
});

describe('a write', () => {
  test('is repeated when the server says that it has not begun', async () => {
    const { client, tries } = failingClient([recovering(), recovering()]);
    expect(await client.put('a', '1')).toMatchObject({ revision: 5 });
    expect(tries()).toBe(3);
  });

  test('is repeated until its deadline then', async () => {
    const { client } = clientOfOutage(9_500, recovering);
    expect(await client.put('a', '1')).toMatchObject({ revision: 5 });
  });

  test.each([ErrorReason.LIMIT_REACHED, ErrorReason.READ_ONLY, ErrorReason.STORAGE_FAILED])(
    'is not repeated after a refusal that does not pass by itself: %i',
    async (reason) => {
      const { client, tries } = failingClient([kelpFailure(Code.Unavailable, reason)]);
      const mayHaveTakenEffect = reason === ErrorReason.STORAGE_FAILED;
      expect(await failureOf(client.put('a', '1'))).toMatchObject({ mayHaveTakenEffect });
      expect(tries()).toBe(1);
    },
  );

  test('that ended early is not repeated, and says what it has done', async () => {
    const details = { firstRevision: 2n, revision: 4n, deletedCount: 9000n };
    const { client, tries } = failingClient([
      kelpFailure(Code.Aborted, ErrorReason.PARTLY_DELETED, { case: 'partlyDeleted', value: details }),
    ]);
    expect(await failureOf(client.deleteRange({ all: true }, { inParts: true }))).toMatchObject({
      code: 'partlyDeleted',
      details: { firstRevision: 2, revision: 4, deletedCount: 9000 },
      mayHaveTakenEffect: true,
    });
    expect(tries()).toBe(1);
  });

  test('in parts has ten minutes unless it is told otherwise', async () => {
    const outage = (): ReturnType<typeof clientOfOutage> =>
      clientOfOutage(limits.longDeadlineMs - 10_000, recovering);
    expect(await outage().client.deleteRange({ all: true }, { inParts: true })).toEqual({
      firstRevision: 5,
      revision: 6,
      deletedCount: 2,
    });
    const failure = { code: 'recovering', mayHaveTakenEffect: false };
    expect(await failureOf(outage().client.deleteRange({ all: true }))).toMatchObject(failure);
    const options = { inParts: true, deadlineMs: 1000 };
    expect(await failureOf(outage().client.deleteRange({ all: true }, options))).toMatchObject(failure);
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
    const { client, pace } = failingClient(failures, { deadlineMs: 60_000 });
    await client.get('a');
    const { backoffMs, backoffMsMax } = limits;
    const ceilings = Array.from({ length: 9 }, (_, n) => Math.min(backoffMsMax, backoffMs * 2 ** n));
    expect(pace.waitsMs).toEqual(ceilings.map((ceiling) => ceiling * pace.chance));
    expect(ceilings.at(-1)).toBe(backoffMsMax);
  });

  test('count towards the deadline, and leave time behind them', async () => {
    const failures = Array.from({ length: 99 }, () => recovering());
    const { client, pace, tries } = failingClient(failures, { deadlineMs: 500 });
    expect(await failureOf(client.get('a'))).toMatchObject({ code: 'recovering' });
    // After 50 + 100 there are 350 left, of which a half is shorter than the next 200; less than 50 is no time.
    expect(pace.waitsMs).toEqual([50, 100, 175, 87.5, 43.75]);
    expect(tries()).toBe(6);
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
    expect(() => hanging({ deadlineMs: Number.NaN })).toThrow('deadlineMs is the number NaN');
    expect(() => hanging({ retries: -1 })).toThrow('retries is the number -1');
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

describe('the timeout that a call asks the server for', () => {
  /** What reaches the transport's header; gRPC takes a whole number of up to eight digits. */
  function timeouts(): { readonly client: KelpClient; readonly asked: string[] } {
    const asked: string[] = [];
    const note = (_: unknown, { requestHeader }: HandlerContext): object => {
      asked.push(requestHeader.get('connect-timeout-ms') ?? 'none');
      return {};
    };
    const { client } = clientOf((router) => {
      router.service(KvService, { get: note, put: note });
      router.service(LeaseService, { renew: note });
      router.service(AdminService, {
        compact: note,
        async *backup(request, context) {
          note(request, context);
          yield {};
        },
      });
    });
    return { client, asked };
  }

  test.each([
    [20_000.25, '20001'],
    [20_000, '20000'],
    [1e15, '99999999'],
  ])('is a whole number that gRPC can say, for a deadline of %d ms', async (deadlineMs, expected) => {
    const { client, asked } = timeouts();
    await client.get('a', { deadlineMs });
    await client.put('a', '1', { deadlineMs });
    await client.admin.compact(1, { deadlineMs });
    for await (const _ of client.admin.backup({ deadlineMs })) continue;
    expect(asked).toEqual([expected, expected, expected, expected]);
  });
});

test('a closed client refuses calls', async () => {
  const { client, tries } = failingClient([]);
  client.close();
  expect(await failureOf(client.get('a'))).toMatchObject({ code: 'closed' });
  expect(tries()).toBe(0);
});
