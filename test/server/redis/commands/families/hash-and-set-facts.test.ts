/** The facts of the commands of hashes and sets are those of Redis; what they do and take is told in words of our own. */
import { expect, it } from 'vitest';
import type { KeyPlaces } from '../../../../../src/server/redis/commands/command.ts';
import { hashCommands } from '../../../../../src/server/redis/commands/families/hash.ts';
import { setCommands } from '../../../../../src/server/redis/commands/families/set.ts';
import { showReply, type DecodedReply } from '../../support/decoded-reply.ts';
import { RealRedis } from '../../support/real-redis.ts';

it('COMMAND INFO and COMMAND DOCS of hashes and sets', async () => {
  const redis = await RealRedis.start();
  try {
    for (const command of [...hashCommands, ...setCommands]) {
      const { name, arity, keys, since, group } = command;
      const [info] = (await redis.run('COMMAND', 'INFO', name)) as DecodedReply[][];
      const [theirName, theirArity, flags, first, last, step, categories] = info ?? [];
      expect([theirName, theirArity]).toEqual([name, arity]);
      expect(words(flags)).toEqual(command.flags.map((flag) => `+${flag}`).sort());
      expect(words(categories)).toEqual(command.categories.map((category) => `+@${category}`).sort());
      const places: readonly KeyPlaces[] | undefined =
        keys !== undefined && !('told' in keys) ? keys : undefined;
      expect([first, last, step]).toEqual(
        places === undefined ? [0, 0, 0] : [places[0]?.first, places.at(-1)?.last, 1],
      );
      const [, docs] = (await redis.run('COMMAND', 'DOCS', name)) as DecodedReply[][];
      expect(docs?.slice(2, 6)).toEqual(['since', since, 'group', group]);
    }
  } finally {
    await redis.stop();
  }
});

function words(reply: DecodedReply | undefined): string[] {
  return Array.isArray(reply) ? reply.map((word: DecodedReply) => showReply(word)).sort() : [];
}
