/** Who is told of what becomes visible: those that wait for it, once, and in slices where there is much to look through. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import type { EventType, KeyRange } from '../../../src/api.ts';
import { deletionOf } from '../../../src/engine/version.ts';
import type { PlannedChange } from '../../../src/store/views/planned-change.ts';
import { mayWant, toWatchFilter } from '../../../src/store/watch/matching/watch-filter.ts';
import { WatchHub } from '../../../src/store/watch/watch-hub.ts';
import type { HubWatch } from '../../../src/store/watch/matching/watch-registry.ts';
import { stageChanges } from '../../../src/store/watch/matching/recent-changes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Watching } from '../model/readable.ts';
import { MemoryHarness } from '../model/store-harness.ts';

/** A watch that counts what the hub does with it. */
class CountingWatch implements HubWatch {
  readonly filter;
  readonly told: string[] = [];
  isIndexed = false;
  wakeCount = 0;
  cursor = 0;
  readonly dealtWith = undefined;

  constructor(ranges: KeyRange[] = [], types?: EventType[]) {
    this.filter = toWatchFilter(ranges, types);
  }

  notice(first: number, last: number): boolean {
    if (last <= this.cursor) return false;
    this.told.push(`${first} to ${last}`);
    return true;
  }

  wake(): number {
    this.wakeCount++;
    return 0;
  }

  fail(): void {}
}

function puts(keys: readonly string[]): PlannedChange[] {
  return keys.map((key) => ({ ...deletionOf(Buffer.from(key), 1), ...PUT }));
}

const PUT = {
  type: 'put',
  deleted: false,
  reason: undefined,
  previousLeaseId: 0,
  previousCollectionId: 0,
  hadEntry: false,
  replacedExpired: false,
} as const;

function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `k${String(index).padStart(6, '0')}`);
}

function openHub(): {
  hub: WatchHub;
  clock: ManualClock;
  publish: (revision: number, keys: string[]) => void;
} {
  const clock = new ManualClock();
  const hub = new WatchHub({ watchersMax: 1 }, clock);
  const publish = (revision: number, keys: string[]): void => {
    hub.publish(revision, stageChanges(revision, 0, puts(keys)));
    hub.wake();
  };
  return { hub, clock, publish };
}

describe('a transaction that becomes visible', () => {
  it('is told once to each watch that waits, however many of its keys it wants', async () => {
    const { hub, clock, publish } = openHub();
    const watches = Array.from({ length: 900 }, () => new CountingWatch());
    for (const watch of watches) hub.startWaiting(watch);
    publish(1, keysOf(5000));
    await clock.settled();
    publish(2, keysOf(5000));
    await clock.settled();
    for (const { told, wakeCount } of watches) {
      expect(told).toEqual(['1 to 1']);
      expect(wakeCount).toBe(1);
    }
    expect(hub.noticedRevision).toBe(2);
  });

  it('is told to those that want one of its keys and types, and to no other', async () => {
    const { hub, clock, publish } = openHub();
    const wanting = [
      new CountingWatch([{ key: 'k000003' }]),
      new CountingWatch([{ prefix: 'a' }, { prefix: 'k0' }]),
      new CountingWatch([{ start: 'k000009', end: 'l' }]),
    ];
    const others = [
      new CountingWatch([{ key: 'k00000' }, { prefix: 'kx' }, { start: 'l' }]),
      new CountingWatch([], ['delete', 'touch']),
    ];
    for (const watch of [...wanting, ...others]) hub.startWaiting(watch);
    publish(1, keysOf(10));
    await clock.settled();
    for (const { told } of wanting) expect(told).toEqual(['1 to 1']);
    for (const { told } of others) expect(told).toEqual([]);
  });

  it('is not told to a watch that began to wait behind it', async () => {
    const { hub, clock, publish } = openHub();
    const watch = new CountingWatch();
    watch.cursor = 1;
    hub.startWaiting(watch);
    publish(1, ['a']);
    await clock.settled();
    expect(watch.told).toEqual([]);
    publish(2, ['a']);
    await clock.settled();
    expect(watch.told).toEqual(['2 to 2']);
  });

  it('is looked through in slices, and the next one after it', async () => {
    const { hub, clock, publish } = openHub();
    const last = new CountingWatch([{ start: 'k000999', end: 'k000999x' }]);
    for (let count = 0; count < 500; count++)
      hub.startWaiting(new CountingWatch([{ start: 'x', end: 'yy' }]));
    hub.startWaiting(last);
    publish(1, keysOf(1000));
    publish(2, ['k000999']);
    // 500,000 places are to be looked at.
    expect(hub.noticedRevision).toBe(0);
    expect(last.told).toEqual([]);
    let turnCount = 0;
    while (hub.noticedRevision < 2) {
      await new Promise(setImmediate);
      turnCount++;
    }
    expect(turnCount).toBeGreaterThanOrEqual(500_000 / fixed.watchNoticeVisitsMax - 1);
    await clock.settled();
    expect(last.told).toEqual(['1 to 1']);
  });

  it('is looked through to its end where the watches of one key are more than a slice', async () => {
    const { hub, clock, publish } = openHub();
    const watches = Array.from(
      { length: fixed.watchNoticeVisitsMax + 300 },
      () => new CountingWatch([{ key: 'k000000' }]),
    );
    const others = Array.from(
      { length: fixed.watchNoticeVisitsMax + 1 },
      () => new CountingWatch([{ start: 'y' }]),
    );
    for (const watch of [...watches, ...others]) hub.startWaiting(watch);
    publish(1, keysOf(3));
    await clock.settled();
    expect(hub.noticedRevision).toBe(1);
    expect(watches.filter(({ told, wakeCount }) => told.length !== 1 || wakeCount !== 1)).toEqual([]);
    expect(others.filter(({ told }) => told.length > 0)).toEqual([]);
  });

  it('is told to all that wait when the recent changes have moved past it meanwhile', async () => {
    const { hub, clock, publish } = openHub();
    const watches = Array.from({ length: 200 }, () => new CountingWatch([{ start: 'x', end: 'yy' }]));
    for (const watch of watches) hub.startWaiting(watch);
    const revisionCount = Math.ceil(fixed.recentChangesMax / 10_000) + 2;
    for (let revision = 1; revision <= revisionCount; revision++) publish(revision, keysOf(10_000));
    await clock.settled();
    expect(hub.noticedRevision).toBe(revisionCount);
    for (const { told, wakeCount } of watches) {
      expect(told).toHaveLength(1);
      expect(told[0]).toMatch(/^1 to [1-9]$/);
      expect(wakeCount).toBe(1);
    }
  });
});

describe('watches whose progress is due at once', () => {
  it('are woken some in a turn, and all of them', async () => {
    const { hub, clock } = openHub();
    const watches = Array.from({ length: 200 }, () => new CountingWatch());
    for (const watch of watches) {
      hub.startWaiting(watch);
      hub.wakeInTurn(watch);
    }
    const wokenCount = (): number => watches.reduce((sum, { wakeCount }) => sum + wakeCount, 0);
    expect(wokenCount()).toBe(0);
    const perTurn: number[] = [];
    while (wokenCount() < watches.length) {
      const before = wokenCount();
      await new Promise(setImmediate);
      perTurn.push(wokenCount() - before);
    }
    expect(Math.max(...perTurn)).toBe(fixed.watchesWokenVisitsMax / fixed.wokenLaterVisits);
    await clock.settled();
    expect(wokenCount()).toBe(watches.length);
  });
});

describe('what is kept of a transaction', () => {
  it('is each of its changes up to a limit, and beyond it only where they lie', () => {
    const { changes } = stageChanges(1, 0, puts(keysOf(fixed.watchStagedChangesMax)));
    expect(changes).toHaveLength(fixed.watchStagedChangesMax);
    const keys = keysOf(fixed.watchStagedChangesMax + 1);
    for (const row of [keys, keys.toReversed(), [...keys.slice(7), ...keys.slice(0, 7)]]) {
      const staged = stageChanges(1, 0, puts(row));
      expect(staged.changes).toBeUndefined();
      expect(staged.borders).toEqual({ first: keys.at(0), last: keys.at(-1), types: new Set(['put']) });
    }
  });

  it('is as long in its keys as a limit says, and beyond it only where they lie, in few bytes', () => {
    const short = keysOf(fixed.watchStagedChangesMax).map((key) => key.padEnd(128, '.'));
    expect(stageChanges(1, 0, puts(short)).changes).toHaveLength(fixed.watchStagedChangesMax);
    const long = keysOf(fixed.watchStagedKeyBytesMax / 4096 + 1).map((key) => key.padEnd(4096, '.'));
    const { changes, borders, keyBytes } = stageChanges(1, 0, puts(long));
    expect(changes).toBeUndefined();
    expect(keyBytes).toBeLessThan(300);
    expect((borders?.first.length ?? 0) + (borders?.last.length ?? 0)).toBe(keyBytes);
    for (const key of [long.at(0), long.at(-1)]) {
      expect(mayWant(toWatchFilter([{ key: key ?? '' }], undefined), borders)).toBe(true);
    }
    for (const range of [{ start: 'k1' }, { end: 'k' }]) {
      expect(mayWant(toWatchFilter([range], undefined), borders)).toBe(false);
    }
  });
});

describe('the recent changes', () => {
  it('reach back to as many as ever with keys of the usual length', () => {
    const { hub, publish } = openHub();
    const count = fixed.recentChangesMax / 2;
    for (let revision = 1; revision <= count; revision++) publish(revision, ['k'.padEnd(128, '.')]);
    expect(hub.recent(1)).toMatchObject({ revision: 1 });
  });

  it.each([1, 100])('are bounded by the bytes of their keys, with %s in a transaction', (keyCount) => {
    const { hub, publish } = openHub();
    const keys = keysOf(keyCount).map((key) => key.padEnd(4096, '.'));
    const revisionCount = Math.ceil((2 * fixed.recentKeyBytesMax) / (4096 * keyCount));
    for (let revision = 1; revision <= revisionCount; revision++) publish(revision, keys);
    let keptBytes = 0;
    for (let revision = 1; revision <= revisionCount; revision++) {
      for (const { key } of hub.recent(revision)?.changes ?? []) keptBytes += key.length;
    }
    expect(hub.recent(revisionCount)?.changes).toHaveLength(keyCount);
    expect(keptBytes).toBeLessThanOrEqual(fixed.recentKeyBytesMax);
    expect(keptBytes).toBeGreaterThan(0.9 * fixed.recentKeyBytesMax);
  });
});

describe('a watch whose progress is due while a transaction is looked through', () => {
  it('is not past it', async () => {
    const harness = await MemoryHarness.open();
    const { store, clock } = harness;
    await Promise.all(
      Array.from({ length: 300 }, async () => {
        const other = await Watching.live(store, { ranges: [{ start: 'x', end: 'yy' }] });
        void other.iterator.next().catch(() => undefined);
      }),
    );
    const ranges = [{ start: 'k000990', end: 'k000990x' }];
    const watching = await Watching.live(store, { ranges, progressIntervalMs: 100 });
    const first = watching.nextText();
    await clock.settled();
    await store.txn({ success: keysOf(1000).map((key) => ({ kind: 'put', key, value: '' })) });
    clock.advance(100);
    expect(await first).toBe('progress 0');
    expect(await watching.nextText()).toBe('1: put k000990=');
  });
});
