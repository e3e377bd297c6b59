/** Random flushes, hidden ranges, lookups and starts, beside a map of what each key has. */
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { nodeDisk } from '../../../src/disk/node-disk.ts';
import { verifyBtree } from '../../../src/engine/btree/verify-btree.ts';
import type { Base } from '../../../src/engine/layered/base/base.ts';
import { type Change, deletionOf, placeChange, PlacedChange } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { commitAll, deadlinesOf, found, headOf, headsOf, hex, keyOf, rowsOf, textOf } from './base-model.ts';
import { openTestBase } from './open-test-base.ts';

const SEED = Number(process.env['BTREE_SEED'] ?? 1);
const INTEGER_MAX = Number.MAX_SAFE_INTEGER;
/** On both sides of what is apart, and of pages. */
const VALUE_BYTES = [0, 1, 100, 512, 513, 1000, 8191, 8192, 8193, 40_000];
const NUMBERS = [0, 1, 127, 128, 2 ** 28, 2 ** 32 - 1, 2 ** 32, 2 ** 49, INTEGER_MAX];

class ModelRun {
  readonly random: SeededRandom;
  readonly rows = new Map<string, Change>();
  base: Base;
  readonly #directory: string | undefined;
  /** Those that no flush has forgotten yet. */
  #hidden: { start: Uint8Array; end: Uint8Array | undefined }[] = [];
  #revision = 1;

  constructor(seed: number, base: Base, directory: string | undefined) {
    this.random = new SeededRandom(seed);
    this.base = base;
    this.#directory = directory;
  }

  async step(): Promise<void> {
    const dice = this.random.below(20);
    if (dice < 12) await this.#flush();
    else if (dice < 14) await this.#giveUp();
    else if (dice < 17) this.#hide();
    else if (dice === 17) await this.base.compactStorage();
    else await this.#reopen();
    this.verify();
  }

  verify(): void {
    const { base } = this;
    const sorted = [...this.rows.values()].sort((left, right) => Buffer.compare(left.key, right.key));
    expect(rowsOf(base)).toEqual(sorted.map(textOf));
    expect(rowsOf(base, undefined, true)).toEqual(sorted.map(textOf).reverse());
    expect(headsOf(base)).toEqual(sorted.map(headOf));
    const deadlines = sorted
      .filter(({ expireTimeMs }) => expireTimeMs > 0)
      .sort((left, right) => left.expireTimeMs - right.expireTimeMs || Buffer.compare(left.key, right.key));
    expect(deadlinesOf(base)).toEqual(deadlines.map((row) => `${row.expireTimeMs} ${hex(row.key)}`));
    const place = deadlines[this.random.below(deadlines.length)];
    if (place !== undefined) {
      const next = base.deadlines({ deadlineMs: place.expireTimeMs, key: place.key }).next();
      expect(next?.key).toEqual(deadlines[deadlines.indexOf(place) + 1]?.key);
    }
    const leased = [...base.leasedKeys()].map(([id, key]) => `${id} ${hex(key)}`).sort();
    expect(leased).toEqual(
      sorted
        .filter(({ leaseId }) => leaseId > 0)
        .map(({ leaseId, key }) => `${leaseId} ${hex(key)}`)
        .sort(),
    );
    for (let count = 0; count < 20; count++) this.#lookUp();
    const { start, end } = this.#someRange();
    const within = sorted.filter(({ key }) => isIn(key, start, end)).map(textOf);
    expect(rowsOf(base, { start, end })).toEqual(within);
    expect(rowsOf(base, { start, end }, true)).toEqual(within.reverse());
  }

  #lookUp(): void {
    const key = this.#someKey();
    const row = this.rows.get(hex(key));
    expect(found(this.base, key)).toBe(row === undefined ? undefined : textOf(row));
    if (row !== undefined) expect(this.base.mayHave(key)).toBe(true);
    const placed = placeChange(deletionOf(key, 12_345));
    expect(this.base.find(key, placed, false)).toBe(row !== undefined);
    expect(row === undefined ? placed.revision : headOf(placed)).toBe(
      row === undefined ? 12_345 : headOf(row),
    );
  }

  async #flush(): Promise<void> {
    const changes = this.#changes();
    const forgotten = this.#hidden;
    this.#hidden = [];
    const notes = this.random.bytes(this.random.below(50));
    const at = this.#revision++;
    const hasHide = this.random.chance(0.2);
    const flush = await this.base.begin(at);
    for (const range of forgotten) flush.forget(range);
    for (const change of changes) {
      flush.add(placeChange(change));
      if (flush.isFull) await flush.drain();
    }
    // What is hidden during a flush stays so behind it.
    if (hasHide) this.#hide();
    await flush.commit(notes);
    expect([this.base.revision, hex(this.base.notes)]).toEqual([at, hex(notes)]);
    for (const change of changes) {
      if (change.deleted || this.#isHidden(change.key)) this.rows.delete(hex(change.key));
      else this.rows.set(hex(change.key), change);
    }
  }

  async #giveUp(): Promise<void> {
    const { revision } = this.base;
    const flush = await this.base.begin(this.#revision);
    flush.forget({ start: new Uint8Array(0), end: undefined });
    for (const change of this.#changes()) flush.add(placeChange(change));
    await flush.abort();
    expect(this.base.revision).toBe(revision);
  }

  #hide(): void {
    const range = this.#someRange();
    if (range.end === undefined) return;
    this.base.hide(range);
    this.#hidden.push(range);
    for (const [name, { key }] of this.rows) if (isIn(key, range.start, range.end)) this.rows.delete(name);
  }

  #isHidden(key: Uint8Array): boolean {
    return this.#hidden.some(({ start, end }) => isIn(key, start, end));
  }

  async #reopen(): Promise<void> {
    if (this.#directory === undefined || this.#hidden.length > 0) return;
    const { revision, notes } = this.base;
    await this.base.close();
    this.base = await openTestBase(this.#directory);
    expect([this.base.revision, hex(this.base.notes)]).toEqual([revision, hex(notes)]);
  }

  /** Of each key one, in their order. */
  #changes(): Change[] {
    const { random } = this;
    const changes = new Map<string, Change>();
    const count = random.pick([0, 1, 5, 50, 400]);
    for (let index = 0; index < count; index++) {
      const key = this.#someKey();
      changes.set(hex(key), random.chance(0.3) ? deletionOf(key, this.#revision) : this.#put(key));
    }
    return [...changes.values()].sort((left, right) => Buffer.compare(left.key, right.key));
  }

  #put(key: Uint8Array): Change {
    const { random } = this;
    const number = (): number => random.pick(NUMBERS);
    const maybe = (): number => (random.chance(0.7) ? 0 : random.pick([1, 2, 1000, INTEGER_MAX]));
    return {
      key,
      deleted: false,
      value: random.bytes(random.chance(0.9) ? random.below(60) : random.pick(VALUE_BYTES)),
      revision: number(),
      createRevision: number(),
      modRevision: number(),
      version: number(),
      kind: random.below(10),
      collectionId: number(),
      leaseId: maybe(),
      ttlMs: number(),
      expireTimeMs: maybe(),
    };
  }

  #someKey(): Uint8Array {
    const { random } = this;
    if (random.chance(0.01)) return keyOf('ff'.repeat(random.pick([1, 1380, 1890, 1900, 1901, 4114])));
    return Uint8Array.from({ length: random.between(1, 3) }, () => random.pick([0, 1, 2, 97, 128, 254, 255]));
  }

  #someRange(): { start: Uint8Array; end: Uint8Array | undefined } {
    const { random } = this;
    const [start, end] = [this.#someKey(), this.#someKey()].sort((left, right) =>
      Buffer.compare(left, right),
    );
    return {
      start: random.chance(0.1) ? new Uint8Array(0) : (start ?? new Uint8Array(0)),
      end: random.chance(0.2) ? undefined : end,
    };
  }
}

function isIn(key: Uint8Array, start: Uint8Array, end: Uint8Array | undefined): boolean {
  return Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
}

describe.each([{ where: 'on disk' }, { where: 'in memory' }])('a base $where', ({ where }) => {
  let directory: string | undefined;
  beforeEach(async () => {
    directory = where === 'on disk' ? `${await temporaryDirectory()}/base` : undefined;
  });

  test(`holds what a map holds, seed ${SEED}`, { timeout: 120_000 }, async () => {
    const run = new ModelRun(SEED, await openTestBase(directory), directory);
    run.verify();
    for (let step = 1; step <= 80; step++) {
      try {
        await run.step();
      } catch (error) {
        throw new Error(`seed ${SEED}, step ${step}`, { cause: error });
      }
    }
    expect(run.rows.size).toBeGreaterThan(0);
    if (directory === undefined) return;
    await run.base.close();
    const options = { disk: nodeDisk, clock: systemClock, onProgress: () => undefined };
    expect((await verifyBtree(`${directory}/kelp.sqlite`, options)).fault).toBeUndefined();
  });

  test('hands out memory that stays until the next call', async () => {
    const base = await openTestBase(directory);
    const value = Buffer.alloc(9000, 7);
    const row = (key: string): Change => ({ ...deletionOf(keyOf(key), 3), deleted: false, value });
    await commitAll(base, 1, [row('01'), row('02')]);
    const [first, second] = [new PlacedChange(), new PlacedChange()];
    const cursor = base.cursor({ start: keyOf('01'), end: undefined }, false, true);
    expect([cursor.next(first), base.find(keyOf('02'), second, true)]).toEqual([true, true]);
    expect([hex(first.key), hex(second.key)]).toEqual(['01', '02']);
    expect(Buffer.from(first.value).equals(value)).toBe(true);
    cursor.close();
    expect(cursor.next(first)).toBe(false);
  });
});
