/** The words of blocks: what is written is read again, and a block knows its own length. */
import { describe, expect, it } from 'vitest';
import {
  IS_DELETED,
  HOLE,
  NODE,
  TABLE,
  KEY,
  LONG_VERSION,
  SHORT_COUNT_MAX,
  SHORT_VALUE_BYTES_MAX,
  SHORT_VERSION,
  headOf,
  spanHead,
  isVersion,
  kindOf,
  secondWord,
  shortCount,
  shortValueBytes,
  unitsAt,
  valueWord,
  wide,
  wideAt,
  writeWide,
} from '../../../src/engine/memory/layout.ts';
import { LongValues } from '../../../src/engine/memory/long-values.ts';
import {
  Fields,
  deadlineAt,
  leaseAt,
  showPlaced,
  storedBytesAt,
} from '../../../src/engine/memory/version-codec.ts';
import { type Change, PlacedChange } from '../../../src/engine/version.ts';
import { probeOf } from './blocks.ts';
import { deletion, put } from '../contract/changes.ts';

const LARGE = 2 ** 53 - 1;
const NUMBERS = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 1, LARGE];

describe('the layout of blocks', () => {
  it('keeps numbers of up to 53 bits in two words', () => {
    const words = new Int32Array(4).fill(-1);
    for (const number of NUMBERS) {
      expect(writeWide(words, 1, number)).toBe(3);
      expect(wideAt(words, 1)).toBe(number);
      expect(wide(words[1]!, words[2]!)).toBe(number);
      expect([words[0], words[3]]).toEqual([-1, -1]);
    }
  });

  it('keeps kind and lengths of a head apart', () => {
    for (const kind of [SHORT_VERSION, LONG_VERSION, 2, 3, 4]) {
      for (const keyBytes of [0, 1, 4, 65_535, 65_543]) {
        for (const valueBytes of [0, 1, SHORT_VALUE_BYTES_MAX]) {
          const head = headOf(kind, keyBytes, valueBytes);
          expect([kindOf(head), shortValueBytes(head), isVersion(head)]).toEqual([
            kind,
            valueBytes,
            kind < 2,
          ]);
          expect(valueWord(head)).toBe(KEY + Math.ceil(keyBytes / 4));
        }
      }
    }
    for (const kind of [NODE, TABLE, HOLE] as const) {
      for (const units of [1, 2 ** 22, 2 ** 29 - 1]) {
        const words = Int32Array.of(0, spanHead(kind, units));
        expect([kindOf(words[1]!), unitsAt(words, 1)]).toEqual([kind, units]);
      }
    }
    for (const count of [0, 1, SHORT_COUNT_MAX]) {
      const word = secondWord(LARGE, count, IS_DELETED);
      expect([shortCount(word), word & (2 ** 21 - 1), word & IS_DELETED]).toEqual([
        count,
        2 ** 21 - 1,
        IS_DELETED,
      ]);
    }
  });

  it('gives every choice of extras back, with a length that is that of the block', () => {
    const extras: Partial<Change>[] = [
      { createRevision: 1 },
      { modRevision: 5 },
      { version: 256 },
      { leaseId: LARGE },
      { ttlMs: 2 ** 31 },
      { expireTimeMs: 2 ** 41 + 7 },
      { kind: 2 ** 32 - 1 },
    ];
    const revision = 2 ** 40 + 3;
    const longValues = new LongValues();
    for (let choice = 0; choice < 2 ** extras.length; choice++) {
      const chosen = extras.filter((_, index) => (choice & (1 << index)) !== 0);
      for (const valueBytes of [0, 5, SHORT_VALUE_BYTES_MAX, SHORT_VALUE_BYTES_MAX + 1]) {
        const change = put('a key', revision, 'v'.repeat(valueBytes), Object.assign({}, ...chosen));
        const shown = roundTrip(change, longValues);
        const { key: _key, value: _value, ...fields } = change;
        expect(shown).toMatchObject(fields);
        expect(shown.valueEnd - shown.valueStart).toBe(valueBytes);
        expect(Buffer.from(shown.key).toString()).toBe('a key');
      }
    }
    // A creation further back than a word can say.
    for (const createRevision of [revision, revision - 2 ** 32 + 1, revision - 2 ** 32])
      expect(roundTrip(put('k', revision, 'v', { createRevision }), longValues).createRevision).toBe(
        createRevision,
      );
    const deleted = roundTrip(deletion('gone', revision), longValues);
    expect([deleted.deleted, deleted.revision, deleted.expireTimeMs]).toEqual([true, revision, 0]);
  });
});

describe('long values', () => {
  it('have numbers that are used again, and never for two at once', () => {
    const values = new LongValues();
    const add = (mark: number) => values.add(new Uint8Array(5000).fill(mark));
    const numbers = [1, 2, 3, 4].map(add);
    for (const mark of [2, 4]) values.remove(numbers[mark - 1]!);
    for (const mark of [2, 4]) numbers[mark - 1] = add(mark);
    expect(new Set(numbers)).toEqual(new Set([0, 1, 2, 3]));
    for (const [index, number] of numbers.entries())
      expect(values.memoryOf(number).bytes.every((byte) => byte === index + 1)).toBe(true);
    expect(values.memoryBytes).toBe(20_000);
    expect(add(5)).toBe(4);
  });
});

/** Writes a version as a block between other words, checks its length, and reads it. */
function roundTrip(change: Change, longValues: LongValues): PlacedChange {
  const probe = probeOf(Buffer.from(change.key).toString('latin1'));
  const fields = new Fields();
  fields.take(change, probe.length, change.value.length);
  const words = new Int32Array(3000).fill(-1);
  const valueAt = fields.write(words, 2, probe, false, 77);
  if (fields.isLong) {
    words[valueAt] = longValues.add(change.value);
    words[valueAt + 1] = change.value.length;
  }
  expect(unitsAt(words, 2)).toBe(fields.units);
  expect([words[1], words[2 + fields.units * 2]]).toEqual([-1, -1]);
  expect([deadlineAt(words, 2), leaseAt(words, 2)]).toEqual([change.expireTimeMs, change.leaseId]);
  expect(storedBytesAt(words, 2)).toBe(change.value.length);
  const memory = { words, bytes: new Uint8Array(words.buffer) };
  return showPlaced(memory, 2, longValues, undefined, new PlacedChange());
}
