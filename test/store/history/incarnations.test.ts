/** The list of the lives of a store, by itself. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import { Incarnations, type Life } from '../../../src/store/history/incarnations.ts';
import { SeededRandom } from '../../support/random.ts';

/** The example of the class: b wrote nothing, c's 8 and 9 were lost. */
const example: readonly Life[] = [
  { firstRevision: 1, id: 'a' },
  { firstRevision: 5, id: 'c' },
  { firstRevision: 8, id: 'd' },
];
const NEWEST = 10;

describe('the lives of a store', () => {
  it('tell who wrote each revision', () => {
    const lives = new Incarnations(example);
    const ids = Array.from({ length: NEWEST + 1 }, (_, revision) => lives.idOf(revision));
    expect(ids).toEqual(['', 'a', 'a', 'a', 'a', 'c', 'c', 'c', 'd', 'd', 'd']);
    expect(new Incarnations().idOf(3)).toBe('');
  });

  it.each([
    [4, 'a'],
    [5, 'c'],
    [7, 'c'],
    [10, 'd'],
  ])('hold the place (%i, %s)', (revision, id) => {
    expect(new Incarnations(example).differenceFrom(revision, id, NEWEST)).toBeUndefined();
  });

  it.each([
    ['behind the last of a life', 9, 'c', { incarnation: 'd', shared: [7, 'c'] }],
    ['within the life that followed', 5, 'a', { incarnation: 'c', shared: [4, 'a'] }],
    ['of a life that is not known', 9, 'x', { incarnation: 'd', shared: [0, ''] }],
    ['before that life began', 4, 'd', { incarnation: 'a', shared: [0, ''] }],
    ['that the newest life has not reached', 11, 'd', { incarnation: '', shared: [10, 'd'] }],
    ['that an older life would have reached', 11, 'c', { incarnation: '', shared: [7, 'c'] }],
  ])('do not hold a place %s', (_, revision, id, { incarnation, shared }) => {
    const [sharedRevision, sharedIncarnation] = shared;
    expect(new Incarnations(example).differenceFrom(revision, id, NEWEST)).toEqual({
      requestedRevision: revision,
      requestedIncarnation: id,
      incarnation,
      sharedRevision,
      sharedIncarnation,
      newestRevision: NEWEST,
    });
  });

  it('show nothing of what is not visible yet', () => {
    const lives = new Incarnations(example);
    expect(lives.differenceFrom(8, 'd', 7)).toMatchObject({ incarnation: '', sharedRevision: 0 });
    expect(lives.differenceFrom(8, 'c', 6)).toMatchObject({ sharedRevision: 6, sharedIncarnation: 'c' });
  });

  it('are the newest so many; of the older ones nothing is known', () => {
    const lives = new Incarnations([], 3);
    for (let revision = 1; revision <= 50; revision++)
      lives.begin({ firstRevision: revision, id: `life ${revision}` });
    expect(lives.lives.map(({ firstRevision }) => firstRevision)).toEqual([48, 49, 50]);
    expect([47, 48].map((revision) => lives.idOf(revision))).toEqual(['', 'life 48']);
    expect(lives.differenceFrom(47, 'life 47', 50)).toMatchObject({ incarnation: '', sharedRevision: 0 });
    expect(new Incarnations(lives.lives, 2).lives).toHaveLength(2);
  });

  it('are a thousand', () => {
    const lives = new Incarnations();
    for (let revision = 1; revision <= 1500; revision++)
      lives.begin({ firstRevision: revision, id: String(revision) });
    expect(lives.lives).toHaveLength(fixed.incarnationsKept);
    expect(lives.lives[0]?.firstRevision).toBe(501);
  });

  it('begin one behind the other, each with an id of its own', () => {
    const lives = new Incarnations(example);
    expect(lives.faultOfNext({ firstRevision: 8, id: 'e' })).toMatch(/begins at revision 8/);
    expect(lives.faultOfNext({ firstRevision: 9, id: 'a' })).toMatch(/is that of revision 1/);
    expect(() => lives.begin({ firstRevision: 9, id: 'a' })).toThrow(/broken invariant/);
    expect(lives.faultOfNext({ firstRevision: 9, id: 'e' })).toBeUndefined();
  });

  it('draw an id that none of them has', () => {
    const id = new Incarnations().draw(new SeededRandom(1));
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const lives = new Incarnations([{ firstRevision: 1, id }]);
    expect(lives.draw(new SeededRandom(1))).not.toBe(id);
  });

  it('are found as by going through all of them', () => {
    const firsts = fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 20 });
    const property = fc.property(firsts, fc.nat(110), (revisions, revision) => {
      const lives = revisions
        .sort((a, b) => a - b)
        .map((firstRevision) => ({ firstRevision, id: `${firstRevision}` }));
      const expected = lives.filter(({ firstRevision }) => firstRevision <= revision).at(-1)?.id ?? '';
      expect(new Incarnations(lives).idOf(revision)).toBe(expected);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
