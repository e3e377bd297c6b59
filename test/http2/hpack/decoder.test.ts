import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HpackDecoder, HpackError, tableUse } from '../../../src/http2/hpack/decoder.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import { fieldsOf, hex, tableOf } from './hex.ts';

const LIST_BYTES_MAX = 16_384;

/** `a: b`, which joins the table and counts 34 bytes. */
const small = '4001 6101 62';

describe('a header block is refused', () => {
  test.each([
    ['index 0', '80', /Index 0/],
    ['an index beyond the static table, while the dynamic one is empty', 'be', /Index 62 is beyond/],
    ['an index beyond the dynamic table', `${small} bf`, /Index 63 is beyond/],
    ['a name by an index beyond the dynamic table', '7f00 0161', /Index 63 is beyond/],
    ['a name by an index beyond, of a field that is not kept', '0f30 0161', /Index 63 is beyond/],
    ['an end within an integer', 'ff', /ends within an integer/],
    ['an end within a longer integer', 'ff80 80', /ends within an integer/],
    ['an integer of too many bytes', 'ff80 8080 8001', /too large/],
    ['an integer of too many bytes that adds nothing', 'ff80 8080 8000', /too large/],
    ['an integer beyond 32 bits', 'ffff ffff ffff 0f', /too large/],
    ['an end before a name', '40', /ends within a field/],
    ['an end within a name', '4003 6162', /ends within a string/],
    ['an end before a value', '4001 61', /ends within a field/],
    ['an end within a value', '4001 6102 62', /ends within a string/],
    ['a length of a string beyond the block', '0001 617f ffff ff7f 62', /ends within a string/],
    ['a Huffman code that is filled up by zeros', '0001 6181 18', /Huffman/],
    ['a Huffman code with a whole byte of filling', '0001 6182 1fff', /Huffman/],
    ['a Huffman code with the symbol of the end', '0001 6184 ffff ffff', /Huffman/],
    ['a Huffman code in a name', '0081 0001 61', /Huffman/],
    ['a table size above what was allowed', '3fe2 1f', /4097 bytes is above 4096/],
    ['a table size far above', '3fff ffff 7f', /above 4096/],
    ['a table size after a field', '82 20', /after a field/],
    ['a table size at the end, after literals', `${small} 3f01`, /after a field/],
  ])('%s', (_name, block, message) => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    expect(() => fieldsOf(decoder, hex(block))).toThrow(HpackError);
    expect(() => fieldsOf(new HpackDecoder(LIST_BYTES_MAX), hex(block))).toThrow(message);
  });
});

describe('the dynamic table', () => {
  test('it may have all of the size that was allowed', () => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    expect(fieldsOf(decoder, hex('3fe1 1f 82'))).toEqual([[':method', 'GET']]);
  });

  test('several sizes may come before the fields, and the smallest counts as well', () => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    fieldsOf(decoder, hex(small));
    expect(fieldsOf(decoder, hex('20 3fe1 1f 82'))).toEqual([[':method', 'GET']]);
    expect(tableOf(decoder)).toEqual([]);
    fieldsOf(decoder, hex(small));
    expect(tableOf(decoder)).toEqual([['a', 'b']]);
  });

  test('a block that is nothing but a size is empty', () => {
    expect(fieldsOf(new HpackDecoder(LIST_BYTES_MAX), hex('20'))).toEqual([]);
  });

  test('the oldest fields leave it when it is full, and when it becomes smaller', () => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    // 34 bytes each: 68 have room for two.
    fieldsOf(decoder, hex('3f25 4001 6101 62 4001 6301 64 4001 6501 66'));
    expect(tableOf(decoder)).toEqual([
      ['e', 'f'],
      ['c', 'd'],
    ]);
    fieldsOf(decoder, hex('3f24'));
    expect(tableOf(decoder)).toEqual([['e', 'f']]);
  });

  test('a field larger than the table empties it and is no error', () => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    // Room for 34 bytes.
    fieldsOf(decoder, hex(`3f03 ${small}`));
    expect(tableOf(decoder)).toEqual([['a', 'b']]);
    expect(fieldsOf(decoder, hex('4001 6102 6263'))).toEqual([['a', 'bc']]);
    expect(tableOf(decoder)).toEqual([]);
  });

  test('a name may be that of the field which has to leave for the new one', () => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    fieldsOf(decoder, hex(`3f03 ${small}`));
    expect(fieldsOf(decoder, hex('7e01 63'))).toEqual([['a', 'c']]);
    expect(tableOf(decoder)).toEqual([['a', 'c']]);
  });

  test('literals of the other two kinds do not join it', () => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    expect(fieldsOf(decoder, hex('0001 6101 62 1001 6301 64'))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(tableOf(decoder)).toEqual([]);
  });
});

describe('a list of fields that is too long', () => {
  /** `a` and a value of so many bytes, without Huffman code. */
  const long = (bytes: number): Buffer => encodeBlock([['a', '\xff'.repeat(bytes)]]);

  test('a list may count just as much as is allowed', () => {
    expect(fieldsOf(new HpackDecoder(100), long(67))).toHaveLength(1);
    expect(fieldsOf(new HpackDecoder(100), long(68))).toBeUndefined();
  });

  test('each field counts 32 bytes beside its name and value', () => {
    const decoder = new HpackDecoder(3 * 34);
    expect(fieldsOf(decoder, hex('0001 6101 62'.repeat(3)))).toHaveLength(3);
    expect(fieldsOf(decoder, hex('0001 6101 62'.repeat(4)))).toBeUndefined();
  });

  test('the table is right after it', () => {
    const decoder = new HpackDecoder(100);
    const block = Buffer.concat([long(200), hex('4001 6101 62 4001 6301 64')]);
    expect(fieldsOf(decoder, block)).toBeUndefined();
    expect(fieldsOf(decoder, hex('be bf'))).toEqual([
      ['c', 'd'],
      ['a', 'b'],
    ]);
  });

  test('what is broken after the limit is an error all the same', () => {
    expect(() => fieldsOf(new HpackDecoder(100), Buffer.concat([long(200), hex('80')]))).toThrow(HpackError);
  });

  test('one large field of the table that is named ten thousand times counts each time', () => {
    const decoder = new HpackDecoder(LIST_BYTES_MAX);
    const value = '\xff'.repeat(4000);
    fieldsOf(decoder, Buffer.concat([hex('4001 617f a11e'), Buffer.from(value, 'latin1')]));
    expect(tableOf(decoder)).toEqual([['a', value]]);
    expect(fieldsOf(decoder, Buffer.alloc(4, 0xbe))).toHaveLength(4);
    expect(fieldsOf(decoder, Buffer.alloc(5, 0xbe))).toBeUndefined();
    expect(fieldsOf(decoder, Buffer.alloc(10_000, 0xbe))).toBeUndefined();
  });
});

test('it is told what a block had to do with the dynamic table', () => {
  const decoder = new HpackDecoder(LIST_BYTES_MAX);
  const useOf = (block: string): number => {
    fieldsOf(decoder, hex(block));
    return decoder.tableUse;
  };
  expect(useOf('82 0001 6101 62')).toBe(tableUse.NONE);
  const { generation } = decoder;
  expect(useOf(small)).toBe(tableUse.CHANGED);
  expect(decoder.generation).not.toBe(generation);
  expect(useOf('be')).toBe(tableUse.READ);
  expect(useOf('0f2f 0163')).toBe(tableUse.READ);
  expect(useOf(`be ${small}`)).toBe(tableUse.CHANGED);
  expect(useOf('3fe1 1f be')).toBe(tableUse.CHANGED);
});

test('a string longer than most is read as well', () => {
  const value = 'a'.repeat(12_000);
  expect(fieldsOf(new HpackDecoder(LIST_BYTES_MAX), encodeBlock([['b', value]]))).toEqual([['b', value]]);
});

test('a block is read from its place in a larger buffer', () => {
  const buffer = hex(`ffff 82 ${small} be ffff`);
  const decoder = new HpackDecoder(LIST_BYTES_MAX);
  expect(decoder.decode(buffer, 2, buffer.length - 2)?.map(({ pair }) => pair)).toEqual([
    [':method', 'GET'],
    ['a', 'b'],
    ['a', 'b'],
  ]);
  expect(() => decoder.decode(buffer, 2, 5)).toThrow(HpackError);
});

test('any bytes are fields, a list that is too long or an HpackError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder(300);
      for (const block of blocks) {
        try {
          const fields = fieldsOf(decoder, Buffer.from(block)) ?? [];
          const bytes = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
          expect(bytes).toBeLessThanOrEqual(300);
        } catch (error) {
          expect(error).toBeInstanceOf(HpackError);
          return;
        }
      }
    }),
    { numRuns: 5000 },
  );
});
