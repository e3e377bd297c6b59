/** Client and server against each other, with any windows and bodies, over a wire that cuts and delays what it carries. */
import { describe, expect } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import { fuzz } from '../../fuzz/fuzz.ts';
import type { SeededRandom } from '../../support/random.ts';
import { behaviourOf } from '../support/behaviours.ts';
import { callFields, ClientUnderTest, type Response } from '../support/client-under-test.ts';
import type { FakeSocket } from '../support/fake-socket.ts';
import { flag, type Frame, FrameSplitter, frameType, preface, setting } from '../support/frames.ts';
import { ServerUnderTest } from '../support/server-under-test.ts';

const RUNS = 200;
const CALLS_MAX = 6;
const TURNS_MAX = 20_000;

/** One direction: bytes that were written here come out there, in parts, when it is their turn. */
class Wire {
  readonly #to: FakeSocket;
  #bytes = Buffer.alloc(0);
  #isEnded = false;

  constructor(from: FakeSocket, to: FakeSocket) {
    this.#to = to;
    from.written = (bytes) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
    };
    from.ended = () => {
      this.#isEnded = true;
    };
  }

  get isIdle(): boolean {
    return this.#bytes.length === 0;
  }

  /** Carries up to so many bytes. */
  carry(bytes: number): void {
    const part = this.#bytes.subarray(0, bytes);
    this.#bytes = this.#bytes.subarray(bytes);
    if (part.length > 0) this.#to.receive(part);
    else if (this.#isEnded) this.#to.receiveEnd();
  }
}

/** What the sender of DATA keeps to: updates of windows as it receives them, sizes from its acknowledgement on. */
class WindowKeeper {
  readonly #windows = new Map<number, number>();
  readonly #sizesToAcknowledge: (number | undefined)[] = [];
  #connection = 65_535;
  #size = 65_535;
  smallest = 0;

  /** A frame that the sender has received. */
  received({ type, flags, streamId, payload }: Frame): void {
    if (type === frameType.WINDOW_UPDATE) {
      const increment = payload.readUInt32BE();
      if (streamId === 0) this.#connection += increment;
      else this.#windows.set(streamId, this.#windowOf(streamId) + increment);
    } else if (type === frameType.SETTINGS && (flags & flag.ACK) === 0) {
      let size: number | undefined;
      for (let at = 0; at < payload.length; at += 6) {
        if (payload.readUInt16BE(at) === setting.INITIAL_WINDOW_SIZE) size = payload.readUInt32BE(at + 2);
      }
      this.#sizesToAcknowledge.push(size);
    }
  }

  sent({ type, flags, streamId, payload }: Frame): void {
    if (type === frameType.SETTINGS && (flags & flag.ACK) !== 0) {
      const size = this.#sizesToAcknowledge.shift() ?? this.#size;
      for (const [id, window] of this.#windows) this.#windows.set(id, window + size - this.#size);
      this.#size = size;
    }
    if (type !== frameType.DATA) return;
    this.#connection -= payload.length;
    this.#windows.set(streamId, this.#windowOf(streamId) - payload.length);
    if (payload.length === 0) return;
    this.smallest = Math.min(this.smallest, this.#connection, this.#windowOf(streamId));
  }

  #windowOf(streamId: number): number {
    return this.#windows.get(streamId) ?? this.#size;
  }
}

/** Watches what one side receives and sends, as it happens. */
function watched(socket: FakeSocket, ownPreface: number, peerPreface: number): WindowKeeper {
  const keeper = new WindowKeeper();
  const [incoming, outgoing] = [new FrameSplitter(), new FrameSplitter()];
  incoming.skip(peerPreface);
  outgoing.skip(ownPreface);
  let [seenIn, seenOut] = [0, 0];
  // Before the connection's own listener: what it sends of that is allowed by it.
  socket.prependListener('data', (chunk: Buffer) => {
    incoming.push(chunk);
    for (; seenIn < incoming.frames.length; seenIn++) keeper.received(incoming.frames[seenIn]!);
  });
  const { written } = socket;
  socket.written = (bytes) => {
    written(bytes);
    outgoing.push(bytes);
    for (; seenOut < outgoing.frames.length; seenOut++) keeper.sent(outgoing.frames[seenOut]!);
  };
  return keeper;
}

function anyOptions(random: SeededRandom): {
  streamWindowBytes: number;
  connectionWindowBytes: number;
  isConnectionWindowHeld: boolean;
} {
  return {
    streamWindowBytes: random.pick([1, 100, 16_384, 65_535, 1 << 20]),
    connectionWindowBytes: random.pick([65_535, 100_000, 1 << 24]),
    isConnectionWindowHeld: random.chance(0.5),
  };
}

/** A call whose body goes out in pieces, and whose reply is consumed now or later. */
function call(
  random: SeededRandom,
  client: ClientUnderTest,
  path: string,
  body: Buffer,
  windowBytes: number,
): Response {
  let at = 0;
  const owedBytesMax = random.chance(0.2) ? windowBytes / (2 * CALLS_MAX) : 0;
  let owedBytes = 0;
  const send = ({ stream }: Response): void => {
    while (at < body.length) {
      const to = at + random.pick([1, 100, 5000, 100_000]);
      const isRoom = stream?.write(body.subarray(at, to)) ?? false;
      at = to;
      if (!isRoom) return;
    }
    stream?.end();
  };
  const response = client.request(
    {
      data: ({ stream }, { length }) => {
        owedBytes += length;
        if (owedBytes < owedBytesMax) return;
        stream?.consumed(owedBytes);
        owedBytes = 0;
      },
      drained: send,
    },
    callFields.map(([name, value]) => [name, name === ':path' ? path : value]),
  );
  send(response);
  return response;
}

describe('client and server', () => {
  fuzz('understand each other, and keep to their windows', RUNS, (random) => {
    const options = anyOptions(random);
    const serverOptions = anyOptions(random);
    const server = new ServerUnderTest(behaviourOf, serverOptions);
    const client = new ClientUnderTest(options);
    const windowBytes = Math.min(options.streamWindowBytes, options.connectionWindowBytes);
    // Long replies would take too many turns through narrow windows.
    const isNarrow = Math.min(options.streamWindowBytes, serverOptions.streamWindowBytes) < 10_000;
    const upward = new Wire(client.socket, server.socket);
    const downward = new Wire(server.socket, client.socket);
    const clientWindows = watched(client.socket, preface.length, 0);
    const serverWindows = watched(server.socket, 0, preface.length);
    const carriedBytes = random.pick([isNarrow ? 10 : 1000, 3000, 100_000]);

    const calls: { response: Response; body: Buffer; path: string }[] = [];
    const begin = (): void => {
      const path = random.pick(isNarrow ? ['/echo', '/unary'] : ['/echo', '/unary', '/large', '/stream']);
      const body = Buffer.from(random.bytes(random.pick([0, 1, 100, isNarrow ? 300 : 3000])));
      calls.push({ response: call(random, client, path, body, windowBytes), body, path });
    };
    const count = random.between(1, CALLS_MAX);
    let turns = 0;
    const isDone = (): boolean =>
      calls.length === count && calls.every(({ response }) => response.closes.length > 0);
    while (!isDone() && ++turns < TURNS_MAX) {
      if (calls.length < count && random.chance(0.3)) begin();
      upward.carry(1 + random.below(carriedBytes));
      downward.carry(1 + random.below(carriedBytes));
      // Each side's writes wait now and then for the wire.
      for (const { socket, clock } of [client, server]) {
        if (random.chance(0.05)) socket.isRead = !socket.isRead;
        if (socket.isRead) socket.readAll();
        clock.turn();
      }
      if (turns % 100 === 0) server.clock.advance(1000);
      if (turns % 100 === 0) client.clock.advance(1000);
    }
    expect(calls.map(({ response: { closes } }) => closes)).toEqual(
      calls.map(() => [[errorCode.NO_ERROR, 'peer']]),
    );
    for (const { response, body, path } of calls) {
      const wanted = path === '/echo' || path === '/unary' ? body.length : 200_000;
      expect([path, response.body.length, response.late]).toEqual([path, wanted, []]);
      if (wanted === body.length) expect(response.body).toBe(body.toString('latin1'));
      expect(response.trailers).toEqual([['grpc-status', '0']]);
    }
    expect([clientWindows.smallest, serverWindows.smallest]).toEqual([0, 0]);

    client.connection.leave();
    for (
      let turn = 0;
      turn < 10_000 && (client.told.at(-1)?.[0] !== 'closed' || server.ends.length === 0);
      turn++
    ) {
      client.socket.readAll();
      server.socket.readAll();
      upward.carry(carriedBytes);
      downward.carry(carriedBytes);
      client.clock.turn();
      server.clock.turn();
    }
    expect(client.told.at(-1)).toEqual(['closed', { kind: 'done' }]);
    expect(server.ends).toEqual([{ kind: 'done' }]);
    expect([client.connection.streamCount, server.connection.streamCount]).toEqual([0, 0]);
    expect([client.clock.timerCount, server.clock.timerCount]).toEqual([0, 0]);
  });
});
