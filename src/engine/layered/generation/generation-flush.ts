/** Writes the newest versions of a generation into a flush of a base, in key order and in pieces. */
import type { Clock } from '../../../clock.ts';
import { fixed } from '../../../limits.ts';
import { TimeSlice } from '../../../time-slice.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { NONE } from '../../memory/layout.ts';
import { PlacedChange } from '../../version.ts';
import type { BaseFlush } from '../base/base.ts';
import type { Generation } from './generation.ts';
import { GenerationCursor } from './generation-cursor.ts';

/** How often the clock is read, in versions that are added. */
const ADDED_PER_LOOK = 32;

/**
 * Adds one version after the other, and deletions of what lies below. Pauses when the flush is full or others should run. Between two
 * pieces the generation may move its blocks, since it is gone on with by key.
 */
export function* addGeneration(
  generation: Generation,
  flush: BaseFlush,
  clock: Clock,
): Generator<undefined, void> {
  const { keyspace } = generation;
  const cursor = new GenerationCursor();
  const placed = new PlacedChange();
  const slice = new TimeSlice(clock, ADDED_PER_LOOK);
  for (let start = NO_BYTES; ;) {
    slice.begin();
    // Keys that came and went are passed over: a base never had them.
    cursor.open(generation, { start, end: undefined }, fixed.integerMax, false);
    for (let isOver = false; cursor.reference !== NONE && !isOver; cursor.advance(undefined)) {
      keyspace.seek(cursor.reference, fixed.integerMax);
      flush.add(keyspace.show(placed));
      isOver = flush.isFull || slice.isOver();
    }
    if (cursor.reference === NONE) return;
    start = cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd);
    yield;
  }
}

/** Lets others run. */
export function pauseOf(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.yieldNow(resolve));
}
