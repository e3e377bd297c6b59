import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Login, noLogin } from '../../../src/access/login/login.ts';
import { StoreError } from '../../../src/errors.ts';
import { serverFixed } from '../../../src/limits.ts';
import type { Call } from '../../../src/server/calls/call.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';

const limits = { callsMax: 3, callBytesMax: 1000, replyBytesMax: 400 };

class FakeChannel {
  readonly peer: object | undefined;
  isCut = false;

  constructor(peer?: object) {
    this.peer = peer;
  }

  cut(): void {
    this.isCut = true;
  }
}

function open(table: CallTable, isStream = false, peer?: object): { call: Call; channel: FakeChannel } {
  const channel = new FakeChannel(peer);
  return { call: table.open(channel, isStream), channel };
}

function codeOf(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error);
  }
  return undefined;
}

describe('a table of calls', () => {
  test('gives calls whose user is not known a part of its places and of its memory, until it is known or they end', async () => {
    const callsMax = 8;
    const table = new CallTable({ ...limits, callsMax });
    const places = callsMax * serverFixed.strangerCallsShareMax;
    const bytes = limits.callBytesMax * serverFixed.strangerBytesShareMax;
    const logins = Array.from({ length: places }, () => {
      const { call } = open(table);
      const login = Promise.withResolvers<Login>();
      return { call, login, loggedIn: call.logIn(login.promise) };
    });
    const [one, other] = logins as [(typeof logins)[0], (typeof logins)[0]];
    const late = open(table).call;
    await expect(late.logIn(Promise.resolve(noLogin))).rejects.toMatchObject({ code: 'limitReached' });
    expect(codeOf(() => open(table).call.lastsForStranger())).toBe('limitReached');

    one.call.chargeRequest(bytes);
    expect(codeOf(() => other.call.chargeRequest(1))).toBe('limitReached');
    late.chargeRequest(bytes);
    one.call.releaseRequest(1);
    other.call.chargeRequest(1);
    one.login.resolve(noLogin);
    await one.loggedIn;
    other.call.chargeRequest(bytes - 1);
    expect(codeOf(() => other.call.chargeRequest(1))).toBe('limitReached');
    other.call.close();

    const next = open(table).call;
    next.chargeRequest(bytes);
    next.lastsForStranger();
    expect(codeOf(() => next.chargeRequest(1))).toBe('limitReached');
    one.call.close();
    next.close();
    late.close();
    expect(table.heldBytes).toBe(0);
  });

  test('counts calls until they close', async () => {
    const table = new CallTable(limits);
    const first = open(table);
    const second = open(table);
    const empty = table.empty();

    expect(table.size).toBe(2);
    first.call.close();
    first.call.close();
    expect([table.size, first.call.isClosed, first.call.signal.aborted]).toEqual([1, true, true]);
    second.call.close();
    await empty;
    expect(table.size).toBe(0);
    await table.empty();
  });

  test('counts a call once that has left before its method begins', () => {
    const table = new CallTable(limits);
    open(table);
    const { call } = open(table);
    call.close();
    call.beginWork();
    call.endWork();

    expect(table.size).toBe(1);
  });

  test('has no room from the last call that it may have on, until one of them ends', () => {
    const table = new CallTable(limits);
    const calls = Array.from({ length: limits.callsMax }, () => {
      expect(table.makeRoom()).toBe(true);
      return open(table).call;
    });
    expect(table.makeRoom()).toBe(false);
    calls[0]?.close();
    expect(table.makeRoom()).toBe(true);
    expect(table.fullError()).toMatchObject({
      code: 'limitReached',
      message: expect.stringContaining('calls-max'),
    });
  });

  test('refuses memory beyond its limit and gives back what a closed call held', () => {
    const table = new CallTable(limits);
    const first = open(table);
    const second = open(table);

    first.call.charge(600);
    expect(codeOf(() => second.call.charge(401))).toBe('limitReached');
    second.call.charge(400);
    expect(table.heldBytes).toBe(1000);
    first.call.close();
    expect(table.heldBytes).toBe(400);
    second.call.charge(600);
  });

  describe('lets the requests of one connection', () => {
    const peer = {};
    const openThree = (): Call[] => {
      const table = new CallTable(limits);
      return [peer, peer, {}].map((each) => open(table, false, each).call);
    };

    test('fill half of its memory, and those of others the rest', () => {
      const [first, second, other] = openThree() as [Call, Call, Call];
      first.chargeRequest(300);
      second.chargeRequest(200);

      expect(() => second.chargeRequest(1)).toThrow(/half of call-bytes-max/);
      expect(second.requestBytes).toBe(200);
      other.chargeRequest(500);
    });

    test('have room again as they are read, answered or over', () => {
      const [first, second] = openThree() as [Call, Call];
      second.chargeRequest(100);
      first.chargeRequest(400);
      first.releaseRequest(100);
      second.chargeRequest(100);
      first.holdOnly(10);
      second.chargeRequest(300);
      second.requestRead();
      first.chargeRequest(500);
      first.cut();
      second.chargeRequest(500);
      second.close();
      first.chargeRequest(500);

      expect(first.requestBytes).toBe(500);
    });

    test('take all of it while there is but one', () => {
      const [first, second] = openThree() as [Call, Call];
      first.chargeRequest(900);

      expect(codeOf(() => second.chargeRequest(1))).toBe('limitReached');
      first.chargeRequest(100);
    });
  });

  test('charges nothing to a call whose client is gone', () => {
    const table = new CallTable(limits);
    const { call } = open(table);
    call.close();

    call.charge(300);
    call.chargeReply(300);

    expect(table.heldBytes).toBe(0);
  });

  test('limits one reply, and each message of a stream by itself', () => {
    const { call } = open(new CallTable(limits), true);

    call.chargeReply(400);
    expect(codeOf(() => call.chargeReply(1))).toBe('limitReached');
    call.releaseReply();
    call.chargeReply(400);
  });

  test('charges a reply as often as it is held, as far as one could be made at all', async () => {
    const table = new CallTable({ ...limits, callBytesMax: 1500 });
    const { call } = open(table, true);
    call.replyCopies = 4;
    call.chargeReply(100);
    expect(table.heldBytes).toBe(400);
    call.chargeReply(100);
    expect(table.heldBytes).toBe(750);
    call.releaseReply();
    expect(table.heldBytes).toBe(0);

    expect(await call.holdForMessages(50)).toBe(true);
    expect(table.heldBytes).toBe(200);
    expect(await call.holdForMessages(400)).toBe(true);
    expect(table.heldBytes).toBe(750);
    expect(await call.holdForMessages(10)).toBe(true);
    expect(table.heldBytes).toBe(40);
    expect(codeOf(() => call.chargeReply(391))).toBe('limitReached');
  });

  test('holds of a reply that is made no more than that', () => {
    const table = new CallTable(limits);
    const { call } = open(table);
    call.charge(500);
    call.holdOnly(90);
    call.holdOnly(100);
    expect(table.heldBytes).toBe(90);
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
    stalled.call.setStalled(true);
    unary.call.setStalled(true);

    table.cutStalledStreams();

    expect([stalled, stream, unary].map(({ channel }) => channel.isCut)).toEqual([true, false, false]);
  });
});

describe('a full table', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** A call that ends when it is cut, as those of real channels do. */
  function openEnding(table: CallTable): { call: Call; isCut: () => boolean } {
    let isCut = false;
    const cut = (): void => {
      isCut = true;
      call.close();
    };
    const call = table.open({ cut }, false);
    return { call, isCut: () => isCut };
  }

  test('takes a call for which the reply ends that has not been read for longest, whatever memory that holds', () => {
    const table = new CallTable(limits);
    const [younger, older, reader] = [openEnding(table), openEnding(table), openEnding(table)];
    older.call.setStalled(true);
    vi.advanceTimersByTime(10);
    younger.call.setStalled(true);
    vi.advanceTimersByTime(serverFixed.stalledReplyMs);
    const areCut = (): boolean[] => [older, younger, reader].map(({ isCut }) => isCut());

    expect(table.makeRoom()).toBe(true);
    expect(areCut()).toEqual([true, false, false]);
    expect(table.makeRoom()).toBe(true);
    expect(areCut()).toEqual([true, false, false]);
    open(table);
    expect(table.makeRoom()).toBe(true);
    open(table);
    expect(areCut()).toEqual([true, true, false]);
    expect(table.makeRoom()).toBe(false);
  });

  test('cuts no reply that stopped only a moment ago', () => {
    const table = new CallTable(limits);
    const calls = [openEnding(table), openEnding(table), openEnding(table)];
    for (const { call } of calls) call.setStalled(true);
    vi.advanceTimersByTime(serverFixed.stalledReplyMs - 1);

    expect(table.makeRoom()).toBe(false);
    expect(calls.some(({ isCut }) => isCut())).toBe(false);
  });

  test('is made no fuller by the calls that wait to be refused', () => {
    const table = new CallTable(limits);
    const calls = Array.from({ length: limits.callsMax + 1 }, () => open(table).call);
    table.mayRefuseLater();
    expect(table.makeRoom()).toBe(false);

    calls[0]?.close();

    expect(table.makeRoom()).toBe(true);
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
    older.call.setStalled(true);
    vi.advanceTimersByTime(10);
    younger.call.setStalled(true);
    vi.advanceTimersByTime(serverFixed.stalledReplyMs);

    taker.call.charge(500);

    expect([older.channel.isCut, younger.channel.isCut]).toEqual([true, false]);
    expect(table.heldBytes).toBe(900);
    // Its end gives nothing back twice.
    older.call.close();
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

    gone.call.close();
    expect(await goneCharged).toBe(false);
    holder.call.release(100);

    expect(await nextCharged).toBe(true);
    expect(table.heldBytes).toBe(1000);
  });

  test('streams that hold something and want more do not wait for each other', async () => {
    const table = new CallTable(limits);
    const streams = [open(table, true), open(table, true), open(table, true)];
    for (const { call } of streams) await call.holdForMessages(330);

    const done = streams.map(async ({ call }) => {
      const isHeld = await call.holdForMessages(400);
      // The message is made and sent.
      await call.holdForMessages(0);
      return isHeld;
    });

    expect(await Promise.all(done)).toEqual([true, true, true]);
    expect(table.heldBytes).toBe(0);
  });

  test('a stream that ends while it waits for more than it holds is given nothing of that', async () => {
    const table = new CallTable(limits);
    const [holder, stream] = [open(table), open(table, true)];
    holder.call.charge(700);
    await stream.call.holdForMessages(300);
    const more = stream.call.holdForMessages(400);

    stream.call.close();

    expect(await more).toBe(false);
    expect(table.heldBytes).toBe(700);
  });

  test('a stream that waits makes room by a reply that is not read, once it is old enough', async () => {
    const table = new CallTable(limits);
    const [stalled, waiter] = [open(table), open(table, true)];
    stalled.call.charge(1000);
    stalled.call.setStalled(true);
    const charged = waiter.call.holdForMessages(200);
    expect(stalled.channel.isCut).toBe(false);

    vi.advanceTimersByTime(serverFixed.stalledReplyMs * 2);

    expect(await charged).toBe(true);
    expect(stalled.channel.isCut).toBe(true);
    expect(table.heldBytes).toBe(200);
  });

  test('a reply that stopped only a moment ago stays', () => {
    const table = new CallTable(limits);
    const [reader, taker] = [open(table), open(table)];
    reader.call.charge(900);
    reader.call.setStalled(true);
    vi.advanceTimersByTime(serverFixed.stalledReplyMs - 1);

    expect(codeOf(() => taker.call.charge(200))).toBe('limitReached');
    expect(reader.channel.isCut).toBe(false);
  });
});
