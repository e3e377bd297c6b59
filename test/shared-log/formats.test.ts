import { describe, expect, test } from 'vitest';
import { decodeHead, encodeHead } from '../../src/shared-log/head-format.ts';
import { decodeRecord, encodeRecord } from '../../src/shared-log/record-format.ts';
import type { LogRecord } from '../../src/shared-log/shared-log.ts';
import { storeId } from './world.ts';

const nonce = '000102030405060708090a0b0c0d0e0f';

describe('a head', () => {
  const head = { storeId, epoch: 2, position: Number.MAX_SAFE_INTEGER, nonce };
  const text =
    '{"format":1,"storeId":"00112233445566778899aabbccddeeff","epoch":2,"position":9007199254740991,' +
    '"nonce":"000102030405060708090a0b0c0d0e0f"}';

  test('is a text that can be read, and comes back as it was', () => {
    expect(Buffer.from(encodeHead(head)).toString()).toBe(text);
    expect(decodeHead(encodeHead(head))).toEqual(head);
  });

  test.each([
    '',
    text.replace('"format":1', '"format":2'),
    text.replace('"epoch":2', '"epoch":02'),
    text.replace('9007199254740991', '9007199254740992'),
    text.replace('eeff', 'eef'),
    text.replaceAll(',', ', '),
    `${text}\n`,
  ])('is refused in any other form: %s', (other) => {
    expect(() => decodeHead(Buffer.from(other))).toThrow(
      expect.objectContaining({ code: 'damaged' }) as Error,
    );
  });
});

describe('a record', () => {
  const records: readonly LogRecord[] = [
    { kind: 'batch', epoch: 3, position: 2 ** 32 + 5, bytes: Buffer.from([1, 2, 3]) },
    {
      kind: 'takeOver',
      epoch: Number.MAX_SAFE_INTEGER,
      position: Number.MAX_SAFE_INTEGER,
      address: 'käse:7379',
    },
  ];

  test('lies there byte by byte as its page says', () => {
    const [batch] = records as [LogRecord];
    expect(Buffer.from(encodeRecord(batch, storeId)).toString('hex')).toBe(
      ['9f3d9eb0', '01', '01', '0000', '0300000000000000', '0500000001000000', '010203'].join(''),
    );
  });

  test.each(records)('comes back as it was: $kind', (record) => {
    const bytes = encodeRecord(record, storeId);
    expect(decodeRecord({ position: record.position, bytes }, storeId)).toEqual(record);
  });

  test.each(records)('with any bit changed, or cut, is damaged: $kind', (record) => {
    const { position } = record;
    const bytes = encodeRecord(record, storeId);
    const damaged = expect.objectContaining({ code: 'damaged' }) as Error;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const other = Uint8Array.from(bytes);
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodeRecord({ position, bytes: other }, storeId)).toThrow(damaged);
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeRecord({ position, bytes: bytes.subarray(0, length) }, storeId)).toThrow(damaged);
    }
  });

  test.each(records)('under another position, or of another store, is damaged: $kind', (record) => {
    const { position } = record;
    const bytes = encodeRecord(record, storeId);
    const damaged = expect.objectContaining({ code: 'damaged' }) as Error;
    expect(() => decodeRecord({ position: position - 1, bytes }, storeId)).toThrow(damaged);
    expect(() => decodeRecord({ position, bytes }, Buffer.alloc(16))).toThrow(damaged);
  });
});
