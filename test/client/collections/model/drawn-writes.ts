/** Changes of collections, and reads that only the newest state has. */
import type { ListEnd, SetOperation } from '../../../../src/client/index.ts';
import type { SeededRandom } from '../../../support/random.ts';
import { HLL_KEYS, KEYS, type Making, NAMES, some } from './making.ts';
import { combineSets, Refused, sliceOf, takeFrom } from './plain-collections.ts';

const ENDS: readonly ListEnd[] = ['head', 'tail'];
const OPERATIONS: readonly SetOperation[] = ['union', 'intersection', 'difference'];
const LONG = 300;
/** So exact that it is never wrong here, and so small that it grows. */
const FILTER = { errorRate: 1e-9, capacity: 20 };

/** By the names of the calls. */
export const writes: Readonly<Record<string, (random: SeededRandom, key: string) => Making>> = {
  'hash.set': (random, key) => {
    const fields = some(random).map((name): [string, string] => [name, value(random)]);
    const onlyIfAbsent = random.chance(0.2);
    return {
      args: { fields, onlyIfAbsent },
      run: async ({ hash }) => await hash.set(key, fields, { onlyIfAbsent }),
      expect: (state) => {
        const before = state.fields(key);
        const after = new Map(before);
        for (const [name, value] of fields) if (!onlyIfAbsent || !before.has(name)) after.set(name, value);
        const counts = { addedCount: after.size - before.size, count: after.size };
        return [counts, state.with(key, { type: 'hash', fields: after })];
      },
    };
  },
  'hash.delete': (random, key) => {
    const names = some(random);
    return {
      args: names,
      run: async ({ hash }) => await hash.delete(key, names),
      expect: (state) => {
        const before = state.fields(key);
        const after = new Map(before);
        for (const name of names) after.delete(name);
        const counts = { deletedCount: before.size - after.size, count: after.size };
        return [counts, state.with(key, { type: 'hash', fields: after })];
      },
    };
  },
  'hash.increment': (random, key) => {
    const name = random.pick(['count', 'count', NAMES[0] ?? '']);
    const delta = random.between(-5, 5);
    return {
      args: [name, delta],
      run: async ({ hash }) => await hash.increment(key, name, delta),
      expect: (state) => {
        const fields = state.fields(key);
        const number = Number(fields.get(name) ?? 0);
        if (!Number.isInteger(number)) throw new Refused('notAnInteger');
        const after = new Map(fields).set(name, `${number + delta}`);
        return [{ value: BigInt(number + delta) }, state.with(key, { type: 'hash', fields: after })];
      },
    };
  },
  'list.push': (random, key) => {
    const elements = some(random).map(() => value(random));
    const end = random.pick(ENDS);
    return {
      args: { elements, end },
      run: async ({ list }) => await list.push(key, elements, { end }),
      expect: (state) => {
        const before = state.elements(key);
        const after = end === 'head' ? [...elements.toReversed(), ...before] : [...before, ...elements];
        return [{ count: after.length }, state.with(key, { type: 'list', elements: after })];
      },
    };
  },
  'list.pop': (random, key) => {
    const [end, limit] = [random.pick(ENDS), random.pick([1, 2, 80])];
    return {
      args: { end, limit },
      run: async ({ list }) => {
        const { elements, ...others } = await list.pop(key, { end, limit });
        return { elements: elements.map(String), ...others };
      },
      expect: (state) => {
        const [elements, left] = takeFrom(state.elements(key), end, limit);
        return [{ elements, count: left.length }, state.with(key, { type: 'list', elements: left })];
      },
    };
  },
  'list.set': (random, key) => {
    const [index, element] = [random.between(-90, 90), value(random)];
    return {
      args: [index, element],
      run: async ({ list }) => await list.set(key, index, element),
      expect: (state) => {
        const before = state.elements(key);
        if (before.length === 0) throw new Refused('keyNotFound');
        const place = index < 0 ? before.length + index : index;
        if (place < 0 || place >= before.length) throw new Refused('indexOutOfRange');
        return [{}, state.with(key, { type: 'list', elements: before.with(place, element) })];
      },
    };
  },
  'list.trim': (random, key) => {
    const [start, stop] = [random.between(-80, 10), random.between(-10, 80)];
    return {
      args: [start, stop],
      run: async ({ list }) => await list.trim(key, { start, stop }),
      expect: (state) => {
        const elements = sliceOf(state.elements(key), start, stop);
        return [{ count: elements.length }, state.with(key, { type: 'list', elements })];
      },
    };
  },
  'list.move': (random, key) => {
    const destination = random.pick<string>(KEYS);
    const [from, to] = [random.pick(ENDS), random.pick(ENDS)];
    return {
      args: { destination, from, to },
      run: async ({ list }) => {
        const { element, revision } = await list.move(key, destination, { from, to });
        return { element: element?.text(), revision };
      },
      expect: (state) => {
        const [[element], left] = takeFrom(state.elements(key), from, 1);
        if (element === undefined) return [{ element }, state];
        const between = state.with(key, { type: 'list', elements: left });
        const there = between.elements(destination);
        const elements = to === 'head' ? [element, ...there] : [...there, element];
        return [{ element }, between.with(destination, { type: 'list', elements })];
      },
    };
  },
  'set.add': (random, key) => {
    const members = some(random);
    return {
      args: members,
      run: async ({ set }) => await set.add(key, members),
      expect: (state) => {
        const before = state.members(key);
        const after = new Set([...before, ...members]);
        const counts = { addedCount: after.size - before.size, count: after.size };
        return [counts, state.with(key, { type: 'set', members: after })];
      },
    };
  },
  'set.remove': (random, key) => {
    const members = some(random);
    return {
      args: members,
      run: async ({ set }) => await set.remove(key, members),
      expect: (state) => {
        const before = state.members(key);
        const after = new Set([...before].filter((member) => !members.includes(member)));
        const counts = { removedCount: before.size - after.size, count: after.size };
        return [counts, state.with(key, { type: 'set', members: after })];
      },
    };
  },
  'set.combine': (random, key) => {
    const keys = [key, ...Array.from({ length: random.below(3) }, () => random.pick<string>(KEYS))];
    const operation = random.pick(OPERATIONS);
    const destination = random.chance(0.4) ? random.pick<string>(KEYS) : undefined;
    return {
      args: { operation, keys, destination },
      run: async ({ set }) => {
        const options = destination === undefined ? {} : { destination };
        const { members, count, revision } = await set.combine(operation, keys, options);
        return { members: members.map(String).sort(), count, revision };
      },
      expect: (state) => {
        const members = combineSets(
          operation,
          keys.map((each) => state.members(each)),
        );
        const answer = { members: destination === undefined ? [...members].sort() : [], count: members.size };
        return [
          answer,
          destination === undefined ? state : state.with(destination, { type: 'set', members }),
        ];
      },
    };
  },
  'sortedSet.add': (random, key) => {
    const members = some(random).map((name): [string, number] => [name, random.between(-5, 5)]);
    const onlyIfAbsent = random.chance(0.2);
    return {
      args: { members, onlyIfAbsent },
      run: async ({ sortedSet }) => await sortedSet.add(key, members, { onlyIfAbsent }),
      expect: (state) => {
        const before = state.scores(key);
        const after = new Map(before);
        let changedCount = 0;
        for (const [member, score] of members) {
          if (onlyIfAbsent && after.has(member)) continue;
          if (after.has(member) && after.get(member) !== score) changedCount++;
          after.set(member, score);
        }
        const counts = { addedCount: after.size - before.size, changedCount, count: after.size };
        return [counts, state.with(key, { type: 'sortedSet', scores: after })];
      },
    };
  },
  'sortedSet.remove': (random, key) => {
    const members = some(random);
    return {
      args: members,
      run: async ({ sortedSet }) => await sortedSet.remove(key, members),
      expect: (state) => {
        const before = state.scores(key);
        const after = new Map([...before].filter(([member]) => !members.includes(member)));
        const counts = { removedCount: before.size - after.size, count: after.size };
        return [counts, state.with(key, { type: 'sortedSet', scores: after })];
      },
    };
  },
  'sortedSet.removeRange': (random, key) => {
    const [start, stop] = [random.between(-90, 10), random.between(-10, 90)];
    return {
      args: [start, stop],
      run: async ({ sortedSet }) => await sortedSet.removeRange(key, { rank: { start, stop } }),
      expect: (state) => {
        const ranked = state.ranked(key);
        const scores = new Map(ranked);
        for (const [member] of sliceOf(ranked, start, stop)) scores.delete(member);
        const counts = { removedCount: ranked.length - scores.size, count: scores.size };
        return [counts, state.with(key, { type: 'sortedSet', scores })];
      },
    };
  },
  'sortedSet.pop': (random, key) => {
    const [highest, limit] = [random.chance(0.5), random.pick([1, 2, 80])];
    return {
      args: { highest, limit },
      run: async ({ sortedSet }) => {
        const { members, ...others } = await sortedSet.pop(key, { highest, limit });
        return { members: members.map(({ member, score }) => [member.text(), score]), ...others };
      },
      expect: (state) => {
        const ranked = state.ranked(key);
        if (highest) ranked.reverse();
        const members = ranked.splice(0, limit);
        const scores = new Map(ranked);
        return [{ members, count: scores.size }, state.with(key, { type: 'sortedSet', scores })];
      },
    };
  },
  /** Of the newest state alone. */
  'sortedSet.rank': (random, key) => {
    const [member, reverse] = [random.pick(NAMES), random.chance(0.5)];
    return {
      args: { member, reverse },
      run: async ({ sortedSet }) => await sortedSet.rank(key, member, { reverse }),
      expect: (state) => {
        const ranked = state.ranked(key);
        if (reverse) ranked.reverse();
        const rank = ranked.findIndex(([each]) => each === member);
        const found = rank < 0 ? {} : { rank, score: ranked[rank]?.[1] };
        return [{ rank: undefined, score: undefined, ...found, count: ranked.length }, state];
      },
    };
  },
  'sortedSet.combine': (random, key) => {
    const other = random.pick<string>(KEYS);
    const destination = random.chance(0.4) ? random.pick<string>(KEYS) : undefined;
    const weights = [2, -1];
    return {
      args: { other, destination },
      run: async ({ sortedSet }) => {
        const options = {
          weights,
          aggregate: 'sum' as const,
          ...(destination !== undefined && { destination }),
        };
        const { members, count, revision } = await sortedSet.combine('union', [key, other], options);
        return { members: members.map(({ member, score }) => [member.text(), score]), count, revision };
      },
      expect: (state) => {
        const scores = new Map<string, number>();
        for (const [index, each] of [key, other].entries())
          for (const [member, score] of state.scoresOfAny(each))
            scores.set(member, (scores.get(member) ?? 0) + score * (weights[index] ?? 1));
        const after = state.with('combined', { type: 'sortedSet', scores });
        const members = destination === undefined ? after.ranked('combined') : [];
        const answer = { members, count: scores.size };
        return [
          answer,
          destination === undefined ? state : state.with(destination, { type: 'sortedSet', scores }),
        ];
      },
    };
  },
  'sketch.hllAdd': (random) => {
    const key = random.pick<string>(HLL_KEYS);
    const elements = some(random);
    return {
      args: [key, elements],
      run: async ({ sketch }) => ({ revision: (await sketch.hllAdd(key, elements)).revision }),
      expect: (state) => {
        const members = new Set([...state.sketched(key), ...elements]);
        return [{}, state.with(key, { type: 'hyperLogLog', members })];
      },
    };
  },
  'sketch.hllMerge': () => ({
    args: HLL_KEYS,
    run: async ({ sketch }) => await sketch.hllMerge('p', ['q']),
    expect: (state) => {
      const members = new Set([...state.sketched('p'), ...state.sketched('q')]);
      return [{}, state.with('p', { type: 'hyperLogLog', members })];
    },
  }),
  'sketch.bloomCreate': (_random, key) => ({
    args: FILTER,
    run: async ({ sketch }) => await sketch.bloomCreate(key, FILTER),
    expect: (state) => {
      const type = state.typeOf(key);
      if (type !== undefined) throw new Refused(type === 'bloomFilter' ? 'conditionFailed' : 'wrongType');
      return [{}, state.with(key, { type: 'bloomFilter', members: new Set() })];
    },
  }),
  'sketch.bloomAdd': (random, key) => {
    const elements = some(random);
    return {
      args: elements,
      run: async ({ sketch }) => await sketch.bloomAdd(key, elements),
      expect: (state) => {
        const members = new Set(state.filtered(key));
        const added = elements.map((element) => !members.has(element) && members.add(element) !== undefined);
        return [{ added }, state.with(key, { type: 'bloomFilter', members })];
      },
    };
  },
  delete: (_random, key) => ({
    args: {},
    run: async (client) => {
      const { deleted, revision } = await client.delete(key);
      return { deleted, revision };
    },
    expect: (state) => [{ deleted: state.typeOf(key) !== undefined }, state.with(key, undefined)],
  }),
  put: (_random, key) => ({
    args: {},
    run: async (client) => ({ revision: (await client.put(key, 'plain')).revision }),
    expect: (state) => [{}, state.with(key, { type: 'string' })],
  }),
};

function value(random: SeededRandom): string {
  return `v${random.below(1000)}`.padEnd(random.chance(0.05) ? LONG : 0, '.');
}
