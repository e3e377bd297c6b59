/** Walks over a window of revisions, while writes go on. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Change, PlacedChange } from '../../../src/engine/version.ts';
import { bytes, deletion, put } from './changes.ts';
import { NaiveModel } from './naive-model.ts';
import { randomFrom } from './random.ts';
import { wholeWalk } from './whole-walk.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { type EngineForm, engineMaker, asText, plainWalk } from './forms.ts';

export function testWalks(create: () => Engine, form: EngineForm): void {
  const engineWith = engineMaker(create);

  const { walksOneRevision = false } = form;
  if (!walksOneRevision) testWindows(create);

  it('stops a walk behind the version whose visitor has had enough, and goes on there', () => {
    const engine = engineWith(put('a', 1), put('a', 2), put('b', 3), put('c', 4));
    const walked: number[] = [];
    const walk = engine.openWalk(walksOneRevision ? 9 : 0, 9);
    for (let isMore = true; isMore;) {
      const before = walked.length;
      isMore = walk.next(99, ({ revision }) => walked.push(revision) < 0);
      expect(walked.length - before).toBeLessThanOrEqual(1);
    }
    walk.close();
    expect(walked.toSorted((a, b) => a - b)).toEqual(walksOneRevision ? [2, 3, 4] : [1, 2, 3, 4]);
  });

  it('walks over the state of its revision while keys are written, moved and dropped', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), (seed, visitsMax) => {
        const random = randomFrom(seed);
        const engine = create();
        const model = new NaiveModel();
        const write = (revision: number): void => {
          const key = `k${random(60)}`;
          const change =
            random(4) === 0 ? deletion(key, revision) : put(key, revision, 'v'.repeat(random(30) ** 2 * 8));
          model.changes.push(change);
          engine.apply(change);
        };
        let revision = 0;
        while (revision < 300) write(++revision);
        engine.compact(200);
        const newest = walksOneRevision ? 200 : 300;
        const expected = plainWalk(model.walked(200, newest));
        const walked = wholeWalk(engine, 200, newest, visitsMax, () => {
          for (let count = random(20); count > 0; count--) write(++revision);
          engine.maintain(random(2) === 0);
        });
        expect(plainWalk(walked)).toEqual(expected);
        verifyIntegrity(engine);
      }),
      { numRuns: 60 },
    );
  });

  it('walks over each key once, whatever the lengths and bytes of keys that move away meanwhile', () => {
    const engine = create();
    const zeros = Array.from({ length: 100 }, (_, index) => '\0'.repeat(index + 1));
    const others = Array.from({ length: 4000 }, (_, index) => `${index}${'x'.repeat(index % 41)}`);
    const keys = [...zeros, ...others];
    for (const key of keys) engine.apply(put(key, 1));
    let hasMoved = false;
    const walked = wholeWalk(engine, 1, 1, 1, () => {
      if (hasMoved) return;
      hasMoved = true;
      for (const key of keys.toReversed()) engine.apply(put(key, 2, 'longer than there is room for'));
    });
    const shown = walked.newest.map(({ key }) => Buffer.from(key).toString('latin1'));
    expect(shown.sort()).toEqual(keys.sort());
  });
}

/** Walks over several revisions, for snapshots. */
function testWindows(create: () => Engine): void {
  const engineWith = engineMaker(create);

  it('walks over no version of a key that was forgotten, though it came anew', () => {
    const engine = engineWith(put('a', 1), put('a', 2), put('b', 3), put('b', 4), deletion('c', 5));
    engine.forget({ start: bytes(''), end: undefined }, 9);
    engine.apply(put('b', 6));
    engine.apply(put('b', 7));
    engine.apply(put('c', 8));
    const seen: string[] = [];
    const walk = engine.openWalk(0, 9);
    const visit = ({ key, revision, replacedBy }: PlacedChange): void => {
      seen.push(`${asText(key)}${revision}>${replacedBy}`);
    };
    while (walk.next(1, visit));
    walk.close();
    expect(seen.sort()).toEqual(['b6>7', 'b7>0', 'c8>0']);
  });

  it('walks every version that a window of revisions needs', () => {
    const engine = engineWith(
      put('a', 1, '1'),
      put('a', 3, '3'),
      put('a', 6, '6'),
      put('b', 2, '2'),
      deletion('b', 4),
      put('c', 2, '2'),
      deletion('c', 5),
      put('d', 7, '7'),
    );
    const walk = (oldest: number, newest: number) => {
      const texts = [1, 2, 99].map((visitsMax) => {
        const { newest: last, older } = wholeWalk(engine, oldest, newest, visitsMax);
        const label = (change: Change) =>
          `${asText(change.key)}${change.revision}${change.deleted ? '-' : asText(change.value)}`;
        return [
          ...last.map(label),
          ...older.map(({ change, replacedBy }) => `${label(change)}>${replacedBy}`),
        ].join(' ');
      });
      expect(new Set(texts).size).toBe(1);
      return texts[0];
    };
    expect(walk(0, 9)).toBe('a66 b4- c5- d77 a11>3 b22>4 c22>5 a33>6');
    expect(walk(4, 6)).toBe('a66 c5- c22>5 a33>6');
    expect(walk(5, 5)).toBe('a33');
    expect(walk(9, 9)).toBe('a66 d77');
  });
}
