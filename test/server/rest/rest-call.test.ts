/** A call of REST among all calls: what it holds, and what becomes of it when its client does not read. */
import { CallMeter } from '../../../src/server/metrics/calls/call-meter.ts';
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { Deadlines } from '../../../src/deadlines.ts';
import { StoreError } from '../../../src/errors.ts';
import { grpcCode } from '../../../src/grpc-code.ts';
import { serverFixed } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import type { HttpRequest, HttpResponse } from '../../../src/server/http/http-message.ts';
import type { CallEnd } from '../../../src/server/rest/call-end.ts';
import { problemJson } from '../../../src/server/rest/problem.ts';
import { RestCall } from '../../../src/server/rest/rest-call.ts';

const PIECE = serverFixed.restPieceBytes;

/** Takes nothing until it is drained. */
class FakeResponse extends EventEmitter implements HttpResponse {
  headersSent = false;
  statusCode = 0;
  writableEnded = false;
  writableLength = 0;
  closed = false;
  isDestroyed = false;
  /** Takes all at once. */
  isOpen: boolean;
  readonly written: Uint8Array[] = [];

  constructor(isOpen: boolean) {
    super();
    this.isOpen = isOpen;
  }

  appendHeader(): void {}

  writeHead(status: number): void {
    this.headersSent = true;
    this.statusCode = status;
  }

  write(chunk: Uint8Array): boolean {
    this.written.push(chunk);
    if (!this.isOpen) this.writableLength += chunk.length;
    return this.isOpen;
  }

  addTrailers(): void {}

  end(body: string | Uint8Array = ''): void {
    if (body.length > 0) this.write(Buffer.from(body));
    this.writableEnded = true;
    if (this.writableLength === 0) this.close();
  }

  drain(): void {
    this.writableLength = 0;
    if (this.writableEnded) this.close();
    else this.emit('drain');
  }

  destroy(): void {
    this.isDestroyed = true;
    this.close();
  }

  close(): void {
    this.closed = true;
    this.emit('close');
  }
}

interface Opened {
  readonly call: RestCall;
  readonly calls: CallTable;
  readonly response: FakeResponse;
  readonly ends: CallEnd[];
  readonly unforeseen: unknown[];
}

function opened({ isOpen = false, callBytesMax = 16 * PIECE, method = 'GET' } = {}): Opened {
  const calls = new CallTable({ callsMax: 10, callBytesMax, replyBytesMax: callBytesMax });
  const response = new FakeResponse(isOpen);
  const ends: CallEnd[] = [];
  const unforeseen: unknown[] = [];
  const request = { method, headers: {}, socket: {}, httpVersion: '1.1' } as unknown as HttpRequest;
  const call = new RestCall(
    {
      store: () => undefined,
      calls,
      deadlines: new Deadlines(systemClock),
      requestTimeoutMs: 1000,
      writeProblem: (failed, problem) => failed.send(problem.status, [], problemJson(problem)),
      onUnforeseen: (_, error) => unforeseen.push(error),
      onEnd: (end) => ends.push(end),
    },
    request,
    response,
    { name: 'GET /a', meter: new CallMeter('rest', 'Put'), parameter: '', isStream: false, isProbe: false },
  );
  return { call, calls, response, ends, unforeseen };
}

describe('a whole reply', () => {
  test('that is taken at once holds nothing, and ends the call', () => {
    const { call, calls, ends } = opened({ isOpen: true });
    call.send(200, [], Buffer.alloc(100));
    expect([calls.size, calls.heldBytes]).toEqual([0, 0]);
    expect(ends).toMatchObject([
      { name: 'GET /a', code: grpcCode.Ok, status: 200, bytesIn: 0, bytesOut: 100 },
    ]);
  });

  test('that is short is held while it is not read', () => {
    const { call, calls, response, ends } = opened();
    call.send(200, [], Buffer.alloc(100));
    expect([calls.size, calls.heldBytes, call.call.stalledSinceMs === undefined]).toEqual([1, 100, false]);
    response.drain();
    expect([calls.size, calls.heldBytes, ends.length]).toEqual([0, 0, 1]);
  });

  test('that is long leaves piece by piece, as it is read, without a copy', () => {
    const { call, calls, response, ends } = opened();
    const body = Buffer.alloc(3 * PIECE + 7, 'kelp');
    // What the request has taken is given back as the reply begins.
    call.call.chargeRequest(PIECE);
    call.call.chargeReply(body.length);
    call.send(200, [], body);
    for (let count = 1; count <= 3; count++) {
      expect([response.written.length, calls.heldBytes, call.call.stalledSinceMs === undefined]).toEqual([
        count,
        body.length,
        false,
      ]);
      response.drain();
    }
    expect(Buffer.concat(response.written).equals(body)).toBe(true);
    expect(response.written.every(({ buffer }) => buffer === body.buffer)).toBe(true);
    expect([response.writableEnded, calls.size]).toEqual([true, 1]);
    response.drain();
    expect([calls.size, calls.heldBytes, ends[0]?.bytesOut]).toEqual([0, 0, body.length]);
  });

  test('that finds no memory to wait in is broken off', () => {
    const { call, calls, response } = opened({ callBytesMax: 99 });
    call.send(200, [], Buffer.alloc(100));
    expect([response.isDestroyed, calls.size, calls.heldBytes]).toEqual([true, 0, 0]);
  });

  test('whose client goes away is over', () => {
    const { call, calls, response, ends } = opened();
    call.send(200, [], Buffer.alloc(2 * PIECE));
    response.close();
    response.drain();
    expect([response.written.length, calls.size, calls.heldBytes, ends.length]).toEqual([1, 0, 0, 1]);
  });

  test('to HEAD has no body', () => {
    const { call, response, ends } = opened({ isOpen: true, method: 'HEAD' });
    call.send(200, [], 'text');
    expect([response.written, ends[0]?.bytesOut]).toEqual([[], 0]);
  });

  test('is given once', () => {
    const { call, response } = opened();
    call.send(200, [], 'first');
    call.send(500, [], 'second');
    expect([response.statusCode, response.written.length]).toEqual([200, 1]);
  });
});

describe('a stream of replies', () => {
  test('goes on when what was written has left', () => {
    const { call, calls, response, ends } = opened();
    let drained = 0;
    call.beginStream(200, [], () => drained++);
    expect(call.write(Buffer.alloc(50))).toBe(false);
    expect([calls.heldBytes, drained]).toEqual([50, 0]);
    response.drain();
    expect([calls.heldBytes, drained, call.call.stalledSinceMs]).toEqual([0, 1, undefined]);
    response.isOpen = true;
    expect(call.write(Buffer.alloc(50))).toBe(true);
    call.endStream();
    expect(ends).toMatchObject([{ code: grpcCode.Ok, bytesOut: 100 }]);
  });

  test('that fails is broken off', () => {
    const { call, response, ends } = opened({ isOpen: true });
    call.beginStream(200, [], () => undefined);
    call.write(Buffer.alloc(5));
    call.fail(new StoreError('closed', 'the store is closed'));
    expect([response.isDestroyed, response.writableEnded, ends.length]).toEqual([true, false, 1]);
    expect(call.write(Buffer.alloc(5))).toBe(false);
  });
});

describe('a call that fails', () => {
  test('is answered by its problem, and its end tells the outcome', () => {
    const { call, ends, unforeseen } = opened({ isOpen: true });
    call.fail(new StoreError('keyNotFound', 'there is no such key'));
    expect(ends).toMatchObject([{ code: grpcCode.NotFound, status: 404 }]);
    expect([unforeseen, call.call.abortReason]).toMatchObject([[], { code: 'keyNotFound' }]);
  });

  test('by a fault of our own tells nothing of it to its client, and all to the log', () => {
    const { call, response, unforeseen } = opened({ isOpen: true });
    const fault = new Error('a secret');
    call.fail(fault);
    expect(unforeseen).toEqual([fault]);
    expect(JSON.parse(Buffer.concat(response.written).toString())).toEqual({
      type: 'urn:kelpdb:error:internal',
      title: 'Internal Server Error',
      status: 500,
      detail: 'internal error; the log of the server has more',
      code: 'internal',
    });
  });

  test('is canceled when its client was gone before', () => {
    const { call, response, ends } = opened();
    response.close();
    call.fail(new StoreError('closed', 'the store is closed'));
    expect([ends.length, ends[0]?.code, response.written]).toEqual([1, grpcCode.Canceled, []]);
  });
});
