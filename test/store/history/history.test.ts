import { describe, expect, it } from 'vitest';
import { defaults, fixed, type Limits } from '../../../src/limits.ts';
import { History } from '../../../src/store/history/history.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const MiB = 1024 * 1024;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

describe('history', () => {
  it('reaches back as many revisions as the limit says', () => {
    const { history } = historyOf({ historyRevisionsMax: 10 });
    history.advance(10, 0);
    expect(history.oldestRevision).toBe(0);
    history.advance(11, 0);
    expect(history.oldestRevision).toBe(1);
    history.advance(500, 0);
    expect(history.oldestRevision).toBe(490);
    expect(history.oldestWatchRevision).toBe(1);
  });

  it('reaches back as many bytes of log as the limit says, and at most a little further', () => {
    const { history } = historyOf({ historyBytesMax: 4 * MiB });
    for (let revision = 1; revision <= 100; revision++) {
      history.advance(revision, (revision * MiB) / 4);
      const exact = revision - 16;
      expect(history.oldestRevision).toBeLessThanOrEqual(Math.max(0, exact));
      expect(history.oldestRevision).toBeGreaterThanOrEqual(exact - 2);
    }
  });

  it('reaches back as long as the limit says, and at most a little further', () => {
    const { history, clock } = historyOf({ historyAgeMs: 100_000 });
    for (let second = 1; second <= 300; second++) {
      clock.advance(1000);
      history.advance(second, 0);
      expect(history.oldestRevision).toBeLessThanOrEqual(Math.max(0, second - 100));
      expect(history.oldestRevision).toBeGreaterThanOrEqual(second - 112);
    }
  });

  it('grows old by the time that passes, whatever the wall clock says', () => {
    const limits = { historyAgeMs: HOUR_MS, logRetentionMs: DAY_MS };
    const { history, clock } = historyOf(limits);
    const steady = historyOf(limits);
    const jumps = [DAY_MS, -2 * DAY_MS, 10 * DAY_MS, -DAY_MS];
    for (let minute = 1; minute <= 30 * 60; minute++) {
      if (minute % 300 === 0) clock.jump(jumps[(minute / 300) % jumps.length] ?? 0);
      for (const each of [{ history, clock }, steady]) {
        each.clock.advance(MINUTE_MS);
        each.history.advance(minute, 0);
      }
      expect(history.oldestRevision).toBe(steady.history.oldestRevision);
      expect(history.agedRevision).toBe(steady.history.agedRevision);
    }
    expect(history.oldestRevision).toBe(30 * 60 - 61);
    expect(history.agedRevision).toBe(6 * 60 - 1);
  });

  it('gives up its older half on demand, as far as pins let it', () => {
    const { history } = historyOf({});
    history.advance(100, 0);
    expect(history.shorten(100, false)).toBe(true);
    expect(history.oldestRevision).toBe(50);
    const pin = history.pin(60, { holder: 'a snapshot' });
    expect(history.shorten(100, false)).toBe(true);
    expect(history.oldestRevision).toBe(60);
    expect(history.shorten(100, false)).toBe(false);
    pin.release();
    while (history.shorten(100, false));
    expect(history.oldestRevision).toBe(100);
    // The log is not what is scarce.
    expect(history.oldestWatchRevision).toBe(1);
  });

  it('goes on once a pin is released', () => {
    const { history, clock } = historyOf({ historyAgeMs: 100_000 });
    history.advance(1, 0);
    const pin = history.pin(0, { holder: 'a snapshot' });
    clock.advance(200_000);
    history.advance(2, 0);
    expect(history.oldestRevision).toBe(0);
    pin.release();
    clock.advance(1);
    history.advance(2, 0);
    expect(history.oldestRevision).toBe(1);
  });

  it('lets watches begin with the revision compacted to, and where the log begins', () => {
    const { history } = historyOf({});
    history.advance(100, 0);
    expect(history.oldestWatchRevision).toBe(1);
    history.compact(50);
    expect(history.oldestWatchRevision).toBe(50);
    history.logStartsAt(30);
    expect(history.oldestWatchRevision).toBe(50);
    history.logStartsAt(70);
    expect(history.oldestWatchRevision).toBe(70);
    history.compact(60);
    expect(history.oldestWatchRevision).toBe(70);
    expect(history.oldestRevision).toBe(60);
  });

  it('tells up to which revision the log is older than it need be', () => {
    const { history, clock } = historyOf({ logRetentionMs: HOUR_MS });
    const writeEachMinute = (from: number, to: number): void => {
      for (let minute = from; minute <= to; minute++) {
        history.advance(minute + 1, 0);
        clock.advance(MINUTE_MS);
      }
    };
    writeEachMinute(0, 90);
    expect(history.agedRevision).toBe(30);
    writeEachMinute(91, 200);
    expect(history.agedRevision).toBe(140);
  });
});

describe('a pin', () => {
  it('holds history back until it is released or its time is over, which the wall clock does not tell', () => {
    const { history, clock } = historyOf({});
    history.advance(100, 0);
    const forever = history.pin(40, { holder: 'a snapshot' });
    const brief = history.pin(20, { holder: 'a long reply', msMax: 1000 });
    history.compact(50);
    clock.jump(DAY_MS);
    history.compact(50);
    expect(history.oldestRevision).toBe(20);
    expect([forever.isHeld(), brief.isHeld()]).toEqual([true, true]);
    expect(history.heldBy(50)).toBe('a snapshot');
    expect(history.heldBy(30)).toBe('a long reply');
    clock.jump(-2 * DAY_MS);
    clock.advance(1000);
    expect(history.heldBy(30)).toBeUndefined();
    history.compact(50);
    expect(history.oldestRevision).toBe(40);
    expect([forever.isHeld(), brief.isHeld()]).toEqual([true, false]);
    forever.release();
    history.compact(50);
    expect(history.oldestRevision).toBe(50);
    brief.release();
    // A pin never brings back what is gone.
    history.pin(10, { holder: 'a snapshot' });
    history.compact(60);
    expect(history.oldestRevision).toBe(50);
  });

  it('gives way when a write finds no room, a while after it began', () => {
    const { history, clock } = historyOf({});
    history.advance(100, 0);
    let lostCount = 0;
    const pin = history.pin(0, { holder: 'a long reply', msMax: HOUR_MS, onLost: () => lostCount++ });
    clock.jump(DAY_MS);
    clock.advance(fixed.fullPinMs - 1);
    expect(history.shorten(100, true)).toBe(false);
    clock.advance(1);
    // Neither by itself, nor because little memory is left.
    history.compact(10);
    expect(history.shorten(100, false)).toBe(false);
    expect([pin.isHeld(), lostCount]).toEqual([true, 0]);
    expect(history.shorten(100, true)).toBe(true);
    expect([pin.isHeld(), pin.hasGivenWay(), lostCount]).toEqual([false, true, 1]);
    expect(history.oldestRevision).toBe(50);
    pin.release();
    expect(pin.hasGivenWay()).toBe(true);
  });

  it.each(['a snapshot', 'a backup'] as const)(
    'of %s gives way by the time alone that its reader was waited for, in sum',
    (holder) => {
      const { history, clock } = historyOf({});
      history.advance(100, 0);
      const pin = history.pin(0, { holder });
      // It works by itself.
      clock.advance(DAY_MS);
      expect(history.shorten(100, true)).toBe(false);
      for (const waitedMs of [fixed.fullPinMs - 2, 1]) {
        pin.waitForReader();
        clock.advance(waitedMs);
        expect(history.shorten(100, true)).toBe(false);
        pin.goOn();
        clock.advance(DAY_MS);
        expect(history.shorten(100, true)).toBe(false);
      }
      pin.waitForReader();
      clock.advance(1);
      expect(history.shorten(100, true)).toBe(true);
      expect(pin.hasGivenWay()).toBe(true);
    },
  );

  it('gives way only when nothing else is left to give up, and only if it is in the way', () => {
    const { history, clock } = historyOf({});
    history.advance(100, 0);
    const low = history.pin(30, { holder: 'a long reply' });
    const next = history.pin(40, { holder: 'a long reply' });
    const high = history.pin(90, { holder: 'a long reply' });
    clock.advance(fixed.fullPinMs);
    const state = (): unknown[] => [history.oldestRevision, ...[low, next, high].map((pin) => pin.isHeld())];
    expect(history.shorten(100, true)).toBe(true);
    expect(state()).toEqual([30, true, true, true]);
    expect(history.shorten(100, true)).toBe(true);
    expect(state()).toEqual([40, false, true, true]);
    expect(history.shorten(100, true)).toBe(true);
    expect(state()).toEqual([70, false, false, true]);
  });

  it('does not give way where another stays that holds as much back', () => {
    const { history, clock } = historyOf({});
    history.advance(100, 0);
    const old = [history.pin(30, { holder: 'a long reply' }), history.pin(40, { holder: 'a long reply' })];
    clock.advance(fixed.fullPinMs - 1);
    const young = history.pin(30, { holder: 'a long reply' });
    clock.advance(1);
    history.shorten(100, true);
    expect(history.shorten(100, true)).toBe(false);
    expect(old.map((pin) => pin.isHeld())).toEqual([true, true]);
    young.release();
    expect(history.shorten(100, true)).toBe(true);
    expect(old.map((pin) => pin.isHeld())).toEqual([false, true]);
  });
});

describe('a log whose beginning was removed', () => {
  it('is not remembered further back than it reaches', () => {
    const { history, clock } = historyOf({ logRetentionMs: HOUR_MS });
    for (let minute = 1; minute <= 50; minute++) {
      clock.advance(MINUTE_MS);
      history.advance(minute, minute * MiB);
    }
    history.logStartsAt(45);
    expect(history.oldestWatchRevision).toBe(45);
    // Revision 39 is older than an hour now, but nobody knows its age any more.
    clock.advance(50 * MINUTE_MS);
    history.advance(51, 51 * MiB);
    expect(history.agedRevision).toBe(0);
    clock.advance(7 * MINUTE_MS);
    history.advance(52, 52 * MiB);
    expect(history.agedRevision).toBe(46);
  });
});

function historyOf(limits: Partial<Limits>): { history: History; clock: ManualClock } {
  const clock = new ManualClock();
  return { clock, history: new History({ ...defaults, ...limits }, clock, 0, 1) };
}
