/**
 * `HeapEngine`: the `Engine` contract in plain JavaScript maps and arrays. It is the model that other engines are
 * tested against, so the obvious way wins over the fast one.
 *
 * A key is kept as a text of one character per byte (latin1): such texts are equal, and in order, exactly when their
 * bytes are.
 *
 * Invariants:
 *
 * - `#versionsByKey` and `#keys` hold the same keys, each with at least one version, oldest first.
 * - `#deadlines` holds one text for each key whose newest version has a deadline.
 * - `#leftovers` holds at least one text of (revision, key) for each version that a compaction to that revision makes
 *   superfluous: because the version of that revision replaced it, or because it is itself a deletion.
 */
import { assert } from '../../../src/errors.ts';
import type {
  Engine,
  EngineLoader,
  EngineRange,
  DeadlineSums,
  EngineStats,
  ScanOptions,
  Visit,
  VisitRead,
  VisitRow,
  Walk,
  WalkVisit,
} from '../../../src/engine/engine.ts';
import { KEY_BYTES_MAX, REFUSED_LOAD } from '../../../src/engine/engine.ts';
import { PutOneByOne } from '../../../src/engine/put-one-by-one.ts';
import type { PutRow } from '../../../src/engine/put-row.ts';
import type { Change, PlacedChange, Version } from '../../../src/engine/version.ts';
import { deletionOf, placeChange } from '../../../src/engine/version.ts';
import type { WorkBudget } from '../../../src/work-budget.ts';
import { SortedTexts } from './sorted-texts.ts';

interface StoredVersion extends Version {
  readonly deleted: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** How many leftovers one call of `maintain` looks at. */
const LEFTOVERS_PER_STEP = 1000;

/** What a version takes beside its key and value, roughly. */
const VERSION_OBJECT_BYTES = 300;

export class HeapEngine implements Engine, EngineLoader {
  readonly #putOneByOne = new PutOneByOne(this);
  readonly #versionsByKey = new Map<string, StoredVersion[]>();
  readonly #keys = new SortedTexts();
  readonly #deadlines = new SortedTexts();
  readonly #leftovers = new SortedTexts();
  /** While older versions are loaded: which replaced the last one, of all and of each key. */
  #lastReplacedBy = 0;
  readonly #replacedByOfKey = new Map<string, number>();
  #compactRevision = 0;
  #newestRevision = 0;
  /** Whether a key was loaded twice. */
  #isRefused = false;
  /** Keys whose newest version lacks the one that it replaced. */
  readonly #incomplete = new Set<string>();
  #walkCount = 0;
  #keyCount = 0;
  #versionCount = 0;
  #dataBytes = 0;

  read(key: Uint8Array, revision: number): Version | undefined {
    const version = this.#visible(textOf(key), revision);
    return version && { ...version, value: version.value.slice() };
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    const version = this.#visible(textOf(key), revision);
    return version && withoutValue(version);
  }

  /** Has nothing to bring anywhere. */
  fetch(): void {}

  putAll(row: PutRow): number {
    return this.#putOneByOne.putAll(row);
  }

  readPlaced(key: Uint8Array, revision: number, visit: VisitRead): void {
    const version = this.#visible(textOf(key), revision);
    visit(version && placeChange({ ...version, key }));
  }

  readAll(keys: readonly Uint8Array[], count: number, revision: number, visit: VisitRow): void {
    let isMore = true;
    for (const key of keys.slice(0, count)) {
      if (isMore) this.readPlaced(key, revision, (version) => (isMore = visit(version)));
    }
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    const { reverse, budget } = options;
    let isStopped = false;
    for (const text of this.#textsOf(range, reverse)) {
      const newest = this.#versionsByKey.get(text)?.at(-1);
      if (newest?.deleted === true && newest.revision <= revision) continue;
      if (budget.visitsLeft <= 0 || isStopped) return bytesOf(text);
      budget.spendVisits(1);
      const version = this.#visible(text, revision);
      if (version !== undefined) isStopped = !visit(placeChange({ ...version, key: bytesOf(text) }));
    }
    return undefined;
  }

  count(range: EngineRange): number {
    return this.#existing(range).length;
  }

  rank(range: EngineRange, key: Uint8Array): number {
    return this.#existing(range).filter((text) => text < textOf(key)).length;
  }

  select(range: EngineRange, index: number): Uint8Array | undefined {
    const text = this.#existing(range)[index];
    return text === undefined ? undefined : bytesOf(text);
  }

  selectAll(indexes: Float64Array, _budget: WorkBudget, visit: (key: Uint8Array) => void): number {
    const texts = this.#existing({ start: NO_BYTES, end: undefined });
    for (const index of indexes) visit(bytesOf(texts[index] ?? ''));
    return indexes.length;
  }

  rankAll(keys: readonly Uint8Array[], _budget: WorkBudget, visit: (rank: number) => void): number {
    const texts = this.#existing({ start: NO_BYTES, end: undefined });
    let rank = 0;
    for (const key of keys) {
      for (const text = textOf(key); rank < texts.length && (texts[rank] ?? '') < text; rank++);
      visit(rank);
    }
    return keys.length;
  }

  readonly selectVisits = 1;

  apply(change: Change): void {
    const { key, revision, deleted } = change;
    assert(key.length >= 1 && key.length <= KEY_BYTES_MAX, 'a key has 1 to 65535 bytes');
    const text = textOf(key);
    const versions = this.#versionsByKey.get(text) ?? [];
    const previous = versions.at(-1);
    assert(revision > (previous?.revision ?? 0), 'the revisions of a key ascend');
    assert(revision >= this.#newestRevision, 'revisions ascend');
    this.#newestRevision = revision;
    if (previous === undefined) {
      this.#versionsByKey.set(text, versions);
      this.#keys.add(text);
    }
    const version = deleted ? deletionOf(NO_BYTES, revision) : storedCopyOf(change);
    versions.push(version);

    if (previous !== undefined && previous.expireTimeMs > 0) {
      this.#deadlines.delete(orderedText(previous.expireTimeMs, text));
    }
    if (version.expireTimeMs > 0) this.#deadlines.add(orderedText(version.expireTimeMs, text));
    if (previous !== undefined || deleted) this.#leftovers.add(orderedText(revision, text));
    this.#keyCount += (deleted ? 0 : 1) - (previous === undefined || previous.deleted ? 0 : 1);
    this.#versionCount++;
    this.#dataBytes += key.length + version.value.length;
  }

  readonly unpaidVisits = 0;

  get isWalked(): boolean {
    return this.#walkCount > 0;
  }

  forget(range: EngineRange, limit: number): number {
    const texts = [...this.#textsOf(range, false)].slice(0, limit);
    for (const text of texts) {
      const versions = this.#versionsByKey.get(text) ?? [];
      const newest = versions.at(-1);
      if (newest?.deleted === false) this.#keyCount--;
      if (newest !== undefined && newest.expireTimeMs > 0)
        this.#deadlines.delete(orderedText(newest.expireTimeMs, text));
      for (const version of versions) this.#countDropped(text, version);
      this.#versionsByKey.delete(text);
      this.#keys.delete(text);
    }
    return texts.length;
  }

  get loader(): EngineLoader {
    return this;
  }

  newest(change: PlacedChange): number {
    if (change.revision <= 0) return REFUSED_LOAD;
    if (this.#versionsByKey.has(textOf(change.key))) {
      this.#isRefused = true;
      return 0;
    }
    const newest = Math.max(this.#newestRevision, change.revision);
    // In no order of revisions.
    this.#newestRevision = 0;
    this.apply(change);
    this.#newestRevision = newest;
    if (change.deleted) this.#incomplete.add(textOf(change.key));
    // A deletion that is loaded brings the version that it replaced.
    if (change.deleted) this.#leftovers.delete(orderedText(change.revision, textOf(change.key)));
    return 0;
  }

  *finishNewest(): Generator<undefined, boolean> {
    yield;
    return !this.#isRefused;
  }

  older(change: PlacedChange): number {
    const { replacedBy } = change;
    const text = textOf(change.key);
    const versions = this.#versionsByKey.get(text);
    const newest = versions?.at(-1);
    const lastOfKey = this.#replacedByOfKey.get(text);
    if (versions === undefined || newest === undefined || newest.revision < replacedBy) return REFUSED_LOAD;
    if (change.revision >= replacedBy || replacedBy < this.#lastReplacedBy) return REFUSED_LOAD;
    if (lastOfKey !== undefined && lastOfKey !== change.revision) return REFUSED_LOAD;
    if (newest.revision === replacedBy) this.#incomplete.delete(text);
    else this.#incomplete.add(text);
    this.#lastReplacedBy = replacedBy;
    this.#replacedByOfKey.set(text, replacedBy);
    this.#leftovers.add(orderedText(replacedBy, text));
    if (change.revision === 0) return 0;
    const version = change.deleted ? deletionOf(NO_BYTES, change.revision) : storedCopyOf(change);
    versions.splice(-1, 0, version);
    this.#versionCount++;
    this.#dataBytes += text.length + version.value.length;
    return 0;
  }

  next(change: PlacedChange): number {
    const previous = this.#versionsByKey.get(textOf(change.key))?.at(-1);
    if (change.revision <= (previous?.revision ?? 0) || change.revision < this.#newestRevision)
      return REFUSED_LOAD;
    this.apply(change);
    return previous?.leaseId ?? 0;
  }

  *finish(): Generator<undefined, boolean> {
    yield;
    return this.#incomplete.size === 0;
  }

  openWalk(oldest: number, newest: number): Walk {
    this.#assertReadable(oldest);
    const items: { readonly change: Change; readonly replacedBy: number }[] = [];
    const older: typeof items = [];
    for (const text of this.#keys.upFrom('')) {
      const key = bytesOf(text);
      const versions = (this.#versionsByKey.get(text) ?? []).filter(({ revision }) => revision <= newest);
      for (const [index, version] of versions.entries()) {
        const before = versions[index - 1];
        if (version.revision <= oldest) continue;
        if (before !== undefined && !(before.deleted && before.revision <= oldest))
          older.push({ change: { ...before, key }, replacedBy: version.revision });
        else if (version.deleted) older.push({ change: deletionOf(key, 0), replacedBy: version.revision });
      }
      const last = versions.at(-1);
      if (last !== undefined && !(last.deleted && last.revision <= oldest))
        items.push({ change: { ...last, key }, replacedBy: 0 });
    }
    items.push(...older.sort((a, b) => a.replacedBy - b.replacedBy));
    let place = 0;
    let isOpen = true;
    this.#walkCount++;
    const close = (): void => {
      if (isOpen) this.#walkCount--;
      isOpen = false;
    };
    return {
      next(visitsMax: number, visit: WalkVisit): boolean {
        for (let left = visitsMax; left > 0 && place < items.length; left--) {
          const { change, replacedBy } = items[place++]!;
          if (visit(placeChange(change, replacedBy)) === false) left = 0;
        }
        return place < items.length;
      },
      close,
    };
  }

  compact(revision: number): void {
    this.#compactRevision = Math.max(this.#compactRevision, revision);
  }

  maintain(): boolean {
    const ready: string[] = [];
    for (const leftover of this.#leftovers.upFrom('')) {
      if (numberOf(leftover) > this.#compactRevision || ready.length === LEFTOVERS_PER_STEP) break;
      ready.push(leftover);
    }
    for (const leftover of ready) {
      this.#leftovers.delete(leftover);
      this.#dropSuperfluous(leftover.slice(NUMBER_DIGITS));
    }
    return ready.length === LEFTOVERS_PER_STEP;
  }

  due(nowMs: number, limit: number): Uint8Array[] {
    const keys: Uint8Array[] = [];
    for (const deadline of this.#deadlines.upFrom('')) {
      if (numberOf(deadline) > nowMs || keys.length >= limit) break;
      keys.push(bytesOf(deadline.slice(NUMBER_DIGITS)));
    }
    return keys;
  }

  nextDeadlineMs(): number | undefined {
    const first = this.#deadlines.upFrom('').next().value;
    return first === undefined ? undefined : numberOf(first);
  }

  /** It tells no groups apart. */
  deadlineSums(group: number): DeadlineSums {
    const deadlines = group === 0 ? [...this.#deadlines.upFrom('')].map(numberOf) : [];
    return { count: deadlines.length, sumMs: deadlines.reduce((sum, ms) => sum + BigInt(ms), 0n) };
  }

  stats(): EngineStats {
    return { keyCount: this.#keyCount, versionCount: this.#versionCount, dataBytes: this.#dataBytes };
  }

  /** An estimate: nobody knows what an object takes. */
  get memoryBytes(): number {
    return this.#dataBytes + this.#versionCount * VERSION_OBJECT_BYTES;
  }

  verifyIntegrity(): void {
    for (const texts of [this.#keys, this.#deadlines, this.#leftovers]) texts.verifyIntegrity();
    const texts = [...this.#keys.upFrom('')];
    assert(texts.length === this.#versionsByKey.size, 'the index holds as many keys as the map');
    let [keyCount, versionCount, dataBytes, deadlineCount] = [0, 0, 0, 0];
    for (const text of texts) {
      const versions = this.#versionsByKey.get(text) ?? [];
      const newest = versions.at(-1);
      assert(newest !== undefined, 'a key of the index has a version');
      let revision = 0;
      for (const version of versions) {
        assert(version.revision > revision, 'the revisions of a key ascend');
        revision = version.revision;
        versionCount++;
        dataBytes += text.length + version.value.length;
      }
      if (!newest.deleted) keyCount++;
      if (newest.expireTimeMs > 0) {
        deadlineCount++;
        const deadline = orderedText(newest.expireTimeMs, text);
        assert(this.#deadlines.upFrom(deadline).next().value === deadline, 'a deadline is in the index');
      }
    }
    assert(deadlineCount === [...this.#deadlines.upFrom('')].length, 'every deadline is of a newest version');
    assert(
      keyCount === this.#keyCount && versionCount === this.#versionCount && dataBytes === this.#dataBytes,
      'the counts are true',
    );
  }

  #visible(text: string, revision: number): StoredVersion | undefined {
    this.#assertReadable(revision);
    const version = this.#versionsByKey.get(text)?.findLast((candidate) => candidate.revision <= revision);
    return version?.deleted === true ? undefined : version;
  }

  /** The keys of a range that exist in the newest state. */
  #existing(range: EngineRange): string[] {
    return [...this.#textsOf(range, false)].filter(
      (text) => this.#versionsByKey.get(text)?.at(-1)?.deleted === false,
    );
  }

  *#textsOf(range: EngineRange, isReverse: boolean): Generator<string, undefined> {
    const start = textOf(range.start);
    const end = range.end && textOf(range.end);
    for (const text of isReverse ? this.#keys.downFrom(end) : this.#keys.upFrom(start)) {
      if (isReverse ? text < start : end !== undefined && text >= end) return;
      yield text;
    }
  }

  /** Drops the versions of a key that no read at the compaction's revision or above can see. */
  #dropSuperfluous(text: string): void {
    const versions = this.#versionsByKey.get(text);
    if (versions === undefined) return;
    const baseIndex = versions.findLastIndex((version) => version.revision <= this.#compactRevision);
    // A deletion that something has replaced goes with the next compaction.
    const isBaseNeeded = versions[baseIndex]?.deleted === false || baseIndex < versions.length - 1;
    for (const version of versions.splice(0, isBaseNeeded ? baseIndex : baseIndex + 1))
      this.#countDropped(text, version);
    if (versions.length > 0) return;
    this.#versionsByKey.delete(text);
    this.#keys.delete(text);
  }

  #countDropped(text: string, version: StoredVersion): void {
    this.#versionCount--;
    this.#dataBytes -= text.length + version.value.length;
  }

  #assertReadable(revision: number): void {
    assert(revision >= this.#compactRevision, 'nobody reads below the revision of the compaction');
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** As many digits as the largest whole number has that a `number` holds exactly. */
const NUMBER_DIGITS = 16;

/** A text that sorts by `number`, then by `text`. */
function orderedText(number: number, text: string): string {
  return number.toString().padStart(NUMBER_DIGITS, '0') + text;
}

/** The number of an `orderedText`. */
function numberOf(text: string): number {
  return Number(text.slice(0, NUMBER_DIGITS));
}

function withoutValue(version: StoredVersion): StoredVersion {
  return { ...version, value: NO_BYTES };
}

function storedCopyOf(change: Change): StoredVersion {
  return {
    revision: change.revision,
    deleted: false,
    // Not `slice`: that of a `Buffer` shares its memory.
    value: new Uint8Array(change.value),
    kind: change.kind,
    collectionId: change.collectionId,
    createRevision: change.createRevision,
    modRevision: change.modRevision,
    version: change.version,
    leaseId: change.leaseId,
    ttlMs: change.ttlMs,
    expireTimeMs: change.expireTimeMs,
  };
}
