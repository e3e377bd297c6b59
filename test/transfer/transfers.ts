/** What tests of exports and imports share: stores, entries in memory, a clock that stands. */
import { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Entry, Key, Operation, ScanPage } from '../../src/api.ts';
import { keyOf, namedKey } from '../../src/arguments/key.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import {
  type ExportSource,
  type ImportTarget,
  type Store,
  type StoreOptions,
  exportTo,
  openStore,
} from '../../src/index.ts';
import { type ExportOptions, systemParts } from '../../src/transfer/export.ts';
import type { ImportedBatch } from '../../src/transfer/contract/stores.ts';
import { engineOfStore } from '../store/model/engine-of-harness.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

export const NOW_MS = Date.UTC(2026, 10, 26, 12);

/** The system's, but that it is always the same time. */
export const standingClock: Clock = { ...systemClock, nowMs: () => NOW_MS };

/** A store on a simulated disk, whose time stands. @param limits for history that a test reads: `KEPT_HISTORY`. */
export async function openedStore(
  clock = new ManualClock(NOW_MS),
  limits: NonNullable<StoreOptions['limits']> = {},
): Promise<Store> {
  const disk = new SimulatedDisk({ seed: 1 });
  const random = new SeededRandom(1);
  const store = await openStore({ dataDir: '/data', disk, clock, random, ...engineOfStore({ limits }) });
  onTestFinished(() => store.close());
  return store;
}

export class Collected extends Writable {
  readonly pieces: Buffer[] = [];

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }

  override _write(piece: Buffer, _: BufferEncoding, callback: () => void): void {
    // What is handed in is the writer's again when the callback is called.
    this.pieces.push(Buffer.from(piece));
    callback();
  }
}

/** The bytes of an export at the time that stands. */
export async function exported(store: ExportSource, options: ExportOptions = {}): Promise<Buffer> {
  const target = new Collected();
  await exportTo(store, target, options, {
    ...systemParts,
    clock: standingClock,
    random: new SeededRandom(2),
  });
  return target.bytes;
}

/** Bytes in pieces of some length. */
export function inPieces(bytes: Uint8Array | string, length = 1000): Readable {
  const whole = Buffer.from(bytes);
  const pieces = Array.from({ length: Math.ceil(whole.length / length) }, (_, index) =>
    whole.subarray(index * length, (index + 1) * length),
  );
  return Readable.from(pieces);
}

export function entry(key: Key, value: Uint8Array | string, more: Partial<Entry> = {}): Entry {
  return {
    ...namedKey(key),
    value: Buffer.from(value),
    createRevision: 3,
    modRevision: 5,
    version: 2,
    leaseId: 0,
    expireTimeMs: 0,
    ...more,
  };
}

/** A store that is nothing but some pages of entries. */
export function sourceOf(
  ...pages: readonly (readonly Entry[])[]
): Extract<ExportSource, { readonly backup: unknown }> {
  return {
    scan: (_, { pageToken }): Promise<ScanPage> => {
      const index = Number(pageToken || 0);
      const nextPageToken = index + 1 < pages.length ? String(index + 1) : '';
      return Promise.resolve({
        entries: [...(pages[index] ?? [])],
        nextPageToken,
        revision: 7,
        incarnation: '',
      });
    },
    count: () => Promise.resolve({ count: pages.flat().length, revision: 7 }),
    backup: () => {
      throw new Error('there is no backup of it');
    },
  };
}

/** The puts of a batch as far as tests look at them. */
export type Put = Extract<Operation, { readonly kind: 'put' }>;

/** A store that is a map, and keeps the batches that it was given. */
export class MapTarget implements ImportTarget {
  readonly puts = new Map<string, Put>();
  readonly batches: ImportedBatch[] = [];
  existsCount = 0;
  /** Called before each transaction. */
  beforeTxn: (batch: ImportedBatch) => void | Promise<void> = () => undefined;
  #revision = 0;

  async txn(batch: ImportedBatch): Promise<{ readonly succeeded: boolean; readonly revision: number }> {
    await this.beforeTxn(batch);
    this.batches.push(batch);
    const succeeded = batch.compares.every(
      ({ subject }) => 'key' in subject && !this.puts.has(nameOf(subject.key)),
    );
    if (succeeded) {
      this.#revision++;
      for (const put of batch.success) this.puts.set(nameOf(put.key), put);
    }
    return { succeeded, revision: this.#revision };
  }

  exists(keys: readonly Key[]): Promise<{ exists: boolean[]; revision: number }> {
    this.existsCount++;
    return Promise.resolve({
      exists: keys.map((key) => this.puts.has(nameOf(key))),
      revision: this.#revision,
    });
  }
}

export function nameOf(key: Key): string {
  return typeof key === 'string' ? key : `0x${Buffer.from(key).toString('hex')}`;
}

/** What a store holds: key, value in hexadecimal digits, deadline. */
export async function contentOf(store: Pick<Store, 'scan'>): Promise<[string, string, number][]> {
  const content: [string, string, number][] = [];
  let pageToken = '';
  do {
    const page = await store.scan({}, { pageToken });
    for (const each of page.entries) {
      content.push([nameOf(keyOf(each)), Buffer.from(each.value).toString('hex'), each.expireTimeMs]);
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return content;
}
