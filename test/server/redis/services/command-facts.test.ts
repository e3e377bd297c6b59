/** The table of commands beside that of redis-server 7.0: what each command is called with, its keys, flags, categories and history. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandFacts } from '../../../../src/server/redis/commands/command.ts';
import { toldPlaces } from '../../../../src/server/redis/commands/told-commands.ts';
import { commandFacts } from '../../../../src/server/redis/all-commands.ts';
import { absentCommands } from '../../../../tools/redis-absent.ts';
import { type DecodedReply, SimpleReply } from '../support/decoded-reply.ts';
import { RealRedis, hasRealRedis } from '../support/real-redis.ts';

/** What Redis 7.0 has not, and KelpDB has; it has DEBUG as one command, whose subcommands its table does not know. */
const ownNames =
  /^(bf\.|h(p?expire|p?ttl|persist|getex|setex|getdel)|debug\||client\|(setinfo|no-touch|forwarded)$)/;

interface RealFacts {
  readonly arity: number;
  readonly flags: readonly string[];
  readonly places: readonly number[];
  readonly categories: readonly string[];
}

interface RealDocs {
  readonly since: string;
  readonly group: string;
  readonly summary: string;
  readonly complexity: string;
}

describe.skipIf(!hasRealRedis)('beside redis-server', () => {
  let real: RealRedis;
  const factsByName = new Map<string, RealFacts>();
  const docsByName = new Map<string, RealDocs>();

  beforeAll(async () => {
    real = await RealRedis.start();
    for (const one of listOf(await real.run('COMMAND'))) addFacts(one);
    addDocs(await real.run('COMMAND', 'DOCS'));
  });
  afterAll(() => real.stop());

  function addFacts(reply: DecodedReply): void {
    const [name, arity, flags, first, last, step, categories, , , below] = listOf(reply);
    factsByName.set(textOf(name), {
      arity: Number(arity),
      flags: listOf(flags).map(textOf).sort(),
      places: [Number(first), Number(last), Number(step)],
      categories: listOf(categories)
        .map((one) => textOf(one).slice(1))
        .sort(),
    });
    for (const one of listOf(below)) addFacts(one);
  }

  function addDocs(reply: DecodedReply): void {
    for (const [name, facts] of pairsOf(reply)) {
      const fields = new Map(pairsOf(facts));
      docsByName.set(name, {
        since: textOf(fields.get('since')),
        group: textOf(fields.get('group')),
        summary: textOf(fields.get('summary')),
        complexity: textOf(fields.get('complexity')),
      });
      const below = fields.get('subcommands');
      if (below !== undefined) addDocs(below);
    }
  }

  const shared = commandFacts.filter(({ name }) => !ownNames.test(name));

  test('commands have its arity, flags, key places and categories', () => {
    expect(shared.map(toldOf)).toEqual(shared.map(({ name }) => ({ name, ...factsByName.get(name) })));
  });

  test('commands have its group, and came with its version', () => {
    const told = shared.map(({ name, group, since }) => ({ name, group, since }));
    expect(told).toEqual(
      shared.map(({ name }) => ({
        name,
        group: docsByName.get(name)?.group,
        since: docsByName.get(name)?.since,
      })),
    );
  });

  test('what commands do, and what they take, is not told in its sentences', () => {
    const isSentence = (text: string): boolean => /\s/.test(text.trim());
    for (const { name, summary, complexity } of shared) {
      const docs = docsByName.get(name);
      expect([name, plainWords(summary)]).not.toEqual([name, plainWords(docs?.summary ?? '')]);
      if (isSentence(complexity)) expect([name, complexity]).not.toEqual([name, docs?.complexity]);
    }
  });

  test('all others are said to be absent, with what stands for them', () => {
    const own = new Set(commandFacts.map(({ name }) => name));
    const absent = new Set(absentCommands.flatMap(({ names }) => names));
    const isContainer = (name: string): boolean => [...own].some((one) => one.startsWith(`${name}|`));
    const others = [...factsByName.keys()].filter((name) => !own.has(name) && !isContainer(name));
    expect(others.filter((name) => !absent.has(name))).toEqual([]);
    expect([...absent].filter((name) => !factsByName.has(name))).toEqual([]);
  });
});

test('what a command does is told in the third person and without a period, what it takes as O(...)', () => {
  for (const { name, summary, complexity } of commandFacts) {
    expect([name, summary]).toEqual([name, expect.stringMatching(/^[A-Z][a-z]*s\b[^|]*[^.|]$/)]);
    expect([name, complexity]).toEqual([name, expect.stringMatching(/^(O\([^()]*\)|that of its)/)]);
  }
});

/** Without what only makes it another person: `Gets a value`, `Get a value`. */
function plainWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/\W+/g, ' ')
    .trim()
    .replace(/^(\w+?)(?:es|s)?\b/, '$1');
}

function toldOf({ name, arity, flags, categories, keys }: CommandFacts): { name: string } & RealFacts {
  return {
    name,
    arity,
    flags: [...flags].sort(),
    places: [...toldPlaces(keys)],
    categories: [...categories].sort(),
  };
}

function listOf(reply: DecodedReply | undefined): readonly DecodedReply[] {
  return Array.isArray(reply) ? reply : [];
}

function pairsOf(reply: DecodedReply): (readonly [string, DecodedReply])[] {
  const list = listOf(reply);
  return list.flatMap((one, index) =>
    index % 2 === 0 ? [[textOf(one), list[index + 1] ?? null] as const] : [],
  );
}

function textOf(reply: DecodedReply | undefined): string {
  if (reply instanceof SimpleReply) return reply.text;
  return typeof reply === 'string' ? reply : '';
}
