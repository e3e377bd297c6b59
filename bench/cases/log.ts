/**
 * Measures the log without a store above it: how many records of the length of a put it makes durable in a second,
 * under each policy of flushing. It is the ceiling of what puts can reach; with one under way and `always` it is the
 * disk's time for a flush.
 */
import { systemClock } from '../../src/clock.ts';
import { nodeDisk } from '../../src/disk/node-disk.ts';
import { defaults, type FsyncPolicy } from '../../src/index.ts';
import { Log } from '../../src/wal/log.ts';
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { ratesOf } from '../load/repeat.ts';
import { underWay } from '../load/under-way.ts';

/** As long as the record of a put of 16 and 100 bytes. */
const RECORD_BYTES = 138;
const STORE_ID = new Uint8Array(16);

const LOADS: readonly {
  readonly fsync: FsyncPolicy;
  readonly concurrency: number;
  readonly count: number;
}[] = [
  { fsync: 'always', concurrency: 1, count: 3000 },
  { fsync: 'always', concurrency: 256, count: 100_000 },
  { fsync: 'never', concurrency: 1, count: 10_000 },
  { fsync: 'never', concurrency: 256, count: 300_000 },
];

export const log: BenchCase = {
  async run(context) {
    for (const { fsync, concurrency, count: fullCount } of LOADS) {
      const count = operationCount(context, fullCount);
      const appender = await LogAppender.open(`${context.directory}/${fsync}-${concurrency}`, fsync);
      const samples = await ratesOf(context, {
        count,
        setUp: () => undefined,
        run: () => underWay(concurrency, count, () => appender.append()),
      });
      await appender.close();
      const name = `append ${RECORD_BYTES} bytes, fsync ${fsync}, ${concurrency} under way`;
      context.report({ name, unit: 'records/s', samples });
    }
  },
};

/** Appends one record after the other and tells when each is durable. */
class LogAppender {
  readonly #record = Buffer.alloc(RECORD_BYTES, 'r');
  /** In the order of sequence numbers, those of `#oldestSequence` on. */
  #waiters: (() => void)[] = [];
  #oldestSequence = 1;
  #revision = 0;
  #log: Log | undefined;

  static async open(directory: string, fsync: FsyncPolicy): Promise<LogAppender> {
    const appender = new LogAppender();
    const { segmentBytes, unflushedBytesMax, fsyncIntervalMs } = defaults;
    appender.#log = await Log.create(
      {
        disk: nodeDisk,
        clock: systemClock,
        directory,
        segmentBytes,
        unflushedBytesMax,
        fsync,
        fsyncIntervalMs,
        onDurable: (sequence) => appender.#durable(sequence),
        onFailure: (error) => {
          throw error;
        },
        onSegmentDelayed: (error) => {
          throw error;
        },
        checkOwned: () => Promise.resolve(),
      },
      STORE_ID,
    );
    return appender;
  }

  append(): Promise<void> {
    const log = this.#open();
    const offset = log.reserve(RECORD_BYTES);
    this.#record.copy(log.buffer, offset);
    log.commit(++this.#revision);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  close(): Promise<void> {
    return this.#open().close();
  }

  #open(): Log {
    if (this.#log === undefined) throw new Error('the log is not open');
    return this.#log;
  }

  #durable(sequence: number): void {
    const settled = this.#waiters.slice(0, sequence - this.#oldestSequence + 1);
    this.#waiters = this.#waiters.slice(settled.length);
    this.#oldestSequence = sequence + 1;
    for (const resolve of settled) resolve();
  }
}
