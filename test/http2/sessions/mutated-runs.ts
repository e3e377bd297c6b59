/** Peers that send anything: no exception, nothing left behind, nothing beyond a limit. One session for each call. */
import { expect } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { Stream } from '../../../src/http2/contract/stream.ts';
import { http2 } from '../../../src/limits.ts';
import type { SeededRandom } from '../../support/random.ts';
import { behaviourOf } from '../support/behaviours.ts';
import { type ClientBehaviour, ClientUnderTest, type Response } from '../support/client-under-test.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { FrameSplitter, frameType, preface } from '../support/frames.ts';
import { anyCut, mutatedSession } from './mutate-session.ts';
import { recordedClients, recordedServers } from './recorded.ts';
import { serverSessions } from './server-sessions.ts';
import {
  type Behaviour,
  filler,
  okHead,
  okTrailers,
  type Request,
  serverOptions,
  ServerUnderTest,
} from '../support/server-under-test.ts';
import { brokenSessions, sessions } from './sessions.ts';
import type { StepClock } from '../support/step-clock.ts';
import { sentIn } from '../support/transcript.ts';

const allOfClients = [...sessions, ...brokenSessions, ...recordedClients];
const allOfServers = [...serverSessions, ...recordedServers];
const CONCURRENT_STREAMS = 20;
/** The output limit, and what may be made of the last thing that was read. */
const UNSENT_BYTES_MAX = http2.unsentBytesMax + 2 * http2.outputBytes;

/** A user that does something now and then, also when all is over. */
function fickle(random: SeededRandom, connection: () => ServerUnderTest['connection']): Behaviour {
  const act = ({ stream }: Request): void => {
    switch (random.below(12)) {
      case 0:
        stream.respond(okHead, random.chance(0.3));
        break;
      case 1:
        stream.write(random.bytes(random.pick([0, 1, 100, 20_000])));
        break;
      case 2:
        stream.writeInPlace('y', random.pick([0, 1, 100, 30_000]), filler);
        break;
      case 3:
        stream.answer(okHead, 'z', random.pick([0, 5, 16_384, 70_000, 200_000]), filler, okTrailers);
        break;
      case 4:
        stream.end(random.chance(0.5) ? okTrailers : undefined);
        break;
      case 5:
        stream.reset(errorCode.CANCEL);
        break;
      case 6:
        stream.consumed(random.pick([0, 1, 1000, 1_000_000]));
        break;
      case 7:
        if (random.chance(0.05)) connection().shutdown('restarting');
        break;
      case 8:
        if (random.chance(0.02)) connection().goaway(errorCode.INTERNAL_ERROR, 'broken');
        break;
      case 9:
        if (random.chance(0.02)) connection().destroy();
        break;
      default:
    }
  };
  return { begun: act, data: act, end: act, drained: act, closed: act };
}

interface Played {
  readonly clock: StepClock;
  readonly socket: FakeSocket;
  readonly connection: { readonly unsentBytes: number; readonly streamCount: number };
}

/**
 * Gives a connection bytes in parts, while its peer reads or does not and time passes.
 *
 * @returns the most that there was at a time.
 */
function play(
  random: SeededRandom,
  { clock, socket, connection }: Played,
  parts: readonly Buffer[],
): { readonly unsentBytes: number; readonly streamCount: number } {
  const isFastReader = random.chance(0.5);
  let unsentBytes = 0;
  let streamCount = 0;
  for (const part of parts) {
    socket.receive(part);
    unsentBytes = Math.max(unsentBytes, connection.unsentBytes);
    streamCount = Math.max(streamCount, connection.streamCount);
    if (!isFastReader) {
      if (random.chance(0.2)) socket.isRead = false;
      if (random.chance(0.3)) socket.take();
      if (random.chance(0.1)) socket.readAll();
    }
    if (random.chance(0.7)) clock.turn();
    if (random.chance(0.05)) clock.advance(random.pick([1, 100, 5000]));
    if (random.chance(0.002)) socket.fail();
  }
  // A peer that reads on at the end, or one that never does.
  if (random.chance(0.8)) socket.readAll();
  clock.settle();
  return { unsentBytes: Math.max(unsentBytes, connection.unsentBytes), streamCount };
}

/** The connection ends, by the peer or since it is lost; what then is left is left for good. */
function finish(random: SeededRandom, clock: StepClock, socket: FakeSocket): void {
  if (random.chance(0.5)) socket.fail();
  else socket.receiveEnd();
  clock.settle();
  clock.advance(http2.lingerMs);
  clock.settle();
  // An input that was never read hides the peer's end.
  socket.fail();
  clock.settle();
}

function expectNothingLeft(
  clock: StepClock,
  unsentBytes: number,
  streamCount: number,
  streams: readonly (Stream | undefined)[],
): void {
  expect(streamCount).toBe(0);
  expect(unsentBytes).toBe(0);
  expect(clock.timerCount).toBe(0);
  expect(streams.filter((stream) => stream !== undefined && stream.queuedBytes > 0)).toEqual([]);
}

function expectOrderIn(socket: FakeSocket): ReturnType<typeof sentIn> {
  const sent = sentIn(socket.frames);
  expect(Object.entries(sent.streams).filter(([, { late }]) => late.length > 0)).toEqual([]);
  return sent;
}

/** A server, whose client sends what was a session once. */
export function tryClient(random: SeededRandom): void {
  const isFickle = random.chance(0.5);
  const server: ServerUnderTest = new ServerUnderTest(
    (head) => (isFickle && random.chance(0.5) ? fickle(random, () => server.connection) : behaviourOf(head)),
    {
      concurrentStreamsMax: CONCURRENT_STREAMS,
      headerListBytesMax: random.pick([1000, 16_384]),
      isConnectionWindowHeld: random.chance(0.8),
    },
  );
  const { clock, socket, connection } = server;
  const bytes = mutatedSession(random, allOfClients);
  const most = play(random, server, anyCut(random, bytes));
  const isDone = !socket.isEnded && !socket.destroyed && !socket.isPaused && connection.streamCount === 0;
  finish(random, clock, socket);

  expect(most.unsentBytes).toBeLessThanOrEqual(UNSENT_BYTES_MAX);
  expect(most.streamCount).toBeLessThanOrEqual(CONCURRENT_STREAMS);
  expect(server.ends).toHaveLength(1);
  const wrong = server.requests.filter(({ closes, late }) => closes.length !== 1 || late.length > 0);
  expect(wrong.map(({ stream, closes, late }) => [stream.id, closes, late])).toEqual([]);
  expectNothingLeft(
    clock,
    connection.unsentBytes,
    connection.streamCount,
    server.requests.map(({ stream }) => stream),
  );
  const sent = expectOrderIn(socket);
  if (isDone) expectWindowKept(bytes, sent.windows[0] ?? 0);
}

/** A client, whose server does. */
export async function tryServer(random: SeededRandom): Promise<void> {
  const client: ClientUnderTest = new ClientUnderTest(
    { headerListBytesMax: random.pick([1000, 16_384]), isConnectionWindowHeld: random.chance(0.3) },
    { roomMade: () => void client.connection.freeStreams },
  );
  const { clock, socket, connection } = client;
  const act = ({ stream }: Response): void => {
    switch (random.below(9)) {
      case 0:
        stream?.write(random.bytes(random.pick([0, 1, 100, 20_000])));
        break;
      case 1:
        stream?.writeInPlace('y', random.pick([0, 1, 100, 30_000]), filler);
        break;
      case 2:
        stream?.end();
        break;
      case 3:
        stream?.reset(errorCode.CANCEL);
        break;
      case 4:
        stream?.consumed(random.pick([0, 1, 1000, 1_000_000]));
        break;
      case 5:
        if (client.responses.length < 50) client.call(behaviour);
        break;
      case 6:
        if (random.chance(0.05)) connection.leave();
        break;
      case 7:
        if (random.chance(0.02)) connection.destroy();
        break;
      default:
    }
  };
  const behaviour: ClientBehaviour = { data: act, drained: act, closed: act };
  for (let call = 0; call < 5; call++) client.call(behaviour);
  client.request(behaviour).stream?.write(Buffer.alloc(66_000, 'x'));
  const pings = random.chance(0.3) ? [connection.ping().catch(() => undefined)] : [];
  if (random.chance(0.5)) clock.settle();

  const most = play(random, client, anyCut(random, mutatedSession(random, allOfServers)));
  finish(random, clock, socket);

  expect(most.unsentBytes).toBeLessThanOrEqual(UNSENT_BYTES_MAX);
  expect(client.told.filter((told) => told[0] === 'closed')).toHaveLength(1);
  expect(client.told.at(-1)).toMatchObject(['closed', {}]);
  const wrong = client.responses.filter(
    ({ stream, closes, late }) => closes.length !== (stream === undefined ? 0 : 1) || late.length > 0,
  );
  expect(wrong.map(({ stream, closes, late }) => [stream?.id, closes, late])).toEqual([]);
  expectNothingLeft(
    clock,
    connection.unsentBytes,
    connection.streamCount,
    client.responses.map(({ stream }) => stream),
  );
  expect(connection.freeStreams).toBe(0);
  expectOrderIn(socket);
  await Promise.all(pings);
}

/** What the client sent is given back to the window of the connection, but for what may gather before an update. */
function expectWindowKept(bytes: Buffer, givenBack: number): void {
  const splitter = new FrameSplitter();
  splitter.skip(preface.length);
  splitter.push(bytes);
  const data = splitter.frames.filter(({ type }) => type === frameType.DATA);
  const sentBytes = data.reduce((sum, { payload }) => sum + payload.length, 0);
  expect(givenBack).toBeLessThanOrEqual(sentBytes);
  expect(sentBytes - givenBack).toBeLessThanOrEqual(serverOptions.connectionWindowBytes / 2);
}
