import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  readDeleteEffect,
  readPutEffect,
  readRecord,
  sizeOfDeleteEffect,
  sizeOfEffect,
  sizeOfPutEffect,
  sizeOfRecord,
  writeDeleteEffect,
  writeEffect,
  writePutEffect,
  writeRecord,
  type EffectShape,
} from '../../gen/kelp/storage/v1/log_codec.ts';
import {
  readSnapshotBlock,
  sizeOfSnapshotBlock,
  writeSnapshotBlock,
} from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import type { Change } from '../../src/engine/engine.ts';
import { PlacedChange, placeChange } from '../../src/engine/placed-change.ts';
import {
  enterEffect,
  nextEffect,
  nextLease,
  nextVersion,
  readDelete,
  readPut,
  readVersion,
  RecordHead,
} from '../../src/store/placed-items.ts';
import {
  blockBytesOfVersion,
  itemBuffer,
  sizeOfVersion,
  writeVersionToBlock,
} from '../../src/store/placed-versions.ts';
import { Cursor } from '../../src/wire/cursor.ts';
import { memoryOf } from '../../src/wire/memory.ts';
import { WireError } from '../../src/wire/wire-error.ts';

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 300 });

const put = fc.record({
  key: bytes,
  value: bytes,
  createRevision: number,
  version: number,
  leaseId: number,
  ttlMs: number,
  expireTimeMs: number,
  kind: fc.nat(),
});

const version = fc.record({
  key: bytes,
  revision: number,
  deleted: fc.boolean(),
  value: bytes,
  createRevision: number,
  modRevision: number,
  version: number,
  leaseId: number,
  ttlMs: number,
  expireTimeMs: number,
  kind: fc.nat(),
});

describe('items that are read in place', () => {
  it('are versions of a block as the generated codec reads them', () => {
    const lease = { leaseId: 1, ttlMs: 2, deadlineMs: 3 };
    fc.assert(
      fc.property(fc.array(version, { maxLength: 5 }), fc.nat(9), (versions, offset) => {
        const block = written(
          offset,
          { versions, leases: [lease, lease] },
          sizeOfSnapshotBlock,
          writeSnapshotBlock,
        );
        const cursor = new Cursor(block, 0, block.length);
        const place = placeIn(block);
        const read: Plain[] = [];
        for (let end = nextVersion(cursor, block.length); end > 0; end = nextVersion(cursor, block.length)) {
          readVersion(cursor, end, block.byteOffset, place);
          read.push(plain(place));
        }
        expect(read).toEqual(versions.map(plain));
        cursor.position = 0;
        let leaseCount = 0;
        for (let end = nextLease(cursor, block.length); end > 0; end = nextLease(cursor, block.length)) {
          cursor.position = end;
          leaseCount++;
        }
        expect(leaseCount).toBe(2);
      }),
    );
  });

  it('are puts and deletes of the log as the generated codec reads them', () => {
    fc.assert(
      fc.property(put, bytes, fc.nat(5), number, (effect, key, reason, revision) => {
        const putBytes = written(3, effect, sizeOfPutEffect, writePutEffect);
        const place = placeIn(putBytes);
        readPut(
          new Cursor(putBytes, 0, putBytes.length),
          putBytes.length,
          putBytes.byteOffset,
          revision,
          place,
        );
        const expected = readPutEffect(putBytes, 0, putBytes.length);
        expect(plain(place)).toEqual(plain({ ...expected, revision, modRevision: revision, deleted: false }));

        const deleteBytes = written(1, { key, reason }, sizeOfDeleteEffect, writeDeleteEffect);
        place.memory = memoryOf(deleteBytes);
        const cursor = new Cursor(deleteBytes, 0, deleteBytes.length);
        const offset = deleteBytes.byteOffset;
        expect(readDelete(cursor, deleteBytes.length, offset, revision, place)).toBe(reason);
        expect(Buffer.from(place.key)).toEqual(
          Buffer.from(readDeleteEffect(deleteBytes, 0, deleteBytes.length).key),
        );
        expect([place.deleted, place.revision, place.value.length]).toEqual([true, revision, 0]);
      }),
    );
  });

  it('are found in a record, fields of other versions between them', () => {
    const effects: EffectShape[] = [
      { effect: { case: 'delete', value: { key: Uint8Array.of(1), reason: 2 } } },
      { effect: { case: 'leaseEnd', value: { leaseId: 7 } } },
    ];
    const record = { revision: 300, timeMs: 2 ** 40, leaseClockMs: 5, effects };
    const recordBytes = written(0, record, sizeOfRecord, writeRecord);
    // Field 15 as a number and as bytes, and the time once more: the last one counts.
    const buffer = Buffer.concat([
      Buffer.from([0x78, 0x05]),
      recordBytes,
      Buffer.from([0x7a, 1, 9, 0x10, 42]),
    ]);
    const head = new RecordHead();
    const cursor = new Cursor(buffer, 0, buffer.length);
    head.read(cursor, buffer.length);
    const { revision, timeMs, leaseClockMs } = readRecord(buffer, 0, buffer.length);
    expect(head).toEqual({ revision, timeMs, leaseClockMs, effectCount: 2 });
    cursor.position = 0;
    const kinds = effects.map(() => {
      const end = nextEffect(cursor, buffer.length);
      const kind = enterEffect(cursor, end);
      cursor.position = end;
      return kind;
    });
    expect(kinds).toEqual(['delete', undefined]);
    expect(nextEffect(cursor, buffer.length)).toBe(0);
  });

  it('are left to the generated codec when an effect holds more than one of them', () => {
    const one = written(0, effectOf('a'), sizeOfEffect, writeEffect);
    const two = Buffer.concat([one, written(0, effectOf('b'), sizeOfEffect, writeEffect)]);
    expect(enterEffect(new Cursor(one, 0, one.length), one.length)).toBe('put');
    const cursor = new Cursor(two, 0, two.length);
    expect(enterEffect(cursor, two.length)).toBeUndefined();
    expect(cursor.position).toBe(0);
    expect(enterEffect(new Cursor(two, 0, 0), 0)).toBeUndefined();
  });

  it('are refused when they are cut', () => {
    const block = written(
      0,
      { versions: [placeChange(changeOf('key', 'value'))], leases: [] },
      sizeOfSnapshotBlock,
      writeSnapshotBlock,
    );
    for (let length = 1; length < block.length; length++) {
      expect(() => {
        const cursor = new Cursor(block, 0, length);
        const end = nextVersion(cursor, length);
        readVersion(cursor, end, 0, placeIn(block));
      }).toThrow(WireError);
    }
  });
});

it('writes versions into a block as the generated codec does', () => {
  fc.assert(
    fc.property(fc.array(version, { maxLength: 5 }), (versions) => {
      const target = itemBuffer(10_000);
      let end = 0;
      for (const each of versions) {
        const place = placeChange(each);
        const versionBytes = sizeOfVersion(place);
        const start = end;
        end = writeVersionToBlock(place, versionBytes, target, start);
        expect(end - start).toBe(blockBytesOfVersion(versionBytes));
      }
      const expected = written(0, { versions, leases: [] }, sizeOfSnapshotBlock, writeSnapshotBlock);
      expect(target.buffer.subarray(0, end).equals(expected)).toBe(true);
      expect(readSnapshotBlock(target.buffer, 0, end).versions).toHaveLength(versions.length);
    }),
  );
});

type Plain = ReturnType<typeof plain>;

function plain(change: Change) {
  const { revision, deleted, kind, createRevision, modRevision, leaseId, ttlMs, expireTimeMs } = change;
  const numbers = [revision, kind, createRevision, modRevision, change.version, leaseId, ttlMs, expireTimeMs];
  return [
    Buffer.from(change.key).toString('hex'),
    Buffer.from(change.value).toString('hex'),
    deleted,
    numbers,
  ];
}

/** A message, somewhere in a longer memory. */
function written<Shape>(
  offset: number,
  shape: Shape,
  sizeOf: (shape: Shape) => number,
  write: (shape: Shape, buffer: Buffer, offset: number) => number,
): Buffer {
  const buffer = Buffer.from(new ArrayBuffer(offset + sizeOf(shape))).subarray(offset);
  write(shape, buffer, 0);
  return buffer;
}

function placeIn(buffer: Buffer): PlacedChange {
  const place = new PlacedChange();
  place.memory = memoryOf(buffer);
  return place;
}

function changeOf(key: string, value: string): Change {
  const change = { key: Buffer.from(key), value: Buffer.from(value), revision: 5, deleted: false, kind: 0 };
  return { ...change, createRevision: 5, modRevision: 5, version: 1, leaseId: 0, ttlMs: 0, expireTimeMs: 0 };
}

function effectOf(key: string): EffectShape {
  return { effect: { case: 'put', value: changeOf(key, '') } };
}
