/**
 * What calls hold of their requests: streams, whose messages wait for memory, nothing, or they would wait for each other; and the
 * calls of one connection no more than a part of what there is.
 */
import { create } from '@bufbuild/protobuf';
import { type Transport, createClient } from '@connectrpc/connect';
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { KvService, ScanStreamRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { WatchRequestSchema, WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { serverDefaults } from '../../../src/limits.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { BodyBuffer } from '../../../src/server/http/body-buffer.ts';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../../support/test-server.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const VALUE_BYTES = 1400 * KiB;
/** A request takes up to twice its length as it comes: one alone fits, but not beside the value. */
const PADDING_BYTES = 900 * KiB;
const CALL_BYTES = 2 * MiB;
/** A field that no version has had. */
const $unknown = [{ no: 1000, wireType: 2, data: paddingField() }];

function paddingField(): Uint8Array {
  // The length, as a varint, and so many bytes.
  const length = [(PADDING_BYTES & 0x7f) | 0x80, ((PADDING_BYTES >> 7) & 0x7f) | 0x80, PADDING_BYTES >> 14];
  return Buffer.concat([Buffer.from(length), Buffer.alloc(PADDING_BYTES)]);
}

/** There is memory for one of them, or for the value. */
async function serverWithValue(): Promise<TestServer> {
  const flags = {
    'data-dir': await temporaryDirectory(),
    'value-bytes-max': `${VALUE_BYTES}`,
    'txn-bytes-max': '2MiB',
    'request-bytes-max': '2MiB',
    'reply-bytes-max': '2MiB',
  };
  const filled = await startTestServer({ flags });
  const kv = createClient(KvService, createGrpcTransport({ baseUrl: filled.url }));
  await kv.put({ key: 'a', value: Buffer.alloc(VALUE_BYTES) });
  await filled.stop();
  return startTestServer({ flags: { ...flags, 'call-bytes-max': `${CALL_BYTES}` } });
}

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
  'compressed gRPC': (baseUrl) => createGrpcTransport({ baseUrl, sendCompression: compressionGzip }),
  'gRPC-Web': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  Connect: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '2' }),
  'Connect over HTTP/1.1': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
};

describe.each(Object.entries(transports))('a stream with a long request, over %s,', (_, makeTransport) => {
  test('has its entries, though there is no memory for them beside the request', async () => {
    const server = await serverWithValue();
    const kv = createClient(KvService, makeTransport(server.url));
    const request = Object.assign(create(ScanStreamRequestSchema), { $unknown });

    for await (const { entries } of kv.scanStream(request)) expect(entries).toHaveLength(1);
  });

  test('has its events, though there is no memory for them beside the request', async () => {
    const server = await serverWithValue();
    const transport = makeTransport(server.url);
    const request = Object.assign(create(WatchRequestSchema, { startRevision: 1n }), { $unknown });

    for await (const { message } of createClient(WatchService, transport).watch(request)) {
      expect(message.case).toBe('events');
      break;
    }
  });
});

test('requests that are never whole, of one connection, leave memory for those of others', async () => {
  const server = await startTestServer({
    flags: {
      'call-bytes-max': '4MiB',
      'reply-bytes-max': '1MiB',
      'request-bytes-max': '1MiB',
      'value-bytes-max': '64KiB',
      'txn-bytes-max': '128KiB',
    },
  });
  const greedy = await openSession(server.url);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(500 * KiB, 1);
  const replies = Array.from({ length: 20 }, () => {
    const stream = post(greedy, '/kelp.v1.KvService/Put', 'application/grpc');
    stream.write(Buffer.concat([head, Buffer.alloc(400 * KiB)]));
    return replyOf(stream);
  });

  const { headers } = await Promise.race(replies);
  expect(headers['grpc-message']).toMatch(/requests of this connection .* call-bytes-max/);

  const kv = createClient(KvService, createGrpcTransport({ baseUrl: server.url }));
  await kv.put({ key: 'a', value: Buffer.alloc(60 * KiB) });
});

describe('the buffer of a body', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const call = new CallTable(serverDefaults).open({ cut: () => undefined }, true);

  /** What was taken out of a buffer, which still has the rest. */
  function takeFrom(buffer: BodyBuffer, length: number): WeakRef<ArrayBufferLike> {
    return new WeakRef(buffer.take(length).buffer);
  }

  test.each([
    ['nothing', 0],
    ['the beginning of the next message', 10],
  ])('keeps nothing of what was taken and is done with, when %s has followed', async (_, restBytes) => {
    const buffer = new BodyBuffer(call);
    buffer.append(Buffer.allocUnsafeSlow(10_000));
    buffer.appendCopy(Buffer.alloc(restBytes), 0, restBytes);
    const taken = takeFrom(buffer, 10_000);
    buffer.release();

    await new Promise<void>((resolve) => setImmediate(resolve));
    collect();

    expect(taken.deref()).toBeUndefined();
    expect([buffer.length, call.requestBytes]).toEqual([restBytes, restBytes]);
    call.requestRead();
  });
});
