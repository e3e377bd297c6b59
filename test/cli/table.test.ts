import { expect, test } from 'vitest';
import { Table, fitLines, formatFacts } from '../../src/cli/terminal/table.ts';

test('columns line up, numbers to the right, and get wider for later rows', async () => {
  const table = new Table([{ title: 'KEY' }, { title: 'REVISION', isNumber: true }, { title: 'X' }]);
  expect(
    await table.format([
      ['a', '1', ''],
      ['bc', '12', 'd'],
    ]),
  ).toBe(['KEY  REVISION  X', 'a           1', 'bc         12  d', ''].join('\n'));
  expect(await table.format([['longer key', '3', '-']])).toBe('longer key         3  -\n');
});

test.each([
  ['日本', 4, 'of CJK'],
  ['ｆｕ', 4, 'of full width'],
  ['ｶﾞ', 2, 'of half width'],
  ['한글', 4, 'of Hangul'],
  ['é', 1, 'with an accent'],
  ['e\u0301', 1, 'with an accent of its own'],
  ['🎉', 2, 'of an emoji'],
  ['👍🏽', 2, 'of an emoji with a colour of skin'],
  ['👩\u200d👩\u200d👧', 2, 'of an emoji of several, joined'],
  ['🇩🇪', 2, 'of a flag'],
  ['☎\ufe0f', 2, 'of a sign that is to be an emoji'],
])('columns line up behind %s, which takes %i: text %s', async (text, width) => {
  const table = new Table([{ title: 'A' }, { title: 'B' }]);
  const lines = (
    await table.format([
      [text, '|'],
      ['plain', '|'],
    ])
  ).split('\n');
  expect(lines[1]).toBe(`${text}${' '.repeat('plain'.length - width)}  |`);
  expect(lines[2]).toBe('plain  |');
});

test('facts line up', () => {
  expect(formatFacts({ a: '1', 'b c': '2' })).toBe('a    1\nb c  2\n');
});

test.each([
  ['abcdef', 'abcde'],
  ['abcde', 'abcde'],
  ['漢字漢字', '漢字'],
  ['a漢字漢字', 'a漢字'],
  ['e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301', 'e\u0301e\u0301e\u0301e\u0301e\u0301'],
  ['👩\u200d👩\u200d👧👩\u200d👩\u200d👧👩\u200d👩\u200d👧', '👩\u200d👩\u200d👧👩\u200d👩\u200d👧'],
])('of %s five columns are %s', async (line, shown) => {
  expect(await fitLines(['ascii', line], 5)).toEqual(['ascii', shown]);
});
