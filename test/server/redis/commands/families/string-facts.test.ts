/** What is told of the commands of strings, bitmaps and HyperLogLogs is what Redis tells of its own. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Command, KeyPlaces } from '../../../../../src/server/redis/commands/command.ts';
import { bitmapCommands } from '../../../../../src/server/redis/commands/families/bitmaps.ts';
import { hyperLogLogCommands } from '../../../../../src/server/redis/commands/families/hyperloglog.ts';
import { stringCommands } from '../../../../../src/server/redis/commands/families/strings.ts';
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

function placesOf({ keys }: Command): readonly KeyPlaces[] {
  if (keys === undefined || 'told' in keys) throw new Error('all of these have keys at places of their own');
  return keys;
}

/** Of all rows together, as COMMAND INFO tells it: the destination of BITOP alone has a row of its own that does not count there. */
function toldKeys(command: Command): readonly number[] {
  const places = placesOf(command);
  const first = Math.min(...places.map((place) => place.first));
  const [last] = places.slice(-1);
  return [first, last?.last ?? 0, last?.step ?? 0];
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
      const theirs = {
        name,
        arity,
        flags: textsOf(flags),
        keys: [first, last, step],
        uses: asArray(specs).map(useOf),
        categories: textsOf(categories),
        group: doc('group'),
        since: doc('since'),
      };
      const ours = {
        name: command.name,
        arity: command.arity,
        flags: [...command.flags].sort(),
        keys: toldKeys(command),
        uses: placesOf(command).map(({ use }) => use),
        categories: command.categories.map((category) => `@${category}`).sort(),
        group: command.group,
        since: command.since,
      };
      expect(ours).toEqual(theirs);
    }
  });
});
