/**
 * A random run of everything that an engine can do, beside a plain model: the history of each key, and the sorted texts
 * of those that exist. The same seed does the same; a failure tells the seed and how many operations it took.
 */
import { expect } from 'vitest';
import { LayeredEngine } from '../../../src/engine/layered/layered-engine.ts';
import { MemoryEngine } from '../../../src/engine/memory/memory-engine.ts';
import { type EngineRange, REFUSED_LOAD, type Walk } from '../../../src/engine/engine.ts';
import { type Change, type PlacedChange, placeChange, type Version } from '../../../src/engine/version.ts';
import { SeededRandom } from '../../support/random.ts';
import { PutRow } from '../../../src/engine/put-row.ts';
import { bytes, deletion, put } from '../contract/changes.ts';
import { type KeyShape, keyOfShape } from '../contract/key-shapes.ts';
import { WorkBudget } from '../../../src/work-budget.ts';
import { resultOf } from '../../support/pieces.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { CheckpointingEngine } from '../layered/checkpointing-engine.ts';
import type { MapBase } from '../layered/map-base.ts';
import { verifyIntegrity } from '../memory/integrity.ts';

/** Values up to here are usual; the others lie about the border to values with a buffer of their own, or are large. */
const USUAL_VALUE_BYTES = 60;
const VALUE_BYTES = [0, 1, 3, 4, 5, 300, 2000, 4094, 4095, 4096, 4097, 9000];
const WALKS_MAX = 3;
/** What all keys begin with for a while. */
const FRONTS = ['', 'a', 'all', 'all begin like this: '] as const;

export interface RunOptions {
  readonly shape: KeyShape;
  readonly keyCount: number;
  readonly operations: number;
  readonly verifyEvery: number;
  readonly slabBytesMax: number;
  /** Over a base, with so many checkpoints for each call. */
  readonly checkpointChance?: number;
}

export function runRandomly(seed: number, options: RunOptions): void {
  const run = new RandomRun(seed, options);
  for (let operation = 1; operation <= options.operations; operation++) {
    try {
      run.step();
      if (operation % options.verifyEvery === 0) run.verify();
    } catch (error) {
      throw new Error(`seed ${seed}, ${options.shape}, operation ${operation}`, { cause: error });
    }
  }
  run.end();
}

interface OpenWalk {
  readonly walk: Walk;
  readonly oldest: number;
  readonly expected: readonly string[];
  readonly seen: string[];
}

class RandomRun {
  readonly #random: SeededRandom;
  readonly #options: RunOptions;
  #engine: MemoryEngine | CheckpointingEngine;
  readonly #emptyBytes: number;
  /** Every version that may still be read, oldest first. */
  readonly #histories = new Map<string, Change[]>();
  readonly #walks: OpenWalk[] = [];
  #existing: string[] = [];
  #revision = 0;
  #compactRevision = 0;
  #deleteShare = 0.2;
  #front: (typeof FRONTS)[number] = '';

  constructor(seed: number, options: RunOptions) {
    this.#random = new SeededRandom(seed);
    this.#options = options;
    this.#engine = this.#create();
    this.#emptyBytes = this.#engine.memoryBytes;
  }

  step(): void {
    const random = this.#random;
    // Grows for a while, then shrinks.
    if (random.chance(0.001)) this.#deleteShare = random.pick([0.05, 0.3, 0.95]);
    if (random.chance(0.001)) this.#startAnew();
    if (random.chance(0.001)) this.#reload();
    const dice = random.below(1000);
    if (dice < 500) this.#apply();
    else if (dice < 540) this.#applyFetched();
    else if (dice < 560) this.#putRow();
    else if (dice < 640) this.#read();
    else if (dice < 660) this.#readFetched();
    else if (dice < 680) this.#readRow();
    else if (dice < 740) this.#scan();
    else if (dice < 820) this.#order();
    else if (dice < 830) this.#due();
    else if (dice < 930) this.#engine.maintain(random.chance(0.1));
    else if (dice < 945) this.#compact(random.below(400));
    else if (dice < 948) this.#forget();
    else if (dice < 952) this.#openWalk();
    else this.#goOn();
  }

  verify(): void {
    verifyIntegrity(this.#engine);
    expect(this.#engine.stats().keyCount).toBe(this.#existing.length);
    const texts: string[] = [];
    const options = { reverse: false, budget: new WorkBudget(Infinity) };
    this.#engine.scan(
      rangeOf('', undefined),
      this.#revision,
      options,
      ({ key }) => texts.push(textOf(key)) > 0,
    );
    expect(texts).toEqual(this.#existing);
  }

  /** Deletes everything: nothing stays, but for what an engine has from the first. */
  end(): void {
    this.#empty();
    if (this.#engine instanceof CheckpointingEngine) expect(this.#engine.checkpoint()).toBe(true);
    this.verify();
    expect(this.#engine.stats()).toEqual({ keyCount: 0, versionCount: 0, dataBytes: 0 });
    // Tables and nodes of the smallest size.
    expect(this.#engine.memoryBytes - this.#emptyBytes).toBeLessThan(400_000);
  }

  #create(): MemoryEngine | CheckpointingEngine {
    const { slabBytesMax, checkpointChance } = this.#options;
    const hashSeed = [this.#random.below(2 ** 31), 7] as const;
    if (checkpointChance === undefined) return new MemoryEngine({ slabBytesMax, hashSeed });
    const create = (base: MapBase) =>
      new LayeredEngine(base, { clock: new ManualClock(), slabBytesMax, hashSeed });
    const keepsDeletions = this.#random.chance(0.5);
    return new CheckpointingEngine(create, this.#random.below(2 ** 31), checkpointChance, keepsDeletions);
  }

  /** Deletes all keys, and has the engine be done with them. */
  #empty(): void {
    this.#endWalks();
    for (const text of this.#existing.slice()) this.#add(deletion(text, ++this.#revision));
    this.#compact(0);
    while (this.#engine.maintain(true));
  }

  /** After no key is left, those that come have something else in common. */
  #startAnew(): void {
    this.#empty();
    this.#front = this.#random.pick(FRONTS);
    // A key that all others begin with: none that comes later shortens what all have in common.
    if (this.#front !== '' && this.#random.chance(0.7)) this.#add(put(this.#front, ++this.#revision));
  }

  /** Goes on in another engine that a snapshot, and the changes since, were loaded into. */
  #reload(): void {
    const random = this.#random;
    this.#endWalks();
    if (this.#engine instanceof CheckpointingEngine) {
      this.#engine.restart();
      this.verify();
      return;
    }
    const oldest = this.#compactRevision + random.below(this.#revision - this.#compactRevision + 1);
    const newest = this.#revision - random.below(this.#revision - oldest + 1);
    const walk = this.#engine.openWalk(oldest, newest);
    this.#engine = this.#create();
    const { loader } = this.#engine;
    const finishNewest = (): void => expect(resultOf(loader.finishNewest())).toBe(true);
    let isOlder = false;
    const load = (change: PlacedChange): void => {
      if (change.replacedBy === 0) {
        expect(isOlder).toBe(false);
        expect(loader.newest(placeChange(change))).not.toBe(REFUSED_LOAD);
        return;
      }
      if (!isOlder) finishNewest();
      isOlder = true;
      expect(loader.older(placeChange(change, change.replacedBy))).not.toBe(REFUSED_LOAD);
    };
    while (walk.next(1 + random.below(300), load));
    walk.close();
    if (!isOlder) finishNewest();
    const later = [...this.#histories.values()].flat().filter(({ revision }) => revision > newest);
    for (const change of later.sort((a, b) => a.revision - b.revision))
      expect(loader.next(placeChange(change))).not.toBe(REFUSED_LOAD);
    expect(resultOf(loader.finish())).toBe(true);
    this.#compactRevision = oldest;
    this.#engine.compact(oldest);
    this.verify();
  }

  #key(): string {
    const { shape, keyCount } = this.#options;
    // Some keys are used much more than others.
    const number = this.#random.chance(0.3) ? this.#random.below(10) : this.#random.below(keyCount);
    return this.#front + keyOfShape(shape, number, keyCount);
  }

  #change(): Change {
    const random = this.#random;
    const text = this.#key();
    // Some changes share a revision, as those of one transaction do.
    const before = this.#histories.get(text)?.at(-1);
    if (before?.revision === this.#revision || this.#revision === 0 || random.chance(0.8)) this.#revision++;
    const revision = this.#revision;
    if (random.chance(this.#deleteShare)) return deletion(text, revision);
    const isNew = before === undefined || before.deleted;
    // Only the time to live changes, and the value stays.
    const isTouch = !isNew && random.chance(0.2);
    const value = isTouch ? before.value : this.#value();
    return {
      key: bytes(text),
      revision,
      deleted: false,
      value,
      kind: random.chance(0.1) ? random.below(2 ** 30) : 0,
      collectionId: random.chance(0.1) ? 1 + random.below(2 ** 31) * 2 ** 20 : 0,
      createRevision: isNew ? revision : before.createRevision,
      modRevision: isTouch ? before.modRevision : revision,
      version: isNew ? (random.chance(0.1) ? 250 : 1) : before.version + (isTouch ? 0 : 1),
      leaseId: random.chance(0.1) ? random.below(2 ** 31) * 2 ** 20 : 0,
      ttlMs: random.chance(0.2) ? random.below(2 ** 31) * 8 : 0,
      expireTimeMs: random.chance(0.2) ? 1 + random.below(50) * 2 ** random.pick([0, 30, 31, 32, 40]) : 0,
    };
  }

  #value(): Uint8Array {
    const random = this.#random;
    return random.bytes(random.chance(0.9) ? random.below(USUAL_VALUE_BYTES) : random.pick(VALUE_BYTES));
  }

  #note(change: Change): void {
    const text = textOf(change.key);
    const history = this.#histories.get(text);
    if (history === undefined) this.#histories.set(text, [change]);
    else {
      history.push(change);
      const base = history.findLastIndex(({ revision }) => revision <= this.#compactRevision);
      if (base > 0) history.splice(0, base);
    }
    const place = lowerBound(this.#existing, text);
    const exists = this.#existing[place] === text;
    if (change.deleted && exists) this.#existing.splice(place, 1);
    else if (!change.deleted && !exists) this.#existing.splice(place, 0, text);
  }

  #add(change: Change): void {
    this.#note(change);
    this.#engine.apply(change);
  }

  /** Mostly changes a key that was just read, as stores do, or after what moves keys about. */
  #apply(): void {
    const change = this.#change();
    if (this.#random.chance(0.5)) this.#readMeta(textOf(change.key), this.#readable());
    if (this.#random.chance(0.1)) this.#engine.maintain(this.#random.chance(0.1));
    this.#add(change);
    if (this.#random.chance(0.1)) this.#readMeta(textOf(change.key), this.#readable());
  }

  #applyFetched(): void {
    const changes: Change[] = [];
    for (let count = this.#random.below(140); count > 0; count--) {
      const change = this.#change();
      this.#note(change);
      changes.push(change);
    }
    this.#engine.fetch(
      changes.map(({ key }) => key),
      0,
      changes.length,
    );
    for (const change of changes) this.#engine.apply(change);
  }

  /** A row ends before a key with a lease or a deadline, and tells what it has made of those before. */
  #putRow(): void {
    const random = this.#random;
    const row = new PutRow();
    row.firstRevision = this.#revision + 1;
    const texts = Array.from({ length: random.below(140) }, () => this.#key());
    const values = texts.map(() => this.#value());
    for (const [index, text] of texts.entries()) row.add(bytes(text), Uint8Array.from(values[index] ?? []));
    const expected: Change[] = [];
    for (const [index, text] of texts.entries()) {
      const before = this.#visible(text, this.#revision);
      if (before !== undefined && isMoreThanPlain(before)) break;
      const revision = ++this.#revision;
      const createRevision = before?.createRevision ?? revision;
      const version = (before?.version ?? 0) + 1;
      const value = values[index] ?? new Uint8Array(0);
      const change = put(text, revision, '', { value, createRevision, version });
      this.#note(change);
      expected.push(change);
    }
    expect(this.#engine.putAll(row)).toBe(expected.length);
    const told = expected.map((_, index) => [row.createRevisions[index], row.versions[index]]);
    expect(told).toEqual(expected.map(({ createRevision, version }) => [createRevision, version]));
    row.values.forEach((value) => value.fill(0xee));
    row.keys.forEach((key) => key.fill(0xee));
  }

  #readable(): number {
    return this.#compactRevision + this.#random.below(this.#revision - this.#compactRevision + 2);
  }

  #visible(text: string, revision: number): Change | undefined {
    const change = this.#histories.get(text)?.findLast((each) => each.revision <= revision);
    return change?.deleted === true ? undefined : change;
  }

  #read(): void {
    const text = this.#key();
    const revision = this.#readable();
    const expected = labelOf(this.#visible(text, revision));
    expect(labelOf(this.#engine.read(bytes(text), revision))).toBe(expected);
    this.#readMeta(text, revision);
  }

  #readMeta(text: string, revision: number): void {
    const { revision: found } = this.#engine.readMeta(bytes(text), revision) ?? {};
    expect(found).toBe(this.#visible(text, revision)?.revision);
  }

  #readFetched(): void {
    const revision = this.#readable();
    const texts = Array.from({ length: this.#random.below(140) }, () => this.#key());
    const start = this.#random.below(texts.length + 1);
    this.#engine.fetch(texts.map(bytes), start, start + this.#random.below(texts.length + 1 - start));
    const seen: string[] = [];
    for (const [index, text] of texts.entries()) {
      this.#engine.readPlaced(bytes(text), revision, (version) => {
        if (index === 70) this.#read();
        seen.push(version === undefined ? labelOf(undefined) : labelOf(placeChange(version)));
      });
    }
    expect(seen).toEqual(texts.map((text) => labelOf(this.#visible(text, revision))));
  }

  /** Some keys as a row, up to one that ends it. */
  #readRow(): void {
    const random = this.#random;
    const revision = this.#readable();
    const texts = Array.from({ length: random.below(140) }, () => this.#key());
    const count = random.below(texts.length + 1);
    const lastAt = random.below(300);
    const disturbedAt = random.below(140);
    const seen: string[] = [];
    this.#engine.readAll(texts.map(bytes), count, revision, (version) => {
      if (seen.length === disturbedAt) this.#readFetched();
      return seen.push(version === undefined ? labelOf(undefined) : labelOf(placeChange(version))) <= lastAt;
    });
    const read = texts.slice(0, Math.min(count, lastAt + 1));
    expect(seen).toEqual(read.map((text) => labelOf(this.#visible(text, revision))));
  }

  #bounds(): [start: string, end: string | undefined] {
    const random = this.#random;
    const bound = () => (random.chance(0.8) ? this.#key() : textOf(random.bytes(1 + random.below(4))));
    return [random.chance(0.3) ? '' : bound(), random.chance(0.3) ? undefined : bound()];
  }

  /** Some pages of a range, with reads and scans of others within. */
  #scan(): void {
    const random = this.#random;
    const [start, end] = this.#bounds();
    const revision = random.chance(0.5) ? this.#revision : this.#readable();
    const reverse = random.chance(0.5);
    const visitsMax = 1 + random.below(40);
    const seen: string[] = [];
    let range = rangeOf(start, end);
    let next: Uint8Array | undefined;
    for (let page = 0; page < 3; page++) {
      next = this.#engine.scan(range, revision, { reverse, budget: new WorkBudget(visitsMax) }, (change) => {
        seen.push(`${textOf(change.key)} ${labelOf(placeChange(change))}`);
        if (random.chance(0.02)) this.#order();
        if (random.chance(0.01)) this.#scan();
        return !random.chance(0.02);
      });
      if (next === undefined) break;
      if (reverse) range = { start: range.start, end: Buffer.concat([next, Uint8Array.of(0)]) };
      else range = { start: next, end: range.end };
    }
    const rest = next === undefined ? undefined : textOf(next);
    const low = reverse && rest !== undefined ? `${rest}\0` : start;
    const high = reverse || rest === undefined ? end : rest;
    const expected: string[] = [];
    for (const text of this.#textsOf(low, high)) {
      const version = this.#visible(text, revision);
      if (version !== undefined) expected.push(`${text} ${labelOf(version)}`);
    }
    if (reverse) expected.reverse();
    // A visitor that stops at the last key leaves nothing to go on from; so may what is behind it.
    expect(seen).toEqual(next === undefined ? expected.slice(0, seen.length) : expected);
    if (next === undefined && seen.length < expected.length) expect(seen.length).toBeGreaterThan(0);
  }

  #textsOf(start: string, end: string | undefined): string[] {
    const inRange: string[] = [];
    for (const text of this.#histories.keys()) {
      if (text >= start && (end === undefined || text < end)) inRange.push(text);
    }
    return inRange.sort();
  }

  #order(): void {
    const [start, end] = this.#bounds();
    const range = rangeOf(start, end);
    const from = lowerBound(this.#existing, start);
    const to = Math.max(from, end === undefined ? this.#existing.length : lowerBound(this.#existing, end));
    expect(this.#engine.count(range)).toBe(to - from);
    const key = this.#key();
    const before = Math.min(to, Math.max(from, lowerBound(this.#existing, key))) - from;
    expect(this.#engine.rank(range, bytes(key))).toBe(before);
    for (const index of [0, this.#random.below(to - from + 2), to - from - 1, to - from]) {
      if (index < 0) continue;
      const selected = this.#engine.select(range, index);
      expect(selected && textOf(selected)).toBe(from + index < to ? this.#existing[from + index] : undefined);
    }
  }

  #due(): void {
    const waiting: Change[] = [];
    for (const text of this.#existing) {
      const newest = this.#histories.get(text)!.at(-1)!;
      if (newest.expireTimeMs > 0) waiting.push(newest);
    }
    waiting.sort((a, b) => a.expireTimeMs - b.expireTimeMs || Buffer.compare(a.key, b.key));
    const nowMs = this.#random.below(50) * 2 ** this.#random.pick([0, 31, 41]);
    const limit = this.#random.below(300);
    const expected = waiting.filter(({ expireTimeMs }) => expireTimeMs <= nowMs).slice(0, limit);
    expect(this.#engine.due(nowMs, limit).map(textOf)).toEqual(expected.map(({ key }) => textOf(key)));
    expect(this.#engine.nextDeadlineMs()).toBe(waiting[0]?.expireTimeMs);
    expect(this.#engine.deadlineSums(0)).toEqual({
      count: waiting.length,
      sumMs: waiting.reduce((sum, { expireTimeMs }) => sum + BigInt(expireTimeMs), 0n),
    });
  }

  #compact(back: number): void {
    const pin = Math.min(...this.#walks.map(({ oldest }) => oldest), this.#revision - back);
    if (pin <= this.#compactRevision) return;
    this.#compactRevision = pin;
    this.#engine.compact(pin);
  }

  /** What no reader can name any more: no walk is open. */
  #forget(): void {
    if (this.#walks.length > 0) return;
    const [start, end] = this.#bounds();
    const limit = 1 + this.#random.below(40);
    // Deleted keys are gone once nobody can see what they were.
    while (this.#engine.maintain());
    const texts = this.#textsOf(start, end).filter((text) => {
      const newest = this.#histories.get(text)!.at(-1)!;
      return !newest.deleted || newest.revision > this.#compactRevision;
    });
    const range = rangeOf(start, end);
    let forgotten = texts.slice(0, limit);
    if (this.#options.checkpointChance === undefined)
      expect(this.#engine.forget(range, limit)).toBe(forgotten.length);
    else {
      // What only hides keys of the base is looked at, too, and ends a call that has looked at much.
      while (this.#engine.forget(range, limit) === limit);
      forgotten = texts;
    }
    for (const text of forgotten) {
      this.#histories.delete(text);
      const place = lowerBound(this.#existing, text);
      if (this.#existing[place] === text) this.#existing.splice(place, 1);
    }
  }

  #openWalk(): void {
    if (this.#walks.length === WALKS_MAX) return;
    const oldest = this.#readable();
    const isOne = this.#options.checkpointChance !== undefined;
    const newest = oldest + (isOne ? 0 : this.#random.below(Math.max(1, this.#revision - oldest + 1)));
    if (oldest > this.#revision) return;
    const expected: string[] = [];
    for (const [text, history] of this.#histories) {
      const visible = history.filter(({ revision }) => revision <= newest);
      const last = visible.at(-1);
      if (last !== undefined && !(last.deleted && last.revision <= oldest))
        expected.push(`${text} ${last.revision} ${labelOf(last)} 0`);
      for (const [index, replaced] of visible.slice(0, -1).entries()) {
        const replacedBy = visible[index + 1]!.revision;
        if (replacedBy <= oldest || (replaced.deleted && replaced.revision <= oldest)) continue;
        expected.push(`${text} ${replaced.revision} ${labelOf(replaced)} ${replacedBy}`);
      }
    }
    const walk = this.#engine.openWalk(oldest, newest);
    // The state of a walk's revision is whole.
    this.#revision++;
    this.#walks.push({ walk, oldest, expected: expected.sort(), seen: [] });
  }

  #endWalks(): void {
    while (this.#walks.length > 0) this.#goOn();
  }

  #goOn(): void {
    if (this.#walks.length === 0) return;
    const place = this.#random.below(this.#walks.length);
    const { walk, expected, seen } = this.#walks[place]!;
    const isMore = walk.next(1 + this.#random.below(300), (change) => {
      // That a key was not there before it was deleted is for loading only.
      if (change.revision !== 0)
        seen.push(
          `${textOf(change.key)} ${change.revision} ${labelOf(placeChange(change))} ${change.replacedBy}`,
        );
      if (this.#random.chance(0.01)) this.#read();
      return !this.#random.chance(0.01);
    });
    if (isMore) return;
    walk.close();
    this.#walks.splice(place, 1);
    expect(seen.sort()).toEqual(expected);
  }
}

function rangeOf(start: string, end: string | undefined): EngineRange {
  return { start: bytes(start), end: end === undefined ? undefined : bytes(end) };
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

/** All that a version is, but for its key. */
function labelOf(version: (Version & { readonly deleted?: boolean }) | undefined): string {
  if (version === undefined) return 'nothing';
  if (version.deleted === true) return `deleted ${version.revision}`;
  const { revision, kind, collectionId, createRevision, modRevision, leaseId, ttlMs, expireTimeMs, value } =
    version;
  return [
    revision,
    kind,
    collectionId,
    createRevision,
    modRevision,
    version.version,
    leaseId,
    ttlMs,
    expireTimeMs,
  ]
    .concat(value.length)
    .join(' ')
    .concat(textOf(value));
}

function lowerBound(texts: readonly string[], text: string): number {
  let low = 0;
  let high = texts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (texts[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a row of puts ends before such a version. */
function isMoreThanPlain({ leaseId, expireTimeMs, collectionId }: Version): boolean {
  return leaseId !== 0 || expireTimeMs !== 0 || collectionId !== 0;
}
