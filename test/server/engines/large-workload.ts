/**
 * A workload of everything that a store does, over more data than its memory has room for, held against a model. No write may be
 * refused, and the memory that the store tells of stays below its limit.
 *
 * Writers go on at the same time, each with keys of its own, so that the model knows the order of the writes of a key.
 */
import { expect } from 'vitest';
import type { KelpClient } from '../../../src/client/client.ts';
import { isKelpError } from '../../../src/client/errors/error.ts';
import { SeededRandom } from '../../support/random.ts';
import { numberedValue, numberOf, VALUE_BYTES_MEAN } from './numbered-values.ts';
import { type Change, WholeWatch } from './whole-watch.ts';

export interface LargeWorkloadOptions {
  /** Repeats nothing: each refusal is told. */
  readonly writer: KelpClient;
  readonly reader: KelpClient;
  readonly memoryBytesMax: number;
  readonly dataBytes: number;
  readonly seed: number;
}

const WRITERS = 12;
const TXN_KEYS = 4;
const PAGE_KEYS = 50;
const COLLECTION_SHARE = 1 / 8;
const LEASE_TTL_MS = 1000;
/** So often the memory is asked for, in writes. */
const WRITES_PER_LOOK = 200;

export class LargeWorkload {
  readonly #options: LargeWorkloadOptions;
  readonly #random: SeededRandom;
  readonly #watch: WholeWatch;
  /** The numbers of the values that keys have. */
  readonly #numbers = new Map<string, number>();
  readonly #acknowledged = new Map<number, Map<string, Change>>();
  readonly #leased: string[] = [];
  readonly #scores = new Map<string, number>();
  readonly #elements: number[] = [];
  readonly #fields = new Map<string, number>();
  #writeCount = 0;
  /** The most of each that was told. */
  memoryBytes = 0;
  residentBytes = 0;
  oldReadCount = 0;

  constructor(options: LargeWorkloadOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
    this.#watch = new WholeWatch(options.reader, 'k/');
  }

  /** The keys of all parts together. */
  get #keyCount(): number {
    return Math.floor((this.#options.dataBytes * (1 - COLLECTION_SHARE)) / VALUE_BYTES_MEAN);
  }

  /** Makes a part of the keys, from share to share of them, in any order: puts, and every few together in a transaction. */
  async fill(from: number, to: number): Promise<void> {
    const { writer } = this.#options;
    const [first, end] = [Math.floor(from * this.#keyCount), Math.floor(to * this.#keyCount)];
    const keys = this.#shuffled(Array.from({ length: end - first }, (_, index) => keyOf(first + index)));
    const groups: string[][] = [];
    while (keys.length > 0) groups.push(keys.splice(-(this.#random.chance(0.1) ? TXN_KEYS : 1)));
    await this.#eachAtOnce(groups, async (group) => {
      const [key = ''] = group;
      if (group.length === 1) {
        const { revision } = await writer.put(key, numberedValue(key, 1));
        this.#note(revision, [[key, 1]]);
        return;
      }
      const success = group.map((each) => put(each, 1));
      const { revision } = await writer.txn({
        compares: [{ subject: { key }, relation: 'equal', operand: { kind: 'exists', value: false } }],
        success,
      });
      this.#note(
        revision,
        group.map((each) => [each, 1]),
      );
    });
  }

  /** Overwrites a share of the keys, by puts and by transactions that compare, and deletes half as many, some in ranges. */
  async change(share: number): Promise<void> {
    const { writer } = this.#options;
    const keys = this.#shuffled([...this.#numbers.keys()]).slice(0, Math.floor(share * this.#numbers.size));
    await this.#eachAtOnce(keys, async (key) => {
      const before = this.#numbers.get(key);
      // A range that was deleted meanwhile may have had it.
      if (before === undefined) return;
      const number = before + 1;
      switch (this.#random.below(6)) {
        case 0: {
          const { revision } = await writer.delete(key);
          this.#note(revision, [[key, 'deleted']]);
          return;
        }
        case 1: {
          const { succeeded, revision } = await writer.txn({
            compares: [
              {
                subject: { key },
                relation: 'equal',
                operand: { kind: 'value', value: numberedValue(key, before) },
              },
            ],
            success: [{ kind: 'delete', key }],
          });
          expect(succeeded, key).toBe(true);
          this.#note(revision, [[key, 'deleted']]);
          return;
        }
        case 2: {
          const { succeeded, revision } = await writer.txn({
            compares: [{ subject: { key }, relation: 'equal', operand: { kind: 'version', value: before } }],
            success: [put(key, number)],
          });
          expect(succeeded, key).toBe(true);
          this.#note(revision, [[key, number]]);
          return;
        }
        default: {
          const { revision } = await writer.put(key, numberedValue(key, number));
          this.#note(revision, [[key, number]]);
        }
      }
    });
    await this.#deleteRange();
  }

  /** Overwrites some keys, and reads what was before: as far as history reaches it is there. */
  async readOld(count: number): Promise<void> {
    const { writer, reader } = this.#options;
    const keys = this.#shuffled([...this.#numbers.keys()]).slice(0, count);
    await this.#eachAtOnce(keys, async (key) => {
      const before = this.#numbers.get(key) ?? 0;
      const { revision } = await writer.put(key, numberedValue(key, before + 1));
      this.#note(revision, [[key, before + 1]]);
      try {
        const { entry } = await reader.get(key, { revision: revision - 1 });
        expect(entry && numberOf(key, entry.value), key).toBe(before);
        this.oldReadCount++;
      } catch (error) {
        if (!isKelpError(error, 'revisionCompacted')) throw error;
      }
    });
  }

  /** Keys that go with leases, and others that expire by themselves; waits until they are gone. */
  async expire(count: number): Promise<void> {
    const { writer } = this.#options;
    const { id: leaseId } = await writer.leases.grant(LEASE_TTL_MS);
    const keys = Array.from({ length: count }, (_, index) => `k/leased/${this.#leased.length + index}`);
    this.#leased.push(...keys);
    await this.#eachAtOnce(keys, async (key) => {
      const options = this.#random.chance(0.5) ? { leaseId } : { ttlMs: LEASE_TTL_MS };
      // The lease may have ended by now, on a busy machine.
      const put = writer.put(key, numberedValue(key, 1), options).catch((error: unknown) => {
        if (!isKelpError(error, 'leaseNotFound')) throw error;
        return writer.put(key, numberedValue(key, 1), { ttlMs: LEASE_TTL_MS });
      });
      const { revision } = await put;
      this.#note(revision, [[key, 1]]);
    });
    await this.#watch.gone(keys);
    for (const key of keys) this.#numbers.delete(key);
  }

  /** Adds to a sorted set, a list and a hash, of all together so many bytes. */
  async fillCollections(share: number): Promise<void> {
    const { writer, dataBytes } = this.#options;
    const count = Math.floor((share * dataBytes * COLLECTION_SHARE) / (2 * VALUE_BYTES_MEAN));
    const first = this.#elements.length;
    for (let index = first; index < first + count; index++) {
      await writer.list.push('list', [numberedValue('list', index)]);
      this.#elements.push(index);
    }
    const indexes = Array.from({ length: count }, (_, index) => first + index);
    await this.#eachAtOnce(indexes, async (index) => {
      const field = `field-${index}`;
      await writer.hash.set('hash', { [field]: numberedValue(field, 1) });
      this.#fields.set(field, 1);
      const members = Array.from({ length: 4 }, (_, part) => `member-${index}-${part}`);
      const scores = members.map((member): [string, number] => [member, this.#random.below(1000)]);
      await writer.sortedSet.add('set', scores);
      for (const [member, score] of scores) this.#scores.set(member, score);
    });
    for (const field of this.#shuffled([...this.#fields.keys()]).slice(0, count / 8)) {
      await writer.hash.delete('hash', [field]);
      this.#fields.delete(field);
    }
    for (const member of this.#shuffled([...this.#scores.keys()]).slice(0, count / 8)) {
      await writer.sortedSet.remove('set', [member]);
      this.#scores.delete(member);
    }
  }

  /** Everything that was acknowledged is there, by every way to read it. */
  async check(): Promise<void> {
    await this.#checkKeys();
    await this.#checkCollections();
    await this.#look();
    await this.#checkWatch();
  }

  async end(): Promise<void> {
    await this.#watch.end();
  }

  async #deleteRange(): Promise<void> {
    const { writer } = this.#options;
    const start = keyOf(this.#random.below(this.#keyCount));
    const end = `${start.slice(0, -1)}~`;
    const keys = [...this.#numbers.keys()].filter((key) => key >= start && key < end);
    const { revision, deletedCount } = await writer.deleteRange({ start, end });
    expect(deletedCount).toBe(keys.length);
    if (keys.length > 0)
      this.#note(
        revision,
        keys.map((key) => [key, 'deleted']),
      );
  }

  async #checkKeys(): Promise<void> {
    const { reader } = this.#options;
    const keys = [...this.#numbers.keys()].sort();
    expect((await reader.count({ prefix: 'k/' })).count).toBe(keys.length);
    const scanned: string[] = [];
    for await (const { key, value } of reader.scan({ prefix: 'k/' }, { pageSize: PAGE_KEYS })) {
      scanned.push(key);
      const number = numberOf(key, value);
      if (number !== this.#numbers.get(key)) expect.fail(`${key}: ${number}, not ${this.#numbers.get(key)}`);
    }
    expect(same(scanned, keys)).toBe(true);
    const reversed: string[] = [];
    const options = { reverse: true, keysOnly: true, pageSize: 10 * PAGE_KEYS };
    for await (const { key } of reader.scan({ prefix: 'k/' }, options)) reversed.push(key);
    expect(same(reversed.reverse(), keys)).toBe(true);
    for (let round = 0; round < 50; round++) {
      const [start, end] = [this.#random.below(this.#keyCount), this.#random.below(this.#keyCount)]
        .sort((a, b) => a - b)
        .map(keyOf);
      const range = { start: start ?? '', end: `${end}+` };
      const inside = keys.filter((key) => key >= range.start && key < range.end);
      expect((await reader.count(range)).count).toBe(inside.length);
      const last = reader.scan(range, { reverse: true, limit: 3 });
      for await (const { key, value } of last)
        expect([key, numberOf(key, value)]).toEqual([inside.at(-1), this.#numbers.get(inside.pop() ?? '')]);
    }
    const absent = keyOf(this.#keyCount + 1);
    expect((await reader.get(absent)).entry).toBeUndefined();
  }

  async #checkCollections(): Promise<void> {
    const { reader } = this.#options;
    const members = [...this.#scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
    const names: string[] = [];
    for await (const { member } of reader.sortedSet.range('set', {}, { pageSize: PAGE_KEYS * 10 }))
      names.push(member.text());
    expect(
      same(
        names,
        members.map(([member]) => member),
      ),
    ).toBe(true);
    for (let round = 0; round < 20 && members.length > 0; round++) {
      const rank = this.#random.below(members.length);
      const [member = '', score] = members[rank] ?? [];
      expect(await reader.sortedSet.rank('set', member)).toMatchObject({ rank, score });
    }
    for (let round = 0; round < 20 && this.#elements.length > 0; round++) {
      const start = this.#random.below(this.#elements.length);
      const { elements } = await reader.list.range('list', { start, stop: start + 4 });
      const numbers = elements.map((element) => numberOf('list', element.bytes));
      expect(numbers).toEqual(this.#elements.slice(start, start + 5));
    }
    const fields: string[] = [];
    for await (const { name, value } of reader.hash.scan('hash', { pageSize: PAGE_KEYS })) {
      fields.push(name.text());
      expect(numberOf(name.text(), value.bytes)).toBe(1);
    }
    expect(same(fields.sort(), [...this.#fields.keys()].sort())).toBe(true);
  }

  /** What has come since it was last asked is what was acknowledged, and nothing else. */
  async #checkWatch(): Promise<void> {
    const { revision } = await this.#options.reader.admin.status();
    await this.#watch.reached(revision);
    const { faults, changes } = this.#watch;
    expect(faults).toEqual([]);
    const missing: string[] = [];
    for (const [at, expected] of this.#acknowledged) {
      const seen = changes.get(at);
      if (lineOf(seen) !== lineOf(expected))
        missing.push(`${at}: ${lineOf(expected)}, and the watch has ${lineOf(seen)}`);
      changes.delete(at);
    }
    const leased = new Set(this.#leased);
    for (const [at, seen] of changes)
      for (const [key, change] of seen)
        if (change !== 'expired' || !leased.has(key))
          missing.push(`${at}: ${lineOf(seen)} was not asked for`);
    expect(missing.slice(0, 10)).toEqual([]);
    this.#acknowledged.clear();
    changes.clear();
  }

  async #eachAtOnce<Item>(items: readonly Item[], write: (item: Item) => Promise<void>): Promise<void> {
    let next = 0;
    const work = async (): Promise<void> => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) {
        await write(item);
        if (++this.#writeCount % WRITES_PER_LOOK === 0) await this.#look();
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, work));
  }

  async #look(): Promise<void> {
    const { reader, memoryBytesMax } = this.#options;
    const { memoryBytes, residentBytes } = await reader.admin.status();
    this.memoryBytes = Math.max(this.memoryBytes, memoryBytes);
    this.residentBytes = Math.max(this.residentBytes, residentBytes);
    expect(memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
  }

  #note(revision: number, changes: readonly (readonly [key: string, change: Change])[]): void {
    this.#acknowledged.set(revision, new Map(changes));
    for (const [key, change] of changes) {
      if (typeof change === 'number') this.#numbers.set(key, change);
      else this.#numbers.delete(key);
    }
  }

  #shuffled<Item>(items: Item[]): Item[] {
    for (let index = items.length - 1; index > 0; index--) {
      const other = this.#random.below(index + 1);
      [items[index], items[other]] = [items[other] as Item, items[index] as Item];
    }
    return items;
  }
}

function keyOf(index: number): string {
  return `k/${String(index).padStart(8, '0')}`;
}

function put(key: string, number: number) {
  return { kind: 'put', key, value: numberedValue(key, number) } as const;
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((each, index) => each === others[index]);
}

function lineOf(changes: ReadonlyMap<string, Change> | undefined): string {
  return [...(changes ?? [])]
    .map(([key, change]) => `${key} ${change}`)
    .sort()
    .join(', ');
}
