/** What the client makes of a reply: "gRPC over HTTP2", and "HTTP to gRPC Status Code Mapping". */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { ErrorDetailSchema, ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { client as limits } from '../../../src/limits.ts';
import { eventually } from '../../support/eventually.ts';
import { failureOf } from '../support/fake-server.ts';
import {
  type Respond,
  clientOfServer,
  framed,
  getReply,
  grpcHead,
  respondWith,
  respondWithHead,
} from '../support/grpc-server.ts';

const ok = { 'grpc-status': '0' };

async function getFailure(respond: Respond): Promise<unknown> {
  return failureOf((await clientOfServer(respond)).get('a'));
}

async function putFailure(respond: Respond): Promise<unknown> {
  return failureOf((await clientOfServer(respond)).put('a', '1'));
}

describe('a request', () => {
  test('has the headers of gRPC, asks for no compression, and tells its timeout', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const client = await clientOfServer((stream, headers) => {
      seen.push(headers);
      respondWith(grpcHead, [framed(getReply())], ok)(stream, headers);
    });
    await client.get('a');
    await client.get('a', { deadlineMs: 1234.5 });
    await client.get('a', { deadlineMs: 1e12 });
    expect(seen[0]).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/kelp.v1.KvService/Get',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${limits.deadlineMs}m`,
    });
    expect(seen[0]).not.toHaveProperty('grpc-accept-encoding');
    expect(seen.map((headers) => headers['grpc-timeout'])).toEqual(['10000m', '1235m', '99999999m']);
  });

  test('is one message, with nothing behind it', async () => {
    const bodies: Buffer[] = [];
    const client = await clientOfServer((stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        respondWith(grpcHead, [framed(getReply())], ok)(stream, headers);
      });
    });
    await client.get('key');
    expect(bodies).toEqual([framed(Buffer.from('\x0a\x03key'))]);
  });

  test.each<[string, (client: Awaited<ReturnType<typeof clientOfServer>>, signal: AbortSignal) => unknown]>([
    ['its signal is aborted', (client, signal) => client.get('a', { signal })],
    ['its deadline has passed', (client) => client.get('a', { deadlineMs: 30 })],
  ])('is ended with CANCEL when %s', async (_, call) => {
    const codes: (number | undefined)[] = [];
    let begun = 0;
    const client = await clientOfServer((stream) => {
      begun++;
      stream.on('close', () => codes.push(stream.rstCode));
    });
    const controller = new AbortController();
    const failure = failureOf(call(client, controller.signal) as Promise<unknown>);
    await eventually(() => begun).toBe(1);
    controller.abort();
    expect(await failure).toMatchObject({ code: expect.stringMatching(/canceled|deadlineExceeded/) });
    await eventually(() => codes).toEqual([8]);
  });

  test('whose signal was aborted before is not sent', async () => {
    let begun = 0;
    const client = await clientOfServer(() => begun++);
    const failure = await failureOf(client.put('a', '1', { signal: AbortSignal.abort() }));
    expect(failure).toMatchObject({ code: 'canceled', mayHaveTakenEffect: false });
    await nextTurn();
    expect(begun).toBe(0);
  });
});

describe('a reply', () => {
  test('is read whatever the pieces in which it comes', async () => {
    const whole = framed(getReply(123_456));
    for (let cut = 1; cut < whole.length; cut++) {
      const pieces = [whole.subarray(0, cut), whole.subarray(cut)];
      const client = await clientOfServer((stream) => {
        stream.respond(grpcHead, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers(ok));
        stream.write(pieces[0], () => setImmediate(() => stream.end(pieces[1])));
      });
      expect(await client.get('a')).toMatchObject({ revision: 123_456 });
      client.close();
    }
  });

  test.each(['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8'])(
    'may have the type %s',
    async (type) => {
      const head = { ...grpcHead, 'content-type': type };
      const client = await clientOfServer(respondWith(head, [framed(getReply())], ok));
      expect(await client.get('a')).toMatchObject({ revision: 7 });
    },
  );

  test.each<[string, Respond, RegExp]>([
    ['without a message', respondWith(grpcHead, [], ok), /no message/],
    ['with two', respondWith(grpcHead, [framed(getReply()), framed(getReply())], ok), /more than one/],
    [
      'that ends within one',
      respondWith(grpcHead, [framed(getReply()).subarray(0, 6)], ok),
      /within a message/,
    ],
    ['that ends within a prefix', respondWith(grpcHead, [Buffer.from([0, 0])], ok), /within a message/],
    ['that is compressed', respondWith(grpcHead, [framed(getReply(), 1)], ok), /compressed/],
    [
      'that is no message of its type',
      respondWith(grpcHead, [framed(Buffer.from([0xff]))], ok),
      /KelpDB server\?/,
    ],
    [
      'whose status is none',
      respondWith(grpcHead, [framed(getReply())], { 'grpc-status': 'x' }),
      /which is none/,
    ],
    ['whose status is not known', respondWith(grpcHead, [], { 'grpc-status': '17' }), /which is none/],
    ['without trailers', respondWith(grpcHead, [framed(getReply())], {}), /without its status/],
  ])('%s is a defect', async (_, respond, message) => {
    const failure = { code: 'internal', message: expect.stringMatching(message) };
    expect(await getFailure(respond)).toMatchObject({ ...failure, mayHaveTakenEffect: false });
    expect(await putFailure(respond)).toMatchObject({ ...failure, mayHaveTakenEffect: true });
  });

  test('that is longer than the client reads is refused at its first bytes', async () => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(limits.messageBytesMax + 1, 1);
    const failure = await getFailure((stream) => {
      stream.respond(grpcHead);
      stream.write(prefix);
    });
    expect(failure).toMatchObject({
      code: 'limitReached',
      message: `the reply has ${limits.messageBytesMax + 1} bytes; the client reads at most ${limits.messageBytesMax}`,
    });
  });

  test('that is longer than what a stream may hold comes whole', async () => {
    const value = Buffer.alloc(3 * limits.streamWindowBytes, 'kelp');
    const entry = Buffer.concat([Buffer.from([0x0a, 0x01, 0x61, 0x12]), varint(value.length), value]);
    const message = Buffer.concat([Buffer.from([0x0a]), varint(entry.length), entry]);
    const client = await clientOfServer(respondWith(grpcHead, [framed(message)], ok));
    const { entry: got } = await client.get('a');
    expect(Buffer.compare(got?.value ?? Buffer.alloc(0), value)).toBe(0);
  });
});

describe('a status', () => {
  const notFound = { 'grpc-status': '5', 'grpc-message': 'no%20k%C3%A9y' };

  test.each<[string, Respond]>([
    ['in the trailers', respondWith(grpcHead, [], notFound)],
    ['in the head', respondWithHead({ ...grpcHead, ...notFound })],
    ['in the head of another HTTP status', respondWithHead({ ...grpcHead, ...notFound, ':status': 500 })],
  ])('%s is told, with its message decoded', async (_, respond) => {
    const failure = await getFailure(respond);
    expect(failure).toMatchObject({ code: 'internal', message: 'no kéy', cause: { code: 5 } });
  });

  test('whose message is encoded badly is shown as it is', async () => {
    const trailers = { 'grpc-status': '3', 'grpc-message': '100%' };
    expect(await getFailure(respondWith(grpcHead, [], trailers))).toMatchObject({
      code: 'invalidArgument',
      message: '100%',
    });
  });

  /** A `google.rpc.Status` in its header. */
  function details(message: string, ...anys: Uint8Array[]): OutgoingHttpHeaders {
    const bytes = Buffer.concat([
      Buffer.from([0x08, 9, 0x12]),
      varint(message.length),
      Buffer.from(message),
      ...anys.flatMap((any) => [Buffer.from([0x1a]), varint(any.length), any]),
    ]);
    const text = bytes.toString('base64').replaceAll('=', '');
    return { 'grpc-status': '9', 'grpc-message': 'cut', 'grpc-status-details-bin': text };
  }

  function any(typeUrl: string, value: Uint8Array): Uint8Array {
    return Buffer.concat([
      Buffer.from([0x0a]),
      varint(typeUrl.length),
      Buffer.from(typeUrl),
      Buffer.from([0x12]),
      varint(value.length),
      value,
    ]);
  }

  const detail = create(ErrorDetailSchema, {
    reason: ErrorReason.CONDITION_FAILED,
    info: { case: 'conditionFailed', value: { currentModRevision: 12n } },
  });

  test('with the details of KelpDB is told by them, and by their longer message', async () => {
    const packed = anyPack(ErrorDetailSchema, detail);
    const bytes = any(packed.typeUrl, packed.value);
    const foreign = any('type.googleapis.com/google.rpc.RetryInfo', Buffer.from([1, 2, 3]));
    const trailers = details('the whole text', foreign, bytes, foreign);
    expect(await putFailure(respondWith(grpcHead, [], trailers))).toMatchObject({
      code: 'conditionFailed',
      message: 'the whole text',
      details: { currentModRevision: 12 },
      mayHaveTakenEffect: false,
    });
  });

  test('that says when to try again is told so', async () => {
    const limit = create(ErrorDetailSchema, { reason: ErrorReason.LIMIT_REACHED });
    const packed = anyPack(ErrorDetailSchema, limit);
    const retryInfo = Buffer.concat([Buffer.from([0x0a, 2, 0x08]), varint(60)]);
    const trailers = details(
      'busy',
      any('type.googleapis.com/google.rpc.RetryInfo', retryInfo),
      any(packed.typeUrl, packed.value),
    );
    // There is no time for it.
    expect(await putFailure(respondWith(grpcHead, [], trailers))).toMatchObject({
      code: 'limitReached',
      retryAfterMs: 60_000,
      mayHaveTakenEffect: false,
    });
  });

  test.each<[string, OutgoingHttpHeaders]>([
    ['that are of others', details('', any('type.googleapis.com/a.B', toBinary(ErrorDetailSchema, detail)))],
    ['that are malformed', details('', Buffer.from([0xff]))],
    ['that are no base64', { ...details(''), 'grpc-status-details-bin': '!!' }],
    ['that can not be read', details('', any('x/kelp.v1.ErrorDetail', Buffer.from([0x12, 0x05])))],
  ])('with details %s is told by its code', async (_, trailers) => {
    expect(await putFailure(respondWith(grpcHead, [], trailers))).toMatchObject({
      code: 'internal',
      message: 'cut',
      cause: { code: 9 },
      mayHaveTakenEffect: true,
    });
  });
});

describe('an answer that is no gRPC', () => {
  test.each([
    [400, 'internal'],
    [401, 'unauthenticated'],
    [403, 'permissionDenied'],
    [404, 'unimplemented'],
    [429, 'unavailable'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [504, 'unavailable'],
    [418, 'internal'],
  ])('with the status %i is the error %s', async (status, code) => {
    const head = { ':status': status, 'content-type': 'text/html' };
    const failure = await getFailure(respondWith(head, [Buffer.from('<html>')], {}));
    expect(failure).toMatchObject({ code, message: expect.stringContaining(`HTTP ${status}`) });
  });

  test.each([
    [{ ':status': 200, 'content-type': 'text/html' }, /it is of type "text\/html"/],
    [{ ':status': 200, 'content-type': 'application/grpc-web' }, /it is of type "application\/grpc-web"/],
    [{ ':status': 200 }, /without a content type/],
  ])('is told by its type: %j', async (head, message) => {
    const failure = await getFailure(respondWith(head, [Buffer.from('<html>')], ok));
    expect(failure).toMatchObject({ code: 'internal', message: expect.stringMatching(message) });
  });
});

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
