/** Reads of collections, of the newest state or an old one. */
import { expect } from 'vitest';
import type { SeededRandom } from '../../../support/random.ts';
import { HLL_KEYS, type Making, some } from './making.ts';
import { combineSets, sliceOf } from './plain-collections.ts';

/** By the names of the calls. */
export const reads: Readonly<
  Record<string, (random: SeededRandom, key: string, revision: number) => Making>
> = {
  'hash.get': (random, key, revision) => {
    const names = some(random);
    return {
      args: names,
      run: async ({ hash }) => {
        const { fields, count, revision: at } = await hash.get(key, { names, revision });
        return {
          found: [...fields].map(({ name, value }) => [name.text(), value.text()]).sort(byName),
          count,
          revision: at,
        };
      },
      expect: (state) => {
        const fields = state.fields(key);
        // A name that is asked for twice is answered twice.
        const found = names
          .flatMap((name) => {
            const value = fields.get(name);
            return value === undefined ? [] : [[name, value]];
          })
          .sort(byName);
        return [{ found, count: fields.size }, state];
      },
    };
  },
  'hash.scan': (random, key, revision) => {
    const pageSize = random.pick([7, 1000]);
    return {
      args: { pageSize },
      run: async ({ hash }) => {
        const fields: string[][] = [];
        let at = 0;
        for await (const page of hash.scan(key, { revision, pageSize }).pages()) {
          fields.push(...page.items.map(({ name, value }) => [name.text(), value.text()]));
          at = page.revision;
        }
        return { fields: fields.sort(byName), revision: at };
      },
      expect: (state) => [{ fields: [...state.fields(key)].sort(byName) }, state],
    };
  },
  'list.range': (random, key, revision) => {
    const [start, stop] = [random.between(-50, 50), random.between(-50, 50)];
    return {
      args: [start, stop],
      run: async ({ list }) => {
        const { elements, count, revision: at } = await list.range(key, { start, stop, revision });
        return { elements: elements.map(String), count, revision: at };
      },
      expect: (state) => {
        const elements = state.elements(key);
        return [{ elements: sliceOf(elements, start, stop), count: elements.length }, state];
      },
    };
  },
  'set.contains': (random, key, revision) => {
    const members = some(random);
    return {
      args: members,
      run: async ({ set }) => await set.contains(key, members, { revision }),
      expect: (state) => {
        const all = state.members(key);
        return [{ contained: members.map((member) => all.has(member)), count: all.size }, state];
      },
    };
  },
  'set.scan': (_random, key, revision) => ({
    args: {},
    run: async ({ set }) => {
      const members: string[] = [];
      let at = 0;
      for await (const page of set.scan(key, { revision, pageSize: 30 }).pages()) {
        members.push(...page.items.map(String));
        at = page.revision;
      }
      return { members: members.sort(), revision: at };
    },
    expect: (state) => [{ members: [...state.members(key)].sort() }, state],
  }),
  'sortedSet.score': (random, key, revision) => {
    const members = some(random);
    return {
      args: members,
      run: async ({ sortedSet }) => await sortedSet.score(key, members, { revision }),
      expect: (state) => {
        const scores = state.scores(key);
        return [{ scores: members.map((member) => scores.get(member)), count: scores.size }, state];
      },
    };
  },
  'sortedSet.range': (random, key, revision) => {
    const [min, max] = [random.between(-6, 6), random.between(-6, 6)];
    const reverse = random.chance(0.5);
    return {
      args: { min, max, reverse },
      run: async ({ sortedSet }) => {
        const members: unknown[] = [];
        let at = 0;
        const options = { revision, reverse, pageSize: 25 };
        for await (const page of sortedSet.range(key, { score: { min, max } }, options).pages()) {
          members.push(...page.items.map(({ member, score }) => [member.text(), score]));
          at = page.revision;
        }
        return { members, revision: at };
      },
      expect: (state) => {
        const members = state.ranked(key).filter(([, score]) => score >= min && score <= max);
        return [{ members: reverse ? members.reverse() : members }, state];
      },
    };
  },
  'sketch.hllCount': (random, _key, revision) => {
    const keys = random.pick<readonly string[]>([['p'], ['q'], HLL_KEYS]);
    return {
      args: keys,
      run: async ({ sketch }) => await sketch.hllCount(keys, { revision }),
      expect: (state) => {
        const { size } = combineSets(
          'union',
          keys.map((each) => state.sketched(each)),
        );
        const isNear = (count: number): boolean => Math.abs(count - size) <= 1 + size * 0.04;
        return [{ count: expect.toSatisfy(isNear, `about ${size}`) }, state];
      },
    };
  },
  'sketch.bloomContains': (random, key, revision) => {
    const elements = some(random);
    return {
      args: elements,
      run: async ({ sketch }) => await sketch.bloomContains(key, elements, { revision }),
      expect: (state) => {
        const all = state.filtered(key);
        return [{ contained: elements.map((element) => all.has(element)) }, state];
      },
    };
  },
};

function byName([a = '']: readonly string[], [b = '']: readonly string[]): number {
  return a < b ? -1 : 1;
}
