/** Replies in JSON: written as protobuf-es writes them, which is the judge here, but in pieces. */
import { create, toJsonString } from '@bufbuild/protobuf';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { GetResponseSchema, KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { EntrySchema } from '../../../gen/kelp/v1/types_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../gen/kelp/v1/sketch_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { serverFixed } from '../../../src/limits.ts';
import type { JsonText } from '../../../src/server/json/json-text.ts';
import { jsonOf } from '../../../src/server/json/write-reply.ts';
import { initArbitrary, toShape } from '../../wire/shapes.ts';

const { jsonPieceBytes, jsonLongValueBytes } = serverFixed;

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

function piecesOf(text: JsonText): Buffer[] {
  const pieces: Buffer[] = [];
  for (let piece = text.take(); piece !== undefined; piece = text.take()) pieces.push(piece);
  return pieces;
}

describe.each(methods)('a reply of $parent.name.$name in JSON', ({ output }) => {
  test('is what protobuf-es writes, from a message of its own and from one of the codecs', () => {
    fc.assert(
      fc.property(initArbitrary(output), (init) => {
        const message = create(output, init);
        let json: string;
        try {
          json = toJsonString(output, message);
        } catch {
          // A time that is too far away for its form in JSON.
          return;
        }
        for (const form of [message, toShape(output, message)]) {
          const text = jsonOf(output, form);
          const { byteLength } = text;
          const bytes = Buffer.concat(piecesOf(text));
          expect(bytes.toString()).toBe(json);
          expect(byteLength).toBe(bytes.length);
          expect(text.heldBytes).toBe(0);
        }
      }),
      { numRuns: 100 },
    );
  });
});

test.each([0, 1, 2, 3])('a value of every byte, %i bytes longer, is the same short and long', (more) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  for (const length of [256, jsonLongValueBytes - 2, (jsonPieceBytes / 4) * 3 - 1, jsonPieceBytes]) {
    const value = Buffer.alloc(length + more, bytes);
    const reply = create(GetResponseSchema, { entry: create(EntrySchema, { key: 'a"\\\u0001é漢', value }) });
    const json = Buffer.concat(piecesOf(jsonOf(GetResponseSchema, reply))).toString();
    expect(JSON.parse(json)).toEqual(JSON.parse(toJsonString(GetResponseSchema, reply)));
  }
});

test('a long value becomes text in pieces, and is held no longer than until its last', () => {
  const value = new Uint8Array(16 << 20);
  const text = jsonOf(GetResponseSchema, { entry: { ...create(EntrySchema), key: 'a', value }, revision: 1 });
  const heldBytes = text.heldBytes;
  expect(heldBytes).toBeGreaterThan(value.length);
  expect(heldBytes).toBeLessThan(value.length + 1000);

  const pieces = piecesOf(text);

  expect(pieces.length).toBeGreaterThan(80);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(2 * jsonPieceBytes);
  expect(text.heldBytes).toBe(0);
});
