/** That no folder of tests is left out of the matrix in silence. */
import { globSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { LEFT_OUT, TAKEN } from './folders.ts';

const ROOT = resolve(import.meta.dirname, '..');
const filesOf = (patterns: string | readonly string[]): string[] => globSync(patterns, { cwd: ROOT });
const leftOut = Object.values(LEFT_OUT).flat();
const isWithin = (folder: string, outer: string): boolean =>
  folder === outer || folder.startsWith(`${outer}/`);

test('every folder of tests is taken, or left out for a reason', () => {
  const taken = new Set(filesOf(TAKEN).map((path) => dirname(path)));
  const folders = new Set(filesOf('**/*.test.ts').map((path) => dirname(path)));
  // In none: a test of the name of a source.
  folders.delete('.');
  const unknown = [...folders].filter(
    (folder) => !taken.has(folder) && !leftOut.some((outer) => isWithin(folder, outer)),
  );
  expect(unknown).toEqual([]);
});

test('what is taken, or left out, is there', () => {
  expect(TAKEN.filter((pattern) => filesOf(pattern).length === 0)).toEqual([]);
  expect(leftOut.filter((folder) => filesOf(`${folder}/**/*.test.ts`).length === 0)).toEqual([]);
});
