/** Takes the census of a base from its keys, in slices of time: after a load, whose keys came in no order. */
import type { Clock } from '../../../clock.ts';
import { StoreError } from '../../../errors.ts';
import { TimeSlice } from '../../../time-slice.ts';
import { NO_BYTES } from '../../../wire/bytes.ts';
import { PlacedChange } from '../../version.ts';
import type { Base } from '../base/base.ts';
import type { Census } from './census.ts';
import { CensusBuilder } from './census-builder.ts';
import { pauseOf } from '../generation/generation-flush.ts';
import { separatorOf } from '../key-order.ts';

/** How often the clock is read, in buckets. */
const BUCKETS_PER_LOOK = 8;

/** @param keyCount how many keys there must be. */
export async function takeCensus(base: Base, keyCount: number, clock: Clock): Promise<Census> {
  const builder = new CensusBuilder();
  const slice = new TimeSlice(clock, BUCKETS_PER_LOOK);
  let next: Uint8Array | undefined = NO_BYTES;
  while (next !== undefined) {
    slice.begin();
    next = takeSlice(base, next, builder, slice);
    await pauseOf(clock);
  }
  const census = builder.finish();
  if (census.keyCount !== keyCount) {
    throw new StoreError(
      'damaged',
      `the state on disk has ${census.keyCount} keys where ${keyCount} were written`,
    );
  }
  return census;
}

/** @returns the key with which the next slice begins; `undefined`: there is none. */
function takeSlice(
  base: Base,
  start: Uint8Array,
  builder: CensusBuilder,
  slice: TimeSlice,
): Uint8Array | undefined {
  const cursor = base.cursor({ start, end: undefined }, false, false);
  const placed = new PlacedChange();
  try {
    let last: Uint8Array | undefined;
    while (cursor.next(placed)) {
      if (placed.deleted) continue;
      // Between two buckets, so that no key but the last of one is copied.
      if (last !== undefined) {
        builder.begin(separatorOf(last, placed.key));
        if (slice.isOver()) return placed.copyKey();
        last = undefined;
      }
      builder.add();
      if (builder.isBucketFull) last = placed.copyKey();
    }
    return undefined;
  } finally {
    cursor.close();
  }
}
