/**
 * Brings calls that change elements of a collection (`ElementCalls`) into the engine and into the log's buffer, each that changes
 * something as a transaction. What a call finds is what those before it have left. No object is made for a call.
 */
import type { Engine } from '../../engine/engine.ts';
import { type Change, deletionOf, type PlacedChange } from '../../engine/version.ts';
import { fixed } from '../../limits.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { type ElementCalls, ElementChanges } from '../collections/element-calls.ts';
import { toKeyText } from '../views/keys.ts';
import type { RecentChange, RecentTransaction } from '../watch/matching/recent-changes.ts';
import { ElementRecords } from './element-records.ts';

/** Reads the newest version of all. */
const NEWEST = fixed.integerMax;

/** From so many elements on their places are fetched together. */
const FETCHED_MIN = 4;

type Writable<T> = { -readonly [name in keyof T]: T[name] };

/** Where the first transaction goes. */
export interface ElementCommitsStart {
  readonly revision: number;
  readonly timeMs: number;
  /** 0: none. */
  readonly leaseClockMs: number;
  readonly buffer: Buffer;
  readonly offset: number;
  /** What watches have to know of each; `undefined`: nothing is wanted. */
  readonly staged: RecentTransaction[] | undefined;
}

export class ElementCommits {
  /** How many transactions the last calls were, and where their records end. */
  count = 0;
  end = 0;
  readonly #engine: Pick<Engine, 'readPlaced' | 'apply' | 'fetch'>;
  readonly #records = new ElementRecords();
  readonly #changes = new ElementChanges();
  /** One object for all changes. What a put does not set is as in a deletion. */
  readonly #put: Writable<Change> = { ...deletionOf(NO_BYTES, 0), deleted: false };
  readonly #metadata: Writable<Change> = { ...deletionOf(NO_BYTES, 0), deleted: false };
  readonly #deletion: Writable<Change> = { ...deletionOf(NO_BYTES, 0) };
  /** Of the changes of a call, and of the metadata behind them. */
  readonly #createRevisions: number[] = [];
  readonly #versions: number[] = [];
  /** The calls that are done, and the one that looks at its element. */
  #calls: ElementCalls | undefined;
  #index = 0;
  /** Of the element that it has found; 0: there is none. */
  #createRevision = 0;
  #version = 0;

  constructor(engine: Pick<Engine, 'readPlaced' | 'apply' | 'fetch'>) {
    this.#engine = engine;
  }

  run(
    calls: ElementCalls,
    { revision, timeMs, leaseClockMs, buffer, offset, staged }: ElementCommitsStart,
  ): void {
    const engine = this.#engine;
    const changes = this.#changes;
    const metadata = this.#metadata;
    metadata.key = calls.key;
    metadata.kind = calls.kind;
    metadata.collectionId = calls.collectionId;
    metadata.createRevision = calls.createRevision;
    metadata.version = calls.version;
    this.#calls = calls;
    this.#records.begin(calls, timeMs, leaseClockMs);
    if (calls.length >= FETCHED_MIN) engine.fetch(calls.elements, 0, calls.length);
    this.count = 0;
    this.end = offset;
    for (let index = 0; index < calls.length; index++) {
      this.#index = index;
      changes.count = 0;
      engine.readPlaced(calls.elements[index] ?? NO_BYTES, NEWEST, this.#look);
      if (changes.count === 0) continue;
      const next = revision + this.count++;
      this.#apply(calls, next);
      this.end = this.#records.write(
        calls,
        changes,
        next,
        this.#createRevisions,
        this.#versions,
        buffer,
        this.end,
      );
      staged?.push(this.#stage(calls.key, next, timeMs));
    }
    this.#calls = undefined;
  }

  readonly #look = (found: PlacedChange | undefined): void => {
    this.#createRevision = found?.createRevision ?? 0;
    this.#version = found?.version ?? 0;
    this.#calls?.decide(this.#index, found, this.#changes);
  };

  #apply(calls: ElementCalls, revision: number): void {
    const engine = this.#engine;
    const { count, keys, values, deletes, metadata: value } = this.#changes;
    const element = calls.elements[this.#index];
    const put = this.#put;
    for (let index = 0; index < count; index++) {
      const key = keys[index] ?? NO_BYTES;
      if (deletes[index] === true) {
        this.#deletion.key = key;
        this.#deletion.revision = revision;
        engine.apply(this.#deletion);
        continue;
      }
      const isFound = key === element && this.#version > 0;
      put.key = key;
      put.value = values[index] ?? NO_BYTES;
      put.revision = put.modRevision = revision;
      put.createRevision = this.#createRevisions[index] = isFound ? this.#createRevision : revision;
      put.version = this.#versions[index] = isFound ? this.#version + 1 : 1;
      engine.apply(put);
    }
    const metadata = this.#metadata;
    metadata.value = value;
    metadata.revision = metadata.modRevision = revision;
    metadata.version++;
    this.#createRevisions[count] = metadata.createRevision;
    this.#versions[count] = metadata.version;
    engine.apply(metadata);
  }

  #stage(collection: Uint8Array, revision: number, timeMs: number): RecentTransaction {
    const { count, keys, deletes } = this.#changes;
    const changes: RecentChange[] = [];
    let keyBytes = collection.length;
    for (let index = 0; index < count; index++) {
      const key = keys[index] ?? NO_BYTES;
      const isDelete = deletes[index] === true;
      keyBytes += key.length;
      changes.push({
        key: toKeyText(key),
        type: isDelete ? 'delete' : 'put',
        reason: isDelete ? 'requested' : undefined,
        replacedExpired: false,
      });
    }
    changes.push({ key: toKeyText(collection), type: 'put', reason: undefined, replacedExpired: false });
    return { revision, timeMs, changes, borders: undefined, keyBytes };
  }
}
