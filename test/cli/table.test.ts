import { expect, test } from 'vitest';
import { Table, formatFacts } from '../../src/cli/table.ts';

test('columns line up, numbers to the right, and get wider for later rows', () => {
  const table = new Table([{ title: 'KEY' }, { title: 'REVISION', isNumber: true }, { title: 'X' }]);
  expect(
    table.format([
      ['a', '1', ''],
      ['日本', '12', 'é'],
    ]),
  ).toBe(['KEY  REVISION  X', 'a           1', '日本         12  é', ''].join('\n'));
  expect(table.format([['longer key', '3', '-']])).toBe('longer key         3  -\n');
});

test('facts line up', () => {
  expect(formatFacts({ a: '1', 'b c': '2' })).toBe('a    1\nb c  2\n');
});
