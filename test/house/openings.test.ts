/** A file says at its top what it is for; a case of the bench, what it measures and how to read that. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The names of tests say what these are for. */
const files = globSync('{src,bench,test}/**/*.{ts,tsx}').filter((path) => !path.endsWith('.test.ts'));

test('every file opens with what it is for', () => {
  expect(files.length).toBeGreaterThan(600);
  const silent = files.filter((path) => !/^(?:#!.*\n)?\/\*\*/.test(readFileSync(path, 'utf8')));
  expect(silent).toEqual([]);
});
