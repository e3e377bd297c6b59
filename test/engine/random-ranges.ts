/** Ranges of keys of one byte, for tests of what keeps ranges. */
import type { EngineRange } from '../../src/engine/engine.ts';
import type { SeededRandom } from '../support/random.ts';

export function keyOf(number: number): Uint8Array {
  return Uint8Array.of(number);
}

/** About keys up to 60; some have no start or no end, some are empty. */
export function randomRange(random: SeededRandom): EngineRange {
  const start = random.below(50);
  const end = random.chance(0.1) ? undefined : keyOf(start + random.below(12));
  return { start: random.chance(0.1) ? new Uint8Array(0) : keyOf(start), end };
}

export function rangeHas({ start, end }: EngineRange, number: number): boolean {
  const isBehind = Buffer.compare(keyOf(number), start) >= 0;
  return isBehind && (end === undefined || Buffer.compare(keyOf(number), end) < 0);
}
