/** A part of a request can have two bytes, and takes a hundred times as many once it is decoded. */
import { gzipSync } from 'node:zlib';
import { type MessageInitShape, create, toBinary, toJsonString } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { type Operation, TxnRequestSchema } from '../../gen/kelp/v1/kv_pb.ts';
import { fixed, serverFixed } from '../../src/limits.ts';
import { checkBinaryParts, checkJsonParts } from '../../src/server/calls/request-parts.ts';
import { openSession, post, replyOf } from '../support/bare-http2.ts';
import { type TestServer, startTestServer } from '../support/test-server.ts';
import { encodePayload } from '../wire/records.ts';

const TXN_PATH = '/kelp.v1.KvService/Txn';
const { requestPartsMax } = serverFixed;
/** An empty compare: a tag and a length of 0. */
const EMPTY_PART = Buffer.from([0x0a, 0]);
const MANY = 1_000_000;

async function statusOf(
  { url }: TestServer,
  contentType: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const stream = post(await openSession(url), TXN_PATH, contentType, headers);
  stream.end(body);
  return (await replyOf(stream)).headers;
}

describe('a million parts are refused before they are decoded', () => {
  const binary = Buffer.alloc(2 * MANY, EMPTY_PART);
  // RESOURCE_EXHAUSTED is 429 in HTTP.
  const refused = { ':status': 429 };

  test('over gRPC', async () => {
    const server = await startTestServer();
    const prefix = Buffer.from([0, 0, 0, 0, 0]);
    prefix.writeUInt32BE(binary.length, 1);

    const headers = await statusOf(server, 'application/grpc', Buffer.concat([prefix, binary]));

    expect(headers).toMatchObject({ 'grpc-status': String(status.RESOURCE_EXHAUSTED) });
  });

  test('compressed', async () => {
    const server = await startTestServer();
    const headers = { 'content-encoding': 'gzip' };

    expect(await statusOf(server, 'application/proto', gzipSync(binary), headers)).toMatchObject(refused);
  });

  test('as JSON', async () => {
    const server = await startTestServer();
    const json = Buffer.concat([
      Buffer.from('{"compares":['),
      Buffer.alloc((3 * MANY) / 2, '{},'),
      Buffer.from('{}]}'),
    ]);

    expect(await statusOf(server, 'application/json', json)).toMatchObject(refused);
  });
});

describe('the parts of a request', () => {
  test('may be as many as the largest transaction has', () => {
    const key = 'k'.repeat(40);
    const put: Operation['operation'] = {
      case: 'put',
      value: {
        $typeName: 'kelp.v1.PutOperation',
        key,
        value: Buffer.from(key),
        ttl: { $typeName: 'google.protobuf.Duration', seconds: 9n, nanos: 9 },
        leaseId: 7n,
        returnPrevious: true,
        keyBytes: new Uint8Array(0),
      },
    };
    const operations = Array.from({ length: fixed.txnOperationsMax }, () => ({ operation: put }));
    const range = { start: key, end: key };
    const compares = Array.from({ length: fixed.txnComparesMax }, () => ({
      subject: { case: 'range', value: range } as const,
      relation: 2,
      operand: { case: 'value', value: Buffer.from(key) } as const,
    }));
    const init = { compares, success: operations, failure: operations };
    const largest = create(TxnRequestSchema, init as MessageInitShape<typeof TxnRequestSchema>);

    const binary = Buffer.from(toBinary(TxnRequestSchema, largest));
    checkBinaryParts(TxnRequestSchema, binary, 0, binary.length);
    checkJsonParts(Buffer.from(toJsonString(TxnRequestSchema, largest)));
  });

  test.each([0, 1])('are counted exactly, with %i too many', (tooMany) => {
    // Unknown fields of a compare, beside a text that has none.
    const fields = Buffer.alloc(2 * (requestPartsMax - 2 + tooMany), Buffer.from([0x78, 1]));
    const compare = Buffer.concat([encodePayload(1, Buffer.from('text')), fields]);
    const bytes = encodePayload(1, compare);

    // Not at the beginning of its buffer.
    const buffer = Buffer.concat([Buffer.alloc(5), bytes]);
    const check = (): void => checkBinaryParts(TxnRequestSchema, buffer, 5, buffer.length);

    if (tooMany > 0) expect(check).toThrow(/parts/);
    else expect(check).not.toThrow();
  });

  test('stand in so much white space at most', () => {
    const { jsonSyntaxBytesMax } = serverFixed;
    const spaced = (count: number): Buffer =>
      Buffer.from(`{"key":${' '.repeat(count)}"${'a'.repeat(count)}"}`);
    expect(() => checkJsonParts(spaced(jsonSyntaxBytesMax - 5))).not.toThrow();
    expect(() => checkJsonParts(spaced(jsonSyntaxBytesMax - 4))).toThrow(/white space/);
    expect(() => checkJsonParts(Buffer.from(`{"delta":${'1'.repeat(jsonSyntaxBytesMax)}}`))).toThrow(
      /in no text/,
    );
  });

  test('are none in the texts of JSON', () => {
    const text = JSON.stringify({ key: '{[,"\\'.repeat(requestPartsMax) });
    expect(() => checkJsonParts(Buffer.from(text))).not.toThrow();
    const list = Buffer.from(`[${'"{\\"",'.repeat(requestPartsMax)}1]`);
    expect(() => checkJsonParts(list)).toThrow(/parts/);
  });
});
