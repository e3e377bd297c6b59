/**
 * A journal over batches that nodes share in memory: what is committed in a turn is a batch of its own, and is stored at once. Each
 * batch is in the cache behind the note of its place.
 */
import {
  prependRecord,
  readPlacedRecord,
  sizeOfRecord,
  type RecordShape,
} from '../../../gen/kelp/storage/v1/log_codec.ts';
import type { Clock } from '../../../src/clock.ts';
import type { JournalOpening } from '../../../src/store/replication/replication.ts';
import { visitRecords, writeRecordPrefix } from '../../../src/wal/frames/records.ts';
import type { CachedJournal, JournalPlace } from '../../../src/wal/journal.ts';
import type { LogReader } from '../../../src/wal/reader.ts';
import { notWriterError } from '../../../src/wal/segments/overtaken.ts';
import { readOnlyError } from '../../../src/wal/segments/fail-stop.ts';
import type { LogStats, StartBehind } from '../../../src/wal/segments/segment-row.ts';
import { Cursor } from '../../../src/wire/cursor.ts';
import type { SharedBatch, SharedBatches } from './shared-batches.ts';

const BUFFER_BYTES = 8 * 1024 * 1024;

interface Cached {
  readonly cacheSequence: number;
  readonly sequence: number;
  readonly place: JournalPlace;
}

export class TestJournal implements CachedJournal {
  readonly storeId: Uint8Array;
  readonly buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  place: JournalPlace;
  lastRevision: number;
  committedSequence = 0;
  durableSequence = 0;
  appendedBytes = 0;
  failure: Error | undefined;
  readonly #opening: JournalOpening;
  readonly #shared: SharedBatches;
  readonly #clock: Clock;
  /** 0: it takes no records. */
  #epoch = 0;
  #end = 0;
  #reservedEnd = 0;
  #isScheduled = false;
  #newestPlace: JournalPlace;
  readonly #cached: Cached[] = [];

  constructor(opening: JournalOpening, shared: SharedBatches, clock: Clock) {
    const { cache, place } = opening;
    this.#opening = opening;
    this.#shared = shared;
    this.#clock = clock;
    this.storeId = cache.storeId;
    this.place = this.#newestPlace = place;
    this.lastRevision = cache.lastRevision;
  }

  get recordBytesMax(): number {
    return BUFFER_BYTES;
  }

  get oldestRevision(): number {
    return this.#opening.cache.oldestRevision;
  }

  /** Of the newest batch that was taken, durable or not. */
  get position(): number {
    return this.#newestPlace.position;
  }

  /** Takes records from now on. */
  lead(epoch: number): void {
    this.#epoch = epoch;
  }

  /** A record was applied. */
  applied(byteLength: number): void {
    this.committedSequence++;
    this.appendedBytes += byteLength;
  }

  reserve(byteLength: number): number {
    if (this.failure !== undefined) throw readOnlyError(this.failure);
    if (this.#epoch === 0) throw notWriterError(this.#shared.writerAddress);
    const offset = writeRecordPrefix(this.buffer, this.#end, byteLength);
    this.#reservedEnd = offset + byteLength;
    return offset;
  }

  commit(revision: number): number {
    if (revision !== 0) this.lastRevision = revision;
    return this.#committed(1, this.#reservedEnd);
  }

  reserveRow(): number | undefined {
    return this.failure === undefined && this.#epoch !== 0 ? this.#end : undefined;
  }

  commitRow(count: number, end: number): number {
    this.lastRevision += count;
    return this.#committed(count, end);
  }

  requireFlush(): void {
    // What is stored in the shared log is durable.
  }

  async flush(): Promise<void> {
    this.#store();
    await this.#opening.cache.flush();
  }

  reader(fromRevision: number): LogReader {
    return this.#opening.cache.reader(fromRevision);
  }

  readerBehind(revision: number): LogReader {
    return this.#opening.cache.readerBehind(revision);
  }

  startBehind(revision: number): StartBehind {
    return this.#opening.cache.startBehind(revision);
  }

  removeBefore(revision: number): Promise<void> {
    return this.#opening.cache.removeBefore(revision);
  }

  oldestRevisionWithin(bytes: number): number {
    return this.#opening.cache.oldestRevisionWithin(bytes);
  }

  stats(): LogStats {
    return this.#opening.cache.stats();
  }

  stop(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.#opening.onFailure(error);
  }

  async close(): Promise<void> {
    this.#store();
    await this.#opening.cache.close();
  }

  cacheDurable(sequence: number): void {
    for (let next = this.#cached[0]; next !== undefined && next.cacheSequence <= sequence;) {
      this.#cached.shift();
      if (this.failure !== undefined) return;
      this.place = next.place;
      this.durableSequence = next.sequence;
      this.#opening.onDurable(next.sequence);
      next = this.#cached[0];
    }
  }

  cacheFailed(error: Error): void {
    this.stop(error);
  }

  /** Brings what was taken of a batch into the cache. @param payload from the first record that was taken on. */
  toCache({ position, epoch, checksum, writerAddress }: SharedBatch, payload: Buffer): void {
    const { cache } = this.#opening;
    const place = { position, epoch, checksum, writerAddress };
    this.#append(placeNote(place), 0);
    const head = { revision: 0, timeMs: 0, leaseClockMs: 0, effectsCount: 0 };
    visitRecords(payload, 0, payload.length, (buffer, start, end) => {
      readPlacedRecord(head, new Cursor(buffer, start, end), end);
      this.#append(buffer.subarray(start, end), head.revision);
    });
    this.lastRevision = Math.max(this.lastRevision, cache.lastRevision);
    this.#newestPlace = { ...place, revision: cache.lastRevision };
    this.#cached.push({
      cacheSequence: cache.committedSequence,
      sequence: this.committedSequence,
      place: this.#newestPlace,
    });
  }

  /** A batch was passed over as a whole. */
  passOver(position: number): void {
    this.place = this.#newestPlace = { ...this.#newestPlace, position };
  }

  #append(record: Buffer, revision: number): void {
    const { cache } = this.#opening;
    const offset = cache.reserve(record.length);
    record.copy(cache.buffer, offset);
    cache.commit(revision);
  }

  #committed(count: number, end: number): number {
    this.appendedBytes += end - this.#end;
    this.#end = end;
    this.committedSequence += count;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#clock.yieldNow(() => this.#store());
    }
    return this.committedSequence;
  }

  #store(): void {
    this.#isScheduled = false;
    if (this.#end === 0 || this.failure !== undefined) return;
    const payload = Buffer.from(this.buffer.subarray(0, this.#end));
    this.#end = 0;
    try {
      this.toCache(this.#shared.append(this.#epoch, payload), payload);
    } catch (error) {
      this.stop(error as Error);
    }
  }
}

function placeNote(place: Omit<JournalPlace, 'revision'>): Buffer {
  const effect = { case: 'place' as const, value: { successorAddress: '', ...place } };
  const record: RecordShape = { revision: 0, timeMs: 0, leaseClockMs: 0, effects: [{ effect }] };
  const bytes = Buffer.alloc(sizeOfRecord(record));
  prependRecord(record, bytes, bytes.length);
  return bytes;
}
