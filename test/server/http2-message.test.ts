/** Requests and responses over a stream of HTTP/2, for the handlers that HTTP/1.1 has too. */
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { errorCode } from '../../src/http2/error-code.ts';
import type { Field } from '../../src/http2/fields.ts';
import type { HttpRequest, HttpResponse } from '../../src/server/http/http-message.ts';
import { http2Exchange } from '../../src/server/http/http2-message.ts';
import { FakeStream, headOf } from './fake-stream.ts';

interface Exchange {
  readonly stream: FakeStream;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

function exchange(fields: readonly Field[] = [], method = 'POST'): Exchange {
  const stream = new FakeStream();
  let messages: Pick<Exchange, 'request' | 'response'> | undefined;
  stream.handler = http2Exchange(stream, { ...headOf('/a?b=c', fields), method }, (request, response) => {
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
