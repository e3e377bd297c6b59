import { describe, expect, test } from 'vitest';
import { decodeHead, encodeHead } from '../../src/shared-log/head-format.ts';
import {
  type NewRecord,
  bytesThrough,
  decodeRecord,
  encodeRecord,
  recordBehind,
} from '../../src/shared-log/record-format.ts';
import { storeId } from './world.ts';

const nonce = '000102030405060708090a0b0c0d0e0f';

describe('a head', () => {
  const head = {
    storeId,
    epoch: 2,
    position: Number.MAX_SAFE_INTEGER,
    checksum: 0x0b41d2c9,
    logBytes: 721,
    nonce,
  };
  const text =
    '{"format":2,"storeId":"00112233445566778899aabbccddeeff","epoch":2,"position":9007199254740991,' +
    '"checksum":"0b41d2c9","logBytes":721,"nonce":"000102030405060708090a0b0c0d0e0f"}';

  test('is a text that can be read, and comes back as it was', () => {
    expect(Buffer.from(encodeHead(head)).toString()).toBe(text);
    expect(decodeHead(encodeHead(head))).toEqual(head);
  });

  test.each([
    '',
    text.replace('"format":2', '"format":3'),
    text.replace('0b41d2c9', '0B41D2C9'),
    text.replace('0b41d2c9', 'b41d2c9'),
    text.replace('721', '0721'),
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

  test('of an earlier format is refused with what to do', () => {
    const earlier = Buffer.from(`{"format":1,"storeId":"00","epoch":2,"position":4,"nonce":"${nonce}"}`);
    expect(() => decodeHead(earlier)).toThrow(
      /of format 1, and this version reads format 2.*kelp cluster init/s,
    );
  });
});

describe('a record', () => {
  const records: readonly NewRecord[] = [
    {
      kind: 'batch',
      epoch: 3,
      position: 2 ** 32 + 5,
      bytesBefore: 0x1122,
      behind: 0xfedcba98,
      bytes: Buffer.from([1, 2, 3]),
    },
    {
      kind: 'takeOver',
      epoch: Number.MAX_SAFE_INTEGER,
      position: Number.MAX_SAFE_INTEGER,
      bytesBefore: Number.MAX_SAFE_INTEGER,
      behind: 0,
      address: 'käse:7379',
    },
  ];

  test('lies there byte by byte as its page says', () => {
    const [batch] = records as [NewRecord];
    expect(Buffer.from(encodeRecord(batch, storeId)).toString('hex')).toBe(
      [
        'd2182343',
        '02',
        '01',
        '0000',
        '0300000000000000',
        '0500000001000000',
        '2211000000000000',
        '98badcfe',
        '010203',
      ].join(''),
    );
  });

  test.each(records)('comes back as it was: $kind', (record) => {
    const bytes = encodeRecord(record, storeId);
    expect(decodeRecord({ position: record.position, bytes }, storeId)).toEqual({
      ...record,
      checksum: bytes.readUInt32LE(0),
    });
  });

  test('names the one that it was put behind', () => {
    const head = { storeId, epoch: 2, position: 6, checksum: 0x89abcdef, logBytes: 100, nonce };
    const one = recordBehind(head, { kind: 'takeOver', epoch: 3, address: 'a' }, 'ff');
    const other = recordBehind({ ...head, checksum: 1 }, { kind: 'takeOver', epoch: 3, address: 'a' }, 'ff');
    const record = decodeRecord({ position: 7, bytes: one.record }, storeId);
    expect(record).toMatchObject({ epoch: 3, position: 7, behind: head.checksum, bytesBefore: 100 });
    const logBytes = 100 + one.record.length;
    expect(bytesThrough(record)).toBe(logBytes);
    expect(one.head).toEqual({
      storeId,
      epoch: 3,
      position: 7,
      checksum: record.checksum,
      logBytes,
      nonce: 'ff',
    });
    expect(other.head.checksum).not.toBe(one.head.checksum);
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
