/** The facts of the commands of strings, bitmaps and HyperLogLogs are those of Redis. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Command, KeyPlaces } from '../../../../../src/server/redis/commands/command.ts';
import { bitmapCommands } from '../../../../../src/server/redis/commands/families/strings/bitmaps.ts';
import { hyperLogLogCommands } from '../../../../../src/server/redis/commands/families/sketches/hyperloglog.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings/strings.ts';
import { toldPlaces } from '../../../../../src/server/redis/commands/told-commands.ts';
import type { DecodedReply } from '../../support/decoded-reply.ts';
import { hasRealRedis, RealRedis } from '../../support/real-redis.ts';

const commands = [...stringCommands, ...bitmapCommands, ...hyperLogLogCommands];

function asArray(reply: DecodedReply | undefined): readonly DecodedReply[] {
  if (!Array.isArray(reply)) throw new Error('an array was expected');
  return reply as readonly DecodedReply[];
}

/** Simple strings and bulk strings alike. */
function textOf(reply: DecodedReply | undefined): string {
  if (typeof reply === 'string') return reply;
  if (typeof reply === 'object' && reply !== null && 'text' in reply) return reply.text;
  throw new Error('a text was expected');
}

function textsOf(reply: DecodedReply | undefined): string[] {
  return asArray(reply).map(textOf).sort();
}

/** `undefined`: what is done with the key depends on the words (SET with GET reads it too), which Redis tells of all calls alike. */
function placesOf({ keys }: Command): readonly KeyPlaces[] | undefined {
  if (keys === undefined) throw new Error('all of these have keys');
  return 'told' in keys ? undefined : keys;
}

/** By the flags of a key's row: its use, as access asks for it. */
function useOf(spec: DecodedReply): string {
  const flags = textsOf(asArray(spec)[asArray(spec).indexOf('flags') + 1]);
  const isRead = flags.includes('access') || flags.includes('RO');
  const isWritten = ['insert', 'update', 'delete'].some((flag) => flags.includes(flag));
  if (isRead && isWritten) return 'both';
  return isRead ? 'read' : 'write';
}

describe.skipIf(!hasRealRedis)('facts', () => {
  it('of each command are those of COMMAND INFO and COMMAND DOCS', { timeout: 30_000 }, async () => {
    const redis = await RealRedis.start();
    onTestFinished(() => redis.stop());
    for (const command of commands) {
      const info = asArray(asArray(await redis.run('COMMAND', 'INFO', command.name))[0]);
      const [name, arity, flags, first, last, step, categories, , specs] = info;
      const docs = asArray(asArray(await redis.run('COMMAND', 'DOCS', command.name))[1]);
      const doc = (key: string): string => textOf(docs[docs.indexOf(key) + 1]);
      const places = placesOf(command);
      const theirs = {
        name,
        arity,
        flags: textsOf(flags),
        keys: [first, last, step],
        uses: places === undefined ? undefined : asArray(specs).map(useOf),
        categories: textsOf(categories),
        group: doc('group'),
        since: doc('since'),
      };
      const ours = {
        name: command.name,
        arity: command.arity,
        flags: [...command.flags].sort(),
        keys: toldPlaces(command.keys),
        uses: places?.map(({ use }) => use),
        categories: command.categories.map((category) => `@${category}`).sort(),
        group: command.group,
        since: command.since,
      };
      expect(ours).toEqual(theirs);
    }
  });
});
