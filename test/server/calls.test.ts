import { EventEmitter } from 'node:events';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serverFixed } from '../../src/limits.ts';
import { type Call, CallTable } from '../../src/server/calls/calls.ts';

const limits = { callsMax: 3, callBytesMax: 1000, replyBytesMax: 400 };

/** As much of a response as a call table knows; destroying it closes it, as with a real one. */
class FakeResponse extends EventEmitter {
  readonly headersSent = false;
  readonly statusCode = 200;
  readonly writableEnded = false;
  isDestroyed = false;

  writeHead(): void {}
  write(): boolean {
    return true;
  }
  addTrailers(): void {}
  end(): void {}
  destroy(): void {
    this.isDestroyed = true;
  }
}

function open(table: CallTable, isStream = false): { call: Call; response: FakeResponse } {
  const response = new FakeResponse();
  return { call: table.open(response, isStream), response };
}

function codeOf(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    return Code[ConnectError.from(error).code];
  }
  return undefined;
}

describe('a table of calls', () => {
  test('counts calls until their responses close', async () => {
    const table = new CallTable(limits);
    const first = open(table);
    const second = open(table);
    const empty = table.empty();

    expect(table.size).toBe(2);
    first.response.emit('close');
    expect([table.size, first.call.isClosed, first.call.signal.aborted]).toEqual([1, true, true]);
    second.response.emit('close');
    await empty;
    expect(table.size).toBe(0);
    await table.empty();
  });

  test('has a refusal ready for a call too many', () => {
    const table = new CallTable(limits);
    const calls = Array.from({ length: 4 }, () => open(table).call);

    expect(calls.map((call) => call.refusal?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      Code.ResourceExhausted,
    ]);
  });

  test('refuses memory beyond its limit and gives back what a closed call held', () => {
    const table = new CallTable(limits);
    const first = open(table);
    const second = open(table);

    first.call.charge(600);
    expect(codeOf(() => second.call.charge(401))).toBe('ResourceExhausted');
    second.call.charge(400);
    expect(table.heldBytes).toBe(1000);
    first.response.emit('close');
    expect(table.heldBytes).toBe(400);
    second.call.charge(600);
  });

  test('charges nothing to a call whose client is gone', () => {
    const table = new CallTable(limits);
    const { call, response } = open(table);
    response.emit('close');

    call.charge(300);
    call.chargeReply(300);

    expect(table.heldBytes).toBe(0);
  });

  test('limits one reply, and each message of a stream by itself', () => {
    const { call } = open(new CallTable(limits), true);

    call.chargeReply(400);
    expect(codeOf(() => call.chargeReply(1))).toBe('ResourceExhausted');
    call.releaseReply();
    call.chargeReply(400);
  });

  test('asks streams to end, and no other call', () => {
    const table = new CallTable(limits);
    const [unary, stream] = [open(table), open(table, true)];

    table.endStreams();

    expect([unary.call.signal.aborted, stream.call.signal.aborted]).toEqual([false, true]);
    expect([unary.call.isEndedByServer, stream.call.isEndedByServer]).toEqual([false, true]);
  });

  test('cuts streams that are not read, and no other', () => {
    const table = new CallTable(limits);
    const [stalled, stream, unary] = [open(table, true), open(table, true), open(table)];
    stalled.call.stalledSinceMs = 1;
    unary.call.stalledSinceMs = 1;

    table.cutStalledStreams();

    expect([stalled, stream, unary].map(({ response }) => response.isDestroyed)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('when memory runs out', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  test('the reply that has not been read for longest makes room', () => {
    const table = new CallTable(limits);
    const [older, younger, taker] = [open(table), open(table), open(table)];
    younger.call.charge(400);
    older.call.charge(400);
    older.call.stalledSinceMs = performance.now();
    vi.advanceTimersByTime(10);
    younger.call.stalledSinceMs = performance.now();
    vi.advanceTimersByTime(serverFixed.stalledReplyMs);

    taker.call.charge(500);

    expect([older.response.isDestroyed, younger.response.isDestroyed]).toEqual([true, false]);
    expect(table.heldBytes).toBe(900);
    // Its end gives nothing back twice.
    older.response.emit('close');
    expect(table.heldBytes).toBe(900);
  });

  test('the next message of a stream waits until there is room, in its turn', async () => {
    const table = new CallTable(limits);
    const [holder, first, second] = [open(table), open(table, true), open(table, true)];
    holder.call.charge(900);
    const order: string[] = [];
    const charged = [
      Promise.resolve(first.call.holdForMessages(300)).then((isHeld) => order.push(`first ${isHeld}`)),
      Promise.resolve(second.call.holdForMessages(50)).then((isHeld) => order.push(`second ${isHeld}`)),
    ];
    await Promise.resolve();
    expect(table.heldBytes).toBe(900);

    holder.call.release(500);
    await Promise.all(charged);

    expect(order).toEqual(['first true', 'second true']);
    expect(table.heldBytes).toBe(750);
  });

  test('what a stream holds for its messages is set anew each time, up to what a reply may hold', async () => {
    const table = new CallTable(limits);
    const [stream, other] = [open(table, true), open(table, true)];
    const heldAfter: number[] = [];
    for (const bytes of [1000, 100, 250, 0]) {
      expect(await stream.call.holdForMessages(bytes)).toBe(true);
      heldAfter.push(table.heldBytes);
    }
    expect(heldAfter).toEqual([400, 100, 250, 0]);
    await stream.call.holdForMessages(400);
    await other.call.holdForMessages(400);
    expect(other.call.holdForMessages(10)).toBe(true);
    expect(table.heldBytes).toBe(410);
    expect(() => other.call.checkMessage(401)).toThrow(/\(reply-bytes-max\)/);
  });

  test('a stream that ends while its message waits is told, and holds up nobody', async () => {
    const table = new CallTable(limits);
    const [holder, gone, next] = [open(table), open(table, true), open(table, true)];
    holder.call.charge(1000);
    const goneCharged = gone.call.holdForMessages(400);
    const nextCharged = next.call.holdForMessages(100);

    gone.response.emit('close');
    expect(await goneCharged).toBe(false);
    holder.call.release(100);

    expect(await nextCharged).toBe(true);
    expect(table.heldBytes).toBe(1000);
  });

  test('a stream that waits makes room by a reply that is not read, once it is old enough', async () => {
    const table = new CallTable(limits);
    const [stalled, waiter] = [open(table), open(table, true)];
    stalled.call.charge(1000);
    stalled.call.stalledSinceMs = performance.now();
    const charged = waiter.call.holdForMessages(200);
    expect(stalled.response.isDestroyed).toBe(false);

    vi.advanceTimersByTime(serverFixed.stalledReplyMs * 2);

    expect(await charged).toBe(true);
    expect(stalled.response.isDestroyed).toBe(true);
    expect(table.heldBytes).toBe(200);
  });

  test('a reply that stopped only a moment ago stays', () => {
    const table = new CallTable(limits);
    const [reader, taker] = [open(table), open(table)];
    reader.call.charge(900);
    reader.call.stalledSinceMs = performance.now();
    vi.advanceTimersByTime(serverFixed.stalledReplyMs - 1);

    expect(codeOf(() => taker.call.charge(200))).toBe('ResourceExhausted');
    expect(reader.response.isDestroyed).toBe(false);
  });
});
