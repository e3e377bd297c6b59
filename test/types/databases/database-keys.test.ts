import { describe, expect, it } from 'vitest';
import {
  DATABASE_COUNT,
  databaseOf,
  databaseRange,
  headRange,
  toDatabaseKey,
  toKeyOfDatabase,
} from '../../../src/types/databases/database-keys.ts';
import { isEngineKey } from '../../../src/store/views/regions.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import { SeededRandom } from '../../support/random.ts';

function isWithin({ start, end }: EngineRange, key: Uint8Array): boolean {
  return Buffer.compare(start, key) <= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}

const firstBytes = [0, 0x61, 0xf4, 0xf7, 0xf8, 0xf9, 0xfa, 0xfe, 0xff];

describe('keys of databases', () => {
  const random = new SeededRandom(15);
  const userKeys = firstBytes.flatMap((first) => [
    Uint8Array.of(first),
    ...firstBytes.map((second) => Uint8Array.of(first, second, ...random.bytes(random.below(3)))),
  ]);
  const databases = Array.from({ length: DATABASE_COUNT }, (_, database) => database);

  it('go into the engine and come back, each into the range of its database alone', () => {
    for (const database of databases) {
      for (const userKey of userKeys) {
        const key = toDatabaseKey(database, userKey);
        expect(isEngineKey(key)).toBe(true);
        expect(databaseOf(key)).toBe(database);
        expect(Buffer.compare(toKeyOfDatabase(key), userKey)).toBe(0);
        expect(databases.filter((other) => isWithin(databaseRange(other), key))).toEqual([database]);
      }
    }
  });

  it('keep their order', () => {
    for (const database of [0, 1, 15]) {
      const order = (a: Uint8Array, b: Uint8Array): number =>
        Buffer.compare(toDatabaseKey(database, a), toDatabaseKey(database, b));
      expect(userKeys.toSorted(order)).toEqual(userKeys.toSorted((a, b) => Buffer.compare(a, b)));
    }
  });

  it('lie in the range of a head when they begin with it', () => {
    const heads = [new Uint8Array(0), ...userKeys];
    for (const database of [0, 1, 15]) {
      for (const head of heads) {
        const range = headRange(database, head);
        for (const userKey of userKeys) {
          const begins = Buffer.compare(userKey.subarray(0, head.length), head) === 0;
          expect(isWithin(range, toDatabaseKey(database, userKey)), `${head.join()} ${userKey.join()}`).toBe(
            begins,
          );
        }
      }
    }
  });
});
