/** What gRPC clients find in `grpc-message`: nothing is escaped but what gRPC asks for, on every way out of the server. */
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import type { ServiceError } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { create, toBinary } from '@bufbuild/protobuf';
import { KvService, PutRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseServiceGetRequestSchema, LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { WatchRequestSchema, WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { encodeGrpcMessage } from '../../../src/server/http/grpc-message.ts';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { GrpcJsClient } from '../../support/grpc-js-client.ts';
import { type TestServer, startTestServer } from '../../support/test-server.ts';
import { failureOf } from '../../client/support/fake-server.ts';

describe('a message', () => {
  test.each([
    ['a;b, c: d/e?f=g&h "i" ~', 'a;b, c: d/e?f=g&h "i" ~'],
    ['100 %', '100 %25'],
    ['grün 😀', 'gr%C3%BCn %F0%9F%98%80'],
    ['two\r\nlines\x7f', 'two%0D%0Alines%7F'],
    [' at both ends ', '%20at both ends%20'],
    ['half a pair \ud83d', 'half a pair %EF%BF%BD'],
  ])('%j is sent as %s', (text, sent) => {
    expect(encodeGrpcMessage(text)).toBe(sent);
  });

  test('is the same again when it is decoded, and fit for a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const sent = encodeGrpcMessage(text);
        expect(sent).toMatch(/^[ -~]*$/);
        expect(decodeURIComponent(sent)).toBe(text.toWellFormed());
      }),
    );
  });
});

describe('on the wire', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });

  const put = toBinary(PutRequestSchema, create(PutRequestSchema, { key: 'a', leaseId: 5n }));
  const lease = toBinary(LeaseServiceGetRequestSchema, create(LeaseServiceGetRequestSchema, { leaseId: 5n }));
  const watch = toBinary(WatchRequestSchema, create(WatchRequestSchema, { startRevision: -1n }));
  const noLease = 'there is no lease 5; it may have expired';
  const badRevision = 'start_revision is -1; it must be 0 to 9007199254740991';
  /** Its unknown field is told about. */
  const json = Buffer.from('{"a;b, c: ü😀%\\n":1}');
  const unknownField = /a;b, c: %C3%BC%F0%9F%98%80%25(%0A|\\n)/;
  const putPath = '/kelp.v1.KvService/Put';
  const leasePath = '/kelp.v1.LeaseService/Get';
  const watchPath = '/kelp.v1.WatchService/Watch';

  test.each([
    ['a unary call on the short way', putPath, 'application/grpc', put, noLease],
    ['a unary call on the way for all', leasePath, 'application/grpc', lease, noLease],
    ['a unary call in JSON', putPath, 'application/grpc+json', json, unknownField],
    ['a stream', watchPath, 'application/grpc', watch, badRevision],
    [
      'an unknown call',
      '/kelp.v1.KvService/Fly;,:',
      'application/grpc',
      put,
      /at \/kelp.v1.KvService\/Fly;,:; s/,
    ],
  ])('%s of gRPC has it', async (_, path, contentType, message, text) => {
    const stream = post(await openSession(server.url), path, contentType);
    stream.end(encodeEnvelope(0, message));
    const { headers } = await replyOf(stream);
    expect(headers['grpc-message']).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
  });

  test.each([
    ['a unary call', leasePath, 'application/grpc-web', lease, noLease],
    ['a unary call in JSON', putPath, 'application/grpc-web+json', json, unknownField],
    ['a stream', watchPath, 'application/grpc-web', watch, badRevision],
  ])('%s of gRPC-Web has it in its body', async (_, path, contentType, message, text) => {
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: encodeEnvelope(0, message),
    });
    const body = Buffer.from(await response.arrayBuffer());
    expect([body[0], body.readUInt32BE(1)]).toEqual([0x80, body.length - 5]);
    const [line = ''] = /^grpc-message: .*$/m.exec(body.toString('latin1', 5)) ?? [];
    expect(line.replace('grpc-message: ', '')).toEqual(
      typeof text === 'string' ? text : expect.stringMatching(text),
    );
  });

  test('grpc-js tells it as it was written', async () => {
    const client = new GrpcJsClient(server.address);
    const details = async (call: Promise<unknown>): Promise<string> =>
      ((await failureOf(call)) as ServiceError).details;
    expect(await details(client.unary(KvService.method.put, { key: 'a', leaseId: 5n }))).toBe(noLease);
    expect(await details(client.unary(LeaseService.method.get, { leaseId: 5n }))).toBe(noLease);
    const stream = client.serverStream(WatchService.method.watch, { startRevision: -1n });
    expect(await details(stream.toArray())).toBe(badRevision);
  });
});
