import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyText } from '../../../src/store/views/keys.ts';
import { LeaseTable, undoLeases } from '../../../src/store/leases/lease-table.ts';
import type { LeaseCopy, LeaseWalk } from '../../../src/store/leases/lease-walk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { SeededRandom } from '../../support/random.ts';

describe('the table of leases', () => {
  it('gives what is due in the order of deadlines, then of ids, whatever was renewed or ended before', () => {
    const action = fc.record({
      leaseId: fc.integer({ min: 1, max: 8 }),
      kind: fc.constantFrom('grant', 'grant', 'renew', 'remove', 'due'),
      ms: fc.integer({ min: 1, max: 40 }),
    });
    const property = fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const table = new LeaseTable(new ManualClock());
      const deadlines = new Map<number, number>();
      let nowMs = 0;
      for (const { kind, leaseId, ms } of actions) {
        const deadline = deadlines.get(leaseId);
        if (kind === 'grant' && deadline === undefined) {
          deadlines.set(leaseId, nowMs + ms);
          grant(table, leaseId, ms, nowMs + ms);
        } else if (kind === 'renew') {
          if (deadline !== undefined) deadlines.set(leaseId, Math.max(deadline, nowMs + ms));
          table.renew(leaseId, nowMs + ms);
        } else if (kind === 'remove') {
          deadlines.delete(leaseId);
          table.remove(leaseId);
        } else if (kind === 'due') {
          nowMs += ms;
          const due = [...deadlines].filter(([, deadlineMs]) => deadlineMs <= nowMs);
          due.sort(([idA, a], [idB, b]) => a - b || idA - idB);
          for (const [id, deadlineMs] of due) {
            expect(table.due(nowMs)).toMatchObject({ leaseId: id, deadlineMs });
            table.remove(id);
            deadlines.delete(id);
          }
          expect(table.due(nowMs)).toBeUndefined();
        }
        const earliest = Math.min(...deadlines.values());
        expect(table.nextDeadlineMs() ?? Infinity).toBeLessThanOrEqual(earliest);
        expect(table.size).toBe(deadlines.size);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('forgets the deadlines of leases that ended early', () => {
    const table = new LeaseTable(new ManualClock());
    for (let leaseId = 1; leaseId <= 10_000; leaseId++) {
      grant(table, leaseId, 1, leaseId);
      table.remove(leaseId);
    }
    // Only the newest few may still have a place.
    expect(table.nextDeadlineMs() ?? Infinity).toBeGreaterThan(9900);
  });

  it('moves those that were renewed some at a time as their first deadline passes', () => {
    const LEASES = 10_000;
    const table = new LeaseTable(new ManualClock());
    for (let leaseId = 1; leaseId <= LEASES; leaseId++) grant(table, leaseId);
    for (let leaseId = 1; leaseId < LEASES; leaseId++) table.renew(leaseId, 5000);
    let looks = 1;
    while (table.due(1000) === undefined) looks++;
    expect(table.due(1000)).toMatchObject({ leaseId: LEASES });
    expect(looks).toBeGreaterThanOrEqual(LEASES / 2000);
    expect(looks).toBeLessThan(LEASES / 100);
  });

  it('counts the keys of a lease and their bytes', () => {
    const table = new LeaseTable(new ManualClock());
    grant(table, 1);
    grant(table, 2);
    const key = 'key' as KeyText;
    table.move(key, 0, 1);
    table.move('other' as KeyText, 0, 1);
    expect(table.get(1)).toMatchObject({ keyBytes: 8, keys: new Set(['key', 'other']) });
    table.move(key, 1, 2);
    expect([table.get(1)?.keyBytes, table.get(2)?.keyBytes]).toEqual([5, 3]);
    table.move(key, 2, 0);
    expect(table.get(2)).toMatchObject({ keyBytes: 0, keys: new Set() });
    // A key of an old version whose lease has ended.
    table.move(key, 77, 1);
    expect(table.get(1)?.keyBytes).toBe(8);
    expect(() => table.move(key, 1, 77)).toThrow(/broken invariant/);
    expect(() => grant(table, 1)).toThrow(/broken invariant/);
  });

  it('counts the memory of owners, and gives it back', () => {
    const table = new LeaseTable(new ManualClock());
    grant(table, 1, 1000, 1000, '');
    const { memoryBytes } = table;
    grant(table, 2, 1000, 1000, 'x'.repeat(128));
    expect(table.memoryBytes).toBe(2 * memoryBytes + 256);
    undoLeases(table.applyAll([{ kind: 'end', leaseId: 2, ttlMs: 0, deadlineMs: 0, owner: '' }]));
    expect(table.memoryBytes).toBe(2 * memoryBytes + 256);
    table.remove(2);
    expect(table.memoryBytes).toBe(memoryBytes);
  });

  it('has a clock that counts whole milliseconds and goes on from where it was set', () => {
    const clock = new ManualClock();
    const table = new LeaseTable(clock);
    clock.advance(10.75);
    expect(table.clockMs()).toBe(10);
    clock.jump(5000);
    expect(table.clockMs()).toBe(10);
    table.setClock(500);
    expect(table.clockMs()).toBe(500);
    clock.advance(2);
    expect(table.clockMs()).toBe(502);
  });

  it('lists leases after an id, in the order of ids', () => {
    const table = new LeaseTable(new ManualClock());
    for (const id of [20, 3, 100]) grant(table, id);
    const idsAfter = (id: number, limit: number) => table.list(id, limit).map(({ leaseId }) => leaseId);
    expect(idsAfter(0, 10)).toEqual([3, 20, 100]);
    expect(idsAfter(3, 10)).toEqual([20, 100]);
    expect(idsAfter(4, 1)).toEqual([20]);
    expect(idsAfter(100, 10)).toEqual([]);
    table.remove(20);
    grant(table, 5);
    expect(idsAfter(0, 10)).toEqual([3, 5, 100]);
  });

  it('keeps many ids in their order, in whatever order they come and go', () => {
    const table = new LeaseTable(new ManualClock());
    const random = new SeededRandom(1);
    const present = new Set<number>();
    for (let step = 0; step < 20_000; step++) {
      // Thousands grow, then most of them go.
      const leaseId = 1 + random.below(5000);
      if (present.has(leaseId) && (step > 12_000 || random.chance(0.3))) {
        present.delete(leaseId);
        table.remove(leaseId);
      } else if (!present.has(leaseId) && step <= 12_000) {
        present.add(leaseId);
        grant(table, leaseId);
      }
    }
    const sorted = [...present].sort((a, b) => a - b);
    expect(sorted.length).toBeGreaterThan(50);
    for (const limit of [1, 7, 10_000]) {
      const listed: number[] = [];
      for (let page = table.list(0, limit); page.length > 0; page = table.list(listed.at(-1) ?? 0, limit))
        listed.push(...page.map(({ leaseId }) => leaseId));
      expect(listed).toEqual(sorted);
    }
  });

  it('is walked over as it was, whatever changes meanwhile', () => {
    const action = fc.record({
      leaseId: fc.integer({ min: 1, max: 8 }),
      kind: fc.constantFrom('grant', 'grant', 'renew', 'remove', 'remove', 'open', 'next', 'undo'),
      limit: fc.integer({ min: 1, max: 4 }),
    });
    const property = fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const table = new LeaseTable(new ManualClock());
      let walked: WalkedTable | undefined;
      let deadlineMs = 0;
      for (const { kind, leaseId, limit } of actions) {
        const isThere = table.get(leaseId) !== undefined;
        deadlineMs++;
        if (kind === 'grant' && !isThere) grant(table, leaseId, limit, deadlineMs, `user ${deadlineMs}`);
        else if (kind === 'renew') table.renew(leaseId, deadlineMs);
        else if (kind === 'remove') table.remove(leaseId);
        else if (kind === 'undo' && isThere)
          undoLeases(table.applyAll([{ kind: 'end', leaseId, ttlMs: 0, deadlineMs: 0, owner: '' }]));
        else if (kind === 'open') walked ??= new WalkedTable(table);
        else if (kind === 'next') walked?.next(limit);
      }
      walked?.finish();
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it('shows nothing in a walk of leases that came since', () => {
    const table = new LeaseTable(new ManualClock());
    const walk = table.openWalk();
    for (let leaseId = 1; leaseId <= 1000; leaseId++) grant(table, leaseId);
    for (let leaseId = 2; leaseId <= 1000; leaseId++) table.remove(leaseId);
    expect(walk.next(10)).toEqual([]);
    expect(walk.next(10)).toBeUndefined();
    walk.close();
  });
});

function grant(table: LeaseTable, leaseId: number, ttlMs = 1000, deadlineMs = 1000, owner = ''): void {
  table.grant({ leaseId, ttlMs, deadlineMs, owner });
}

/** A walk, and what it must show. */
class WalkedTable {
  readonly #walk: LeaseWalk;
  readonly #expected: readonly LeaseCopy[];
  readonly #shown: LeaseCopy[] = [];

  constructor(table: LeaseTable) {
    this.#expected = table
      .list(0, 100)
      .map(({ leaseId, ttlMs, deadlineMs, owner }) => ({ leaseId, ttlMs, deadlineMs, owner }));
    this.#walk = table.openWalk();
  }

  /** @returns whether there may be more. */
  next(limit: number): boolean {
    const copies = this.#walk.next(limit);
    expect(copies?.length ?? 0).toBeLessThanOrEqual(limit);
    this.#shown.push(...(copies ?? []));
    return copies !== undefined;
  }

  finish(): void {
    while (this.next(2));
    this.#walk.close();
    expect(this.#shown).toEqual(this.#expected);
  }
}
