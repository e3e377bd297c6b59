/** Requests and responses over a stream of HTTP/2, for the handlers that HTTP/1.1 has too. */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { serverFixed } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import type { HttpRequest, HttpResponse } from '../../../src/server/http/http-message.ts';
import { http2Exchange } from '../../../src/server/http/http2-message.ts';
import { FakeStream, headOf } from '../grpc/fake-stream.ts';

interface Exchange {
  readonly stream: FakeStream;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

const limits = { callsMax: 10, callBytesMax: 1 << 20, replyBytesMax: 1 << 20 };

function exchange(
  fields: readonly Field[] = [],
  method = 'POST',
  calls = new CallTable(limits),
  stream = new FakeStream(),
): Exchange {
  let messages: Pick<Exchange, 'request' | 'response'> | undefined;
  const head = { ...headOf('/a?b=c', fields), method };
  stream.handler = http2Exchange(stream, head, calls, (request, response) => {
    messages = { request, response };
  });
  if (messages === undefined) throw new Error('no handler was asked');
  return { stream, ...messages };
}

describe('a request', () => {
  test('has the parts of its head', () => {
    const { request } = exchange([
      ['x-list', 'a'],
      ['cookie', 'b=c'],
      ['x-list', 'd'],
      ['cookie', 'e=f'],
      ['__proto__', 'g'],
      ['host', 'another'],
    ]);

    expect([request.httpVersion, request.method, request.url]).toEqual(['2.0', 'POST', '/a?b=c']);
    expect(Object.entries(request.headers)).toEqual([
      ['host', 'kelp'],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['x-list', 'a, d'],
      ['cookie', 'b=c; e=f'],
      ['__proto__', 'g'],
    ]);
    expect('toString' in request.headers).toBe(false);
  });

  test('has its body, whatever becomes of the buffers that it came in', async () => {
    const { stream, request } = exchange();
    stream.receive(Buffer.from('ab'));
    stream.receive(Buffer.from('cd'), true);

    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);

    expect(Buffer.concat(chunks).toString()).toBe('abcd');
    expect(request.aborted).toBe(false);
  });

  test('lets its client send more only as it is read', async () => {
    const { stream, request } = exchange();
    const chunk = Buffer.alloc(16 * 1024);
    for (let count = 0; count < 16; count++) stream.receive(chunk);
    const unread = stream.consumedBytes;
    expect(unread).toBeLessThan(128 * 1024);

    request.resume();
    for (let count = 0; count < 16; count++) await new Promise(setImmediate);

    expect(stream.consumedBytes).toBe(16 * chunk.length);
  });

  test('charges to its call what has come and is not read, and nothing else; other streams may send meanwhile', async () => {
    const calls = new CallTable(limits);
    const { stream, request } = exchange([], 'POST', calls);
    const call = calls.open({ cut: () => undefined }, true);
    expect(stream.isBodyAccountedFor).toBe(false);
    request.chargeTo?.(call);
    expect(stream.isBodyAccountedFor).toBe(true);
    const chunk = Buffer.alloc(16 * 1024);
    const chargedBytes = chunk.length + serverFixed.waitingPieceBytes;
    for (let count = 1; count <= 16; count++) {
      stream.receive(chunk);
      expect([calls.heldBytes, stream.consumedBytes]).toEqual([count * chargedBytes, 0]);
    }

    const bodies = request.iterator({ destroyOnReturn: false });
    let readBytes = 0;
    while (readBytes < 16 * chunk.length) {
      readBytes += ((await bodies.next()) as IteratorYieldResult<Buffer>).value.length;
      expect(calls.heldBytes).toBe(stream.consumedBytes === 0 ? 16 * chargedBytes : 0);
    }

    expect([calls.heldBytes, stream.consumedBytes]).toEqual([0, 16 * chunk.length]);
    stream.receive(chunk);
    expect((await bodies.next()).value).toHaveLength(chunk.length);
    expect([calls.heldBytes, stream.consumedBytes]).toEqual([0, 17 * chunk.length]);
  });

  test('for which there is no memory is broken off', () => {
    const calls = new CallTable({ ...limits, callBytesMax: 40_000 });
    const { stream, request, response } = exchange([], 'POST', calls);
    request.chargeTo?.(calls.open({ cut: () => response.cut?.() }, true));
    stream.receive(Buffer.alloc(30_000));
    expect(stream.ended).toBe(undefined);

    stream.receive(Buffer.alloc(10_001));

    expect([stream.ended, calls.heldBytes]).toEqual([errorCode.ENHANCE_YOUR_CALM, 0]);
  });

  test('that comes byte by byte is charged for what the pieces take', () => {
    const calls = new CallTable({ ...limits, callBytesMax: 100 * serverFixed.waitingPieceBytes });
    const { stream, request, response } = exchange([], 'POST', calls);
    request.chargeTo?.(calls.open({ cut: () => response.cut?.() }, true));
    let count = 0;
    for (; stream.ended === undefined && count < 1000; count++) stream.receive(Buffer.alloc(1));

    expect([count, stream.ended]).toEqual([100, errorCode.ENHANCE_YOUR_CALM]);
  });

  describe('whose client waits until the server wants its body', () => {
    const expecting: readonly Field[] = [['expect', '100-Continue']];

    test('is told so when it is read, once', async () => {
      const { stream, request } = exchange(expecting);
      await new Promise(setImmediate);
      expect(stream.informed).toEqual([]);

      const body = once(request, 'data');
      await new Promise(setImmediate);
      expect(stream.informed).toEqual([{ ':status': '100' }]);

      stream.receive(Buffer.from('ab'));
      expect(await body).toEqual([Buffer.from('ab')]);
      stream.receive(Buffer.from('cd'), true);
      await once(request, 'end');
      expect(stream.informed).toHaveLength(1);
    });

    test.each<[string, (each: Exchange) => void]>([
      ['is answered without it', ({ response }) => response.end('enough')],
      [
        'is answered without it, and what comes is dropped',
        ({ request, response }) => {
          request.resume();
          response.end('enough');
        },
      ],
      ['has sent some of it by then', ({ stream }) => stream.receive(Buffer.from('ab'))],
      ['has none', ({ stream }) => stream.receiveEnd()],
    ])('is not told so when it %s', async (_, act) => {
      const each = exchange(expecting);
      act(each);
      each.request.on('data', () => undefined);
      await new Promise(setImmediate);
      expect(each.stream.informed).toEqual([]);
    });

    test('does not wait for it without that field', async () => {
      const { stream, request } = exchange([['expect', 'the unexpected']]);
      request.on('data', () => undefined);
      await new Promise(setImmediate);
      expect(stream.informed).toEqual([]);
    });
  });

  describe('whose handler asks for its body by pieces late, since it had to wait for something', () => {
    const told = (request: HttpRequest): string[] => {
      const calls: string[] = [];
      request.sendTo?.({
        data: (buffer, from, to) => void calls.push(buffer.toString('latin1', from, to)),
        end: () => void calls.push('end'),
        brokenOff: () => void calls.push('broken off'),
      });
      return calls;
    };

    test('has what came before and its end', () => {
      const { stream, request } = exchange();
      stream.receive(Buffer.from('ab'));
      stream.receive(Buffer.from('cd'), true);
      expect(told(request).join('')).toBe('abcdend');
      expect(stream.consumedBytes).toBe(4);
    });

    test('has what came before and what follows', () => {
      const { stream, request } = exchange();
      stream.receive(Buffer.from('ab'));
      const calls = told(request);
      expect(calls).toEqual(['ab']);
      stream.receive(Buffer.from('cd'), true);
      expect(calls).toEqual(['ab', 'cd', 'end']);
    });

    test('has its end, where it has no body', () => {
      const { stream, request } = exchange();
      stream.handler?.end([]);
      expect(told(request)).toEqual(['end']);
    });

    test('is told that its client is gone', () => {
      const { stream, request } = exchange();
      stream.receive(Buffer.from('ab'));
      stream.handler?.closed(errorCode.CANCEL, 'peer');
      expect(told(request)).toEqual(['broken off']);
    });
  });

  test('that is broken off has no end', async () => {
    const { stream, request } = exchange();
    let hasEnded = false;
    request.on('data', () => undefined).on('end', () => (hasEnded = true));
    stream.receive(Buffer.from('half of it'));
    const closed = once(request, 'close');

    stream.close(errorCode.CANCEL, 'peer');

    await closed;
    expect([hasEnded, request.aborted]).toEqual([false, true]);
  });
});

describe('a response', () => {
  test('has head, body and trailers, in their order', () => {
    const { stream, response } = exchange();
    stream.receiveEnd();
    let isClosed = false;
    response.once('close', () => (isClosed = true));

    response.writeHead(201, { 'Content-Type': 'text/plain' });
    expect(response.write(Buffer.from('ab'))).toBe(true);
    response.addTrailers({ 'grpc-status': '0' });
    response.end('cd');

    expect(stream.fields).toMatchObject({
      ':status': '201',
      'content-type': 'text/plain',
      date: expect.stringMatching(/GMT$/),
      'grpc-status': '0',
    });
    expect(stream.body.toString()).toBe('abcd');
    expect([response.statusCode, response.headersSent, response.writableEnded, isClosed]).toEqual([
      201,
      true,
      true,
      true,
    ]);
  });

  test('without a body is a head alone', () => {
    const { stream, response } = exchange();

    response.writeHead(204, { allow: 'GET' });
    response.end();

    expect([stream.fields[':status'], stream.written, stream.ended]).toEqual(['204', [], 'response']);
  });

  test('to HEAD has the head of a response to GET, and no body', () => {
    const { stream, response } = exchange([], 'HEAD');

    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(Buffer.from('ab'));
    response.end('cd');

    expect([stream.fields['content-type'], stream.written, stream.ended]).toEqual([
      'application/json',
      [],
      'response',
    ]);
  });

  test('of a text that its client does not take is held by a call, which may be cut', () => {
    const calls = new CallTable(limits);
    const blocked = (): Exchange => {
      const stream = new FakeStream();
      stream.isBlocked = true;
      return exchange([], 'GET', calls, stream);
    };
    const first = blocked();
    first.response.end('a text');
    expect([calls.size, calls.heldBytes]).toEqual([1, 6]);
    first.stream.drain();
    first.stream.close(errorCode.NO_ERROR, 'user');
    expect([calls.size, calls.heldBytes]).toEqual([0, 0]);

    const held = Array.from({ length: limits.callsMax }, blocked);
    for (const { response } of held) response.end('a text');
    expect(held.map(({ stream }) => stream.isClosed)).not.toContain(true);
    const last = blocked();
    last.response.end('a text');
    expect([last.stream.isClosed, calls.size]).toEqual([true, limits.callsMax]);
  });

  test('waits for its reader', async () => {
    const { stream, response } = exchange();
    stream.isBlocked = true;
    response.writeHead(200, {});
    expect(response.write(Buffer.from('ab'))).toBe(false);
    const drained = new Promise<void>((resolve) => void response.once('drain', resolve));

    stream.drain();

    await drained;
  });

  test.each([
    ['cut', errorCode.ENHANCE_YOUR_CALM],
    ['destroy', errorCode.INTERNAL_ERROR],
  ] as const)('can be broken off: %s', (how, code) => {
    const { stream, response } = exchange();
    let isClosed = false;
    response.once('close', () => (isClosed = true));
    response.writeHead(200, {});
    response.write(Buffer.from('ab'));

    response[how]?.();

    expect([stream.ended, isClosed]).toEqual([code, true]);
  });
});
