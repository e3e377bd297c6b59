import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { readRecord, writeRecord } from '../../../gen/kelp/storage/v1/log_codec.ts';
import { PutRow } from '../../../src/engine/put-row.ts';
import { PutRecords } from '../../../src/store/commit/put-records.ts';
import { visitRecords } from '../../../src/wal/frames/records.ts';

const number = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 0, max: 53 }).map((bits) => Math.min(2 ** bits, Number.MAX_SAFE_INTEGER - 100)),
  fc.integer({ min: 1, max: 53 }).map((bits) => 2 ** bits - 1 - (bits === 53 ? 100 : 0)),
);
const put = fc.record({
  key: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  value: fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(new Uint8Array(20_000).fill(7))),
  createRevision: number,
  version: number,
});

it('the records of a row of puts are byte for byte what the codec of the log writes', () => {
  fc.assert(
    fc.property(
      fc.array(put, { minLength: 1, maxLength: 5 }),
      number,
      fc.oneof(fc.constant(0), number),
      fc.oneof(fc.constant(0), number),
      fc.integer({ min: 0, max: 200 }),
      fc.oneof(fc.constant(0), number),
      (puts, firstRevision, timeMs, leaseClockMs, kind, collectionId) => {
        const row = new PutRow();
        row.kind = kind;
        row.collectionId = collectionId;
        row.firstRevision = firstRevision;
        for (const [index, { key, value, createRevision, version }] of puts.entries()) {
          row.add(key, value);
          row.createRevisions[index] = createRevision;
          row.versions[index] = version;
        }
        const buffer = Buffer.alloc(5 + PutRecords.bytesMax(row));
        const end = new PutRecords().write(row, puts.length, timeMs, leaseClockMs, buffer, 5);
        const written: Buffer[] = [];
        expect(
          visitRecords(buffer, 5, end, (_, start, to) => void written.push(buffer.subarray(start, to))),
        ).toBe(true);
        expect(written.map((bytes) => bytes.toString('hex'))).toEqual(
          puts.map(({ key, value, createRevision, version }, index) => {
            const rest = {
              leaseId: 0,
              ttlMs: 0,
              expireTimeMs: 0,
              kind,
              collectionId,
              replacedExpired: false,
            };
            const value_ = { key, value, createRevision, version, ...rest };
            const effects = [{ effect: { case: 'put' as const, value: value_ } }];
            const record = { revision: firstRevision + index, timeMs, leaseClockMs, effects };
            const expected = Buffer.alloc(30_000);
            const expectedEnd = writeRecord(record, expected, 0);
            expect(readRecord(expected, 0, expectedEnd).revision).toBe(firstRevision + index);
            return expected.toString('hex', 0, expectedEnd);
          }),
        );
      },
    ),
    { numRuns: 300 },
  );
});
