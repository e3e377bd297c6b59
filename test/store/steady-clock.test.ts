import { describe, expect, it } from 'vitest';
import { SteadyClock } from '../../src/store/steady-clock.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { refused, valueOf, Watching } from './model/readable.ts';
import { MemoryHarness } from './model/store-harness.ts';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

describe('the wall time of a store', () => {
  it('is that of the clock while it goes forward, also in steps', () => {
    const { wall, steady } = clocks();
    expect(steady.nowMs()).toBe(1_000_000);
    wall.advance(5);
    expect(steady.nowMs()).toBe(1_000_005);
    wall.jump(YEAR_MS);
    expect(steady.nowMs()).toBe(1_000_005 + YEAR_MS);
  });

  it('goes on more slowly after a step back, until the clock has come up to it', () => {
    const { wall, steady } = clocks();
    steady.nowMs();
    wall.jump(-1000);
    expect(steady.nowMs()).toBe(1_000_000);
    wall.advance(4000);
    expect(steady.nowMs()).toBe(1_003_500);
    wall.advance(4000);
    expect(steady.nowMs()).toBe(1_007_000);
    expect(wall.nowMs()).toBe(1_007_000);
    wall.advance(1);
    expect(steady.nowMs()).toBe(1_007_001);
  });

  it('does not stand still after a step forward that is taken back', () => {
    const { wall, steady } = clocks();
    wall.jump(YEAR_MS);
    const beforeMs = steady.nowMs();
    wall.jump(-YEAR_MS);
    steady.nowMs();
    wall.advance(HOUR_MS);
    expect(steady.nowMs() - beforeMs).toBe((HOUR_MS * 7) / 8);
  });

  it('goes on from what the life before has shown', () => {
    const { wall, steady } = clocks();
    steady.continueFrom(1_000_000 + HOUR_MS);
    expect(steady.nowMs()).toBe(1_000_000 + HOUR_MS);
    wall.advance(4000);
    expect(steady.nowMs()).toBe(1_003_500 + HOUR_MS);
    wall.jump(HOUR_MS);
    expect(steady.nowMs()).toBe(wall.nowMs());
    steady.continueFrom(1_000_000);
    expect(steady.nowMs()).toBe(wall.nowMs());
  });

  it('never goes back, whatever the clock does', () => {
    const { wall, steady } = clocks();
    const random = new SeededRandom(1);
    let lastMs = steady.nowMs();
    for (let step = 0; step < 10_000; step++) {
      if (random.chance(0.3)) wall.jump(random.between(-5000, 3000));
      else wall.advance(random.below(3000));
      const nowMs = steady.nowMs();
      expect(nowMs).toBeGreaterThanOrEqual(Math.max(lastMs, wall.nowMs()));
      expect(Number.isInteger(nowMs)).toBe(true);
      lastMs = nowMs;
    }
  });
});

describe('a wall clock that steps back', () => {
  it('does not show an expired key again, whoever looks', async () => {
    const harness = await MemoryHarness.open();
    const { store, clock, disk } = harness;
    await store.put('k', 'v', { ttlMs: 1000 });
    // The removal can't be committed: what is read depends on the clock alone.
    disk.injectFault({ call: 'write', pathEnd: '.log', isPermanent: true });
    await refused(store.put('x', ''), 'storageFailed');
    await harness.advance(1000);
    expect(await valueOf(store, 'k')).toBeUndefined();
    clock.jump(-HOUR_MS);
    expect(await valueOf(store, 'k')).toBeUndefined();
    expect(await store.exists(['k'])).toMatchObject({ exists: [false] });
    expect(await store.scan({})).toMatchObject({ entries: [] });
    expect(await store.count({})).toMatchObject({ count: 0 });
    const watching = new Watching(store, { includeCurrent: true });
    expect(await watching.next()).toMatchObject({ kind: 'synced' });
  });

  it('lets keys that are written afterwards expire when their time is over, or a little later', async () => {
    const harness = await MemoryHarness.open();
    const { store, clock } = harness;
    await store.put('before', '', { ttlMs: HOUR_MS });
    clock.jump(YEAR_MS);
    expect(await valueOf(store, 'before')).toBeUndefined();
    clock.jump(-YEAR_MS);
    await store.put('k', '', { ttlMs: 7000 });
    await harness.advance(7000);
    expect(await valueOf(store, 'k')).toBe('');
    await harness.advance(1000);
    expect(await valueOf(store, 'k')).toBeUndefined();
  });
});

describe('a wall clock that was set back while the store was down', () => {
  const ends: [string, (harness: MemoryHarness) => Promise<void>][] = [
    ['a crash', (harness) => harness.crash('endProcess')],
    ['a loss of power', (harness) => harness.crash('losePower')],
    ['a clean stop', (harness) => harness.reopen()],
  ];

  it.each(ends)('does not show a key again that was overdue at a write before %s', async (_, end) => {
    const harness = await MemoryHarness.open();
    const { clock } = harness;
    // So that the removal is not tried before the end.
    clock.setTimer = () => ({ cancel: () => undefined });
    await harness.store.put('k', 'v', { ttlMs: HOUR_MS });
    clock.jump(HOUR_MS);
    await harness.store.put('other', '');
    expect(await valueOf(harness.store, 'k')).toBeUndefined();
    clock.jump(-2 * HOUR_MS);
    await end(harness);
    expect(await valueOf(harness.store, 'k')).toBeUndefined();
    expect(await harness.store.count({})).toMatchObject({ count: 1 });
    await harness.store.put('new', '', { ttlMs: 1000 });
    const { entry } = await harness.store.get('new');
    expect(entry?.expireTimeMs).toBeGreaterThan(clock.nowMs() + 2 * HOUR_MS);
  });

  it('does not show a key again that was left out of reads before a clean stop, with no write behind', async () => {
    const harness = await MemoryHarness.open();
    const { clock } = harness;
    clock.setTimer = () => ({ cancel: () => undefined });
    await harness.store.put('k', 'v', { ttlMs: HOUR_MS });
    clock.jump(HOUR_MS);
    expect(await valueOf(harness.store, 'k')).toBeUndefined();
    clock.jump(-2 * HOUR_MS);
    await harness.reopen();
    expect(await valueOf(harness.store, 'k')).toBeUndefined();
  });

  it('does not show a key again that was overdue when a snapshot was begun before a crash', async () => {
    const harness = await MemoryHarness.open();
    const { clock } = harness;
    clock.setTimer = () => ({ cancel: () => undefined });
    await harness.store.put('k', 'v', { ttlMs: HOUR_MS });
    clock.jump(HOUR_MS);
    await harness.store.snapshot();
    clock.jump(-2 * HOUR_MS);
    await harness.crash('losePower');
    expect(await valueOf(harness.store, 'k')).toBeUndefined();
  });

  it('is told to the operator, with how far it is behind', async () => {
    const harness = await MemoryHarness.open();
    await harness.store.put('k', 'v');
    await harness.reopen();
    expect(harness.events.filter(({ kind }) => kind === 'clockBehind')).toEqual([]);
    harness.clock.jump(-HOUR_MS);
    await harness.reopen();
    expect(harness.events.filter(({ kind }) => kind === 'clockBehind')).toEqual([
      { kind: 'clockBehind', behindMs: HOUR_MS },
    ]);
  });
});

function clocks(): { wall: ManualClock; steady: SteadyClock } {
  const wall = new ManualClock();
  return { wall, steady: new SteadyClock(wall) };
}
