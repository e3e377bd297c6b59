/**
 * Connections that are lost behind any byte of a session: each stream is told once, of what has come and that no more does, and
 * nothing is left behind.
 */
import { describe, expect, test } from 'vitest';
import { behaviourOf } from '../support/behaviours.ts';
import { ClientUnderTest, type Response } from '../support/client-under-test.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { recordedClients, recordedServers } from './recorded.ts';
import { type Request, ServerUnderTest } from '../support/server-under-test.ts';
import { otherProtocol, serverSessions } from './server-sessions.ts';
import { brokenSessions, sessions } from './sessions.ts';

/** Thousands of sessions, on a machine that has other things to do. */
const TIMEOUT_MS = 120_000;
const CALLS = 5;

const ways: readonly (readonly [string, (socket: FakeSocket) => void])[] = [
  ['the peer ends it', (socket) => socket.receiveEnd()],
  ['the socket fails', (socket) => socket.fail()],
];

type Side = Pick<ServerUnderTest | ClientUnderTest, 'socket' | 'clock' | 'receive'>;

function lose(side: Side, bytes: Uint8Array, how: (socket: FakeSocket) => void): void {
  side.receive(bytes);
  how(side.socket);
  side.clock.settle();
}

/** @param whole what the user is told when nothing is lost; undefined: it is not told of the stream then. */
function expectOneEnd(user: Request | Response, whole: Request | Response | undefined, where: string): void {
  expect(user.closes, where).toHaveLength(1);
  expect(user.late, where).toEqual([]);
  expect(whole?.body.startsWith(user.body), where).toBe(true);
  if (user.trailers !== undefined)
    expect([user.body, user.trailers], where).toEqual([whole?.body, whole?.trailers]);
}

describe.each([...sessions, ...brokenSessions, ...recordedClients])('a session with $name', ({ frames }) => {
  const bytes = Buffer.concat(frames);
  const options = { headerListBytesMax: 1000 };

  test.each(ways)('%s behind any byte', { timeout: TIMEOUT_MS }, (_, how) => {
    const whole = new ServerUnderTest(behaviourOf, options).receive(bytes);
    for (let place = 0; place < bytes.length; place++) {
      const where = `behind byte ${place}`;
      const server = new ServerUnderTest(behaviourOf, options);
      lose(server, bytes.subarray(0, place), how);
      for (const [index, request] of server.requests.entries())
        expectOneEnd(request, whole.requests[index], where);
      expect(server.ends, where).toHaveLength(1);
      expect(server.connection.streamCount, where).toBe(0);
      expect(server.clock.timerCount, where).toBe(0);
      expect(server.socket.destroyed, where).toBe(true);
    }
  });
});

function clientWithCalls(): ClientUnderTest {
  const client = new ClientUnderTest();
  const consuming = { data: ({ stream }: Response, bytes: Buffer) => stream?.consumed(bytes.length) };
  for (let call = 0; call < CALLS; call++) client.call(consuming);
  // The last one has a long body, of which only a part may go before the windows are opened.
  client.request(consuming).stream?.write(Buffer.alloc(66_000, 'x'));
  client.clock.settle();
  return client;
}

describe.each([...serverSessions, otherProtocol, ...recordedServers])(
  'the session of a server with $name',
  ({ frames }) => {
    const bytes = Buffer.concat(frames);

    test.each(ways)('%s behind any byte', { timeout: TIMEOUT_MS }, (_, how) => {
      const whole = clientWithCalls().receive(bytes);
      for (let place = 0; place < bytes.length; place++) {
        const where = `behind byte ${place}`;
        const client = clientWithCalls();
        lose(client, bytes.subarray(0, place), how);
        for (const [index, response] of client.responses.entries())
          expectOneEnd(response, whole.responses[index], where);
        expect(
          client.told.filter((told) => told[0] === 'closed'),
          where,
        ).toHaveLength(1);
        expect(client.clock.timerCount, where).toBe(0);
        expect(client.socket.destroyed, where).toBe(true);
      }
    });
  },
);
