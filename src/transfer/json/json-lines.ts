/** JSON Lines: one entry in each line, as `entry-json.ts` has it. Empty lines are passed over. */
import type { EmitEntry } from '../contract/entry.ts';
import { readLine } from './entry-json.ts';
import { END, type JsonReader, type Reading } from './json-reader.ts';

export function* readJsonLines(reader: JsonReader, emit: EmitEntry, nowMs: () => number): Reading<void> {
  for (let lastLine = 0; (yield* reader.peek()) !== END;) {
    const { line } = reader;
    if (line === lastLine) throw reader.faultHere('a second entry in the line; each has a line of its own');
    const entry = yield* readLine(reader, nowMs);
    if (reader.line !== line) throw reader.fault('an entry that goes over several lines; each has one line');
    lastLine = line;
    emit(entry);
  }
}
