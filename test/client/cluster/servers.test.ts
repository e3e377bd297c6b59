/** Which server a call goes to: the one that serves, then the others in turn, and none that rests. */
import { describe, expect, test } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import type { CallTransport } from '../../../src/client/calls/call-transport.ts';
import { CallFailure } from '../../../src/client/errors/call-failure.ts';
import { ServerRoute } from '../../../src/client/servers/server-route.ts';
import { Servers } from '../../../src/client/servers/servers.ts';
import { grpcCode } from '../../../src/grpc-code.ts';
import { client as limits } from '../../../src/limits.ts';
import { FakePace } from '../support/fake-server.ts';

const names = ['a', 'b', 'c'];

/** @param chance which one is the first: a third for each. */
function serversOf(chance = 0): { servers: Servers; pace: FakePace; route: () => ServerRoute } {
  const pace = new FakePace();
  pace.chance = chance;
  const transports = names.map((name) => ({ address: `http://${name}:7379` }) as CallTransport);
  const servers = new Servers(transports, pace);
  return { servers, pace, route: () => new ServerRoute(servers) };
}

const down = (): CallFailure => new CallFailure(grpcCode.Unavailable, 'gone', { isUnprocessed: true });

const notWriter = (writerAddress = ''): CallFailure =>
  new CallFailure(grpcCode.Unavailable, 'it follows', {
    detail: {
      reason: ErrorReason.NOT_WRITER,
      info: { case: 'notWriter', value: { writerAddress } },
    },
  });

/** Tries, each of which fails so, and the name of the server of each. */
function tries(route: ServerRoute, ...failures: (CallFailure | 'served')[]): string {
  return failures
    .map((failure) => {
      const attempt = route.begin();
      if (failure === 'served') route.served(attempt);
      else route.failed(attempt, failure);
      return attempt.server.address.at('http://'.length);
    })
    .join('');
}

describe('calls go', () => {
  test.each([
    [0, 'a'],
    [0.34, 'b'],
    [0.67, 'c'],
  ])('to any of them at first (chance %f), and all to that one', (chance, first) => {
    const { route } = serversOf(chance);
    for (let call = 0; call < 3; call++) expect(tries(route(), 'served')).toBe(first);
  });

  test('to the next in turn when it is down, each once, and then there is a pause', () => {
    const { route } = serversOf(0.34);
    const call = route();
    expect(call.goesElsewhere).toBe(true);
    expect(tries(call, down(), down())).toBe('bc');
    expect(call.goesElsewhere).toBe(true);
    expect(tries(call, down())).toBe('a');
    expect(call.goesElsewhere).toBe(false);
  });

  test('to the one that has served since, also when the first one is back', () => {
    const { route, pace } = serversOf();
    expect(tries(route(), down(), 'served')).toBe('ab');
    pace.nowMs += limits.serverRestMsMax;
    expect(tries(route(), 'served')).toBe('b');
    expect(tries(route(), down(), 'served')).toBe('bc');
  });

  test('not to one that rests, for longer with each failure in a row', () => {
    const { servers, route, pace } = serversOf();
    pace.chance = 0;
    for (const server of servers.all.slice(1)) server.rest(down());
    const rests: number[] = [];
    for (let failures = 0; failures < 8; failures++) {
      for (const server of servers.all.slice(1)) server.rest(down());
      tries(route(), down());
      const restMs = servers.all[0]?.restMs ?? 0;
      rests.push(restMs);
      expect(servers.all[0]?.restMs).toBeGreaterThan(0);
      pace.nowMs += restMs;
      expect(servers.all[0]?.restMs).toBe(0);
    }
    expect(rests).toEqual([100, 200, 400, 800, 1600, 2000, 2000, 2000]);
    tries(route(), 'served');
    tries(route(), down());
    expect(servers.all[0]?.restMs).toBe(100);
  });

  test('nowhere while all rest: they are told how one of them failed, at once', () => {
    const { route, pace } = serversOf();
    tries(route(), down(), down(), down());
    const call = route();
    expect(call.goesElsewhere).toBe(false);
    expect(() => call.begin()).toThrow(expect.objectContaining({ message: 'gone', isUnprocessed: true }));
    expect(call.restMs).toBeGreaterThan(0);
    pace.nowMs += call.restMs;
    expect(call.restMs).toBe(0);
    // The last that was asked.
    expect(tries(call, 'served')).toBe('c');
  });

  test('failures of calls that began before the last one count once', () => {
    const { servers, route, pace } = serversOf();
    pace.chance = 0;
    const attempts = Array.from({ length: 100 }, () => {
      const call = route();
      return { call, attempt: call.begin() };
    });
    for (const { call, attempt } of attempts) call.failed(attempt, down());
    expect(servers.all.map(({ restMs }) => restMs)).toEqual([limits.serverRestMs, 0, 0]);
  });
});

describe('a server that follows', () => {
  test('does not rest: only that call goes elsewhere, and what serves it is asked from then on', () => {
    const { route, servers } = serversOf();
    const call = route();
    expect(tries(call, notWriter())).toBe('a');
    expect(servers.all.map(({ restMs }) => restMs)).toEqual([0, 0, 0]);
    expect(tries(route(), 'served')).toBe('a');
    expect(tries(call, notWriter(), 'served')).toBe('bc');
    expect(tries(route(), 'served')).toBe('c');
  });

  test('names the writer, which is asked next', () => {
    const { route } = serversOf();
    expect(tries(route(), notWriter('c:7379'), 'served')).toBe('ac');
  });

  test.each(['d:7379', '7379', 'a:7379'])(
    'names %s, which is no other of them: they are asked in turn',
    (name) => {
      const { route } = serversOf();
      expect(tries(route(), notWriter(name), 'served')).toBe('ab');
    },
  );

  test('each says so: they are asked again behind a pause', () => {
    const { route } = serversOf();
    const call = route();
    expect(tries(call, notWriter(), notWriter(), notWriter())).toBe('abc');
    expect(call.goesElsewhere).toBe(false);
    expect(call.restMs).toBe(0);
    call.paused();
    expect(tries(call, notWriter(), 'served')).toBe('ab');
  });
});

test.each<[string, CallFailure]>([
  ['a full disk', failureWith(ErrorReason.READ_ONLY)],
  ['a failed flush', failureWith(ErrorReason.STORAGE_FAILED)],
  ['a mistake', new CallFailure(grpcCode.InvalidArgument, 'no')],
])('%s is no reason for a server to rest', (_, failure) => {
  const { route, servers } = serversOf();
  tries(route(), failure);
  expect(servers.all.map(({ restMs }) => restMs)).toEqual([0, 0, 0]);
});

test.each([ErrorReason.RECOVERING, ErrorReason.SHUTTING_DOWN])(
  'one that starts or stops rests: %i',
  (reason) => {
    const { route } = serversOf();
    tries(route(), failureWith(reason));
    expect(tries(route(), 'served')).toBe('b');
  },
);

function failureWith(reason: number): CallFailure {
  return new CallFailure(grpcCode.Unavailable, 'as it says', {
    detail: { reason, info: { case: undefined } },
  });
}
