import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStoreError } from '../../src/errors.ts';
import { Log, type LogOptions } from '../../src/wal/log.ts';
import { SeededRandom } from '../support/random.ts';
import { shuffled } from '../support/schedule.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { collect, logOptions, settle, STORE_ID } from './test-log.ts';

const RUNS = Number(process.env['CRASH_RUNS'] ?? 60);

type Step =
  | { readonly kind: 'put' | 'note'; readonly bytes: number }
  /**
   * Waits for a flush; lets the event loop turn once; lets a second pass, and waits for what that sets off or not;
   * removes what is older than now.
   */
  | { readonly kind: 'flush' | 'turn' | 'idle' | 'tick' | 'remove' };

/** From the opening of the log to the end of the process. */
interface Life {
  readonly steps: readonly Step[];
  readonly end: 'close' | 'losePower' | 'endProcess';
  /** The how-manieth call of a kind fails; 0: none. */
  readonly failedSync: number;
  readonly failedWrite: number;
  /** From which on no file can be made for want of descriptors, until a second has passed; 0: none. */
  readonly failedCreate: number;
}

function stepOf<Kind extends Step['kind']>(...kinds: Kind[]): fc.Arbitrary<{ kind: Kind; bytes: number }> {
  return fc.record({ kind: fc.constantFrom(...kinds), bytes: fc.integer({ min: 20, max: 3000 }) });
}

const lives: fc.Arbitrary<Life[]> = fc.array(
  fc.record({
    steps: fc.array(
      fc.oneof(
        { weight: 6, arbitrary: stepOf('put') },
        { weight: 2, arbitrary: stepOf('note') },
        { weight: 4, arbitrary: stepOf('flush', 'turn', 'idle', 'tick') },
        { weight: 1, arbitrary: stepOf('remove') },
      ),
      { maxLength: 25 },
    ),
    end: fc.constantFrom('close', 'losePower', 'endProcess'),
    failedSync: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 })),
    failedWrite: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 })),
    failedCreate: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4 })),
  }),
  { minLength: 1, maxLength: 5 },
);

/** The owner of a log, over all its lives: it remembers what it committed, and what must still be there. */
class Owner {
  disk: SimulatedDisk;
  readonly #fsync: LogOptions['fsync'];
  #committed: string[] = [];
  /** So many of them survive any crash. */
  #durableCount = 0;
  #lastRevision = 0;
  #textCount = 0;
  /** The state at this revision is known without the log, with all notes among the first so many records. */
  #snapshotRevision = 0;
  #snapshotCount = 0;

  constructor(disk: SimulatedDisk, fsync: LogOptions['fsync']) {
    this.disk = disk;
    this.#fsync = fsync;
  }

  async live({ steps, end, failedSync, failedWrite, failedCreate }: Life): Promise<void> {
    const failures: Error[] = [];
    if (failedSync > 0) this.disk.injectFault({ call: 'sync', at: failedSync });
    if (failedWrite > 0) this.disk.injectFault({ call: 'write', at: failedWrite });
    const clock = new ManualClock();
    let baseCount = 0;
    const options = logOptions(
      this.disk,
      { durable: [], failures, delays: [] },
      {
        clock,
        fsync: this.#fsync,
        segmentBytes: 4096,
        onDurable: (sequence) => {
          if (this.#fsync === 'always') this.#durableCount = baseCount + sequence;
        },
      },
    );
    try {
      const log = await this.#open(options);
      baseCount = this.#committed.length;
      if (failedCreate > 0) {
        const fault = { call: 'create', at: failedCreate, code: 'tooManyFiles' } as const;
        this.disk.injectFault({ ...fault, isPermanent: true });
        clock.setTimer(1000, () => this.disk.clearFaults());
      }
      for (const step of steps) await this.#take(step, log, clock);
      if (end === 'close') {
        await log.close();
        // After a failure, which the log has told, `close` only closes.
        if (failures.length === 0) this.#durableCount = this.#committed.length;
      }
    } catch (error) {
      expect(failedSync + failedWrite, String(error)).toBeGreaterThan(0);
      expect(isStoreError(error, 'damaged'), String(error)).toBe(false);
    }
    expect(failures.length).toBeLessThanOrEqual(1);
    this.disk.clearFaults();
    this.disk = end === 'losePower' ? this.disk.losePower() : this.disk.endProcess();
    await settle();
  }

  async #open(options: LogOptions): Promise<Log> {
    const log = await Log.open(options);
    if (log === undefined) {
      expect(this.#durableCount, 'the log is gone').toBe(0);
      this.#committed = [];
      this.#lastRevision = 0;
      return Log.create(options, STORE_ID);
    }
    const replayed: string[] = [];
    await log.replay(this.#snapshotRevision, collect(replayed));
    const start = replayed[0] === undefined ? this.#snapshotCount : this.#committed.indexOf(replayed[0]);
    const end = start + replayed.length;
    expect(replayed).toEqual(this.#committed.slice(start, end));
    expect(start, 'the first record').toBeLessThanOrEqual(this.#snapshotCount);
    expect(end, 'how many records are there').toBeGreaterThanOrEqual(this.#durableCount);
    this.#committed.length = end;
    this.#durableCount = end;
    this.#lastRevision = log.lastRevision;
    return log;
  }

  async #take(step: Step, log: Log, clock: ManualClock): Promise<void> {
    switch (step.kind) {
      case 'put':
        return this.#append(log, step.bytes, ++this.#lastRevision);
      case 'note':
        return this.#append(log, step.bytes, 0);
      case 'flush':
        return this.#flush(log);
      case 'turn':
        return new Promise((resolve) => setImmediate(resolve));
      case 'idle':
        await settle();
        clock.advance(1000);
        return settle();
      case 'tick':
        return clock.advance(1000);
      case 'remove':
        // As a store does that has written a snapshot.
        await this.#flush(log);
        this.#snapshotRevision = this.#lastRevision;
        this.#snapshotCount = this.#committed.length;
        return log.removeBefore(this.#lastRevision + 1);
    }
  }

  #append(log: Log, bytes: number, revision: number): void {
    const text = `${revision}/${this.#textCount++}/`.padEnd(bytes, '.');
    const offset = log.reserve(bytes);
    log.buffer.write(text, offset);
    log.commit(revision);
    this.#committed.push(text);
  }

  async #flush(log: Log): Promise<void> {
    const count = this.#committed.length;
    await log.flush();
    this.#durableCount = Math.max(this.#durableCount, count);
  }
}

describe('a log that crashes', () => {
  for (const fsync of ['always', 'interval', 'never'] as const) {
    it(`keeps all that was durable and invents nothing (fsync ${fsync})`, { timeout: 600_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.integer(), lives, async (seed, lives) => {
          const disk = new SimulatedDisk({ seed, schedule: shuffled(new SeededRandom(seed)) });
          const owner = new Owner(disk, fsync);
          for (const life of lives) await owner.live(life);
          await owner.live({ steps: [], end: 'close', failedSync: 0, failedWrite: 0, failedCreate: 0 });
        }),
        { numRuns: RUNS },
      );
    });
  }
});
