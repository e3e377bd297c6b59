import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import { encodeBlock, RequestEncoder, TABLE_SIZE_ZERO } from '../../../src/http2/hpack/encoder.ts';
import { fieldsOf, hex, tableOf } from './hex.ts';

const LIST_BYTES_MAX = 1 << 20;

const request: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/kelp.v1.KvService/Get'],
  [':authority', '127.0.0.1:4000'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ['user-agent', 'kelpdb/1.0'],
];

/** A client's encoder and its peer. */
class Pair {
  readonly encoder = new RequestEncoder();
  readonly decoder = new HpackDecoder(LIST_BYTES_MAX);

  encode(fields: readonly Field[], once?: readonly Field[]): Buffer {
    const length = this.encoder.encode(fields, once);
    return Buffer.from(this.encoder.bytes.subarray(0, length));
  }

  /** Sends fields over; @returns the length of their block. */
  send(fields: readonly Field[], once: readonly Field[] = []): number {
    const block = this.encode(fields, once);
    expect(fieldsOf(this.decoder, block)).toEqual([...fields, ...once]);
    return block.length;
  }
}

describe('a prebuilt block', () => {
  test('it has what was given, and touches no dynamic table', () => {
    const fields: readonly Field[] = [
      [':status', '200'],
      ['content-type', 'application/grpc'],
      ['x-bytes', '\xe9\xff\x80'],
      ['x-empty', ''],
      [':status', '418'],
    ];
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    expect(fieldsOf(decoder, encodeBlock(fields))).toEqual(fields);
    expect(tableOf(decoder)).toEqual([]);
  });

  test('fields of the static table are one byte, and names of it one byte of a field', () => {
    expect(encodeBlock([[':status', '200']])).toEqual(hex('88'));
    expect(encodeBlock([[':status', '418']])).toHaveLength(1 + 1 + 3);
    expect(encodeBlock([['accept-encoding', 'gzip, deflate']])).toEqual(hex('90'));
  });

  test('the Huffman code is taken where it is shorter', () => {
    expect(encodeBlock([['x', '\xff\xfe']])).toEqual(hex('0001 7802 fffe'));
    expect(encodeBlock([['x', 'aaaaaaaa']])).toHaveLength(1 + 2 + 1 + 5);
  });

  test('what tells secrets is never indexed', () => {
    expect(encodeBlock([['authorization', 'Bearer x']])[0]).toBe(0x1f);
    expect(encodeBlock([['proxy-authorization', 'Bearer x']])[0]).toBe(0x1f);
    expect(encodeBlock([['cookie', 'a=b']])[0]).toBe(0x1f);
    expect(encodeBlock([['cookie', 'a='.padEnd(20, 'b')]])[0]).toBe(0x0f);
  });

  test('no fields are no bytes', () => {
    expect(encodeBlock([])).toHaveLength(0);
  });
});

describe.each([
  ['a prebuilt block', (fields: readonly Field[]) => void encodeBlock(fields)],
  ['an encoder of requests', (fields: readonly Field[]) => void new RequestEncoder().encode(fields)],
])('%s refuses', (_kind, encode) => {
  test.each([
    ['a name in upper case', 'Content-Type', 'x'],
    ['an empty name', '', 'x'],
    ['a name that is only a colon', ':', 'x'],
    ['a colon within a name', 'a:b', 'x'],
    ['a space in a name', 'a b', 'x'],
    ['a line break in a name', 'a\n', 'x'],
    ['a name beyond ASCII', 'é', 'x'],
    ['a line feed in a value', 'a', 'x\ny: z'],
    ['a carriage return in a value', 'a', 'x\ry'],
    ['a zero in a value', 'a', 'x\0'],
    ['a space before a value', 'a', ' x'],
    ['a tab after a value', 'a', 'x\t'],
    ['a character that is no byte, and whose lowest one is a line feed', 'a', 'x\u010ay'],
  ])('%s', (_fault, name, value) => {
    expect(() => encode([[name, value]])).toThrow(TypeError);
  });
});

describe('the encoder of requests', () => {
  test('what repeats is one byte for each field from the second request on', () => {
    const pair = new Pair();
    expect(pair.send(request)).toBeGreaterThan(50);
    expect(pair.send(request)).toBe(request.length);
    expect(pair.send([...request])).toBe(request.length);
  });

  test('paths that take turns are one byte each', () => {
    const pair = new Pair();
    const other = request.map(([name, value]): Field => [name, name === ':path' ? '/other' : value]);
    pair.send(request);
    pair.send(other);
    for (let round = 0; round < 3; round++) {
      expect(pair.send(request)).toBe(request.length);
      expect(pair.send(other)).toBe(request.length);
    }
  });

  test('a field of another name goes into the table when it comes with the same value twice in a row', () => {
    const pair = new Pair();
    const withTenant = (tenant: string): readonly Field[] => [...request, ['x-tenant', tenant]];
    pair.send(request);
    pair.send(withTenant('one'));
    pair.send(withTenant('one'));
    expect(pair.send(withTenant('one'))).toBe(request.length + 1);
  });

  test('values that change each time leave the table to those that do not', () => {
    const pair = new Pair();
    pair.send(request);
    for (let call = 0; call < 500; call++) pair.send([...request, ['x-request-id', `id ${call}`]]);
    expect(pair.send(request)).toBe(request.length);
    expect(tableOf(pair.decoder)).toHaveLength(5);
  });

  test('more names than are remembered are sent all the same', () => {
    const pair = new Pair();
    for (let round = 0; round < 3; round++) {
      for (let name = 0; name < 200; name++) pair.send([[`name-${name}`, 'x']]);
    }
  });

  test('what tells secrets never goes into the table', () => {
    const pair = new Pair();
    const secrets: readonly Field[] = [
      ['authorization', 'Bearer x'],
      ['cookie', 'a=b'],
    ];
    for (let call = 0; call < 4; call++) expect(pair.send(secrets)).toBeGreaterThan(10);
    expect(pair.encode(secrets)[0]).toBe(0x1f);
    expect(tableOf(pair.decoder)).toEqual([]);
  });

  test('a value larger than the table is sent each time', () => {
    const pair = new Pair();
    for (let call = 0; call < 3; call++) pair.send([...request, [':path', `/${'\xff'.repeat(5000)}`]]);
    expect(pair.send(request)).toBe(request.length);
  });

  test('a list that is refused counts for nothing', () => {
    const pair = new Pair();
    pair.send(request);
    expect(() =>
      pair.encoder.encode([
        ['user-agent', 'new'],
        ['a', 'b\n'],
      ]),
    ).toThrow(TypeError);
    expect(pair.send(request)).toBe(request.length);
    expect(pair.send([['user-agent', 'new']])).toBeGreaterThan(1);
  });

  test('a list that is kept is made anew once its fields stand elsewhere in the table', () => {
    const pair = new Pair();
    for (let round = 0; round < 3; round++) pair.send(request);
    pair.send([['user-agent', 'another']]);
    for (let round = 0; round < 3; round++) pair.send(request);
  });

  test('fields of one request alone follow a list that is kept, and leave it and the table as they are', () => {
    const pair = new Pair();
    pair.send(request);
    const kept = pair.send(request);
    const table = tableOf(pair.decoder);
    for (const value of ['first', 'first', 'second']) {
      expect(pair.send(request, [['traceparent', value]])).toBeGreaterThan(kept);
      expect(pair.send(request)).toBe(kept);
    }
    pair.send(
      [...request, ['x-other', '1']],
      [
        ['traceparent', 'third'],
        ['tracestate', 'a=1'],
      ],
    );
    expect(pair.send(request)).toBe(kept);
    expect(tableOf(pair.decoder)).toEqual(table);
    expect(() => pair.encode(request, [['Traceparent', 'x']])).toThrow(TypeError);
    expect(pair.send(request)).toBe(kept);
  });

  test('many lists take turns', () => {
    const pair = new Pair();
    const lists = Array.from({ length: 200 }, (): readonly Field[] => [...request]);
    for (let round = 0; round < 3; round++) for (const list of lists) pair.send(list);
    expect(pair.send(lists[0]!)).toBe(request.length);
  });
});

describe("the size of the peer's table", () => {
  test('a smaller one is told at the beginning of the next block, once, and kept to', () => {
    const pair = new Pair();
    pair.send(request);
    pair.encoder.setTableBytesMax(100);
    const block = pair.encode(request);
    expect(block.subarray(0, 2)).toEqual(hex('3f45'));
    expect(fieldsOf(pair.decoder, block)).toEqual(request);
    expect(pair.encode(request)[0]! & 0xe0).not.toBe(0x20);
  });

  test('one of no bytes is told, and nothing goes into it', () => {
    const pair = new Pair();
    pair.encoder.setTableBytesMax(0);
    const block = pair.encode(request);
    expect(block[0]).toBe(TABLE_SIZE_ZERO);
    expect(fieldsOf(pair.decoder, block)).toEqual(request);
    expect(tableOf(pair.decoder)).toEqual([]);
    expect(pair.send(request)).toBe(block.length - 1);
  });

  test('when it was smaller in between, both are told', () => {
    const pair = new Pair();
    pair.send(request);
    pair.encoder.setTableBytesMax(50);
    pair.encoder.setTableBytesMax(0);
    pair.encoder.setTableBytesMax(200);
    const block = pair.encode(request);
    expect(block.subarray(0, 4)).toEqual(hex('20 3fa9 01'));
    expect(fieldsOf(pair.decoder, block)).toEqual(request);
  });

  test('a larger one than ours is not used, and nothing is told of it', () => {
    const pair = new Pair();
    pair.encoder.setTableBytesMax(65_536);
    expect(pair.encode(request)[0]! & 0xe0).not.toBe(0x20);
  });

  test('after it was smaller, the same list is right', () => {
    const pair = new Pair();
    for (let round = 0; round < 3; round++) pair.send(request);
    pair.encoder.setTableBytesMax(0);
    pair.encoder.setTableBytesMax(4096);
    const block = pair.encode(request);
    expect(block.subarray(0, 4)).toEqual(hex('20 3fe1 1f'));
    expect(fieldsOf(pair.decoder, block)).toEqual(request);
    for (let round = 0; round < 3; round++) pair.send(request);
    expect(pair.send(request)).toBe(request.length);
  });
});

const name = fc.constantFrom(
  ':path',
  ':authority',
  'cookie',
  'authorization',
  'te',
  'x-a',
  'x-b',
  'x-c',
  'etag',
);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'trailers', 'x'.repeat(30), '\xff'.repeat(50), 'y'.repeat(1500), 'z'.repeat(4100)),
  fc.stringMatching(/^[!-~\x80-\xff]{0,20}$/),
);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ fields: fc.array(fc.tuple(name, value), { maxLength: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ bytesMax: fc.constantFrom(0, 33, 100, 300, 2000, 4096, 65_536) }) },
);

test('whatever is sent, and whatever sizes the table has, comes out as it was', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const pair = new Pair();
      for (const each of steps) {
        if ('fields' in each) pair.send(each.fields);
        else pair.encoder.setTableBytesMax(each.bytesMax);
      }
    }),
    { numRuns: 1000 },
  );
});

test('whatever a prebuilt block has comes out as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (fields) => {
      expect(fieldsOf(new HpackDecoder(LIST_BYTES_MAX), encodeBlock(fields))).toEqual(fields);
    }),
    { numRuns: 500 },
  );
});
