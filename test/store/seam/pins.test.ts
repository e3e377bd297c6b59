import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import type { PinnedState } from '../../../src/store/seam.ts';
import { ALL, bytesOf, SeamHarness, textOf } from './seam-harness.ts';

const SHORT_HISTORY = { historyRevisionsMax: 5, historyAgeMs: 10_000_000 };
const KEYS = 20;

describe('a pinned state', () => {
  it('reads the same while keys are written, deleted and compacted, piece by piece', async () => {
    const harness = await filled();
    const { store } = harness;
    const pinned = store.pin();
    expect(pinned.revision).toBe(1);
    const before = pairsOf(pinned);
    expect(before).toHaveLength(KEYS);
    let start: Uint8Array | undefined = ALL.start;
    const seen: string[] = [];
    while (start !== undefined) {
      const from: Uint8Array = start;
      start = pinned.read((view) => {
        let count = 0;
        return view.scan({ start: from, end: undefined }, false, (shown) => {
          seen.push(`${textOf(shown.key)}=${textOf(shown.value)}`);
          return ++count < 3;
        });
      });
      await churn(harness, 10);
    }
    expect(seen).toEqual(before);
    expect(pairsOf(pinned)).toEqual(before);
    expect(textOf(pinned.read((view) => view.read(bytesOf('key 1')))?.value ?? bytesOf(''))).toBe('1');
    // It alone holds history back.
    expect(store.status().oldestRevision).toBe(1);
    pinned.release();
    await churn(harness, 1);
    expect(store.status().oldestRevision).toBe(store.visibleRevision - SHORT_HISTORY.historyRevisionsMax);
    expect(() => pinned.read((view) => view.revision)).toThrow(
      expect.objectContaining({ code: 'revisionCompacted' }),
    );
  });

  it('goes on leaving out what was overdue as it was pinned, and showing what became so later', async () => {
    const harness = await SeamHarness.open();
    const { store, clock } = harness;
    await harness.decide((view) => {
      view.put(bytesOf('overdue'), bytesOf('1'), { ttlMs: 1000 });
      view.put(bytesOf('soon'), bytesOf('2'), { ttlMs: 3000 });
    });
    clock.jump(2000);
    const pinned = store.pin();
    const raw = store.pin({ revision: 1, instantMs: 0 });
    expect(pairsOf(pinned)).toEqual(['soon=2']);
    await clock.pass(5000);
    expect(pairsOf(pinned)).toEqual(['soon=2']);
    expect(pairsOf(raw)).toEqual(['overdue=1', 'soon=2']);
    expect(pairsOf(store.pin())).toEqual([]);
  });

  it('is given up when it was held for too long', async () => {
    const harness = await filled();
    const { store, clock } = harness;
    const pinned = store.pin();
    await clock.pass(fixed.pinMsMax - 20_000);
    await churn(harness, 10);
    expect(pairsOf(pinned)).toHaveLength(KEYS);
    expect(store.status().oldestRevision).toBe(1);
    await clock.pass(20_001);
    await churn(harness, 10);
    expect(() => pairsOf(pinned)).toThrow(
      expect.objectContaining({
        code: 'revisionCompacted',
        details: expect.objectContaining({ requestedRevision: 1 }),
      }),
    );
    pinned.release();
  });

  it('can not be had of what is gone, or not there yet, or in a store that is closed', async () => {
    const harness = await filled();
    const { store } = harness;
    expect(() => store.pin({ revision: 2, instantMs: 0 })).toThrow(
      expect.objectContaining({ code: 'revisionFuture' }),
    );
    const pinned = store.pin();
    pinned.release();
    await churn(harness, 10);
    expect(() => store.pin({ revision: 1, instantMs: 0 })).toThrow(
      expect.objectContaining({ code: 'revisionCompacted' }),
    );
    const open = store.pin();
    await store.close();
    expect(() => open.read(() => undefined)).toThrow(expect.objectContaining({ code: 'closed' }));
    expect(() => store.pin()).toThrow(expect.objectContaining({ code: 'closed' }));
  });
});

async function filled(): Promise<SeamHarness> {
  const harness = await SeamHarness.open({ limits: SHORT_HISTORY });
  await harness.decide((view) => {
    for (let index = 0; index < KEYS; index++) view.put(bytesOf(`key ${index}`), bytesOf(`${index}`));
  });
  return harness;
}

/** So many revisions, which change every key. */
async function churn(harness: SeamHarness, revisions: number): Promise<void> {
  const { store } = harness;
  for (let count = 0; count < revisions; count++) {
    await harness.decide((view) => {
      for (let index = 0; index < KEYS; index++) {
        const key = bytesOf(`key ${index}`);
        if (index % 2 === count % 2) view.put(key, bytesOf(`at ${store.visibleRevision}`));
        else view.delete(key);
      }
      view.put(bytesOf('key'), bytesOf(`at ${store.visibleRevision}`));
    });
  }
  // What was dropped is dropped in memory, too.
  await harness.clock.settled();
}

function pairsOf(pinned: PinnedState): string[] {
  return pinned.read((view) => {
    const pairs: string[] = [];
    view.scan(ALL, false, (shown) => pairs.push(`${textOf(shown.key)}=${textOf(shown.value)}`) > 0);
    return pairs;
  });
}
