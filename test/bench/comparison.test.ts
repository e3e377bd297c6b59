import { describe, expect, test } from 'vitest';
import { compareResults, formatComparison } from '../../bench/comparison.ts';
import type { Figure } from '../../bench/result.ts';
import { documentOf, figureOf } from './result-document.ts';

function verdictOf(before: Partial<Figure>, after: Partial<Figure>): string | undefined {
  const [a, b] = [before, after].map((changes) => documentOf({ figures: [figureOf(changes)] }));
  return compareResults(a ?? documentOf(), b ?? documentOf()).compared[0]?.verdict;
}

describe('a figure of two results', () => {
  test('has the ratio of the medians, the second by the first', () => {
    const a = documentOf({ figures: [figureOf({ median: 100 })] });
    const b = documentOf({ figures: [figureOf({ median: 150 })] });
    expect(compareResults(a, b).compared[0]?.ratio).toBe(1.5);
    expect(formatComparison(['a', a], ['b', b])).toMatch(
      /^ {2}get, 1 under way .* 100 ±10% +150 ±7% +1\.50$/m,
    );
  });

  test('has no ratio where the first is nothing', () => {
    const a = documentOf({ figures: [figureOf({ median: 0, min: 0 })] });
    expect(compareResults(a, documentOf()).compared[0]?.ratio).toBeUndefined();
  });

  test('is better or worse only if the spreads do not touch, and by what its unit wants', () => {
    const low = { median: 100, min: 90, max: 110 };
    const high = { median: 130, min: 111, max: 150 };
    expect(verdictOf(low, { ...high, min: 110 })).toBe('overlap');
    expect(verdictOf({ ...high, min: 110 }, low)).toBe('overlap');
    expect(verdictOf(low, high)).toBe('better');
    expect(verdictOf(high, low)).toBe('worse');
    expect(verdictOf({ ...low, unit: 'ns' }, { ...high, unit: 'ns' })).toBe('worse');
    expect(verdictOf({ ...high, unit: 'bytes/key' }, { ...low, unit: 'bytes/key' })).toBe('better');
    expect(verdictOf({ ...low, unit: 'count' }, { ...high, unit: 'count' })).toBe('apart');
  });

  test('of one repetition is neither: how much it spreads is not known', () => {
    const low = { median: 100, min: 100, max: 100 };
    const high = { median: 900, min: 890, max: 910 };
    expect(verdictOf({ ...low, n: 1 }, high)).toBe('unknown');
    expect(verdictOf(high, { ...low, n: 1 })).toBe('unknown');
    const [a, b] = [low, high].map((figure) => documentOf({ figures: [figureOf({ ...figure, n: 1 })] }));
    const text = formatComparison(['a', a ?? documentOf()], ['b', b ?? documentOf()]);
    expect(text).toMatch(/ 9\.00 {2}one repetition$/m);
  });

  test('is another one at another number of keys, of another case or in another unit', () => {
    const others = [figureOf({ keyCount: 2000 }), figureOf({ case: 'map' }), figureOf({ unit: 'ns' })];
    const { compared, onlyBefore, onlyAfter } = compareResults(documentOf(), documentOf({ figures: others }));
    expect(compared).toEqual([]);
    expect(onlyBefore).toEqual(['store-get: get, 1 under way, 1,000 keys']);
    expect(onlyAfter.length).toBe(3);
  });

  test('that only one of them has is told with the reason', () => {
    const missing = [
      { case: 'store-get', keyCount: 1000, reason: 'the process of the case ended with SIGKILL' },
    ];
    const text = formatComparison(['a', documentOf()], ['b', documentOf({ figures: [], missing })]);
    expect(text).toContain('The two have no figure in common.');
    expect(text).toContain(
      'Only in A:\n  store-get: get, 1 under way, 1,000 keys (the process of the case ended with SIGKILL)\n',
    );
  });
});

describe('what makes two results hard to compare is told', () => {
  test('nothing, where there is nothing', () => {
    expect(compareResults(documentOf(), documentOf()).doubts).toEqual([]);
  });

  test('another machine, commit or engine', () => {
    const { machine } = documentOf();
    const other = documentOf({
      machine: { ...machine, cpu: 'another', coreCount: 8, node: 'v25.0.0' },
      commit: { id: 'ffff', isDirty: false },
      engine: 'heap',
    });
    expect(compareResults(documentOf(), other).doubts).toEqual([
      'The processor differs: a processor and another.',
      'The number of cores differs: 2 and 8.',
      'The Node differs: v24.21.0 and v25.0.0.',
      'The commit differs: 36edf4a0000000000000000000000000000000ab and ffff.',
      'The engine differs: default and heap.',
    ]);
  });

  test('changes that no commit has, a quick run, a busy machine', () => {
    const { machine, commit } = documentOf();
    const doubtful = documentOf({
      machine: { ...machine, loadAverage: 7 },
      commit: { id: commit?.id ?? '', isDirty: true },
      isQuick: true,
    });
    expect(compareResults(documentOf(), doubtful).doubts).toEqual([
      'B was measured with changes that its commit does not have.',
      'B is a quick run: its figures mean nothing.',
      'B began at a load of 7 on 2 cores: rates are too low.',
    ]);
  });
});
