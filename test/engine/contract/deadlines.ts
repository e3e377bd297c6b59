/** Keys that are due. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { deletion, put } from './changes.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { engineMaker, asText } from './forms.ts';

export function testDeadlines(create: () => Engine): void {
  const engineWith = engineMaker(create);

  it('gives the keys that are due in the order of deadline, then of key', () => {
    const engine = engineWith(
      put('b', 1, '', { expireTimeMs: 10 }),
      put('a', 2, '', { expireTimeMs: 10 }),
      put('z', 3, '', { expireTimeMs: 5 }),
      put('m', 4, '', { expireTimeMs: 20 }),
      put('never', 5),
    );
    const due = (nowMs: number, limit: number) => engine.due(nowMs, limit).map(asText).join('');
    expect(engine.nextDeadlineMs()).toBe(5);
    expect([due(4, 9), due(5, 9), due(10, 9), due(19, 9), due(20, 9)]).toEqual([
      '',
      'z',
      'zab',
      'zab',
      'zabm',
    ]);
    expect([due(20, 0), due(20, 2)]).toEqual(['', 'za']);
    engine.apply(deletion('z', 6));
    engine.apply(put('a', 7, '', { expireTimeMs: 30 }));
    engine.apply(put('b', 8));
    expect(due(100, 9)).toBe('ma');
    engine.apply(put('b', 9, '', { expireTimeMs: 10 }));
    expect(due(100, 9)).toBe('bma');
    expect(engine.nextDeadlineMs()).toBe(10);
    for (const key of ['a', 'b', 'm']) engine.apply(deletion(key, 10));
    expect(engine.nextDeadlineMs()).toBeUndefined();
    verifyIntegrity(engine);
  });

  it('hands out many keys of one deadline in key order, some at a time', () => {
    const engine = create();
    const count = 3000;
    const keys = Array.from({ length: count }, (_, index) => `k${(index * 1009) % count}`.padEnd(6, '.'));
    keys.forEach((key, index) => engine.apply(put(key, index + 1, '', { expireTimeMs: 1000 })));
    const removed: string[] = [];
    for (let revision = count + 1; engine.nextDeadlineMs() !== undefined; revision++) {
      for (const key of engine.due(1000, 100)) {
        removed.push(asText(key));
        engine.apply(deletion(asText(key), revision));
      }
    }
    expect(removed).toEqual(keys.toSorted());
    verifyIntegrity(engine);
  });
}
