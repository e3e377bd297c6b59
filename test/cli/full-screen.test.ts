import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { FullScreen } from '../../src/cli/terminal/full-screen.ts';
import { Output } from '../../src/cli/terminal/output.ts';

test.each([
  [10, '漢字漢字漢字', '漢字漢字漢'],
  [7, '😀é/* 12', '😀é/* 1'],
])('of %i columns and 3 rows the last is of the foot, and no line wraps', async (columns, line, shown) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 3 });
  const screen = new FullScreen(new Output(stream, new PassThrough()), new PassThrough(), () => undefined);
  await screen.show([line, 'second', 'third'], 'q quits');
  expect(String(stream.read())).toBe(`\u001b[H${shown}\u001b[K\r\nsecond\u001b[K\r\nq quits\u001b[J`);
});
