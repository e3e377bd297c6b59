/** Calls on collections as a program without types may make them: what is wrong is refused, by its name, and nothing is done. */
import { describe, expect, test } from 'vitest';
import type { Collections } from '../../src/api.ts';
import { clientOf, failureOf } from '../client/support/fake-server.ts';
import { MemoryHarness } from '../store/model/store-harness.ts';

type AnyCalls = Record<string, (...given: unknown[]) => unknown>;

/** Each call with arguments that are right, by type. */
const callsByType: Readonly<Record<keyof Collections, Readonly<Record<string, readonly unknown[]>>>> = {
  hash: {
    set: ['k', { a: '1' }],
    get: ['k'],
    scan: ['k'],
    delete: ['k', ['a']],
    increment: ['k', 'a', 1n],
    incrementFloat: ['k', 'a', 1],
  },
  list: {
    push: ['k', ['a']],
    pop: ['k'],
    range: ['k'],
    scan: ['k'],
    set: ['k', 0, 'a'],
    remove: ['k', 'a'],
    trim: ['k', {}],
    move: ['k', 'l'],
  },
  set: {
    add: ['k', ['a']],
    remove: ['k', ['a']],
    contains: ['k', ['a']],
    scan: ['k'],
    pop: ['k'],
    combine: ['union', ['k']],
  },
  sortedSet: {
    add: ['k', { a: 1 }],
    increment: ['k', 'a', 1],
    remove: ['k', ['a']],
    score: ['k', ['a']],
    rank: ['k', 'a'],
    range: ['k', {}],
    count: ['k', {}],
    removeRange: ['k', { rank: {} }],
    pop: ['k'],
    combine: ['union', ['k']],
  },
  sketch: {
    hllAdd: ['k', ['a']],
    hllCount: [['k']],
    hllMerge: ['k', ['l']],
    bloomCreate: ['k'],
    bloomAdd: ['k', ['a']],
    bloomContains: ['k', ['a']],
  },
};

const types = Object.keys(callsByType) as (keyof Collections)[];
const cases = types.flatMap((type) =>
  Object.entries(callsByType[type]).map(([call, given]) => [type, call, given] as const),
);

/** @param right the code with which a call fails whose arguments are right; '': it does what it says. */
interface Face {
  readonly collections: Collections;
  readonly errorName: string;
  readonly right: string;
  /** The options that every call takes, and wrong values of them. */
  readonly beside: readonly object[];
}

const faces: readonly (readonly [string, () => Promise<Face>])[] = [
  [
    'the client',
    // Its server has no service at all: whatever is sent fails.
    async () => ({
      collections: clientOf(() => undefined).client,
      errorName: 'KelpError',
      right: 'unimplemented',
      beside: [{ deadlineMs: '5' }, { signal: {} }, { ttlMs: -1 }],
    }),
  ],
  [
    'the store in process',
    async () => ({
      collections: (await MemoryHarness.open()).store,
      errorName: 'StoreError',
      right: '',
      // Deadlines and signals are of calls over a network.
      beside: [{ deadlineMs: 5 }, { signal: AbortSignal.abort() }, { ttlMs: 0.5 }],
    }),
  ],
];

async function run(
  collections: Collections,
  type: keyof Collections,
  call: string,
  given: readonly unknown[],
): Promise<unknown> {
  const calls = collections[type] as unknown as AnyCalls;
  const result = calls[call]?.(...given) as { toArray?: () => Promise<unknown> } & Promise<unknown>;
  return await (result.toArray?.() ?? result);
}

describe.each(faces)('%s', (_, open) => {
  test('has the calls that are tested here, and no others', async () => {
    const { collections } = await open();
    for (const type of types) {
      const names = Object.getOwnPropertyNames(Object.getPrototypeOf(collections[type]));
      expect([type, ...names.filter((name) => name !== 'constructor' && name !== 'insert').sort()]).toEqual([
        type,
        ...Object.keys(callsByType[type]).sort(),
      ]);
    }
  });

  test.each(cases)('%s.%s takes arguments that are right', async (type, call, given) => {
    const { collections, right } = await open();
    // There is no element to be replaced.
    if (type === 'list' && call === 'set') await collections.list.push('k', ['a']).catch(() => undefined);
    if (right === '') await run(collections, type, call, given);
    else expect(await failureOf(run(collections, type, call, given))).toMatchObject({ code: right });
  });

  test.each(cases)('%s.%s refuses each argument of a wrong kind', async (type, call, given) => {
    const { collections, errorName } = await open();
    for (const index of given.keys()) {
      for (const wrong of [null, 5n ** 99n, Symbol('a'), new Date(0), [{}], [null], '\ud800']) {
        const failure = await failureOf(run(collections, type, call, given.with(index, wrong)));
        expect([index, failure]).toMatchObject([index, { name: errorName, code: 'invalidArgument' }]);
      }
    }
  });

  test.each(cases)('%s.%s refuses options that it does not know, or of a wrong kind', async (...asked) => {
    const [type, call, given] = asked;
    const { collections, errorName, beside } = await open();
    for (const options of [null, 5, { reviison: 5 }, ...beside]) {
      const failure = await failureOf(run(collections, type, call, [...given, options]));
      expect([options, failure]).toMatchObject([options, { name: errorName, code: 'invalidArgument' }]);
    }
  });

  test.each([
    ['hash', 'set', ['k', [['a']]], 'fields[0] is an array'],
    ['hash', 'set', ['k', new Map([['a', 5]])], 'fields[0][1] is the number 5'],
    ['hash', 'set', ['k', { a: null }], 'fields["a"] is null'],
    ['hash', 'delete', ['k', 'abc'], 'names is the text "abc"; it must be an array'],
    ['hash', 'increment', ['k', 'a', 0.5], 'delta is the number 0.5'],
    ['hash', 'incrementFloat', ['k', 'a', Infinity], 'delta is the number Infinity'],
    ['hash', 'get', ['k', { names: [] }], 'get has no names'],
    ['list', 'push', ['k', ['a'], { end: 'top' }], 'end is the text "top"'],
    ['list', 'pop', ['k', { limit: 0 }], 'limit is the number 0'],
    ['list', 'set', ['k', 0.5, 'a'], 'index is the number 0.5'],
    ['list', 'insert', ['k', 'a'], 'options is missing'],
    ['list', 'insert', ['k', 'a', {}], 'insert needs either before or behind'],
    ['set', 'combine', ['unoin', ['k']], 'did you mean "union"'],
    ['set', 'combine', ['union', ['k'], { destination: '' }], 'destination is empty; leave it out'],
    ['sortedSet', 'add', ['k', { a: Number.NaN }], 'members["a"] is the number NaN'],
    ['sortedSet', 'range', ['k', { score: { min: '1' } }], 'range.score.min is the text "1"'],
    ['sortedSet', 'range', ['k', { score: {}, rank: {} }], 'range has rank and score'],
    ['sortedSet', 'removeRange', ['k', {}], 'range is empty'],
    ['sketch', 'bloomCreate', ['k', { errorRate: 1 }], 'errorRate is the number 1'],
  ] as const)('%s.%s(%j) says what is wrong: %s', async (type, call, given, text) => {
    const { collections } = await open();
    const failure = await failureOf(run(collections, type, call, given));
    expect(failure).toMatchObject({ code: 'invalidArgument' });
    expect((failure as Error).message).toContain(text);
  });
});

test('a condition that a class computes is not overlooked', async () => {
  const { store } = await MemoryHarness.open();
  await store.sortedSet.add('z', { a: 5 });
  class OnlyGreater {
    get onlyIfGreater(): boolean {
      return true;
    }
  }
  await store.sortedSet.add('z', { a: 1 }, new OnlyGreater());
  expect((await store.sortedSet.score('z', ['a'])).scores).toEqual([5]);
});
