/** Places beside Redis: the same commands by chance to both; and what a search is held to. */
import { describe, expect, test } from 'vitest';
import { geoCommands } from '../../../../../src/server/redis/commands/families/geo/geo.ts';
import { geoSearchCommands } from '../../../../../src/server/redis/commands/families/geo/search.ts';
import { fixed, serverFixed } from '../../../../../src/limits.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis } from '../../support/real-redis.ts';
import { RedisHarness } from '../../support/redis-harness.ts';
import type { Word } from '../../support/words.ts';
import { drawOfGeos } from '../drawn/geos.ts';
import { asArray } from './key-words.ts';
import { otherTypes } from './other-types.ts';
import { sortedSetRows } from './sorted-set-rows.ts';

const rows = [...geoCommands, ...geoSearchCommands, ...sortedSetRows, ...otherTypes];
const COUNT = Number(process.env['REDIS_COMMANDS'] ?? 6000);
const SEED = Number(process.env['REDIS_SEED'] ?? 1);

describe.skipIf(!hasRealRedis)('places beside Redis', () => {
  test.each([2, 3] as const)('answer alike in RESP%i', { timeout: 120_000 }, async (version) => {
    await differential({ rows, draw: drawOfGeos, seed: SEED + version, count: COUNT, version });
  });
});

/** A grid of places in rows of 1000, some 11 m apart. */
async function filled(count: number): Promise<RedisHarness> {
  const harness = await RedisHarness.open(rows);
  for (let start = 0; start < count; start += 1000) {
    const words: Word[] = ['GEOADD', 'grid'];
    for (let index = start; index < start + 1000; index++)
      words.push(10 + (index % 1000) / 10_000, 50 + start / 10_000_000, `m${index}`);
    expect(harness.run(...words)).toBe(1000);
    await harness.durable();
  }
  return harness;
}

describe('a search', () => {
  test('is done in pieces, none of which looks at many members', async () => {
    const count = 20_000;
    const harness = await filled(count);
    const reply = asArray(
      harness.run('GEOSEARCH', 'grid', 'FROMLONLAT', 10, 50, 'BYRADIUS', 100, 'km', 'ASC'),
    );
    expect(reply.length).toBe(count);
    expect(new Set(reply).size).toBe(count);
    expect(reply[0]).toBe('m0');
    expect(harness.visitsByPiece.length).toBeGreaterThan(count / serverFixed.elementsPerSlice);
    expect(Math.max(...harness.visitsByPiece)).toBeLessThan(3 * serverFixed.elementsPerSlice);
    // Each has four numbers and a text.
    expect(harness.heldBytesMax).toBeGreaterThan(count * 100);
    expect(harness.run('GEORADIUS', 'grid', 10, 50, 100, 'km', 'ASC')).toEqual(reply);
    expect(harness.visitsByPiece.length).toBeGreaterThan(count / serverFixed.elementsPerSlice);
  });

  test('of a small area looks at little of a large set', async () => {
    const harness = await filled(20_000);
    const visits = harness.countVisits();
    expect(harness.run('GEOSEARCH', 'grid', 'FROMLONLAT', 10.05, 50, 'BYRADIUS', 3, 'm')).toEqual(['m500']);
    expect(visits()).toBeLessThan(500);
  });

  test('for the nearest of very many keeps no more than these', async () => {
    const count = fixed.foundPlacesMax + 5000;
    const harness = await filled(count);
    const search = ['GEOSEARCH', 'grid', 'FROMLONLAT', 10, 50, 'BYRADIUS', 100, 'km'];
    expect(harness.run(...search, 'COUNT', 3)).toHaveLength(3);
    expect(asArray(harness.run(...search, 'COUNT', 3))[0]).toBe('m0');
    expect(harness.run(...search, 'COUNT', 3, 'ANY')).toHaveLength(3);
    expect(() => harness.run(...search)).toThrow(/more than 100000 members.*smaller area, or with COUNT/);
  }, 60_000);

  test('tells keyspace events of what it stores', async () => {
    const harness = await RedisHarness.open(rows);
    harness.run('GEOADD', 'places', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania');
    expect(harness.run('GEORADIUS', 'places', 15, 37, 200, 'km', 'STORE', 'near')).toBe(2);
    expect(
      harness.run(
        'GEOSEARCHSTORE',
        'near',
        'places',
        'FROMMEMBER',
        'Palermo',
        'BYRADIUS',
        1,
        'm',
        'STOREDIST',
      ),
    ).toBe(1);
    expect(harness.run('GEORADIUS', 'places', 0, 0, 1, 'm', 'STORE', 'near')).toBe(0);
    expect(harness.run('GEORADIUS', 'places', 0, 0, 1, 'm', 'STORE', 'near')).toBe(0);
    expect(harness.events()).toEqual([
      'z zadd places',
      'z georadiusstore near',
      'z geosearchstore near',
      'g del near',
    ]);
  });
});
