/** What compaction drops, and what it leaves. */
import { expect, it } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { bytes, deletion, put } from './changes.ts';
import { verifyIntegrity } from '../memory/integrity.ts';
import { type EngineForm, expectStats, drain, engineMaker, textOf } from './forms.ts';

export function testCompaction(create: () => Engine, form: EngineForm): void {
  const engineWith = engineMaker(create);

  it('drops what no reader can see after a compaction, and nothing else', () => {
    const engine = engineWith(
      put('a', 1, 'x'),
      put('a', 2, 'y'),
      put('a', 3, 'z'),
      put('b', 1),
      deletion('b', 2),
    );
    engine.compact(1);
    drain(engine);
    expectStats(engine, form, { keyCount: 1, versionCount: 5, dataBytes: 8 });
    engine.compact(2);
    expect(textOf(engine.read(bytes('a'), 2))).toBe('y');
    drain(engine);
    expectStats(engine, form, { keyCount: 1, versionCount: 2, dataBytes: 4 });
    expect(textOf(engine.read(bytes('a'), 2))).toBe('y');
    engine.apply(put('b', 4, 'again'));
    expect(textOf(engine.read(bytes('b'), 4))).toBe('again');
    expect(engine.read(bytes('b'), 3)).toBeUndefined();
    verifyIntegrity(engine);
  });

  it.each([0, 1, 100, 4095, 4096, 100_000])(
    'hands out values of %i bytes that belong to the caller',
    (count) => {
      const engine = engineWith(
        put('a', 1, 'v'.repeat(count)),
        put('a', 2, 'w'.repeat(count), { version: 2 }),
      );
      const all = { start: bytes(''), end: undefined };
      for (const [revision, letter] of [
        [1, 'v'],
        [2, 'w'],
      ] as const) {
        engine.read(bytes('a'), revision)!.value.fill(0);
        engine.scan(
          all,
          revision,
          { reverse: false, budget: new WorkBudget(9) },
          (version) => version.copyValue().fill(0).length >= 0,
        );
        expect(textOf(engine.read(bytes('a'), revision))).toBe(letter.repeat(count));
      }
    },
  );
}
