/** Recipes as a program without types calls them: what is wrong is refused by its name, and nothing is sent. */
import type { Transport } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { Recipes } from '../../../src/client/recipes/recipes.ts';
import { failureOfCall } from '../../support/wrong-arguments.ts';

type Untyped = Record<string, (...given: unknown[]) => unknown>;

let sentCount = 0;
const fail = (): Promise<never> => {
  sentCount++;
  return Promise.reject(new Error('sent'));
};
const transport: Transport = { unary: fail, stream: fail };
const { recipes } = createClient({ address: 'fake:7379', transport, retries: 0 });

const wrongNames = [undefined, null, '', 5, {}, 'a/~b', '\ud800', 'é'.repeat(513)];
const wrongHolds = [null, 5, { ttl: 5 }, { ttlMs: 999 }, { ttlMs: '5000' }, { signal: {} }];

/** What a call throws or rejects with. */
async function failureAtAll(call: () => unknown): Promise<unknown> {
  return failureOfCall(async () => call());
}

const calls: Record<string, readonly (readonly [wrong: readonly unknown[][], what: string])[]> = {
  lock: [
    [wrongNames.map((name) => [name]), 'name'],
    [wrongHolds.map((options) => ['a', options]), ''],
  ],
  tryLock: [
    [wrongNames.map((name) => [name]), 'name'],
    [wrongHolds.map((options) => ['a', options]), ''],
  ],
  semaphore: [
    [wrongNames.map((name) => [name, 1]), 'name'],
    [[undefined, null, 0, 101, 1.5, '1'].map((permits) => ['a', permits]), 'permits'],
    [wrongHolds.map((options) => ['a', 1, options]), ''],
  ],
  trySemaphore: [
    [wrongNames.map((name) => [name, 1]), 'name'],
    [[undefined, null, 0, 101, 1.5, '1'].map((permits) => ['a', permits]), 'permits'],
    [wrongHolds.map((options) => ['a', 1, options]), ''],
  ],
  elect: [
    [wrongNames.map((name) => [name, { value: 1 }]), 'name'],
    [[[], [{}], [{ value: undefined }], [{ valu: 1 }]].map((rest) => ['a', ...rest]), 'value'],
    [[['a', { value: 1, codec: {} }]], 'codec'],
    [[['a', { value: () => 1 }]], "can't write"],
  ],
  once: [
    [wrongNames.map((name) => [name, fail]), 'key'],
    [[undefined, null, 5, {}].map((run) => ['a', run]), 'run'],
    [[['a', fail, { codec: 5 }]], 'codec'],
    [[['a', fail, { recordTtlMs: 0 }]], 'recordTtlMs'],
    [wrongHolds.map((options) => ['a', fail, options]), ''],
  ],
  leaders: [
    [wrongNames.map((name) => [name]), 'name'],
    [[['a', { codec: null }]], 'codec'],
    [[['a', { signal: 5 }]], 'signal'],
    [[['a', null]], 'options'],
  ],
  counter: [
    [wrongNames.map((name) => [name]), 'key'],
    [[['a', {}]], 'counter takes no options'],
  ],
  queue: [
    [wrongNames.map((name) => [name]), 'name'],
    [[0, 1.5, '5', null].map((attemptsMax) => ['a', { attemptsMax }]), 'attemptsMax'],
    [[['a', { deadTtlMs: 0 }]], 'deadTtlMs'],
    [[['a', { codec: {} }]], 'codec'],
  ],
};

test('every recipe is looked at', () => {
  const names = Object.getOwnPropertyNames(Recipes.prototype).filter((name) => name !== 'constructor');
  expect(names.sort()).toEqual(Object.keys(calls).sort());
});

test.each(Object.entries(calls))('%s refuses what is wrong, by its name', async (name, cases) => {
  const method = recipes[name as keyof Recipes].bind(recipes) as (...given: unknown[]) => unknown;
  for (const [wrong, what] of cases) {
    for (const given of wrong) {
      const failure =
        name === 'leaders'
          ? await failureOfCall(() => method(...given))
          : await failureAtAll(() => method(...given));
      expect(failure, JSON.stringify(given)).toMatchObject({ name: 'KelpError', code: 'invalidArgument' });
      expect((failure as Error).message).toContain(what);
    }
  }
  expect(sentCount).toBe(0);
});

test('counters and queues refuse what is wrong, by its name', async () => {
  const counter = recipes.counter('a') as unknown as Untyped;
  const queue = recipes.queue('a') as unknown as Untyped;
  for (const [call, what] of [
    [() => counter['add']?.('1'), 'delta'],
    [() => counter['add']?.(1, { id: '' }), 'id'],
    [() => counter['add']?.(1, { id: 'x'.repeat(513) }), 'id'],
    [() => counter['add']?.(1, { idTtlMs: 0 }), 'idTtlMs'],
    [() => counter['value']?.({ ttl: 1 }), 'ttl'],
    [() => queue['enqueue']?.(undefined), "can't write"],
    [() => queue['enqueue']?.(1, { delayMs: -1 }), 'delayMs'],
    [() => queue['take']?.({ ttlMs: 10 }), 'ttlMs'],
    [() => queue['take']?.({ signal: {} }), 'signal'],
    [() => queue['take']?.(null), 'options'],
    [() => queue['count']?.({ limit: 1 }), 'limit'],
    [() => queue['deadLetters']?.({ limit: '1' }), 'limit'],
    [() => queue['revive']?.(5), 'id'],
  ] as const) {
    const failure = await failureOfCall(call);
    expect(failure, what).toMatchObject({ code: 'invalidArgument' });
    expect((failure as Error).message).toContain(what);
  }
  expect(sentCount).toBe(0);
});
