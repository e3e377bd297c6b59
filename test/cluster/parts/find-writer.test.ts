/** Whom a node without a state asks: it finds that in the shared log, and reads no more of that than it has to. */
import { describe, expect, test } from 'vitest';
import { encodePlace } from '../../../src/cluster/journal/place-note.ts';
import { WriterSearch } from '../../../src/cluster/late/find-writer.ts';
import { cluster as limits } from '../../../src/limits.ts';
import type { LogRecord, SharedLog } from '../../../src/shared-log/shared-log.ts';
import { SharedLogError } from '../../../src/shared-log/shared-log-error.ts';

const { signal } = new AbortController();
/** One record, which has a revision and nothing else. */
const BATCH = Uint8Array.of(0x0a, 2, 0x08, 1);

/** A log in memory that counts what is read of it. */
class CountedLog {
  readonly #records: LogRecord[] = [];
  #epoch = 0;
  #first = 1;
  readCount = 0;
  /** Called before a record is given. */
  onRead: (position: number) => void = () => undefined;

  takeOver(address: string): void {
    this.#epoch++;
    this.#records.push({ kind: 'takeOver', ...this.#place, address });
  }

  batches(count: number): void {
    for (let index = 0; index < count; index++) this.#batch(BATCH);
  }

  announce(writerAddress: string): void {
    this.#batch(encodePlace({ ...this.#place, writerAddress }));
  }

  trim(before: number): void {
    this.#first = before;
  }

  get log(): SharedLog {
    const used: Pick<SharedLog, 'head' | 'read'> = {
      head: () => Promise.resolve(this.#head),
      read: (from) => this.#read(from),
    };
    return used as SharedLog;
  }

  /** Of the next record. The chain is not looked at. */
  get #place(): Pick<LogRecord, 'position' | 'epoch' | 'bytesBefore' | 'behind' | 'checksum'> {
    return { position: this.#records.length + 1, epoch: this.#epoch, bytesBefore: 0, behind: 0, checksum: 0 };
  }

  get #head() {
    const position = this.#records.length;
    return { storeId: new Uint8Array(16), epoch: this.#epoch, position, checksum: 0, logBytes: 0, nonce: '' };
  }

  #batch(bytes: Uint8Array): void {
    this.#records.push({ kind: 'batch', ...this.#place, bytes });
  }

  async *#read(from: number): AsyncGenerator<LogRecord> {
    for (const record of this.#records.slice(from - 1)) {
      this.onRead(record.position);
      if (record.position < this.#first)
        throw new SharedLogError('trimmed', 'it is trimmed', { firstPosition: this.#first });
      this.readCount++;
      await Promise.resolve();
      yield record;
    }
  }
}

describe('the newest writer', () => {
  test('is found at the end of a long log where that tells of it', async () => {
    const counted = new CountedLog();
    counted.takeOver('one:1');
    counted.batches(20_000);
    counted.announce('one:1');
    counted.batches(10);
    expect(await new WriterSearch(counted.log, 1).find(signal)).toEqual({
      address: 'one:1',
      firstPosition: 1,
    });
    expect(counted.readCount).toBeLessThanOrEqual(limits.searchedRecordsMin);
  });

  test('is found where its takeover alone tells of it, by reading each record once', async () => {
    const counted = new CountedLog();
    counted.takeOver('one:1');
    counted.takeOver('two:1');
    counted.batches(20_000);
    expect((await new WriterSearch(counted.log, 1).find(signal)).address).toBe('two:1');
    expect(counted.readCount).toBeLessThanOrEqual(20_002);
  });

  test('is looked for in what is new when it is looked for again', async () => {
    const counted = new CountedLog();
    counted.takeOver('one:1');
    counted.batches(1000);
    const search = new WriterSearch(counted.log, 1);
    await search.find(signal);
    const before = counted.readCount;
    expect((await search.find(signal)).address).toBe('one:1');
    expect(counted.readCount).toBe(before);
    counted.batches(3);
    counted.takeOver('two:1');
    counted.batches(2);
    expect((await search.find(signal)).address).toBe('two:1');
    expect(counted.readCount).toBe(before + 6);
  });

  test('counts also when it has handed over', async () => {
    const counted = new CountedLog();
    counted.takeOver('one:1');
    counted.batches(3);
    counted.announce('');
    expect((await new WriterSearch(counted.log, 1).find(signal)).address).toBe('one:1');
  });

  test('is not known where nothing tells of it', async () => {
    const counted = new CountedLog();
    counted.takeOver('one:1');
    counted.batches(1000);
    counted.trim(10);
    const search = new WriterSearch(counted.log, 5);
    expect(await search.find(signal)).toEqual({ address: '', firstPosition: 10 });
    counted.takeOver('two:1');
    expect(await search.find(signal)).toEqual({ address: 'two:1', firstPosition: 10 });
  });

  test('is found when the log is trimmed meanwhile', async () => {
    const counted = new CountedLog();
    counted.takeOver('one:1');
    counted.batches(999);
    counted.announce('one:1');
    counted.batches(2 * limits.searchedRecordsMin);
    counted.onRead = (position) => {
      if (position < 1000) counted.trim(1000);
    };
    expect(await new WriterSearch(counted.log, 1).find(signal)).toEqual({
      address: 'one:1',
      firstPosition: 1000,
    });
  });
});
