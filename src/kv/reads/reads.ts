/** Reads of one key, of pages and of counts, at a revision that is visible and kept. */
import type {
  CountResult,
  ExistsResult,
  GetManyOptions,
  GetManyResult,
  GetOptions,
  GetResult,
  Key,
  KeyRange,
  KeysPage,
  Entry,
  PageOptions,
  ScanPage,
  ScanPageOptions,
} from '../../api.ts';
import type { EngineRange } from '../../engine/engine.ts';
import type { PlacedChange } from '../../engine/version.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import { StoreError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import type { PinnedState, Seam } from '../../store/seam.ts';
import { decodeKey, encodeKey, keyAfter, keyScratch, toKeyText } from '../../store/views/keys.ts';
import { prefixEnd, toEngineRange } from '../../store/views/range.ts';
import { escapeLength, USER_KEYS, USER_KEYS_END } from '../../store/views/regions.ts';
import type { ReadView, View } from '../../store/views/view.ts';
import { copyEntry, partEntry, toEntry } from '../../store/views/entries.ts';
import { bytesOfEntry } from '../../store/watch/messages/event-maker.ts';
import { compileGlob, type Glob } from '../patterns/glob.ts';
import type { KeyFetcher } from './key-fetcher.ts';
import { type ChargedPage, LISTED_KEY_BYTES, pageLimitOf } from './page-limit.ts';
import { type PagedRead, type PageEnd, type PagePart, readPage, readWanted } from './pages.ts';

export function get(seam: Seam, keyText: Key, { revision = 0, admit }: GetOptions): GetResult {
  const key = keyScratch.encode(keyText);
  const result = readWanted(seam, revision, (view) => {
    const version = view.read(key);
    return { entry: version && toEntry(keyText, version), revision: view.revision };
  });
  admit?.(result.entry);
  return result;
}

/** A part of a value, from `start` to `end` (exclusive), in bytes. */
export interface ValuePart {
  readonly start: number;
  readonly end: number;
}

/** Looks at an entry, which is as it is during the call only, and says what of its value is wanted; what it throws is thrown. */
export type ChoosePart = (shown: PlacedChange) => ValuePart;

/** As `get`, but no more of the value is copied than is wanted. */
export function getPart(seam: Seam, keyText: Key, revision: number, choose: ChoosePart): GetResult {
  const start = encodeKey(keyText);
  return readWanted(seam, revision, (view) => {
    let entry: Entry | undefined;
    view.scan({ start, end: keyAfter(start) }, false, (shown) => {
      const part = choose(shown);
      view.budget.spendBytes(part.end - part.start);
      entry = partEntry(keyText, shown, shown.copyPart(part.start, part.end));
      return false;
    });
    return { entry, revision: view.revision };
  });
}

/** Of the newest state, which need not be durable yet. */
export function getNewest(view: View, keyText: Key, { admit }: GetOptions): GetResult {
  const version = view.read(keyScratch.encode(keyText));
  const entry = version && toEntry(keyText, version);
  admit?.(entry);
  return { entry, revision: view.revision };
}

/** @param view of the visible state, or of the newest. */
export function exists(view: ReadView, keys: readonly Key[]): ExistsResult {
  if (keys.length === 0 || keys.length > fixed.existsKeysMax) {
    throw new StoreError(
      'invalidArgument',
      `exists takes 1 to ${fixed.existsKeysMax} keys, not ${keys.length}`,
    );
  }
  return {
    exists: keys.map((key) => view.readMeta(keyScratch.encode(key)) !== undefined),
    revision: view.revision,
  };
}

export function getMany(
  seam: Seam,
  fetcher: KeyFetcher,
  keyList: readonly Key[],
  { revision = 0, keysOnly }: GetManyOptions,
): GetManyResult {
  if (keyList.length === 0 || keyList.length > fixed.getManyKeysMax) {
    throw new StoreError(
      'invalidArgument',
      `getMany takes 1 to ${fixed.getManyKeysMax} keys, not ${keyList.length}`,
    );
  }
  return readWanted(seam, revision, (view) => {
    const entries: (Entry | undefined)[] = [];
    for (const [index, key] of keyList.entries()) {
      // As many as are still there when the last of them is read.
      if (index % fixed.turnCallsMax === 0) {
        for (const next of keyList.slice(index, index + fixed.turnCallsMax)) fetcher.add(next);
        fetcher.run();
      }
      const bytes = keyScratch.encode(key);
      const version = keysOnly === true ? view.readMeta(bytes) : view.read(bytes);
      entries.push(version && toEntry(key, keysOnly === true ? { ...version, value: NO_BYTES } : version));
    }
    return { entries, revision: view.revision };
  });
}

/** For doors: a page of those entries of a range whose keys match a glob. It may be short, even empty, before the last. */
export interface MatchingPage {
  readonly match?: string;
}

export function scan(
  seam: Seam,
  range: KeyRange,
  options: ScanPageOptions & ChargedPage & MatchingPage,
): ScanPage {
  const glob = options.match === undefined ? undefined : compileGlob(options.match);
  const asked = toEngineRange(range);
  const whole = glob === undefined ? asked : withHead(asked, glob);
  const limit = pageLimitOf(options);
  const wantedRevision = options.revision ?? 0;
  const reverse = options.reverse === true;
  const keysOnly = options.keysOnly === true;
  const request = scanFingerprint(
    seam,
    whole,
    { revision: wantedRevision, reverse, keysOnly },
    options.match,
  );
  return readRangePage(seam, { whole, reverse, request, wantedRevision }, options, (view, rest) => {
    const entries: Entry[] = [];
    let bytes = 0;
    const nextKey = view.scan(rest, reverse, (shown) => {
      if (glob !== undefined && !isMatching(glob, shown)) {
        bytes += shown.keyEnd - shown.keyStart;
        return bytes < fixed.pageBytesMax;
      }
      options.charge?.(bytesOfEntry(shown, !keysOnly));
      const entry = copyEntry(shown, !keysOnly);
      entries.push(entry);
      const entryBytes = shown.keyEnd - shown.keyStart + entry.value.length;
      bytes += entryBytes;
      view.budget.spendBytes(entryBytes);
      return entries.length < limit && bytes < fixed.pageBytesMax;
    });
    return { page: { entries }, next: nextKey };
  });
}

/** What must be the same in all calls that read a range with one token, as text. */
export function scanFingerprint(
  { storeId }: Seam,
  { start, end }: EngineRange,
  { revision, reverse, keysOnly }: Required<Omit<ScanPageOptions, keyof PageOptions>>,
  match?: string,
): string {
  const bounds = [toKeyText(start), end && toKeyText(end)];
  const matching = match === undefined ? [] : [match];
  return JSON.stringify([storeId, 'scan', ...bounds, revision, reverse, keysOnly, ...matching]);
}

/** What of a range may match. The head is text, and stands as it is in the region of users' keys. */
function withHead({ start, end }: EngineRange, { literalHead }: Glob): EngineRange {
  return {
    start: higher(start, literalHead),
    end: lower(end, prefixEnd(literalHead) ?? USER_KEYS_END),
  };
}

function isMatching(glob: Glob, { keyMemory, keyStart, keyEnd }: PlacedChange): boolean {
  const { bytes } = keyMemory;
  return glob.matches(bytes, keyStart + escapeLength(bytes[keyStart]), keyEnd);
}

export function keys(seam: Seam, pattern: string, options: PageOptions & ChargedPage): KeysPage {
  const glob = compileGlob(pattern);
  const limit = pageLimitOf(options);
  const whole = withHead(USER_KEYS, glob);
  const request = JSON.stringify([seam.storeId, 'keys', pattern]);
  const read = { whole, reverse: false, request, wantedRevision: 0 };
  return readRangePage(seam, read, options, (view, rest) => {
    const matching: Key[] = [];
    let bytes = 0;
    const nextKey = view.scan(rest, false, (shown) => {
      bytes += shown.keyEnd - shown.keyStart;
      if (isMatching(glob, shown)) {
        options.charge?.(LISTED_KEY_BYTES + shown.keyEnd - shown.keyStart);
        matching.push(decodeKey(shown.key));
      }
      return matching.length < limit && bytes < fixed.pageBytesMax;
    });
    return { page: { keys: matching }, next: nextKey };
  });
}

/**
 * Counts a range of a pinned state key by key, leaving the event loop free between pieces.
 * @param pause resolves when other work has had its turn.
 */
export async function countPinned(
  pin: PinnedState,
  { start, end }: EngineRange,
  pause: () => Promise<void>,
): Promise<CountResult> {
  try {
    let count = 0;
    for (let next: Uint8Array | undefined = start; next !== undefined;) {
      const rest: EngineRange = { start: next, end };
      next = pin.read((view) => {
        view.budget.begin(fixed.pageVisitsMax);
        return view.scan(rest, false, () => {
          count++;
          return true;
        });
      });
      if (next !== undefined) await pause();
    }
    return { count, revision: pin.revision };
  } finally {
    pin.release();
  }
}

/** A read of several pages of a range. */
interface RangeRead extends PagedRead {
  readonly whole: EngineRange;
  readonly reverse: boolean;
}

/** Reads the next page of a range: from the beginning, or from where the token says. */
function readRangePage<Page extends object>(
  seam: Seam,
  { whole, reverse, ...read }: RangeRead,
  options: PageOptions,
  readRest: (view: ReadView, rest: EngineRange) => PagePart<Page>,
): Page & PageEnd {
  return readPage(seam, read, options.pageToken, (view, place) =>
    readRest(view, place === undefined ? whole : restFrom(place, whole, reverse)),
  );
}

/** What is left of a range, `nextKey` included. A token comes from outside: it must not lead out of the range. */
export function restFrom(nextKey: Uint8Array, { start, end }: EngineRange, reverse: boolean): EngineRange {
  return reverse ? { start, end: lower(end, keyAfter(nextKey)) } : { start: higher(start, nextKey), end };
}

function higher(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.compare(a, b) >= 0 ? a : b;
}

function lower(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  return a !== undefined && Buffer.compare(a, b) <= 0 ? a : b;
}
