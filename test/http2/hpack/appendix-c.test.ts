import { describe, expect, test } from 'vitest';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import { encodeBlock, RequestEncoder } from '../../../src/http2/hpack/encoder.ts';
import { fieldsOf, hex, tableOf } from './hex.ts';

interface Step {
  readonly block: string;
  readonly fields: readonly Field[];
  readonly table: readonly Field[];
}

/** Each step's block is read by the same decoder; the first of them sets the table's size if the example has another. */
const examples: readonly (readonly [section: string, steps: readonly Step[]])[] = [
  [
    'C.2.1 a literal with indexing',
    [
      {
        block: '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
        fields: [['custom-key', 'custom-header']],
        table: [['custom-key', 'custom-header']],
      },
    ],
  ],
  [
    'C.2.2 a literal without indexing',
    [{ block: '040c 2f73 616d 706c 652f 7061 7468', fields: [[':path', '/sample/path']], table: [] }],
  ],
  [
    'C.2.3 a literal that is never indexed',
    [{ block: '1008 7061 7373 776f 7264 0673 6563 7265 74', fields: [['password', 'secret']], table: [] }],
  ],
  ['C.2.4 an indexed field', [{ block: '82', fields: [[':method', 'GET']], table: [] }]],
  [
    'C.3 requests without Huffman code',
    requests([
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ]),
  ],
  [
    'C.4 requests with Huffman code',
    requests([
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ]),
  ],
  [
    'C.5 responses without Huffman code',
    responses([
      `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
       546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
      '4803 3330 37c1 c0bf',
      `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
       6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
       2076 6572 7369 6f6e 3d31`,
    ]),
  ],
  [
    'C.6 responses with Huffman code',
    responses([
      `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
       8f0b 97c8 e9ae 82ae 43d3`,
      '4883 640e ffc1 c0bf',
      `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
       dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    ]),
  ],
];

function requests(blocks: readonly string[]): readonly Step[] {
  const authority: Field = [':authority', 'www.example.com'];
  const cacheControl: Field = ['cache-control', 'no-cache'];
  const custom: Field = ['custom-key', 'custom-value'];
  const plain: readonly Field[] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
  ];
  const secure: readonly Field[] = [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
  ];
  return stepsOf(blocks, [
    { fields: [...plain, authority], table: [authority] },
    { fields: [...plain, authority, cacheControl], table: [cacheControl, authority] },
    { fields: [...secure, authority, custom], table: [custom, cacheControl, authority] },
  ]);
}

/** With a table of 256 bytes, so that fields leave it. */
function responses(blocks: readonly string[]): readonly Step[] {
  const first: Field = [':status', '302'];
  const second: Field = [':status', '307'];
  const cacheControl: Field = ['cache-control', 'private'];
  const date: Field = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
  const later: Field = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
  const location: Field = ['location', 'https://www.example.com'];
  const encoding: Field = ['content-encoding', 'gzip'];
  const cookie: Field = ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'];
  const [block, ...rest] = blocks;
  return stepsOf(
    [`3fe1 01${block}`, ...rest],
    [
      { fields: [first, cacheControl, date, location], table: [location, date, cacheControl, first] },
      { fields: [second, cacheControl, date, location], table: [second, location, date, cacheControl] },
      {
        fields: [[':status', '200'], cacheControl, later, location, encoding, cookie],
        table: [cookie, encoding, later],
      },
    ],
  );
}

function stepsOf(blocks: readonly string[], wanted: readonly Omit<Step, 'block'>[]): readonly Step[] {
  return wanted.map((each, index) => ({ ...each, block: blocks[index] ?? '' }));
}

describe('the examples of RFC 7541, appendix C', () => {
  test.each(examples)('%s', (_section, steps) => {
    const decoder = new HpackDecoder(16_384);
    for (const { block, fields, table } of steps) {
      expect(fieldsOf(decoder, hex(block))).toEqual(fields);
      expect(tableOf(decoder)).toEqual(table);
    }
  });

  test('C.4.1 is what an encoder of requests makes of the same fields', () => {
    const encoder = new RequestEncoder();
    const [first] = examples[5]?.[1] ?? [];
    const length = encoder.encode(first?.fields ?? []);
    expect(encoder.bytes.subarray(0, length)).toEqual(hex(first?.block ?? ''));
  });

  test.each([
    ['C.1.1 in 5 bits', 10, '2a'],
    ['C.1.2 in several bytes', 1337, '3f9a 0a'],
  ])('%s: an integer', (_section, bytesMax, written) => {
    const encoder = new RequestEncoder();
    encoder.setTableBytesMax(bytesMax);
    const length = encoder.encode([[':method', 'GET']]);
    expect(encoder.bytes.subarray(0, length)).toEqual(hex(`${written}82`));
  });

  test('C.2.4 is what a prebuilt block has for a field of the static table', () => {
    expect(encodeBlock([[':method', 'GET']])).toEqual(hex('82'));
  });
});
