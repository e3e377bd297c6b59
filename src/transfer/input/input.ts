/**
 * What is imported, as a stream of entries: the form is recognised by the first bytes, whatever the file is called. Memory is
 * bounded by the longest entry, or the block of a snapshot.
 */
import { MAGIC } from '../../snapshot/format.ts';
import type { TransferEntry } from '../contract/entry.ts';
import type { TransferFormat } from '../contract/words.ts';
import { documentNames, readJsonDocument } from '../json/json-document.ts';
import { readJsonLines } from '../json/json-lines.ts';
import { BadInputError, END, JsonReader, type Reading, mark } from '../json/json-reader.ts';
import { transfer as limits } from '../../limits.ts';
import { ByteSteps, type InputPieces } from './byte-steps.ts';
import { readSnapshotEntries } from '../snapshot/read-snapshot.ts';

export interface InputOptions {
  /** What errors call it. */
  readonly name: string;
  /** The form that it must have; left out: the one that it has. */
  readonly format: TransferFormat | undefined;
  readonly nowMs: () => number;
  readonly signal: AbortSignal | undefined;
}

/** Entries in the order in which they stand there, some at a time. */
export class Input {
  /** Known once there are entries, or the end has come. */
  format: TransferFormat | undefined;
  readonly #steps: ByteSteps;
  readonly #options: InputOptions;

  constructor(pieces: InputPieces, options: InputOptions) {
    this.#steps = new ByteSteps(pieces, options.signal);
    this.#options = options;
    this.format = options.format;
  }

  /** How much has been read. */
  get bytesRead(): number {
    return this.#steps.bytesRead;
  }

  /** @throws BadInputError behind the last entry before what is wrong; whatever reading the pieces throws. */
  async *entries(): AsyncGenerator<readonly TransferEntry[], void, undefined> {
    const { name, format } = this.#options;
    try {
      const isSnapshot = await this.#steps.beginWith(MAGIC);
      if (isSnapshot && format !== undefined && format !== 'binary') {
        throw new BadInputError(`${name} is a snapshot file, not ${nameByFormat[format]}`);
      }
      if (!isSnapshot && format === 'binary') throw new BadInputError(`${name} is no snapshot file`);
      if (isSnapshot) {
        this.format = 'binary';
        yield* readSnapshotEntries(name, this.#steps);
      } else yield* this.#jsonEntries();
    } finally {
      await this.#steps.close();
    }
  }

  async *#jsonEntries(): AsyncGenerator<readonly TransferEntry[], void, undefined> {
    const reader = new JsonReader();
    let found: TransferEntry[] = [];
    const reading = this.#readJson(reader, (entry) => found.push(entry));
    for (;;) {
      let fault: Error | undefined;
      let isDone = false;
      try {
        isDone = reading.next().done === true;
      } catch (error) {
        // The entries before it are good.
        fault = error as Error;
      }
      if (found.length > 0) {
        yield found;
        found = [];
      }
      if (fault !== undefined) throw fault;
      if (isDone) return;
      const step = await this.#steps.next(limits.inputStepBytes);
      if (step === undefined) reader.complete();
      else reader.append(step);
    }
  }

  *#readJson(reader: JsonReader, emit: (entry: TransferEntry) => void): Reading<void> {
    const { nowMs } = this.#options;
    yield* reader.skipByteOrderMark();
    this.format ??= yield* recognise(reader);
    if (this.format === 'json') yield* readJsonDocument(reader, emit, nowMs);
    else yield* readJsonLines(reader, emit, nowMs);
  }
}

const nameByFormat: Readonly<Record<TransferFormat, string>> = {
  jsonl: 'JSON Lines',
  json: 'a JSON document',
  binary: 'a snapshot file',
};

/** By the first name: an entry does not begin with what a document has. */
function* recognise(reader: JsonReader): Reading<TransferFormat> {
  // JSON Lines without an entry: the export of nothing.
  if ((yield* reader.peek()) === END) return 'jsonl';
  reader.hold();
  yield* reader.take(mark.objectStart, 'an object (JSON Lines or a JSON document), or a snapshot file');
  const isEmpty = (yield* reader.peek()) === mark.objectEnd;
  const name = isEmpty ? '' : yield* reader.text('the name of a member, in quotes', limits.nameBytesMax);
  reader.rewind();
  return isEmpty || documentNames.includes(name) ? 'json' : 'jsonl';
}
