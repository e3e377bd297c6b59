/** Texts of the product say who or what they mean: some words, and a form of comment that needs the one before it, are out. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const texts = globSync([
  '{src,bench,examples,tools}/**/*.{ts,tsx}',
  'proto/**/*.proto',
  'docs/**/*.md',
  'clients/**/*.md',
  '*.md',
]).filter((path) => !path.includes('node_modules'));

/** Also where a line ends within one. */
const refused = /\b(?:whoever|nobody|the same for)\b/gi;

function refusedIn(path: string): string[] {
  const text = readFileSync(path, 'utf8').replace(/\s*\n\s*(?:\*|\/\/|#)?\s*/g, ' ');
  return [...text.matchAll(refused)].map(
    ({ 0: words, index }) => `${path}: ${words}, in "${text.slice(index - 30, index + 40)}"`,
  );
}

test('comments and pages say who or what they mean', () => {
  expect(texts.length).toBeGreaterThan(300);
  expect(texts.flatMap(refusedIn)).toEqual([]);
});
