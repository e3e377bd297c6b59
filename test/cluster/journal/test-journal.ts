/** Journals of several nodes over one simulated shared log, whose stores keep the texts of their records. */
import { readPlaceNote } from './place-text.ts';
import { ReplicatedJournal } from '../../../src/cluster/journal/replicated-journal.ts';
import type { LogHead, LogRecord } from '../../../src/shared-log/shared-log.ts';
import type { JournalPlace, LogPlace } from '../../../src/wal/journal.ts';
import { Log, type LogOptions } from '../../../src/wal/log.ts';
import { type LogNode, openNode, storeId, won } from '../../shared-log/world.ts';
import { type SimulatedWorld, simulatedWorld } from '../../shared-log/simulated-world.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';

/** Letters are of revisions, and what begins with a small letter is a note. */
export interface ToldRecord {
  readonly sequence: number;
  readonly text: string;
}

export const NOWHERE: JournalPlace = { position: 0, epoch: 0, checksum: 0, writerAddress: '', revision: 0 };

/** A shared log that was made, and what nodes follow it with. */
export class JournalWorld {
  readonly world: SimulatedWorld;

  private constructor(world: SimulatedWorld) {
    this.world = world;
  }

  static async create(seed = 1): Promise<JournalWorld> {
    const world = simulatedWorld(seed);
    await openNode(world).log.init(storeId);
    return new JournalWorld(world);
  }

  async node(changes: JournalChanges = {}): Promise<TestJournal> {
    return TestJournal.open(this.world, new SimulatedDisk({ seed: 1, schedule: this.world.clock.schedule }), {
      ...changes,
      isNew: true,
    });
  }

  async writer(address = 'first', changes: JournalChanges = {}): Promise<TestJournal> {
    const journal = await this.node(changes);
    await journal.takeOver(address);
    return journal;
  }

  close(): Promise<void> {
    return this.world.close();
  }
}

export interface JournalChanges {
  readonly cache?: Partial<LogOptions>;
  readonly unflushedBytesMax?: number;
  /** Up to this revision the store has the state of a snapshot. */
  readonly snapshotRevision?: number;
  readonly place?: JournalPlace;
}

export class TestJournal {
  readonly world: SimulatedWorld;
  readonly disk: SimulatedDisk;
  readonly node: LogNode;
  readonly journal: ReplicatedJournal;
  /** What the store was to apply. */
  readonly applied: ToldRecord[] = [];
  /** What the cache held when it was opened: records, and places as `[position epoch writer]`. */
  readonly replayed: string[];
  readonly durable: number[] = [];
  /** Called when more has become durable. */
  onDurable: () => void = () => undefined;
  readonly places: JournalPlace[] = [];
  readonly failures: Error[] = [];
  readonly delays: Error[] = [];
  #revision: number;

  private constructor(
    parts: Pick<TestJournal, 'world' | 'disk' | 'node' | 'replayed'>,
    make: (test: TestJournal) => ReplicatedJournal,
    revision: number,
  ) {
    this.world = parts.world;
    this.disk = parts.disk;
    this.node = parts.node;
    this.replayed = parts.replayed;
    this.#revision = revision;
    this.journal = make(this);
  }

  static async open(
    world: SimulatedWorld,
    disk: SimulatedDisk,
    {
      cache: changes,
      unflushedBytesMax = 2 ** 20,
      snapshotRevision = 0,
      ...rest
    }: JournalChanges & { isNew?: boolean } = {},
  ): Promise<TestJournal> {
    const { clock } = world;
    let test: TestJournal | undefined;
    const options: LogOptions = {
      disk,
      clock,
      directory: '/log',
      segmentBytes: 64 * 1024,
      unflushedBytesMax: 2 ** 24,
      fsync: 'interval',
      fsyncIntervalMs: 1000,
      onDurable: (sequence) => test?.journal.cacheDurable(sequence),
      onFailure: (error) => test?.journal.cacheFailed(error),
      onSegmentDelayed: () => undefined,
      checkOwned: () => Promise.resolve(),
      ...changes,
    };
    const replayed: string[] = [];
    let place = rest.place ?? NOWHERE;
    let cache: Log;
    if (rest.isNew === true) cache = await Log.create(options, storeId, snapshotRevision);
    else {
      const opened = await Log.open(options);
      if (opened === undefined) throw new Error('there is no cache');
      await opened.replay(snapshotRevision, (buffer, start, end) => {
        const found = readPlaceNote(buffer, start, end);
        if (found !== undefined) place = { ...found, revision: 0 };
        replayed.push(found === undefined ? textOfRecord(buffer, start, end) : placeText(found));
      });
      cache = opened;
      place = { ...place, revision: opened.lastRevision };
    }
    const node = openNode(world);
    const make = (made: TestJournal): ReplicatedJournal =>
      new ReplicatedJournal({
        owner: {
          apply: (buffer, start, end, sequence) => made.#apply(textOfRecord(buffer, start, end), sequence),
          durable: (sequence) => {
            made.durable.push(sequence);
            made.onDurable();
          },
          fail: (error) => made.failures.push(error),
        },
        cache,
        sharedLog: node.log,
        clock,
        place,
        unflushedBytesMax,
        onPlace: (newest) => made.places.push(newest),
        onStored: () => undefined,
        onDelayed: (error) => made.delays.push(error),
      });
    test = new TestJournal({ world, disk, node, replayed }, make, cache.lastRevision);
    return test;
  }

  async takeOver(address: string): Promise<LogHead> {
    const seen = await this.node.log.head();
    await this.follow(seen.position);
    const head = won(await this.node.log.takeOver(seen, address));
    await this.journal.lead(head, address);
    return head;
  }

  /** Accepts what lies in the shared log, up to a position. */
  async follow(position: number): Promise<void> {
    if (this.journal.newestPlace.position >= position) return;
    for await (const record of this.records()) {
      await this.journal.accept(record);
      if (record.position === position) return;
    }
  }

  async *records(): AsyncGenerator<LogRecord> {
    const end = new AbortController();
    try {
      yield* this.node.log.read(this.journal.newestPlace.position + 1, end.signal);
    } finally {
      end.abort();
    }
  }

  /** Commits a transaction, or a note when it begins with a small letter. */
  put(text: string): number {
    const bytes = Buffer.from(`${isNote(text) ? '\x10' : '\x08'}${text}`);
    const offset = this.journal.reserve(bytes.length);
    bytes.copy(this.journal.buffer, offset);
    return this.journal.commit(isNote(text) ? 0 : ++this.#revision);
  }

  async putStored(...texts: string[]): Promise<void> {
    for (const text of texts) this.put(text);
    await this.journal.flush();
  }

  #apply(text: string, sequence: number): boolean {
    // The text says its revision when it matters.
    const [, revision] = /^[A-Z](\d+)/.exec(text) ?? [];
    if (revision !== undefined && Number(revision) <= this.#revision) return false;
    this.applied.push({ sequence, text });
    if (!isNote(text)) this.#revision++;
    return true;
  }

  /** What a reader of the cache gets from a revision on. */
  async read(fromRevision = 1): Promise<string[]> {
    const reader = this.journal.reader(fromRevision);
    const texts: string[] = [];
    while (
      (await reader.next((buffer, start, end) => {
        const place = readPlaceNote(buffer, start, end);
        texts.push(place === undefined ? textOfRecord(buffer, start, end) : placeText(place));
      })) === 'read'
    );
    await reader.close();
    return texts;
  }

  /** Ends the process. @returns the disk as the next one finds it. */
  crash(kind: 'endProcess' | 'losePower' = 'endProcess'): SimulatedDisk {
    return this.disk[kind]();
  }
}

export function placeText({ position, epoch, writerAddress }: LogPlace): string {
  return `[${position} ${epoch} ${writerAddress}]`;
}

/** Records begin with the tag of their revision, or of their time when they are notes. */
function textOfRecord(buffer: Buffer, start: number, end: number): string {
  return buffer.toString('utf8', start + 1, end);
}

function isNote(text: string): boolean {
  return /^[a-z]/.test(text);
}
