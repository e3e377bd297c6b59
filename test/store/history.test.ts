import { describe, expect, it } from 'vitest';
import { defaults, type Limits } from '../../src/limits.ts';
import { History, NO_END } from '../../src/store/history/history.ts';

const MiB = 1024 * 1024;
const HOUR_MS = 3_600_000;

describe('history', () => {
  it('reaches back as many revisions as the limit says', () => {
    const history = historyOf({ historyRevisionsMax: 10 });
    history.advance(10, 0, 0);
    expect(history.oldestRevision).toBe(0);
    history.advance(11, 0, 0);
    expect(history.oldestRevision).toBe(1);
    history.advance(500, 0, 0);
    expect(history.oldestRevision).toBe(490);
    expect(history.oldestWatchRevision).toBe(1);
  });

  it('reaches back as many bytes of log as the limit says, and at most a little further', () => {
    const history = historyOf({ historyBytesMax: 4 * MiB });
    for (let revision = 1; revision <= 100; revision++) {
      history.advance(revision, (revision * MiB) / 4, 0);
      const exact = revision - 16;
      expect(history.oldestRevision).toBeLessThanOrEqual(Math.max(0, exact));
      expect(history.oldestRevision).toBeGreaterThanOrEqual(exact - 2);
    }
  });

  it('reaches back as long as the limit says, and at most a little further', () => {
    const history = historyOf({ historyAgeMs: 100_000 });
    for (let second = 1; second <= 300; second++) {
      history.advance(second, 0, second * 1000);
      expect(history.oldestRevision).toBeLessThanOrEqual(Math.max(0, second - 100));
      expect(history.oldestRevision).toBeGreaterThanOrEqual(second - 112);
    }
  });

  it('gives up its older half on demand, as far as pins let it', () => {
    const history = historyOf({});
    history.advance(100, 0, 0);
    expect(history.shorten(100, 0)).toBe(true);
    expect(history.oldestRevision).toBe(50);
    const pin = history.pin(60, NO_END, 'a snapshot');
    expect(history.shorten(100, 0)).toBe(true);
    expect(history.oldestRevision).toBe(60);
    expect(history.shorten(100, 0)).toBe(false);
    pin.release();
    while (history.shorten(100, 0));
    expect(history.oldestRevision).toBe(100);
    // The log is not what is scarce.
    expect(history.oldestWatchRevision).toBe(1);
  });

  it('goes on once a pin is released', () => {
    const history = historyOf({ historyAgeMs: 100_000 });
    history.advance(1, 0, 0);
    const pin = history.pin(0, NO_END, 'a snapshot');
    history.advance(2, 0, 200_000);
    expect(history.oldestRevision).toBe(0);
    pin.release();
    history.advance(2, 0, 200_001);
    expect(history.oldestRevision).toBe(1);
  });

  it('does not go back when the clock does', () => {
    const history = historyOf({ historyAgeMs: 100_000 });
    for (let second = 1; second <= 300; second++) history.advance(second, 0, second * 1000);
    const { oldestRevision } = history;
    for (let second = 1; second <= 300; second++) history.advance(300 + second, 0, second * 1000);
    expect(history.oldestRevision).toBe(oldestRevision);
    for (let second = 301; second <= 600; second++) history.advance(300 + second, 0, second * 1000);
    expect(history.oldestRevision).toBeGreaterThan(700);
  });

  it('is held back by a pin until it is released or its time is over', () => {
    const history = historyOf({});
    history.advance(100, 0, 0);
    const forever = history.pin(40, NO_END, 'a snapshot');
    const brief = history.pin(20, 1000, 'a snapshot');
    history.compact(50, 0);
    expect(history.oldestRevision).toBe(20);
    expect([forever.isHeld(), brief.isHeld()]).toEqual([true, true]);
    history.compact(50, 1000);
    expect(history.oldestRevision).toBe(40);
    expect([forever.isHeld(), brief.isHeld()]).toEqual([true, false]);
    forever.release();
    expect(forever.isHeld()).toBe(true);
    history.compact(50, 1000);
    expect(history.oldestRevision).toBe(50);
    expect(forever.isHeld()).toBe(false);
    brief.release();
    // A pin never brings back what is gone.
    history.pin(10, NO_END, 'a snapshot');
    history.compact(60, 1000);
    expect(history.oldestRevision).toBe(50);
  });

  it('lets watches begin after what was compacted, and where the log begins', () => {
    const history = historyOf({});
    history.advance(100, 0, 0);
    expect(history.oldestWatchRevision).toBe(1);
    history.compact(50, 0);
    expect(history.oldestWatchRevision).toBe(51);
    history.logStartsAt(30);
    expect(history.oldestWatchRevision).toBe(51);
    history.logStartsAt(70);
    expect(history.oldestWatchRevision).toBe(70);
    history.compact(60, 0);
    expect(history.oldestWatchRevision).toBe(70);
    expect(history.oldestRevision).toBe(60);
  });

  it('tells up to which revision the log is older than it need be', () => {
    const history = historyOf({ logRetentionMs: HOUR_MS });
    for (let minute = 0; minute <= 90; minute++) history.advance(minute + 1, 0, minute * 60_000);
    expect(history.agedRevision).toBe(30);
    for (let minute = 91; minute <= 200; minute++) history.advance(minute + 1, 0, minute * 60_000);
    expect(history.agedRevision).toBe(140);
  });
});

describe('a log whose beginning was removed', () => {
  it('is not remembered further back than it reaches', () => {
    const history = historyOf({ logRetentionMs: HOUR_MS });
    for (let minute = 1; minute <= 50; minute++) history.advance(minute, minute * MiB, minute * 60_000);
    history.logStartsAt(45);
    expect(history.oldestWatchRevision).toBe(45);
    // Revision 39 is older than an hour now, but nobody knows its age any more.
    history.advance(51, 51 * MiB, 100 * 60_000);
    expect(history.agedRevision).toBe(0);
    history.advance(52, 52 * MiB, 107 * 60_000);
    expect(history.agedRevision).toBe(46);
  });
});

function historyOf(limits: Partial<Limits>): History {
  return new History({ ...defaults, ...limits }, 0, 1);
}
