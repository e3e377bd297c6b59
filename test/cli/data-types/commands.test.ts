/** The commands on hashes, lists, sets, sorted sets and sketches, each as a person or a script would type it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { startTestServer } from '../../support/test-server.ts';
import { Kelp } from '../kelp.ts';

let kelp: Kelp;
beforeEach(async () => {
  const { address } = await startTestServer();
  kelp = new Kelp(address);
});

describe('hash', () => {
  test('sets fields and prints one as it is, several as a table', async () => {
    expect(await kelp.text('hash', 'set', 'user:1', 'name', 'Alice', 'age', '42')).toBe(
      '2 new of 2, revision 1\n',
    );
    expect(await kelp.text('hash', 'get', 'user:1', 'name')).toBe('Alice');
    expect(await kelp.text('hash', 'get', 'user:1', 'age', 'name', 'none')).toBe(
      'FIELD  VALUE\nage    "42"\nname   "Alice"\n',
    );
    expect(await kelp.json('hash', 'get', 'user:1', 'age')).toEqual([
      { fields: [{ name: 'age', value: '42' }], count: 2, revision: 1 },
    ]);
    expect(await kelp.text('hash', 'set', 'user:1', 'name', 'Bob', 'new', '1', '--if-absent')).toBe(
      '1 new of 3, revision 2\n',
    );
    expect((await kelp.text('hash', 'scan', 'user:1', '--names-only')).split('\n').sort()).toEqual([
      '',
      'age',
      'name',
      'new',
    ]);
    expect(await kelp.json('hash', 'scan', 'user:1', '--revision', '1', '--limit', '5')).toHaveLength(2);
  });

  test('adds whole numbers and others, and deletes fields', async () => {
    expect(await kelp.text('hash', 'incr', 'h', 'n')).toBe('1\n');
    expect(await kelp.text('hash', 'incr', 'h', 'n', '-5')).toBe('-4\n');
    expect(await kelp.text('hash', 'incr', 'h', 'f', '0.5', '--float')).toBe('0.5\n');
    expect(await kelp.run(['hash', 'incr', 'h', 'n', '0.5'])).toMatchObject({
      code: 2,
      stderr: 'kelp: 0.5 is no whole number of 64 bits; with --float any number is added\n',
    });
    expect(await kelp.text('hash', 'delete', 'h', 'n', 'none')).toBe('deleted 1, 1 left, revision 4\n');
    expect(await kelp.run(['hash', 'delete', 'h', 'none'])).toMatchObject({ code: 1 });
    expect(await kelp.run(['hash', 'get', 'none'])).toMatchObject({
      code: 1,
      stderr: 'kelp: there is no hash none\n',
    });
    expect(await kelp.run(['hash', 'set', 'h', 'n'])).toMatchObject({
      code: 2,
      stderr: 'kelp: give pairs of a name and a value: 1 words are none\n',
    });
  });

  test('has names that are not UTF-8 with --hex-keys', async () => {
    await kelp.text('hash', 'set', '68', 'ff00', 'value', '--hex-keys');
    expect(await kelp.text('hash', 'get', '68', 'ff00', '--hex-keys')).toBe('value');
    expect(await kelp.text('hash', 'scan', 'h')).toBe('FIELD   VALUE\n0xff00  "value"\n');
    expect(await kelp.text('hash', 'scan', '68', '--hex-keys', '--names-only')).toBe('ff00\n');
    expect(await kelp.json('hash', 'scan', 'h')).toEqual([{ name: { base64: '/wA=' }, value: 'value' }]);
  });
});

describe('list', () => {
  test('is a queue, and a stack', async () => {
    expect(await kelp.text('list', 'push', 'q', 'a', 'b', 'c')).toBe('3 elements, revision 1\n');
    await kelp.text('list', 'push', 'q', 'first', '--head');
    expect(await kelp.text('list', 'range', 'q')).toBe('first\na\nb\nc\n');
    expect(await kelp.text('list', 'range', 'q', '1', '-2')).toBe('a\nb\n');
    expect(await kelp.text('list', 'range', 'q', '-2')).toBe('b\nc\n');
    expect(await kelp.json('list', 'range', 'q', '0', '0')).toEqual(['first']);
    expect(await kelp.text('list', 'pop', 'q')).toBe('first\n');
    expect(await kelp.json('list', 'pop', 'q', '--tail', '--count', '2')).toEqual([
      { elements: ['c', 'b'], count: 1, revision: 4 },
    ]);
    await kelp.text('list', 'pop', 'q');
    expect(await kelp.run(['list', 'pop', 'q'])).toMatchObject({ code: 1, stdout: '' });
    expect(await kelp.run(['list', 'push', 'q', 'a', '--if-exists'])).toMatchObject({ code: 1 });
  });

  test('is changed in its middle', async () => {
    await kelp.text('list', 'push', 'l', 'a', 'b', 'a', 'c');
    await kelp.text('list', 'set', 'l', '-1', 'C');
    expect(await kelp.text('list', 'insert', 'l', 'new', '--behind', 'b')).toBe('5 elements, revision 3\n');
    expect(await kelp.run(['list', 'insert', 'l', 'new', '--before', 'none'])).toMatchObject({ code: 1 });
    expect(await kelp.run(['list', 'insert', 'l', 'new'])).toMatchObject({ code: 2 });
    expect(await kelp.text('list', 'remove', 'l', 'a', '--count', '-1')).toBe(
      'removed 1, 4 left, revision 4\n',
    );
    expect(await kelp.text('list', 'trim', 'l', '1', '-1')).toBe('3 elements, revision 5\n');
    expect(await kelp.text('list', 'move', 'l', 'm', '--from-tail')).toBe('C\n');
    expect(await kelp.text('list', 'range', 'l')).toBe('b\nnew\n');
    expect(await kelp.run(['list', 'move', 'none', 'm'])).toMatchObject({ code: 1, stdout: '' });
    expect(await kelp.run(['list', 'set', 'l', '7', 'x'])).toMatchObject({ code: 4 });
  });
});

describe('set', () => {
  test('has members, once each', async () => {
    expect(await kelp.text('set', 'add', 'tags', 'red', 'green', 'red')).toBe('2 new of 2, revision 1\n');
    expect((await kelp.text('set', 'members', 'tags')).split('\n').sort()).toEqual(['', 'green', 'red']);
    expect(await kelp.run(['set', 'contains', 'tags', 'red', 'blue'])).toMatchObject({
      code: 1,
      stdout: 'MEMBER  CONTAINED\nred     yes\nblue    no\n',
    });
    expect(await kelp.text('set', 'remove', 'tags', 'red')).toBe('removed 1, 1 left, revision 2\n');
    expect(await kelp.text('set', 'pop', 'tags')).toBe('green\n');
    expect(await kelp.run(['set', 'pop', 'tags'])).toMatchObject({ code: 1, stdout: '' });
  });

  test('is put together with others', async () => {
    await kelp.text('set', 'add', 'a', 'x', 'y');
    await kelp.text('set', 'add', 'b', 'y');
    expect(await kelp.text('set', 'intersect', 'a', 'b')).toBe('y\n');
    expect(await kelp.text('set', 'difference', 'a', 'b')).toBe('x\n');
    expect(await kelp.text('set', 'union', 'a', 'b', '--store', 'c')).toBe('2 members, revision 3\n');
  });

  test('KEY VALUE writes a key, as people type it who know other stores', async () => {
    expect(await kelp.text('set', 'config/a', '1', '--ttl', '1h30m')).toBe('revision 1\n');
    expect(await kelp.text('get', 'config/a')).toBe('1');
  });
});

describe('zset', () => {
  test('has members in the order of their scores', async () => {
    expect(await kelp.text('zset', 'add', '--', 'z', '310', 'alice', '120', 'bob', '-inf', 'last')).toBe(
      '3 new of 3, 0 changed, revision 1\n',
    );
    expect(await kelp.text('zset', 'range', 'z')).toBe(
      'MEMBER  SCORE\nlast     -inf\nbob       120\nalice     310\n',
    );
    expect(await kelp.json('zset', 'range', 'z', '--reverse', '--start', '1')).toEqual([
      { member: 'bob', score: 120 },
      { member: 'last', score: '-Infinity' },
    ]);
    expect(await kelp.text('zset', 'count', 'z', '--min-score', '120', '--exclude-min')).toBe('1\n');
    expect(await kelp.text('zset', 'rank', 'z', 'alice')).toBe('2\n');
    expect(await kelp.text('zset', 'rank', 'z', 'alice', '--reverse')).toBe('0\n');
    expect(await kelp.run(['zset', 'rank', 'z', 'none'])).toMatchObject({ code: 1, stdout: '' });
    expect(await kelp.run(['zset', 'score', 'z', 'bob', 'none'])).toMatchObject({
      code: 1,
      stdout: 'MEMBER  SCORE\nbob       120\nnone        -\n',
    });
    expect(await kelp.text('zset', 'incr', 'z', 'bob', '0.5')).toBe('120.5\n');
    expect(await kelp.text('zset', 'add', 'z', '1', 'bob', '--if-greater')).toMatch(/^0 new of 3, 0 changed/);
    expect(await kelp.text('zset', 'pop', 'z', '--highest')).toBe('MEMBER  SCORE\nalice     310\n');
    expect(await kelp.text('zset', 'remove-range', 'z', '--start', '0', '--stop', '0')).toMatch(
      /^removed 1, 1 left/,
    );
    expect(await kelp.text('zset', 'remove', 'z', 'bob')).toMatch(/^removed 1, 0 left/);
    expect(await kelp.run(['zset', 'remove-range', 'z'])).toMatchObject({ code: 2 });
    expect(await kelp.run(['zset', 'add', 'z', 'bob', '1'])).toMatchObject({
      code: 2,
      stderr: 'kelp: bob is no score; give a score before each member\n',
    });
  });

  test('is put together with others', async () => {
    await kelp.text('zset', 'add', 'a', '1', 'x', '2', 'y');
    await kelp.text('set', 'add', 'b', 'y');
    expect(await kelp.text('zset', 'union', 'a', 'b', '--weights', '2,1', '--aggregate', 'max')).toBe(
      'MEMBER  SCORE\nx           2\ny           4\n',
    );
    expect(await kelp.text('zset', 'intersect', 'a', 'b', '--store', 'c')).toBe('1 members, revision 3\n');
  });
});

test('sketch counts and remembers', async () => {
  expect(await kelp.text('sketch', 'hll-add', 'v', 'a', 'b')).toBe('changed, revision 1\n');
  expect(await kelp.text('sketch', 'hll-count', 'v')).toBe('2\n');
  expect(await kelp.text('sketch', 'hll-merge', 'w', 'v')).toBe('revision 2\n');
  expect(await kelp.text('sketch', 'bloom-create', 's', '--error-rate', '0.001')).toBe('revision 3\n');
  expect(await kelp.run(['sketch', 'bloom-create', 's'])).toMatchObject({ code: 1 });
  expect(await kelp.text('sketch', 'bloom-add', 's', 'x', 'x')).toBe(
    'ELEMENT  NEW\nx        yes\nx        no\n',
  );
  expect(await kelp.run(['sketch', 'bloom-contains', 's', 'x', 'y'])).toMatchObject({
    code: 1,
    stdout: 'ELEMENT  MAY BE THERE\nx        yes\ny        no\n',
  });
});
