/** Requests in JSON: read as protobuf-es reads them, which is the judge here. */
import { create, fromJsonString, toJsonString } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { KvService, PutRequestSchema } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../gen/kelp/v1/sketch_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { readJsonRequest } from '../../../src/server/json/read-request.ts';
import { jsonTurns } from '../../../src/server/json/turn-work.ts';
import { initArbitrary } from '../../wire/shapes.ts';
import { roundedNumberIn } from '../../../src/wire/json-numbers.ts';

const methods = [
  KvService,
  WatchService,
  LeaseService,
  AdminService,
  HashService,
  ListService,
  SetService,
  SortedSetService,
  SketchService,
].flatMap((service) => service.methods);

describe.each(methods)('a request of $parent.name.$name in JSON', ({ input }) => {
  test('is read as protobuf-es does', async () => {
    await fc.assert(
      fc.asyncProperty(initArbitrary(input), async (init) => {
        let json: string;
        try {
          json = toJsonString(input, create(input, init));
        } catch {
          // A length of time that is too long for its form in JSON.
          return;
        }
        // A whole number that is too large is to be a text, where any double may be meant, too.
        fc.pre(roundedNumberIn(Buffer.from(json)) === undefined);
        const read = await readJsonRequest(input, Buffer.from(json), jsonTurns);
        expect(plain(read)).toEqual(plain(fromJsonString(input, json)));
      }),
      { numRuns: 50 },
    );
  });
});

/** Buffers are bytes like others. */
function plain(message: object): unknown {
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plainValue);
  return typeof value === 'object' && value !== null ? plain(value) : value;
}

const read = (json: string): ReturnType<typeof readJsonRequest> =>
  readJsonRequest(PutRequestSchema, Buffer.from(json), jsonTurns);

test.each([
  '{"key":"a","value":"YWJj"}',
  '{"key":"a","value":"","keyBytes":"_-8"}',
  '{"key":"a","value":"YW Jj\\n"}',
  '{"key_bytes":"/+8=","value":null}',
])('%s is read as protobuf-es does', async (json) => {
  expect(plain(await read(json))).toEqual(plain(fromJsonString(PutRequestSchema, json)));
});

test.each([
  '',
  '{',
  '[]',
  '7',
  '{"key":1}',
  '{"kee":"a"}',
  '{"value":7}',
  '{"value":"*"}',
  '{"value":["YQ=="]}',
  '{"key":"a","key":"b"}',
  '{"key":"a","\\u006bey":"b"}',
  '{"key":"a","ttl":"1s","condition":{"absent":true,"absent":true}}',
  '{"keyBytes":"YQ==","key_bytes":"YQ=="}',
])('%s is refused as protobuf-es does', async (json) => {
  let complaint = '';
  try {
    fromJsonString(PutRequestSchema, json);
  } catch (error) {
    complaint = (error as Error).message;
  }
  expect(complaint).not.toBe('');
  await expect(read(json)).rejects.toMatchObject({ rawMessage: complaint, code: Code.InvalidArgument });
});

test.each([
  '{"ranges":[{"prefix":"a"},{"prefix":"b"}]}',
  '{"ranges":[{"prefix":"key","start":"key"}],"storeId":"ranges"}',
])('a name may come again elsewhere: %s', async (json) => {
  const { input } = WatchService.method.watch;
  const message = await readJsonRequest(input, Buffer.from(json), jsonTurns);
  expect(plain(message)).toEqual(plain(fromJsonString(input, json)));
});

test('a long value is not gone through character by character', async () => {
  const value = Buffer.alloc(1 << 20, 'kelp');
  const json = Buffer.from(JSON.stringify({ key: 'a', value: value.toString('base64') }));
  const looked = vi.spyOn(String.prototype, 'charCodeAt');
  try {
    const message = await readJsonRequest(PutRequestSchema, json, jsonTurns);
    expect(message).toMatchObject({ key: 'a' });
    expect(value.equals((message as unknown as { readonly value: Uint8Array }).value)).toBe(true);
    // Of the number that stands for it, and of names.
    expect(looked.mock.calls.length).toBeLessThan(100);
  } finally {
    looked.mockRestore();
  }
});
