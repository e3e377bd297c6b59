/**
 * `PlainBase`: the `Base` contract in one file that is replaced as a whole, and maps in memory. It stands in for real bases where
 * what lies above them is tried on a disk that fails.
 *
 * The file: a line with the CRC-32 of the rest, then JSON. It is written beside the old one, flushed, and renamed over it.
 */
import type { Disk } from '../../../src/disk/disk.ts';
import { DiskError } from '../../../src/disk/disk.ts';
import type { EngineRange } from '../../../src/engine/engine.ts';
import type {
  Base,
  BaseCursor,
  BaseFigures,
  BaseFlush,
  BaseView,
  DeadlineCursor,
  DeadlinePlace,
} from '../../../src/engine/layered/base/base.ts';
import { type Change, type PlacedChange, placeChange } from '../../../src/engine/version.ts';
import { StoreError } from '../../../src/errors.ts';
import { crc32 } from '../../../src/wire/crc32.ts';
import { BaseState, bytesOf, changeOf, plainOf, type PlainVersion, textOf } from './base-state.ts';

const CHANGES_BEFORE_DRAIN = 8;

interface Content {
  readonly revision: number;
  readonly notes: string;
  readonly entries: readonly (readonly [string, PlainVersion])[];
}

export class PlainBase implements Base {
  readonly unsettled = undefined;
  readonly #disk: Disk;
  readonly #directory: string;
  /** As the file has it. */
  #kept: BaseState;
  /** Without what is hidden. */
  #state: BaseState;
  #revision: number;
  #notes: Uint8Array;
  #fileBytes = 0;

  private constructor(disk: Disk, directory: string, { revision, notes, entries }: Content) {
    this.#disk = disk;
    this.#directory = directory;
    this.#kept = new BaseState(entries);
    this.#state = this.#kept.copy();
    this.#revision = revision;
    this.#notes = bytesOf(notes);
  }

  static async open(disk: Disk, directory: string): Promise<PlainBase> {
    await disk.makeDirectory(directory);
    await disk.remove(`${directory}/state.new`);
    const content = await readContent(disk, `${directory}/state`);
    const base = new PlainBase(disk, directory, content);
    // The flush of the folder may have failed in the life before, and then no later one makes that name durable.
    if (content.revision > 0) await base.#replace(content);
    return base;
  }

  get revision(): number {
    return this.#revision;
  }

  get notes(): Uint8Array {
    return this.#notes;
  }

  find(key: Uint8Array, placed: PlacedChange): boolean {
    const version = this.#state.get(key);
    if (version === undefined) return false;
    place(placed, changeOf(textOf(key), version));
    return true;
  }

  mayHave(key: Uint8Array): boolean {
    return this.#state.get(key) !== undefined;
  }

  cursor(range: EngineRange, reverse: boolean): BaseCursor {
    const keys = this.#state.keys(range);
    if (reverse) keys.reverse();
    return {
      next: (placed) => {
        const key = keys.shift();
        return key !== undefined && this.find(bytesOf(key), placed);
      },
      close: () => undefined,
    };
  }

  deadlines(after: DeadlinePlace | undefined): DeadlineCursor {
    const places = this.#state.deadlines(after);
    return { next: () => places.shift(), close: () => undefined };
  }

  *leasedKeys(): Generator<readonly [number, Uint8Array], undefined> {
    for (const [leaseId, key] of this.#state.leasedKeys()) yield [leaseId, bytesOf(key)];
  }

  hide(range: EngineRange): void {
    this.#state.forget(range);
  }

  async view(): Promise<BaseView> {
    const state = this.#kept.copy();
    const keys = state.keys({ start: new Uint8Array(0), end: undefined });
    return {
      revision: this.#revision,
      notes: this.#notes,
      next: () => {
        const key = keys.shift();
        const version = key === undefined ? undefined : state.get(bytesOf(key));
        return key === undefined || version === undefined ? undefined : placeChange(changeOf(key, version));
      },
      read: async () => keys.length > 0,
      close: async () => undefined,
    };
  }

  async begin(revision: number): Promise<BaseFlush> {
    const changes: Change[] = [];
    const forgotten: EngineRange[] = [];
    let waiting = 0;
    return {
      add: (change) => {
        waiting++;
        changes.push(change.deleted ? placeChange(change) : changeOf(textOf(change.key), plainOf(change)));
      },
      get isFull() {
        return waiting >= CHANGES_BEFORE_DRAIN;
      },
      drain: async () => {
        waiting = 0;
      },
      beginRun: async () => undefined,
      forget: (range) => void forgotten.push(copyOf(range)),
      commit: async (notes) => {
        const next = this.#kept.copy();
        for (const change of changes) next.apply(change);
        for (const range of forgotten) next.forget(range);
        await this.#replace({ revision, notes: textOf(notes), entries: next.entries() });
        this.#kept = next;
        this.#state = next.copy();
        this.#revision = revision;
        this.#notes = Uint8Array.from(notes);
      },
      abort: () => this.#disk.remove(`${this.#directory}/state.new`).catch(() => undefined),
    };
  }

  async compactStorage(): Promise<void> {}

  readonly hasDeletions = false;
  readonly memoryBytes = 0;
  readonly readCount = 0;

  figures(): BaseFigures {
    const bytes = this.#fileBytes;
    return {
      diskBytes: bytes,
      liveBytes: bytes,
      runs: [{ name: 'state', bytes, liveBytes: bytes, recordCount: this.#state.size }],
      cacheHits: 0,
      cacheMisses: 0,
      filterStops: 0,
      filterMisses: 0,
      flushedBytes: 0,
      mergedBytes: 0,
      mergingBytes: 0,
      plainBytes: 0,
      compressedBytes: 0,
    };
  }

  stopMerging(): void {}

  async close(): Promise<void> {}

  async #replace(content: Content): Promise<void> {
    const json = Buffer.from(JSON.stringify(content));
    const bytes = Buffer.concat([Buffer.from(`${crc32(json)}\n`), json]);
    const path = `${this.#directory}/state.new`;
    await this.#disk.remove(path);
    const file = await this.#disk.create(path);
    try {
      await file.write(bytes, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#disk.rename(path, `${this.#directory}/state`);
    await this.#disk.syncDirectory(this.#directory);
    this.#fileBytes = bytes.length;
  }
}

async function readContent(disk: Disk, path: string): Promise<Content> {
  let bytes: Buffer;
  try {
    const file = await disk.open(path, 'read');
    try {
      bytes = Buffer.alloc(await file.size());
      await file.read(bytes, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof DiskError && error.code === 'notFound')
      return { revision: 0, notes: '', entries: [] };
    throw error;
  }
  const start = bytes.indexOf('\n') + 1;
  const json = bytes.subarray(start);
  if (String(crc32(json)) !== bytes.toString('latin1', 0, start - 1))
    throw new StoreError('damaged', `${path} is damaged at offset 0`);
  return JSON.parse(json.toString()) as Content;
}

function place(placed: PlacedChange, change: Change): void {
  const copy = placeChange(change);
  Object.assign(placed, copy);
  placed.valueMemory = copy.valueMemory;
}

function copyOf({ start, end }: EngineRange): EngineRange {
  return { start: Uint8Array.from(start), end: end && Uint8Array.from(end) };
}
