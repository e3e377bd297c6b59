/** Calls on data types as a program without types may make them: what is wrong is refused before anything is sent. */
import { describe, expect, test } from 'vitest';
import type { KelpClient } from '../../../src/client/index.ts';
import { clientOf, failureOf } from '../support/fake-server.ts';

type AnyCalls = Record<string, (...given: unknown[]) => unknown>;

/** Each call with arguments that are right, by type. */
const callsByType: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>> = {
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

const cases = Object.entries(callsByType).flatMap(([type, calls]) =>
  Object.entries(calls).map(([call, given]) => [type, call, given] as const),
);

/** A client whose server has no service at all: whatever is sent fails as `unimplemented`. */
function run(type: string, call: string, given: readonly unknown[]): Promise<unknown> {
  const { client } = clientOf(() => undefined);
  const calls = client[type as keyof KelpClient] as unknown as AnyCalls;
  const result = calls[call]?.(...given) as { toArray?: () => Promise<unknown> } & Promise<unknown>;
  return failureOf(result.toArray?.() ?? result);
}

test('every call of every type is among those that are tested here', () => {
  const { client } = clientOf(() => undefined);
  for (const [type, calls] of Object.entries(callsByType)) {
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(client[type as keyof KelpClient]));
    expect([type, ...names.filter((name) => name !== 'constructor' && name !== 'insert').sort()]).toEqual([
      type,
      ...Object.keys(calls).sort(),
    ]);
  }
});

describe.each(cases)('%s.%s', (type, call, given) => {
  test('is sent with arguments that are right', async () => {
    expect(await run(type, call, given)).toMatchObject({ code: 'unimplemented' });
  });

  test('refuses each argument of a wrong kind, by its name', async () => {
    for (const index of given.keys()) {
      for (const wrong of [null, 5n ** 99n, Symbol('a'), new Date(0), [{}], [null], '\ud800']) {
        const failure = await run(type, call, given.with(index, wrong));
        expect([type, call, index, failure]).toMatchObject([type, call, index, { code: 'invalidArgument' }]);
      }
    }
  });

  test('refuses options that it does not know, and those of a wrong kind', async () => {
    for (const options of [null, 5, { reviison: 5 }, { deadlineMs: '5' }, { signal: {} }]) {
      expect(await run(type, call, [...given, options])).toMatchObject({ code: 'invalidArgument' });
    }
  });
});

test.each([
  ['hash', 'set', ['k', [['a']]], 'fields[0] is an array'],
  ['hash', 'set', ['k', new Map([['a', 5]])], 'fields[0][1] is the number 5'],
  ['hash', 'set', ['k', { a: null }], 'fields["a"] is null'],
  ['hash', 'delete', ['k', 'abc'], 'names is the text "abc"; it must be an array'],
  ['hash', 'increment', ['k', 'a', 0.5], 'delta is the number 0.5'],
  ['hash', 'incrementFloat', ['k', 'a', Infinity], 'delta is the number Infinity'],
  ['list', 'push', ['k', ['a'], { end: 'top' }], 'end is the text "top"'],
  ['list', 'pop', ['k', { limit: 0 }], 'limit is the number 0'],
  ['list', 'set', ['k', 0.5, 'a'], 'index is the number 0.5'],
  ['set', 'combine', ['unoin', ['k']], 'did you mean "union"'],
  ['sortedSet', 'add', ['k', { a: Number.NaN }], 'members["a"] is the number NaN'],
  ['sortedSet', 'range', ['k', { score: { min: '1' } }], 'range.score.min is the text "1"'],
  ['sortedSet', 'range', ['k', { score: {}, rank: {} }], 'range has rank and score'],
  ['sortedSet', 'removeRange', ['k', {}], 'range is empty'],
  ['sketch', 'bloomCreate', ['k', { errorRate: 1 }], 'errorRate is the number 1'],
] as const)('%s.%s(%j) says what is wrong: %s', async (type, call, given, text) => {
  const failure = await run(type, call, given);
  expect(failure).toMatchObject({ code: 'invalidArgument' });
  expect((failure as Error).message).toContain(text);
});
