/** Reads of one page or of one key, at a revision that is visible and kept. */
import type { Clock } from '../clock.ts';
import type { Engine, EngineRange, ScanOptions } from '../engine/engine.ts';
import { StoreError } from '../errors.ts';
import { fixed } from '../limits.ts';
import { copyEntry, isExpired, toEntry } from './entries.ts';
import { compileGlob } from './glob.ts';
import type { History } from './history/history.ts';
import type { Incarnations } from './history/incarnations.ts';
import { decodeKey, keyAfter, keyScratch } from './views/keys.ts';
import { decodePageToken, encodePageToken, type PageToken } from './page-token.ts';
import { checkPlace } from './history/place.ts';
import { prefixEnd, toEngineRange } from './views/range.ts';
import type * as api from '../api.ts';
import { checkCount, checkPageLimit } from './validate.ts';

export interface ReaderContext {
  /** Pages go on in no other store: a token's revision means something else there. */
  readonly storeId: string;
  readonly engine: Engine;
  readonly history: History;
  readonly incarnations: Incarnations;
  readonly clock: Clock;
  visibleRevision(): number;
}

/** Where and when a read looks. */
interface Viewpoint {
  readonly revision: number;
  /** Entries whose deadline is at or before this are left out; 0: none, as for a read at an old revision. */
  readonly instantMs: number;
}

export class Reader {
  readonly #context: ReaderContext;

  constructor(context: ReaderContext) {
    this.#context = context;
  }

  get(keyText: string, revision: number | undefined): api.GetResult {
    const key = keyScratch.encode(keyText);
    const wanted = checkCount(revision, 'revision');
    const at = wanted === 0 ? this.#context.visibleRevision() : this.#checkReadable(wanted);
    const version = this.#context.engine.read(key, at);
    if (version === undefined) return { entry: undefined, revision: at };
    // The clock is read only if there is a deadline.
    const isPast =
      wanted === 0 && version.expireTimeMs !== 0 && isExpired(version, this.#context.clock.nowMs());
    return { entry: isPast ? undefined : toEntry(keyText, version), revision: at };
  }

  exists(keys: readonly string[]): api.ExistsResult {
    if (keys.length === 0 || keys.length > fixed.existsKeysMax) {
      throw new StoreError(
        'invalidArgument',
        `exists takes 1 to ${fixed.existsKeysMax} keys, not ${keys.length}`,
      );
    }
    const { revision, instantMs } = this.#viewpoint(0);
    const exists = keys.map((key) => {
      const version = this.#context.engine.readMeta(keyScratch.encode(key), revision);
      return version !== undefined && !isExpired(version, instantMs);
    });
    return { exists, revision };
  }

  scan(range: api.KeyRange, options: api.ScanPageOptions): api.ScanPage {
    const engineRange = toEngineRange(range);
    const limit = checkPageLimit(options.limit);
    const wantedRevision = checkCount(options.revision, 'revision');
    const reverse = options.reverse === true;
    const keysOnly = options.keysOnly === true;
    const request = JSON.stringify([
      this.#context.storeId,
      'scan',
      range.key,
      range.prefix,
      range.start,
      range.end,
      wantedRevision,
      reverse,
      keysOnly,
    ]);
    const { viewpoint, rest } = this.#resume(
      options.pageToken,
      request,
      engineRange,
      wantedRevision,
      reverse,
    );
    const entries: api.Entry[] = [];
    let bytes = 0;
    const scanOptions: ScanOptions = { reverse, visitsMax: fixed.pageVisitsMax };
    const nextKey = this.#context.engine.scan(rest, viewpoint.revision, scanOptions, (shown) => {
      if (isExpired(shown, viewpoint.instantMs)) return true;
      const entry = copyEntry(shown, !keysOnly);
      entries.push(entry);
      bytes += shown.keyEnd - shown.keyStart + entry.value.length;
      return entries.length < limit && bytes < fixed.pageBytesMax;
    });
    return { entries, ...this.#pageEnd(viewpoint, nextKey, request) };
  }

  keys(pattern: string, options: api.PageOptions): api.KeysPage {
    const glob = compileGlob(pattern);
    const limit = checkPageLimit(options.limit);
    const head = glob.literalHead;
    const range: EngineRange = { start: head, end: prefixEnd(head) };
    const request = JSON.stringify([this.#context.storeId, 'keys', pattern]);
    const { viewpoint, rest } = this.#resume(options.pageToken, request, range, 0, false);
    const keys: string[] = [];
    let bytes = 0;
    const scanOptions: ScanOptions = { reverse: false, visitsMax: fixed.pageVisitsMax };
    const nextKey = this.#context.engine.scan(rest, viewpoint.revision, scanOptions, (shown) => {
      bytes += shown.keyEnd - shown.keyStart;
      const isMatch = glob.matches(shown.keyMemory.bytes, shown.keyStart, shown.keyEnd);
      if (isMatch && !isExpired(shown, viewpoint.instantMs)) keys.push(decodeKey(shown.key));
      return keys.length < limit && bytes < fixed.pageBytesMax;
    });
    return { keys, ...this.#pageEnd(viewpoint, nextKey, request) };
  }

  /** Counts a range, leaving the event loop free between pieces; a pin keeps the revision meanwhile. */
  async count(range: api.KeyRange, wantedRevision: number | undefined): Promise<api.CountResult> {
    const engineRange = toEngineRange(range);
    const { engine, history, clock } = this.#context;
    const { revision, instantMs } = this.#viewpoint(checkCount(wantedRevision, 'revision'));
    const pin = history.pin(revision, clock.nowMs() + fixed.watchCurrentMsMax, 'a count');
    try {
      let count = 0;
      for (let start: Uint8Array | undefined = engineRange.start; start !== undefined;) {
        if (!pin.isHeld()) this.#checkReadable(revision);
        const piece: EngineRange = { start, end: engineRange.end };
        const options = { reverse: false, visitsMax: fixed.pageVisitsMax };
        start = engine.scan(piece, revision, options, (version) => {
          if (!isExpired(version, instantMs)) count++;
          return true;
        });
        if (start !== undefined) await new Promise<void>((resolve) => clock.yieldNow(resolve));
      }
      return { count, revision };
    } finally {
      pin.release();
    }
  }

  /** @param wantedRevision 0 is the newest, now. */
  #viewpoint(wantedRevision: number): Viewpoint {
    return wantedRevision === 0
      ? { revision: this.#context.visibleRevision(), instantMs: this.#context.clock.nowMs() }
      : { revision: this.#checkReadable(wantedRevision), instantMs: 0 };
  }

  /** The viewpoint of a paged read and what is left of its range: from the token, or from the beginning. */
  #resume(
    pageToken: string | undefined,
    request: string,
    range: EngineRange,
    wantedRevision: number,
    reverse: boolean,
  ): { readonly viewpoint: Viewpoint; readonly rest: EngineRange } {
    if (pageToken === undefined || pageToken === '') {
      return { viewpoint: this.#viewpoint(wantedRevision), rest: range };
    }
    const token: PageToken = decodePageToken(pageToken, request);
    const { incarnations } = this.#context;
    checkPlace('the page', token, { incarnations, newestRevision: this.#context.visibleRevision() });
    this.#checkReadable(token.revision);
    const rest = reverse
      ? { start: range.start, end: lower(range.end, keyAfter(token.nextKey)) }
      : { start: higher(range.start, token.nextKey), end: range.end };
    return { viewpoint: token, rest };
  }

  /** What a page says besides its items. */
  #pageEnd(
    { revision, instantMs }: Viewpoint,
    nextKey: Uint8Array | undefined,
    request: string,
  ): Omit<api.ScanPage, 'entries'> {
    const incarnation = this.#context.incarnations.idOf(revision);
    const nextPageToken =
      nextKey === undefined ? '' : encodePageToken({ revision, instantMs, incarnation, nextKey }, request);
    return { nextPageToken, revision, incarnation };
  }

  #checkReadable(revision: number): number {
    const oldestRevision = this.#context.history.oldestRevision;
    const newestRevision = this.#context.visibleRevision();
    const details = { requestedRevision: revision, oldestRevision, newestRevision };
    if (revision < oldestRevision) {
      throw new StoreError(
        'revisionCompacted',
        `revision ${revision} is compacted; the oldest that can be read is ${oldestRevision}`,
        details,
      );
    }
    if (revision > newestRevision) {
      throw new StoreError(
        'revisionFuture',
        `revision ${revision} has not been reached; the newest is ${newestRevision}`,
        details,
      );
    }
    return revision;
  }
}

/** A token comes from outside: it must not lead out of the range. */
function higher(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.compare(a, b) >= 0 ? a : b;
}

function lower(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  return a !== undefined && Buffer.compare(a, b) <= 0 ? a : b;
}
