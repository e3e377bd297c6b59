/** The figures of docs/compare.md are those that docs/benchmarks.md has measured. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('every figure of the comparison was measured', () => {
  const comparison = readFileSync('docs/compare.md', 'utf8');
  const measured = readFileSync('docs/benchmarks.md', 'utf8');
  const figures = comparison.match(/\b\d{1,3}(?:,\d{3})+\b|\b\d+(?= bytes\s+a\s+key)/g) ?? [];
  expect(figures.length).toBeGreaterThan(8);
  expect(figures.filter((figure) => !new RegExp(`\\b${figure}\\b`).test(measured))).toEqual([]);
});
