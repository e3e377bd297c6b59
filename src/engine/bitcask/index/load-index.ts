/**
 * A start: the hints of all runs fill the index, in time slices; no value is read. Of the records of a key that of the highest revision
 * counts, in whatever run it is, and if that is a deletion, or in a range that was forgotten, the key is not there.
 */
import { HintReader } from '../../runs/table/hint-reader.ts';
import { compareKeys, MergeInputs } from '../../runs/table/merge-inputs.ts';
import { PlacedChange } from '../../version.ts';
import type { BitcaskState } from '../bitcask-state.ts';
import { RecordPlace } from './key-index.ts';
import { Pace } from '../merge/pace.ts';

export async function loadIndex(state: BitcaskState): Promise<void> {
  const { runs, index, forgotten } = state;
  const pace = new Pace(state.options.clock);
  const place = new RecordPlace();
  const last = new PlacedChange();
  const records = await MergeInputs.open(runs.all, ({ file }) => new HintReader(file));
  for (let input = records.first; input !== undefined; input = records.first) {
    const { record, run, source } = input;
    const { recordBytes: length } = source;
    run.recordBytes += length;
    if (record.deleted) run.deletionBytes += length;
    if (last.keyEnd === 0 || compareKeys(record, last) !== 0) {
      // What a block of hints holds stays as long as anything refers to it.
      last.keyMemory = record.keyMemory;
      last.keyStart = record.keyStart;
      last.keyEnd = record.keyEnd;
      if (!record.deleted && !forgotten.has(record)) {
        place.set(run.number, source.recordOffset, length, record.valueEnd - record.valueStart);
        if (!index.load(record, place))
          throw run.file.damage(source.recordOffset, 'a record has no revision');
        run.liveBytes += length;
      }
    }
    if (!records.next()) await records.read();
    if (pace.isOver()) await pace.rest();
  }
  const finishing = new Pace(state.options.clock, 1);
  for (const _ of index.finishLoad()) if (finishing.isOver()) await finishing.rest();
  for (const run of runs.all) run.isMoved = true;
}
