/** What the commands on keys make of those that hold a collection, and the help of the commands on these. */
import { beforeEach, expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { startTestServer } from '../../support/test-server.ts';
import { Kelp } from '../kelp.ts';

let kelp: Kelp;
beforeEach(async () => {
  const { address } = await startTestServer();
  kelp = new Kelp(address);
  await using client = createClient({ address });
  await client.txn({
    success: [
      { kind: 'hashSet', key: 'h', fields: [{ name: 'a', value: '1' }] },
      { kind: 'listPush', key: 'l', elements: ['a'] },
      { kind: 'setAdd', key: 's', members: ['a'] },
      { kind: 'sortedSetAdd', key: 'z', members: [{ member: 'a', score: 1 }] },
      { kind: 'bloomAdd', key: 'f', elements: ['a'] },
    ],
  });
});

test.each([
  ['h', 'a hash; kelp hash get', 'hash'],
  ['l', 'a list; kelp list range', 'list'],
  ['s', 'a set; kelp set members', 'set'],
  ['z', 'a sorted set; kelp zset range', 'sortedSet'],
  ['f', 'a Bloom filter; kelp sketch bloom-contains', 'bloomFilter'],
])('kelp get %s is refused: it holds %s', async (key, text, type) => {
  expect(await kelp.run(['get', key])).toMatchObject({
    code: 4,
    stdout: '',
    stderr: `kelp: ${key} holds ${text} reads it\n`,
  });
  expect(await kelp.json('get', key)).toMatchObject([{ entry: { key, type } }]);
});

test('kelp scan tells the type in place of a value', async () => {
  const lines = (await kelp.text('scan')).split('\n').map((line) => line.split(/ +/).slice(0, 2).join(' '));
  expect(lines.slice(1)).toEqual(['f (bloomFilter)', 'h (hash)', 'l (list)', 's (set)', 'z (sortedSet)', '']);
});

test.each(
  [
    ['hash', 'set get scan delete incr'],
    ['list', 'push pop range set insert remove trim move'],
    ['set', 'add remove contains members pop union intersect difference'],
    ['zset', 'add incr remove score rank range count remove-range pop union intersect difference'],
    ['sketch', 'hll-add hll-count hll-merge bloom-create bloom-add bloom-contains'],
  ].flatMap(([group = '', names = '']) => names.split(' ').map((name) => `${group} ${name}`)),
)('kelp %s --help prints its help', async (command) => {
  const { code, stdout } = await kelp.run([...command.split(' '), '--help']);
  expect(stdout).toMatch(new RegExp(`^Usage: kelp ${command}`));
  expect(code).toBe(0);
});
