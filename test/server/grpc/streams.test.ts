/** Streams of plain gRPC, both ways, and what is held of replies that their client does not read. */
import { type Login, noLogin } from '../../../src/access/login/login.ts';
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { describe, expect, test } from 'vitest';
import * as leaseCodec from '../../../gen/kelp/v1/lease_codec.ts';
import { StoreError } from '../../../src/errors.ts';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { serverFixed } from '../../../src/limits.ts';
import { type ReplyOutlet } from '../../../src/server/services/method.ts';
import { dataFrame, flag, headersFrame } from '../../http2/support/frames.ts';
import { sentIn } from '../../http2/support/transcript.ts';
import { FakeStream } from './fake-stream.ts';
import {
  type KeepAlive,
  GET,
  BACKUP,
  WATCH,
  KEEP_ALIVE,
  Lane,
  message,
  renewal,
  turns,
  headerBlock,
  laneThatRests,
} from './lane.ts';

describe('a reply of a stream that its client does not read', () => {
  const reply: leaseCodec.KeepAliveResponseShape = { leaseId: 1, ttl: undefined };
  const replyBytes = 5 + leaseCodec.sizeOfKeepAliveResponse(reply);

  test('is charged though its method charges nothing, until it is read', async () => {
    const lane = new Lane({
      async *keepAlive() {
        yield reply;
        await new Promise(() => undefined);
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(KEEP_ALIVE, [], stream);
    await turns();
    expect([stream.queuedBytes, lane.calls.heldBytes]).toEqual([replyBytes, replyBytes]);

    stream.drain();
    await turns();

    expect([stream.isClosed, lane.calls.heldBytes]).toEqual([false, 0]);
  });

  test('is charged once when its method has', async () => {
    const lane = new Lane({
      async *keepAlive(_, call) {
        call.chargeReply(replyBytes - 2);
        yield reply;
        await new Promise(() => undefined);
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(KEEP_ALIVE, [], stream);
    await turns();
    expect(lane.calls.heldBytes).toBe(replyBytes);

    stream.drain();
    await turns();

    expect(lane.calls.heldBytes).toBe(replyBytes - 2);
  });

  test('is cut when there is no memory for it', async () => {
    const lane = new Lane({
      callBytesMax: replyBytes - 1,
      async *keepAlive() {
        yield reply;
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(KEEP_ALIVE, [], stream);
    await turns();
    expect([stream.ended, lane.calls.size]).toEqual([errorCode.ENHANCE_YOUR_CALM, 0]);
  });

  test('is charged when it was pushed, too', () => {
    let outlet: ReplyOutlet | undefined;
    const lane = new Lane({
      watch: (_store, _request, _call, given) => {
        outlet = given;
        return { goOn: () => undefined, stop: () => undefined };
      },
    });
    const stream = new FakeStream();
    stream.isBlocked = true;
    lane.open(WATCH, [], stream);
    stream.receive(Buffer.alloc(5), true);
    outlet?.send(Buffer.alloc(100));
    expect([stream.queuedBytes, lane.calls.heldBytes]).toEqual([100, 100]);

    stream.drain();

    expect(lane.calls.heldBytes).toBe(0);
  });
});

describe('a stream of replies', () => {
  const reply = { data: Buffer.alloc(10) };

  test('goes out message by message, and ends by its status', async () => {
    const lane = new Lane({
      async *backup() {
        yield reply;
        yield reply;
      },
    });
    const stream = lane.open(BACKUP);

    stream.receive(Buffer.alloc(5), true);
    await turns();

    expect(stream.written.map((each) => each.length)).toEqual([17, 17]);
    expect([stream.fields['grpc-status'], lane.calls.size]).toEqual(['0', 0]);
  });

  test('asks for no more than its reader reads', async () => {
    let askedFor = 0;
    const lane = new Lane({
      async *backup() {
        for (;;) {
          askedFor++;
          yield reply;
        }
      },
    });
    const stream = lane.open(BACKUP);
    stream.isBlocked = true;
    stream.receive(Buffer.alloc(5), true);
    await turns();
    expect(askedFor).toBe(1);

    stream.queuedBytes = 0;
    stream.handler?.drained();
    await turns();

    expect(askedFor).toBe(2);
  });

  test.each([
    ['its client goes away', (stream: FakeStream) => stream.close(errorCode.CANCEL, 'peer')],
    ['it is cut', (stream: FakeStream, lane: Lane) => lane.calls.cutStalledStreams()],
  ] as const)('that waits for its reader ends when %s', async (_, act) => {
    const { promise: returned, resolve } = Promise.withResolvers<void>();
    const lane = new Lane({
      async *backup() {
        try {
          for (;;) yield reply;
        } finally {
          resolve();
        }
      },
    });
    const stream = lane.open(BACKUP);
    stream.isBlocked = true;
    stream.receive(Buffer.alloc(5), true);
    await turns();

    act(stream, lane);

    await returned;
    expect(lane.calls.size).toBe(0);
  });

  test('that waits for its reader leaves its method when it is not allowed any more, and tells so behind what is read', async () => {
    const { promise: returned, resolve } = Promise.withResolvers<void>();
    let login: (to: Login) => void = () => undefined;
    const lane = new Lane({
      async *backup(call) {
        login = (to) => (call.login = to);
        try {
          for (;;) yield reply;
        } finally {
          resolve();
        }
      },
    });
    const stream = lane.open(BACKUP);
    stream.isBlocked = true;
    stream.receive(Buffer.alloc(5), true);
    await turns();

    login(noLogin);
    lane.calls.lasting.askAgain();

    await returned;
    expect(stream.fields['grpc-status']).toBe('16');
    stream.drain();
    expect(lane.calls.size).toBe(0);
  });

  test('that fails behind a message tells so in its trailers', async () => {
    const lane = new Lane({
      async *backup() {
        yield reply;
        throw new StoreError('limitReached', 'too slow');
      },
    });
    const stream = lane.open(BACKUP);

    stream.receive(Buffer.alloc(5), true);
    await turns();

    expect(stream.written).toHaveLength(1);
    expect(stream.fields).toMatchObject({ 'grpc-status': '8', 'grpc-message': 'too slow' });
  });

  test('ends at its deadline, whatever its method does', async () => {
    const lane = new Lane({
      async *backup() {
        yield reply;
        await new Promise(() => {});
      },
    });
    const stream = lane.open(BACKUP, [['grpc-timeout', '1S']]);
    stream.receive(Buffer.alloc(5), true);
    await turns();

    lane.clock.advance(1100);

    expect(stream.fields['grpc-status']).toBe('4');
  });
});

describe('replies that are pushed', () => {
  /** A method whose replies a test makes. */
  function openPushed(isWorkDone = true) {
    const events: string[] = [];
    let outlet: ReplyOutlet | undefined;
    const lane = new Lane({
      watch: (_, __, ___, given) => {
        outlet = given;
        return {
          goOn: () => void events.push('goOn'),
          stop() {
            events.push('stop');
            if (isWorkDone) given.finish(undefined);
          },
        };
      },
    });
    const stream = lane.open(WATCH);
    stream.receive(Buffer.alloc(5), true);
    if (outlet === undefined) throw new Error('the method was not called');
    return { lane, stream, events, outlet };
  }
  const bytes = Buffer.from(encodeEnvelope(0, Buffer.from('reply')));

  test('go out as they are, and end by their status', () => {
    const { lane, stream, events, outlet } = openPushed();
    expect([events, stream.written]).toEqual([['goOn'], []]);

    expect([outlet.send(bytes), outlet.send(bytes)]).toEqual([true, true]);
    outlet.finish(undefined);

    expect(stream.written).toEqual([bytes, bytes]);
    expect(stream.fields).toMatchObject({ ':status': '200', 'grpc-status': '0' });
    expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
  });

  test('go on when what was sent has left, and may be cut until then', () => {
    const { lane, stream, events, outlet } = openPushed();
    stream.isBlocked = true;
    expect(outlet.send(bytes)).toBe(false);
    stream.drain();
    expect(events).toEqual(['goOn', 'goOn']);

    stream.isBlocked = true;
    outlet.send(bytes);
    lane.calls.cutStalledStreams();

    expect(stream.ended).toBe(errorCode.ENHANCE_YOUR_CALM);
    expect(events.slice(2)).toEqual(['stop', 'goOn']);
    expect(lane.calls.size).toBe(0);
  });

  test('fail by a status of their own when nothing was sent, and behind what was', () => {
    for (const sentCount of [0, 1]) {
      const { stream, outlet } = openPushed();
      if (sentCount === 1) outlet.send(bytes);
      outlet.finish(new StoreError('limitReached', 'too slow'));
      expect(stream.written).toHaveLength(sentCount);
      expect(stream.fields).toMatchObject({ 'grpc-status': '8', 'grpc-message': 'too slow' });
    }
  });

  test('whose client goes away are stopped, and their call counts until they have come to their end', () => {
    const { lane, stream, events, outlet } = openPushed(false);

    stream.close(errorCode.CANCEL, 'peer');

    expect(events).toEqual(['goOn', 'stop', 'goOn']);
    expect(outlet.send(bytes)).toBe(false);
    expect(lane.calls.size).toBe(1);
    outlet.finish(undefined);
    expect(lane.calls.size).toBe(0);
  });

  test('end at their deadline', () => {
    const events: string[] = [];
    const lane = new Lane({
      watch: (_, __, call) => ({
        goOn: () => undefined,
        stop: () => void events.push(String(call.abortReason)),
      }),
    });
    const stream = lane.open(WATCH, [['grpc-timeout', '1S']]);
    stream.receive(Buffer.alloc(5), true);

    lane.clock.advance(1100);

    expect(stream.fields['grpc-status']).toBe('4');
    expect(events).toEqual([expect.stringContaining('timed out')]);
  });
});

describe('a stream of requests', () => {
  const ids: KeepAlive = async function* (requests) {
    for await (const { leaseId } of requests) yield { leaseId, ttl: undefined };
  };

  function idsIn({ written }: FakeStream): number[] {
    return written.map((each) => leaseCodec.readKeepAliveResponse(each, 5, each.length).leaseId);
  }

  test('is answered message by message wherever it is cut', async () => {
    const bytes = Buffer.concat([renewal(1), renewal(300), renewal(70_000)]);
    for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
      const lane = new Lane({ keepAlive: ids });
      const stream = lane.open(KEEP_ALIVE);
      for (let at = 0; at < bytes.length; at += pieceBytes)
        stream.receive(bytes.subarray(at, at + pieceBytes));
      await turns();
      expect(idsIn(stream)).toEqual([1, 300, 70_000]);
      expect(stream.ended).toBeUndefined();

      stream.receiveEnd();
      await turns();

      expect([stream.fields['grpc-status'], stream.consumedBytes]).toEqual(['0', bytes.length]);
      expect([lane.calls.size, lane.calls.heldBytes]).toEqual([0, 0]);
    }
  });

  test('may send more only as its method takes what has come', async () => {
    const { lane, resolve } = laneThatRests();
    const stream = lane.open(KEEP_ALIVE);
    stream.receive(renewal(1));
    await turns();
    const taken = stream.consumedBytes;
    expect(taken).toBe(renewal(1).length);

    stream.receive(Buffer.concat([renewal(2), renewal(3)]));
    await turns();
    expect(stream.consumedBytes).toBe(taken);
    resolve();
    await turns();

    expect(idsIn(stream)).toEqual([1, 2, 3]);
    expect(stream.consumedBytes).toBe(taken + 2 * renewal(2).length);
  });

  test('that waits to be taken holds up no other call of its connection, and is charged', () => {
    const lane = new Lane({
      async *keepAlive() {
        await new Promise<never>(() => undefined);
        yield { leaseId: 1, ttl: undefined };
      },
    });
    const { receive, socket } = lane.connect();
    const { streamWindowBytes, connectionWindowBytes } = serverFixed;
    const requests = Buffer.alloc(streamWindowBytes, renewal(1));
    const streamCount = connectionWindowBytes / streamWindowBytes + 1;
    for (let index = 0; index < streamCount; index++) {
      const id = 2 * index + 1;
      receive(headersFrame(id, headerBlock(KEEP_ALIVE)));
      for (let at = 0; at < requests.length; at += 16_384)
        receive(dataFrame(id, requests.subarray(at, at + 16_384)));
    }
    const getId = 2 * streamCount + 1;

    receive(headersFrame(getId, headerBlock(GET)), dataFrame(getId, message({ key: 'k' }), flag.END_STREAM));

    const { goaways, streams, windows } = sentIn(socket.frames);
    expect(goaways).toEqual([]);
    expect(streams[getId]?.isEnded).toBe(true);
    expect(windows[1]).toBeUndefined();
    expect(lane.calls.heldBytes).toBeGreaterThanOrEqual(streamCount * streamWindowBytes);
  });

  test('is free of the time for a request, and not of its deadline', async () => {
    const lane = new Lane({ keepAlive: ids });
    const [endless, bounded] = [lane.open(KEEP_ALIVE), lane.open(KEEP_ALIVE, [['grpc-timeout', '5M']])];

    lane.clock.advance(6 * 60_000);
    await turns();

    expect([endless.ended, bounded.fields['grpc-status']]).toEqual([undefined, '4']);
  });

  describe('has the time for a request for each message', () => {
    const tooSlow = ['4', expect.stringMatching(/not complete within 60000 ms \(request-timeout\)/)];
    const half = renewal(300).subarray(0, 6);
    const rest = renewal(300).subarray(6);

    function status({ fields }: FakeStream): unknown {
      return [fields['grpc-status'], fields['grpc-message']];
    }

    test.each([
      ['a first message', [], false],
      ['one behind others', [renewal(1)], false],
      ['a first message, though it comes byte by byte', [], true],
    ] as const)('from its first byte, for %s', async (_, before, isComing) => {
      for (const fields of [[], [['grpc-timeout', '5M']]] satisfies Field[][]) {
        const lane = new Lane({ keepAlive: ids });
        const stream = lane.open(KEEP_ALIVE, fields);
        // Nothing is begun.
        lane.clock.advance(100_000);
        stream.receive(Buffer.concat([...before, renewal(300).subarray(0, 1)]));
        await turns();
        for (let at = 1; at < 6; at++) {
          lane.clock.advance(10_000);
          if (isComing) stream.receive(renewal(300).subarray(at, at + 1));
        }
        await turns();
        expect([idsIn(stream).length, status(stream)]).toEqual([before.length, [undefined, undefined]]);

        lane.clock.advance(11_000);
        await turns();

        expect(status(stream)).toEqual(tooSlow);
        expect(lane.calls.heldBytes).toBe(0);
      }
    });

    test('anew for the next', async () => {
      const lane = new Lane({ keepAlive: ids });
      const stream = lane.open(KEEP_ALIVE);
      stream.receive(half);
      for (let round = 0; round < 4; round++) {
        lane.clock.advance(40_000);
        stream.receive(Buffer.concat([rest, half]));
        await turns();
      }
      expect(idsIn(stream)).toEqual([300, 300, 300, 300]);
      lane.clock.advance(40_000);
      stream.receive(rest);
      await turns();
      lane.clock.advance(200_000);
      await turns();
      expect([idsIn(stream).length, stream.ended]).toEqual([5, undefined]);
    });

    test('not while the server holds its end back', async () => {
      const { lane, resolve } = laneThatRests();
      const stream = lane.open(KEEP_ALIVE);
      stream.receive(renewal(1));
      await turns();
      stream.receive(Buffer.concat([renewal(2), half]));
      lane.clock.advance(200_000);
      resolve();
      await turns();
      expect([idsIn(stream), stream.ended]).toEqual([[1, 2], undefined]);

      lane.clock.advance(59_000);
      stream.receive(rest);
      await turns();
      expect(idsIn(stream)).toEqual([1, 2, 300]);
    });

    test('and a deadline that comes first ends it as such', async () => {
      const lane = new Lane({ keepAlive: ids });
      const stream = lane.open(KEEP_ALIVE, [['grpc-timeout', '30S']]);
      stream.receive(half);
      await turns();
      lane.clock.advance(31_000);
      await turns();
      expect(status(stream)).toEqual(['4', expect.stringContaining('timed out')]);
    });
  });

  test.each([
    ['is cut off', renewal(300).subarray(0, 6), '3'],
    ['has a message that is too long', Buffer.from([0, 0, 0, 0x10, 0]), '8'],
    ['has a compressed message', Buffer.from([1, 0, 0, 0, 0]), '3'],
    ['has what is no message', Buffer.from([0, 0, 0, 0, 1, 0xff]), '3'],
  ])('that %s fails behind what came before', async (_, bytes, status) => {
    const stream = new Lane({ keepAlive: ids }).open(KEEP_ALIVE);

    stream.receive(Buffer.concat([renewal(1), bytes]));
    stream.receiveEnd();
    await turns();

    expect(idsIn(stream)).toEqual([1]);
    expect(stream.fields['grpc-status']).toBe(status);
  });
});
