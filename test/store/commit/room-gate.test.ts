/** Writes that a full memory has refused wait in their order, for a bounded time, and each is woken when there may be room for it. */
import { describe, expect, it } from 'vitest';
import { NoRoomYetError } from '../../../src/errors.ts';
import { fixed } from '../../../src/limits.ts';
import { RoomGate, RoomWait } from '../../../src/store/commit/room-gate.ts';
import { ManualClock } from '../../support/manual-clock.ts';

class Gated {
  readonly clock = new ManualClock();
  readonly memory = { freeBytes: 0, isGivingBack: true };
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
  write(name: string, byteCount: number, decidesLater = false): RoomWait {
    const decide = (): void => {
      if (byteCount <= this.memory.freeBytes) {
        this.memory.freeBytes -= byteCount;
        this.told.push(name);
      } else if (!this.gate.wait(wait, refusalOf(byteCount))) this.told.push(`${name} refused`);
    };
    const wait = new RoomWait(decidesLater ? () => this.told.push(`${name} woken`) : decide, decidesLater);
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
    await gated.free(11);
    expect(gated.told).toEqual(['a']);
    await gated.free(15);
    expect(gated.told).toEqual(['a', 'b', 'c']);
    expect(gated.gate.count).toBe(0);
    expect(gated.refusedCount).toBe(0);
  });

  it('keeps the place of one that is refused again', async () => {
    const gated = new Gated();
    gated.write('a', 10);
    gated.write('b', 10);
    // Another one takes it before the first has its turn.
    gated.memory.freeBytes = 10;
    gated.gate.wake();
    const wait = gated.write('other', 10);
    expect(wait.isWaiting).toBe(false);
    await gated.clock.settled();
    gated.write('c', 10);
    await gated.free(30);
    expect(gated.told).toEqual(['other', 'a', 'b', 'c']);
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

  it('forgets one whose caller is gone', async () => {
    const gated = new Gated();
    const wait = gated.write('a', 10);
    gated.write('b', 10);
    gated.gate.leave(wait);
    await gated.free(10);
    expect(gated.told).toEqual(['b']);
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
    const gated = new Gated();
    gated.write('a', fixed.roomWaitBytesMax);
    gated.write('b', 1);
    expect(gated.told).toEqual(['b refused']);
  });
});
