/** A log on a simulated disk whose records are text. */
import type { Disk } from '../../src/disk/disk.ts';
import { Log, type LogOptions } from '../../src/wal/log.ts';
import type { ReadResult } from '../../src/wal/reader.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';

export const DIRECTORY = '/log';
export const STORE_ID = Buffer.from('kelp-test-store!');
export const FIRST_SEGMENT = `${DIRECTORY}/00000000000000000001.log`;

/** What a log told its owner. */
export interface Told {
  readonly durable: number[];
  readonly failures: Error[];
  readonly delays: Error[];
}

export function logOptions(disk: Disk, told: Told, changes: Partial<LogOptions> = {}): LogOptions {
  return {
    disk,
    clock: new ManualClock(),
    directory: DIRECTORY,
    segmentBytes: 64 * 1024,
    unflushedBytesMax: 1024 * 1024,
    fsync: 'always',
    fsyncIntervalMs: 1000,
    onDurable: (sequence) => told.durable.push(sequence),
    onFailure: (error) => told.failures.push(error),
    onSegmentDelayed: (error) => told.delays.push(error),
    checkOwned: () => Promise.resolve(),
    ...changes,
  };
}

/** One life of a log: from its opening to its close, or the end of its process. */
export class TestLog {
  readonly disk: SimulatedDisk;
  readonly clock: ManualClock;
  readonly log: Log;
  readonly told: Told;
  /** What the replay handed on. */
  readonly replayed: string[];
  readonly torn: { readonly file: string; readonly offset: number; readonly bytes: number } | undefined;

  private constructor(
    disk: SimulatedDisk,
    clock: ManualClock,
    log: Log,
    told: Told,
    replayed: string[],
    torn: TestLog['torn'],
  ) {
    this.disk = disk;
    this.clock = clock;
    this.log = log;
    this.told = told;
    this.replayed = replayed;
    this.torn = torn;
  }

  static async create(
    changes: Partial<LogOptions> = {},
    disk = new SimulatedDisk({ seed: 1 }),
  ): Promise<TestLog> {
    const told: Told = { durable: [], failures: [], delays: [] };
    const clock = new ManualClock();
    const log = await Log.create(logOptions(changes.disk ?? disk, told, { clock, ...changes }), STORE_ID);
    return new TestLog(disk, clock, log, told, [], undefined);
  }

  static async open(
    disk: SimulatedDisk,
    changes: Partial<LogOptions> = {},
    afterRevision = 0,
  ): Promise<TestLog> {
    const told: Told = { durable: [], failures: [], delays: [] };
    const clock = new ManualClock();
    const log = await Log.open(logOptions(changes.disk ?? disk, told, { clock, ...changes }));
    if (log === undefined) throw new Error('there is no log');
    const replayed: string[] = [];
    const { torn } = await log.replay(afterRevision, collect(replayed));
    return new TestLog(disk, clock, log, told, replayed, torn);
  }

  /** Commits the next revision. */
  put(text: string): number {
    return this.#append(text, this.log.lastRevision + 1);
  }

  note(text: string): number {
    return this.#append(text, 0);
  }

  /** Commits a revision and waits until it is on disk. */
  async putDurably(text: string): Promise<void> {
    this.put(text);
    await this.log.flush();
  }

  #append(text: string, revision: number): number {
    const bytes = Buffer.byteLength(text);
    const offset = this.log.reserve(bytes);
    this.log.buffer.write(text, offset);
    return this.log.commit(revision);
  }

  /** Everything a reader gives until its end, and how it ended. */
  async read(fromRevision: number): Promise<{ records: string[]; result: ReadResult }> {
    const reader = this.log.reader(fromRevision);
    const records: string[] = [];
    try {
      for (;;) {
        const result = await reader.next(collect(records));
        if (result !== 'read') return { records, result };
      }
    } finally {
      await reader.close();
    }
  }
}

/** Collects records as text. */
export function collect(records: string[]): (buffer: Buffer, start: number, end: number) => void {
  return (buffer, start, end) => void records.push(buffer.toString('utf8', start, end));
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** The texts `<name>1` to `<name><count>`. */
export function texts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index + 1}`);
}
