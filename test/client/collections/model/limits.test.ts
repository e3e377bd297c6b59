/** The limits of collections, met through the client: what is at one is taken, what is beyond is refused, and nothing has changed. */
import { expect, test } from 'vitest';
import { createClient, type KelpClient } from '../../../../src/client/index.ts';
import { startTestServer } from '../../../support/test-server.ts';

const NAME_BYTES_MAX = 4096;
/** An element lies in a chunk, with its length before it. */
const VALUE_BYTES_MAX = 2 ** 20 - 8;
const ASKED_MAX = 10_000;

const longest = 'n'.repeat(NAME_BYTES_MAX);
const tooLong = `${longest}n`;
const many = Array.from({ length: ASKED_MAX + 1 }, (_, index) => `m${index}`);

const beyond: [string, string, (client: KelpClient) => Promise<unknown>][] = [
  ['a name of a field', 'invalidArgument', ({ hash }) => hash.set('h', { a: 'new', [tooLong]: '1' })],
  ['a member of a set', 'invalidArgument', ({ set }) => set.add('s', ['new', tooLong])],
  [
    'a member of a sorted set',
    'invalidArgument',
    ({ sortedSet }) => sortedSet.add('z', { new: 1, [tooLong]: 1 }),
  ],
  ['the members that are asked for', 'invalidArgument', ({ set }) => set.contains('s', many)],
  ['the scores that are asked for', 'invalidArgument', ({ sortedSet }) => sortedSet.score('z', many)],
  ['a number of a field', 'integerOverflow', ({ hash }) => hash.increment('h', 'number', 1)],
  ['a score', 'notANumber', ({ sortedSet }) => sortedSet.add('z', { a: -Infinity }, { increment: true })],
  ['an element', 'invalidArgument', ({ list }) => list.push('l', ['new', Buffer.alloc(2 ** 20 + 1)])],
  ['an index', 'indexOutOfRange', ({ list }) => list.set('l', 1, 'new')],
  [
    'the keys that are put together',
    'invalidArgument',
    ({ set }) => set.combine('union', many.slice(0, 1001)),
  ],
];

test('what is beyond a limit is refused by its code, and changes nothing', async () => {
  const { address } = await startTestServer({ flags: { 'value-bytes-max': '1MiB' } });
  await using client = createClient({ address });
  await client.hash.set('h', { a: '1', [longest]: '2', number: `${2n ** 63n - 1n}` });
  await client.set.add('s', [longest]);
  await client.sortedSet.add('z', { a: Infinity, [longest]: 1 });
  const { revision } = await client.list.push('l', [Buffer.alloc(VALUE_BYTES_MAX)]);
  for (const [what, code, call] of beyond)
    await expect.soft(call(client), what).rejects.toMatchObject({ code, mayHaveTakenEffect: false });
  expect((await client.set.contains('s', many.slice(1))).contained).not.toContain(true);
  expect((await client.admin.status()).revision).toBe(revision);
});
