/** Writes that a full memory has refused wait in their order, for a bounded time, and each is woken when there may be room for it. */
import { describe, expect, it } from 'vitest';
import { NoRoomYetError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import { RoomGate, RoomWait } from '../../../src/store/commit/room-gate.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Gated {
  readonly clock = new ManualClock();
  readonly memory = { freeBytes: 0, isGivingBack: true, keepsRoom: false };
  readonly told: string[] = [];
  wantedCount = 0;
  refusedCount = 0;
  readonly gate = new RoomGate({
    clock: this.clock,
    memory: this.memory,
    wanted: () => this.wantedCount++,
    refused: () => this.refusedCount++,
  });

  /** A write of so many bytes, which is decided as often as it is woken. */
  write(name: string, byteCount: number, decidesLater = false, isOrdered = false): RoomWait {
    const decide = (): void => {
      if (byteCount <= this.memory.freeBytes && !this.memory.keepsRoom) {
        this.memory.freeBytes -= byteCount;
        this.told.push(name);
      } else if (!this.gate.wait(wait, refusalOf(byteCount))) this.told.push(`${name} refused`);
    };
    const goOn = decidesLater ? (): unknown => this.told.push(`${name} woken`) : decide;
    const wait = new RoomWait(goOn, { decidesLater, isOrdered });
    decide();
    return wait;
  }

  async free(bytes: number): Promise<void> {
    this.memory.freeBytes += bytes;
    this.gate.wake();
    await this.clock.settled();
  }
}

function refusalOf(byteCount: number): NoRoomYetError {
  return new NoRoomYetError('no room', 1000, byteCount);
}

describe('the gate to memory', () => {
  it('wakes the first that came as far as there is room, and no one before', async () => {
    const gated = new Gated();
    gated.write('a', 10);
    gated.write('b', 20);
    gated.write('c', 5);
    expect([gated.gate.count, gated.wantedCount]).toEqual([3, 3]);
    await gated.free(9);
    expect(gated.told).toEqual([]);
    // One checkpoint was not enough.
    expect(gated.wantedCount).toBe(4);
    await gated.free(11);
    expect(gated.told).toEqual(['a']);
    await gated.free(15);
    expect(gated.told).toEqual(['a', 'b', 'c']);
    expect(gated.gate.count).toBe(0);
    expect(gated.refusedCount).toBe(0);
  });

  it('keeps the place of one that is refused again', async () => {
    const gated = new Gated();
    const first = gated.write('a', 10, true);
    await gated.clock.pass(1);
    const second = gated.write('b', 10, true);
    await gated.clock.pass(1);
    gated.write('c', 10);
    await gated.free(20);
    // Others take it before those have their turn.
    gated.write('other', 20);
    gated.gate.wait(second, refusalOf(10));
    gated.gate.wait(first, refusalOf(10));
    await gated.free(10);
    await gated.free(20);
    expect(gated.told).toEqual(['a woken', 'b woken', 'other', 'a woken', 'b woken', 'c']);
  });

  it('wakes those that decide later by what they were refused', async () => {
    const gated = new Gated();
    gated.write('a', 10, true);
    gated.write('b', 10, true);
    gated.write('c', 10, true);
    await gated.free(20);
    expect(gated.told).toEqual(['a woken', 'b woken']);
  });

  it('refuses what has waited for so long in all, and only that', async () => {
    const gated = new Gated();
    gated.write('a', 10);
    await gated.clock.pass(fixed.roomWaitMsMax / 2);
    gated.write('b', 10);
    await gated.clock.pass(fixed.roomWaitMsMax / 2 - 1);
    expect(gated.told).toEqual([]);
    await gated.clock.pass(1);
    expect(gated.told).toEqual(['a refused']);
    await gated.clock.pass(fixed.roomWaitMsMax / 2);
    expect(gated.told).toEqual(['a refused', 'b refused']);
    expect([gated.gate.count, gated.refusedCount]).toEqual([0, 2]);
  });

  it('forgets one whose caller is gone, and looks at once whether the next one finds room', async () => {
    const gated = new Gated();
    const wait = gated.write('a', 20);
    gated.write('b', 10);
    const last = gated.write('c', 10);
    gated.memory.freeBytes = 10;
    gated.gate.leave(wait);
    gated.gate.leave(wait);
    expect(gated.gate.count).toBe(2);
    await gated.clock.settled();
    expect(gated.told).toEqual(['b']);
    gated.gate.leave(last);
    expect(gated.gate.count).toBe(0);
  });

  it('keeps what is free for the first once a checkpoint has ended without room for it, until it has had its turn', async () => {
    const gated = new Gated();
    gated.write('long', 20);
    gated.memory.freeBytes = 15;
    gated.write('short', 5);
    expect(gated.told).toEqual(['short']);
    await gated.free(0);
    expect(gated.memory.keepsRoom).toBe(true);
    gated.write('next', 5);
    expect(gated.told).toEqual(['short']);
    await gated.free(15);
    expect(gated.told).toEqual(['short', 'long', 'next']);
    expect(gated.memory.keepsRoom).toBe(false);
  });

  it('keeps nothing from those that it has woken, and nothing for one that is gone', async () => {
    const gated = new Gated();
    gated.write('a', 10, true);
    const wait = gated.write('long', 30);
    await gated.free(20);
    expect(gated.told).toEqual(['a woken']);
    expect(gated.memory.keepsRoom).toBe(false);
    await gated.free(0);
    expect(gated.memory.keepsRoom).toBe(true);
    gated.gate.leave(wait);
    expect(gated.memory.keepsRoom).toBe(false);
  });

  it('tells whether one waits that keeps an order, and how many do for how long', async () => {
    const gated = new Gated();
    await gated.clock.pass(100);
    gated.write('a', 10, false, true);
    await gated.clock.pass(1000);
    gated.write('b', 10);
    await gated.clock.pass(500);
    expect(gated.gate.figures).toEqual({ count: 2, waitedMs: 2000 });
    expect(gated.gate.isHoldingOrder).toBe(true);
    await gated.free(10);
    expect(gated.gate.isHoldingOrder).toBe(false);
    expect(gated.gate.figures).toEqual({ count: 1, waitedMs: 2000 });
    await gated.free(10);
    await gated.clock.pass(1000);
    expect(gated.gate.figures).toEqual({ count: 0, waitedMs: 2000 });
  });

  it('wakes all when nothing gives memory back any more', async () => {
    const gated = new Gated();
    gated.write('a', 10, true);
    gated.write('b', 10, true);
    gated.memory.isGivingBack = false;
    await gated.free(0);
    expect(gated.told).toEqual(['a woken', 'b woken']);
  });

  it('refuses all once it is closed', async () => {
    const gated = new Gated();
    gated.write('a', 10);
    gated.gate.close();
    gated.write('b', 10);
    expect(gated.told).toEqual(['b refused']);
    await gated.clock.settled();
    expect(gated.told).toEqual(['b refused', 'a refused']);
  });

  it('has no more wait than its limits allow', () => {
    const many = new Gated();
    const refusal = refusalOf(0);
    for (let count = 0; count < fixed.roomWaitsMax; count++)
      many.gate.wait(new RoomWait(() => undefined, {}), refusal);
    many.write('one more', 1);
    expect(many.told).toEqual(['one more refused']);
    const gated = new Gated();
    gated.write('a', fixed.roomWaitBytesMax);
    gated.write('b', 1);
    expect(gated.told).toEqual(['b refused']);
  });
});
