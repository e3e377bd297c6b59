import { describe, expect, test } from 'vitest';
import { IncrementRequestSchema, ScanRequestSchema, TxnRequestSchema } from '../../gen/kelp/v1/kv_pb.ts';
import { WatchRequestSchema } from '../../gen/kelp/v1/watch_pb.ts';
import { malformedIntegerIn } from '../../src/wire/json-integers.ts';

const ofIncrement = (delta: unknown): string | undefined =>
  malformedIntegerIn(IncrementRequestSchema, { key: ' 5 ', delta });

describe('a number as text', () => {
  test.each(['0', '5', '-5', '007', '9223372036854775808', '-9223372036854775808'])(
    '%j is decimal, in range or not',
    (text) => {
      expect(ofIncrement(text)).toBeUndefined();
    },
  );

  test.each([
    '',
    ' ',
    '0x10',
    '0b1',
    '0o7',
    ' 5 ',
    '5 ',
    '\t5',
    '+5',
    '--5',
    '1e3',
    '5n',
    '٥',
    '9'.repeat(1e6),
  ])('%.12j is none', (text) => {
    expect(ofIncrement(text)).toMatch(/^delta is the text ".{0,50}; a number as text is decimal digits/);
  });

  test('is found wherever it stands, under both names of its field', () => {
    const nested = {
      success: [{ get: { key: '0x1' } }, { put: { key: 'a', value: '0x1', leaseId: '0x10' } }],
    };
    expect(malformedIntegerIn(TxnRequestSchema, nested)).toMatch(/^lease_id is the text "0x10"/);
    expect(malformedIntegerIn(TxnRequestSchema, { compares: [{ key: 'a', mod_revision: ' 1' }] })).toMatch(
      /^mod_revision /,
    );
    expect(malformedIntegerIn(ScanRequestSchema, { limit: '0x10' })).toMatch(/^limit /);
  });

  test('what has another shape than the schema, or is no number, is not looked at', () => {
    for (const json of [
      null,
      5,
      'a',
      [],
      { delta: [] },
      { delta: { a: '0x1' } },
      { unknown: '0x1' },
      { delta: 5 },
    ]) {
      expect(malformedIntegerIn(IncrementRequestSchema, json)).toBeUndefined();
    }
    expect(
      malformedIntegerIn(WatchRequestSchema, { storeId: '0x10', progressInterval: '0x1s' }),
    ).toBeUndefined();
  });
});
