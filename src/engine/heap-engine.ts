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
import type {
  Change,
  Engine,
  EngineRange,
  EngineStats,
  ScanOptions,
  Version,
  Visit,
  WalkPosition,
  WalkVisit,
} from './engine.ts';
import { KEY_BYTES_MAX, REFUSED_LOAD } from './engine.ts';
import type { PlacedChange } from './placed-change.ts';
import { placeChange } from './placed-change.ts';
import { assert } from '../errors.ts';
import { SortedTexts } from './sorted-texts.ts';

interface StoredVersion extends Version {
  readonly deleted: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** How many leftovers one call of `maintain` looks at. */
const LEFTOVERS_PER_STEP = 1000;

/** What a version takes beside its key and value, roughly. */
const VERSION_OBJECT_BYTES = 300;

export class HeapEngine implements Engine {
  readonly #versionsByKey = new Map<string, StoredVersion[]>();
  readonly #keys = new SortedTexts();
  readonly #deadlines = new SortedTexts();
  readonly #leftovers = new SortedTexts();
  #compactRevision = 0;
  #keyCount = 0;
  #versionCount = 0;
  #dataBytes = 0;

  read(key: Uint8Array, revision: number): Version | undefined {
    return this.#visible(textOf(key), revision);
  }

  readMeta(key: Uint8Array, revision: number): Version | undefined {
    const version = this.#visible(textOf(key), revision);
    return version && withoutValue(version);
  }

  scan(range: EngineRange, revision: number, options: ScanOptions, visit: Visit): Uint8Array | undefined {
    let visitsLeft = options.visitsMax;
    for (const text of this.#textsOf(range, options.reverse)) {
      if (visitsLeft-- <= 0) return bytesOf(text);
      const version = this.#visible(text, revision);
      if (version === undefined) continue;
      const isToGoOn = visit(bytesOf(text), options.keysOnly ? withoutValue(version) : version);
      if (!isToGoOn) visitsLeft = 0;
    }
    return undefined;
  }

  count(range: EngineRange, revision: number, nowMs: number): number {
    let count = 0;
    for (const text of this.#textsOf(range, false)) {
      const version = this.#visible(text, revision);
      if (version === undefined) continue;
      if (version.expireTimeMs === 0 || version.expireTimeMs > nowMs) count++;
    }
    return count;
  }

  apply(change: Change): void {
    const { key, revision, deleted } = change;
    assert(key.length >= 1 && key.length <= KEY_BYTES_MAX, 'a key has 1 to 65535 bytes');
    const text = textOf(key);
    const versions = this.#versionsByKey.get(text) ?? [];
    const previous = versions.at(-1);
    assert(revision > (previous?.revision ?? 0), 'the revisions of a key ascend');
    if (previous === undefined) {
      this.#versionsByKey.set(text, versions);
      this.#keys.add(text);
    }
    const version = deleted ? deletionAt(revision) : storedCopyOf(change);
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

  load(change: PlacedChange): number {
    const previous = this.#versionsByKey.get(textOf(change.key))?.at(-1);
    if (change.revision <= (previous?.revision ?? 0)) return REFUSED_LOAD;
    this.apply(change);
    return previous?.leaseId ?? 0;
  }

  loadAscending(change: PlacedChange): number {
    const last = this.#keys.downFrom(undefined).next().value;
    return last !== undefined && textOf(change.key) < last ? REFUSED_LOAD : this.load(change);
  }

  finishLoad(): boolean {
    return false;
  }

  walk(
    from: WalkPosition,
    oldest: number,
    newest: number,
    visitsMax: number,
    visit: WalkVisit,
  ): WalkPosition | undefined {
    this.#assertReadable(oldest);
    const start = textOf(from.key);
    let visitsLeft = visitsMax;
    for (const text of this.#keys.upFrom(start)) {
      const key = bytesOf(text);
      let aboveRevision = text === start ? from.aboveRevision : 0;
      if (visitsLeft <= 0) return { key, aboveRevision };
      const versions = this.#versionsByKey.get(text) ?? [];
      const baseIndex = versions.findLastIndex((version) => version.revision <= oldest);
      const needed = versions.filter(
        ({ revision, deleted }, index) =>
          revision > aboveRevision &&
          revision <= newest &&
          (revision > oldest || (index === baseIndex && !deleted)),
      );
      if (needed.length === 0) visitsLeft--;
      for (const version of needed) {
        if (visitsLeft <= 0) return { key, aboveRevision };
        visitsLeft--;
        if (visit(placeChange({ ...version, key })) === false) visitsLeft = 0;
        aboveRevision = version.revision;
      }
    }
    return undefined;
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
    const isBaseNeeded = versions[baseIndex]?.deleted === false;
    for (const version of versions.splice(0, isBaseNeeded ? baseIndex : baseIndex + 1)) {
      this.#versionCount--;
      this.#dataBytes -= text.length + version.value.length;
    }
    if (versions.length > 0) return;
    this.#versionsByKey.delete(text);
    this.#keys.delete(text);
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
    createRevision: change.createRevision,
    modRevision: change.modRevision,
    version: change.version,
    leaseId: change.leaseId,
    ttlMs: change.ttlMs,
    expireTimeMs: change.expireTimeMs,
  };
}

function deletionAt(revision: number): StoredVersion {
  return {
    revision,
    deleted: true,
    value: NO_BYTES,
    kind: 0,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
  };
}
