/** Changes of collections in transactions, from the client to a store and back. */
import { expect, test } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/index.ts';
import { startTestServer } from '../../support/test-server.ts';

async function connected(): Promise<KelpClient> {
  const { address } = await startTestServer();
  return createClient({ address });
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

test('each operation does what its call does, and answers with the plain form of its reply', async () => {
  await using client = await connected();
  const { results, revision } = await client.txn({
    success: [
      {
        kind: 'hashSet',
        key: 'h',
        fields: [
          { name: 'a', value: '1' },
          { name: Uint8Array.of(0xff), value: '2' },
        ],
      },
      { kind: 'hashIncrement', key: 'h', name: 'a', delta: 4 },
      { kind: 'hashIncrement', key: 'h', name: 'f', floatDelta: 0.5 },
      { kind: 'hashDelete', key: 'h', names: [Uint8Array.of(0xff), 'none'] },
      { kind: 'listPush', key: 'l', elements: ['a', 'b', 'c', 'b'] },
      { kind: 'listPush', key: 'l', elements: ['first'], end: 'head' },
      { kind: 'listSet', key: 'l', index: 1, element: 'A' },
      { kind: 'listInsert', key: 'l', pivot: 'c', element: 'new', isBehind: true },
      { kind: 'listRemove', key: 'l', element: 'b', limit: -1 },
      { kind: 'listTrim', key: 'l', stop: 3 },
      { kind: 'listMove', key: 'l', destination: 'm' },
      { kind: 'listPop', key: 'l', end: 'tail', limit: 2 },
      { kind: 'setAdd', key: 's', members: ['x', 'y'] },
      { kind: 'setRemove', key: 's', members: ['y'] },
      { kind: 'setCombine', operation: 'union', keys: ['s'] },
      { kind: 'setPop', key: 's' },
      {
        kind: 'sortedSetAdd',
        key: 'z',
        members: [
          { member: 'low', score: 1 },
          { member: 'high', score: 9 },
        ],
      },
      { kind: 'sortedSetAdd', key: 'z', members: [{ member: 'low', score: 1 }], increment: true },
      { kind: 'sortedSetRemoveRange', key: 'z', range: { score: { min: 9 } } },
      { kind: 'sortedSetRemove', key: 'z', members: ['none'] },
      { kind: 'sortedSetCombine', operation: 'union', keys: ['z'], weights: [2] },
      { kind: 'sortedSetPop', key: 'z', highest: true },
      { kind: 'hllAdd', key: 'hll', elements: ['a'] },
      { kind: 'hllMerge', key: 'all', sources: ['hll'] },
      { kind: 'bloomCreate', key: 'bloom', capacity: 10 },
      { kind: 'bloomAdd', key: 'bloom', elements: ['a', 'a'] },
    ],
  });
  expect(revision).toBe(1);
  expect(results).toEqual([
    { kind: 'hashSet', addedCount: 2, count: 2 },
    { kind: 'hashIncrement', value: bytes('5') },
    { kind: 'hashIncrement', value: bytes('0.5') },
    { kind: 'hashDelete', deletedCount: 1, count: 2 },
    { kind: 'listPush', count: 4 },
    { kind: 'listPush', count: 5 },
    { kind: 'listSet' },
    { kind: 'listInsert', inserted: true, count: 6 },
    { kind: 'listRemove', removedCount: 1, count: 5 },
    { kind: 'listTrim', count: 4 },
    { kind: 'listMove', moved: true, element: bytes('first') },
    { kind: 'listPop', elements: [bytes('c'), bytes('b')], count: 1 },
    { kind: 'setAdd', addedCount: 2, count: 2 },
    { kind: 'setRemove', removedCount: 1, count: 1 },
    { kind: 'setCombine', members: [bytes('x')], count: 1 },
    { kind: 'setPop', members: [bytes('x')], count: 0 },
    { kind: 'sortedSetAdd', addedCount: 2, changedCount: 0, count: 2, scores: [] },
    { kind: 'sortedSetAdd', addedCount: 0, changedCount: 1, count: 2, scores: [2] },
    { kind: 'sortedSetRemoveRange', removedCount: 1, count: 1 },
    { kind: 'sortedSetRemove', removedCount: 0, count: 1 },
    { kind: 'sortedSetCombine', members: [{ member: bytes('low'), score: 4 }], count: 1 },
    { kind: 'sortedSetPop', members: [{ member: bytes('low'), score: 2 }], count: 0 },
    { kind: 'hllAdd', changed: true },
    { kind: 'hllMerge' },
    { kind: 'bloomCreate' },
    { kind: 'bloomAdd', added: [true, false] },
  ]);
});

test('one that is refused takes all others with it', async () => {
  await using client = await connected();
  await client.put('plain', '1');
  await expect(
    client.txn({
      success: [
        { kind: 'setAdd', key: 's', members: ['a'] },
        { kind: 'listPush', key: 'plain', elements: ['a'] },
      ],
    }),
  ).rejects.toMatchObject({ code: 'wrongType', mayHaveTakenEffect: false });
  expect((await client.exists(['s'])).exists).toEqual([false]);
});

test.each([
  [{ kind: 'hashIncrement', key: 'h', name: 'a', delta: 1, floatDelta: 1 }, 'has delta and floatDelta'],
  [{ kind: 'hashSet', key: 'h', fields: { a: '1' } }, 'fields is an object; it must be an array of fields'],
  [{ kind: 'listPush', key: 'l', elements: [5] }, 'elements[0] is the number 5'],
] as const)('%j is refused before it is sent', async (operation, text) => {
  await using client = createClient({ address: '127.0.0.1:1' });
  const failed = expect(client.txn({ success: [operation as never] })).rejects;
  await failed.toMatchObject({ code: 'invalidArgument', message: expect.stringContaining(text) as string });
});
