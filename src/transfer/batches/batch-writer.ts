/**
 * Writes entries in batches: each is one transaction, in which it is also decided whether a key may be written.
 *
 * - An entry is written in the batch of its turn or not at all, so what is done is always the first entries of the input, ...
 * - ... and `done` says how many, after each batch.
 * - With `skip` and `fail` no key is replaced, whatever others write meanwhile: a batch is written only if none of its keys is
 *   there. Which of them are is looked up when it was refused, and it is tried again without them.
 * - A batch that the store refuses, since it is too much or an entry in it breaks a rule, is halved, down to the one entry that it
 *   does not take, which the error names.
 */
import type { Key, Operation } from '../../api.ts';
import type { Clock } from '../../clock.ts';
import { fixed, transfer as limits } from '../../limits.ts';
import type { TransferEntry } from '../contract/entry.ts';
import type { ImportTarget, ImportedBatch } from '../contract/stores.ts';
import { type ImportProgress, TransferError, messageOf, storeCodeOf } from '../contract/transfer-error.ts';
import type { OnConflict } from '../contract/words.ts';

export interface BatchOptions {
  readonly onConflict: OnConflict;
  /** Looks at everything and writes nothing. */
  readonly isDryRun: boolean;
  readonly clock: Clock;
}

/** An entry with its place in the input, from 1 on; or one that is left out, of which only that is kept. */
interface Item {
  readonly place: number;
  readonly entry: TransferEntry | 'expired' | 'leased' | 'collection';
}

interface WrittenItem extends Item {
  readonly entry: TransferEntry;
}

export class BatchWriter {
  readonly done: { -readonly [Name in keyof ImportProgress]: number };
  /** Of the last transaction that has written anything; 0: none has. */
  revision = 0;
  readonly #target: ImportTarget;
  readonly #options: BatchOptions;
  #items: Item[] = [];
  #bytes = 0;
  #keys = new Set<string>();
  /** Of the entry that was added last. */
  #lastPlace: number;
  /** The last batch had keys that were there already: so the next one will, and to ask first is cheaper. */
  #hasConflicts = false;

  /** @param place the entries of the input that are done already. */
  constructor(target: ImportTarget, options: BatchOptions, place: number) {
    this.#target = target;
    this.#options = options;
    this.#lastPlace = place;
    const leftOut = { skippedCount: 0, expiredCount: 0, leasedCount: 0, collectionCount: 0 };
    this.done = { entryCount: place, writtenCount: 0, ...leftOut };
  }

  /** The entries of the batch that is being put together or written: from the first to the last. */
  get pending(): { readonly first: number; readonly last: number } {
    return { first: this.done.entryCount + 1, last: this.#lastPlace };
  }

  /** Takes the next entry of the input; writes the batch when it is full. */
  async add(entry: TransferEntry): Promise<void> {
    const bytes = entry.key.length + entry.value.length;
    const name = nameOf(entry.key);
    const isFull = this.#items.length >= limits.batchKeysMax || this.#bytes + bytes > limits.batchBytesMax;
    // A transaction writes a key once; which of two entries counts, the rule for conflicts says.
    if (this.#items.length > 0 && (isFull || this.#keys.has(name))) await this.flush();
    const place = ++this.#lastPlace;
    if (entry.isCollection) this.#items.push({ place, entry: 'collection' });
    else if (entry.isLeased) this.#items.push({ place, entry: 'leased' });
    else if (this.#leftMs(entry) <= 0) this.#items.push({ place, entry: 'expired' });
    else {
      this.#items.push({ place, entry });
      this.#keys.add(name);
      this.#bytes += bytes;
    }
  }

  /** Writes what was added. */
  async flush(): Promise<void> {
    const items = this.#items;
    if (items.length > 0) await this.#write(items);
    this.#items = [];
    this.#keys.clear();
    this.#bytes = 0;
  }

  async #write(items: readonly Item[]): Promise<void> {
    try {
      await this.#writeAtOnce(items.filter(isWritten));
    } catch (error) {
      if (!['limitReached', 'invalidArgument'].includes(storeCodeOf(error))) throw error;
      if (items.length === 1) throw refused(items[0], error);
      const half = Math.ceil(items.length / 2);
      await this.#write(items.slice(0, half));
      await this.#write(items.slice(half));
      return;
    }
    const { done } = this;
    done.entryCount += items.length;
    for (const { entry } of items) {
      if (entry === 'expired') done.expiredCount++;
      else if (entry === 'leased') done.leasedCount++;
      else if (entry === 'collection') done.collectionCount++;
    }
  }

  async #writeAtOnce(items: readonly WrittenItem[]): Promise<void> {
    const { onConflict, isDryRun } = this.#options;
    let rest = items;
    if (onConflict !== 'replace' && (isDryRun || (onConflict === 'skip' && this.#hasConflicts))) {
      rest = await this.#withoutExisting(rest);
    }
    if (!isDryRun) rest = await this.#writeNew(rest);
    const skippedCount = items.length - rest.length;
    this.#hasConflicts = skippedCount > 0;
    this.done.writtenCount += rest.length;
    this.done.skippedCount += skippedCount;
  }

  /** @returns those that were written: with a condition, all whose keys were not there. */
  async #writeNew(items: readonly WrittenItem[]): Promise<readonly WrittenItem[]> {
    let rest = items;
    while (rest.length > 0) {
      const { succeeded, revision } = await this.#target.txn(this.#batchOf(rest));
      if (succeeded) {
        this.revision = revision;
        break;
      }
      rest = await this.#withoutExisting(rest);
    }
    return rest;
  }

  #batchOf(items: readonly WrittenItem[]): ImportedBatch {
    const isConditional = this.#options.onConflict !== 'replace';
    return {
      compares: isConditional
        ? items.map(({ entry: { key } }) => ({
            subject: { key },
            relation: 'equal',
            operand: { kind: 'exists', value: false },
          }))
        : [],
      success: items.map(({ entry }) => this.#putOf(entry)),
    };
  }

  #putOf(entry: TransferEntry): Extract<Operation, { readonly kind: 'put' }> {
    const { key, value } = entry;
    const leftMs = this.#leftMs(entry);
    // What has come to its end since it was looked at lives a millisecond more.
    const ttlMs = Math.min(Math.max(1, leftMs), fixed.ttlMsMax);
    return { kind: 'put', key, value, ...(leftMs !== Number.POSITIVE_INFINITY && { ttlMs }) };
  }

  async #withoutExisting(items: readonly WrittenItem[]): Promise<readonly WrittenItem[]> {
    if (items.length === 0) return items;
    const { exists } = await this.#target.exists(items.map(({ entry }) => entry.key));
    if (this.#options.onConflict === 'fail') {
      const conflict = items.find((_, index) => exists[index]);
      if (conflict !== undefined) throw keyExists(conflict);
    }
    return items.filter((_, index) => exists[index] !== true);
  }

  /** What is left of its time to live; infinite when it has none. */
  #leftMs({ expireTimeMs }: TransferEntry): number {
    return expireTimeMs === 0 ? Number.POSITIVE_INFINITY : expireTimeMs - this.#options.clock.nowMs();
  }
}

function isWritten(item: Item): item is WrittenItem {
  return typeof item.entry !== 'string';
}

function nameOf(key: Key): string {
  return typeof key === 'string' ? `text ${key}` : `bytes ${Buffer.from(key).toString('latin1')}`;
}

/** What the store says of a single entry; it does not say which one it is. */
function refused(item: Item | undefined, error: unknown): TransferError {
  const which = item !== undefined && isWritten(item) ? `${shownKey(item)}: ` : '';
  return new TransferError('failed', which + messageOf(error), { cause: error });
}

function shownKey({ entry: { key }, place }: WrittenItem): string {
  const shown = typeof key === 'string' ? JSON.stringify(key) : `0x${Buffer.from(key).toString('hex')}`;
  return `the key ${shown} (entry ${place})`;
}

function keyExists(item: WrittenItem): TransferError {
  return new TransferError(
    'keyExists',
    `${shownKey(item)} is there already; to leave it or to write over it, say what is to be done on a conflict: skip or replace`,
  );
}
