/** Room that is kept for writes which wait for more: others are refused as long as it is, and are told that they may wait. */
import { expect, it } from 'vitest';
import { NoRoomYetError } from '../../../src/errors.ts';
import { MemoryLimit, type MemoryLimitContext } from '../../../src/store/history/memory-limit.ts';
import { ManualClock } from '../../support/manual-clock.ts';

it('nothing is admitted while what is free is kept, though no checkpoint gives any back', () => {
  const context: unknown = {
    engine: { memoryBytes: 50, durable: { unsealedBytes: 0, sealedBytes: 0 } },
    engineName: 'lsm',
    leases: { memoryBytes: 0 },
    clock: new ManualClock(),
    bytesMax: 100,
    makeRoom: () => false,
    isEvicting: () => false,
    heldBy: () => undefined,
    onEvent: () => undefined,
  };
  const memory = new MemoryLimit(context as MemoryLimitContext);
  memory.admit(50);
  memory.keepsRoom = true;
  expect(memory.hasRoom(1)).toBe(false);
  expect(() => memory.admit(50)).toThrow(NoRoomYetError);
  expect(() => memory.admit(50)).toThrow(/the rest is kept for writes that came before/);
  // For that no one waits.
  expect(() => memory.admit(51)).toThrow(/raise the limit/);
  memory.keepsRoom = false;
  memory.admit(50);
});
