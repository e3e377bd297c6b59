/** Brings the index to what runs hold that the manifest names, in time slices: each key is in its old or in its new state. */
import { HintReader } from '../../runs/table/hint-reader.ts';
import { PlacedChange } from '../../version.ts';
import type { BitcaskState } from '../bitcask-state.ts';
import { RecordPlace } from './key-index.ts';
import { Pace } from '../merge/pace.ts';
import type { Run } from '../run-set.ts';

/** So many keys of a range that was forgotten are looked at in one step. */
const FORGOTTEN_PER_STEP = 64;

/** The records of a flush become the newest of their keys. */
export function takeFlush(state: BitcaskState, run: Run): Promise<void> {
  const { index, runs, forgotten } = state;
  return move(state, run, (version, place) => {
    if (version.deleted) {
      if (index.remove(version)) runs.dead(index.place);
    } else if (!forgotten.has(version)) {
      if (index.set(version, place)) runs.dead(index.place);
      runs.live(place);
    }
  });
}

/**
 * The records of a merge are those of their keys, where these have not changed since they were copied.
 * @param check throws when it is to end on the way.
 */
export function takeMerge(state: BitcaskState, run: Run, check: () => void): Promise<void> {
  const { index, runs } = state;
  const take = (version: PlacedChange, place: RecordPlace): void => {
    if (version.deleted || !index.move(version, place)) return;
    runs.dead(index.place);
    runs.live(place);
  };
  return move(state, run, take, check);
}

/** Takes the keys of ranges that were forgotten out of the index. @param check throws when it is to end on the way. */
export async function sweepForgotten(
  state: BitcaskState,
  check: () => void = () => undefined,
): Promise<void> {
  const { index, runs, forgotten } = state;
  const pace = new Pace(state.options.clock, 1);
  for (let range = forgotten.unswept; range !== undefined; range = forgotten.unswept) {
    const { id, end } = range;
    let start: Uint8Array | undefined = range.start;
    while (start !== undefined) {
      start = index.forget({ start, end }, id, FORGOTTEN_PER_STEP, (place) => runs.dead(place));
      if (!pace.isOver()) continue;
      await pace.rest();
      check();
    }
    forgotten.swept(range);
  }
}

/** @param take is called for each record, and where it lies. */
async function move(
  state: BitcaskState,
  run: Run,
  take: (version: PlacedChange, place: RecordPlace) => void,
  check: () => void = () => undefined,
): Promise<void> {
  const pace = new Pace(state.options.clock);
  const hints = new HintReader(run.file);
  const version = new PlacedChange();
  const place = new RecordPlace();
  let recordBytes = 0;
  let deletionBytes = 0;
  while (await hints.fill()) {
    while (hints.next(version)) {
      const { recordOffset, recordBytes: length } = hints;
      place.set(run.number, recordOffset, length, version.valueEnd - version.valueStart);
      recordBytes += length;
      if (version.deleted) deletionBytes += length;
      take(version, place);
      if (!pace.isOver()) continue;
      await pace.rest();
      check();
    }
  }
  run.recordBytes = recordBytes;
  run.deletionBytes = deletionBytes;
  run.isMoved = true;
}
