/** Random commands about keys, of strings and of collections, to Redis and to KelpDB. */
import { describe, expect, it } from 'vitest';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import { keysCommands } from '../../../../../src/server/redis/commands/families/keys/keys.ts';
import { listCommands } from '../../../../../src/server/redis/commands/families/lists/list.ts';
import { listReadCommands } from '../../../../../src/server/redis/commands/families/lists/reads.ts';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import type { DecodedReply } from '../../support/decoded-reply.ts';
import { differential } from '../../support/differential.ts';
import { hasRealRedis, RealRedis } from '../../support/real-redis.ts';
import { sortedSetRows } from './sorted-set-rows.ts';
import { asArray, textsOf as texts } from './key-words.ts';
import { drawOfCollections, drawOfKeys } from '../drawn/keys.ts';

const rows = [
  ...stringCommands,
  ...hashCommands,
  ...setCommands,
  ...listCommands,
  ...listReadCommands,
  ...sortedSetRows,
  ...keysCommands,
];

describe.runIf(hasRealRedis)('commands about keys, next to Redis', { timeout: 120_000 }, () => {
  it('reply alike', async () => {
    const seed = Number(process.env['SEED'] ?? 1);
    await differential({ rows, draw: drawOfKeys, seed, count: 6000 });
    await differential({ rows, draw: drawOfKeys, seed: seed + 1, count: 2000, version: 3 });
  });

  it('reply alike about collections', async () => {
    const seed = Number(process.env['SEED'] ?? 1);
    await differential({ rows, draw: drawOfCollections, seed, count: 4000 });
  });

  it('are described alike', async () => {
    const redis = await RealRedis.start();
    try {
      for (const row of keysCommands) {
        const [info] = asArray(await redis.run('COMMAND', 'INFO', row.name));
        const [name, arity, flags, first, last, step, categories] = asArray(info);
        const places = Array.isArray(row.keys) ? row.keys : [];
        expect({
          name: row.name,
          arity: row.arity,
          flags: row.flags.toSorted(),
          places: [places[0]?.first ?? 0, places.at(-1)?.last ?? 0, places[0]?.step ?? 0],
          categories: row.categories.map((category) => `@${category}`).toSorted(),
        }).toEqual({
          name,
          arity,
          flags: texts(flags).toSorted(),
          places: [first, last, step],
          categories: texts(categories).toSorted(),
        });
        const docs = asArray(asArray(await redis.run('COMMAND', 'DOCS', row.name))[1]);
        const told = (what: string): DecodedReply | undefined => docs[docs.indexOf(what) + 1];
        expect([row.name, row.since, row.group]).toEqual([row.name, told('since'), told('group')]);
      }
    } finally {
      await redis.stop();
    }
  });
});
