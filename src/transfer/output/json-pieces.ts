/** Entries as pieces of JSON Lines, or of a JSON document. Keys of leases are left out, and counted. */
import type { Entry, Key, KeyRange } from '../../api.ts';
import { keyOf } from '../../arguments/key.ts';
import type { Clock } from '../../clock.ts';
import { transfer as limits } from '../../limits.ts';
import type { TransferEntry } from '../contract/entry.ts';
import type { TtlForm } from '../contract/words.ts';
import { base64Of, lineOf, memberOf } from '../json/entry-json.ts';
import { DOCUMENT_VERSION } from '../json/json-document.ts';
import type { EntryPage } from './pages.ts';

/** What an export has come to; what makes the pieces keeps it. */
export interface ExportCounts {
  entryCount: number;
  leasedCount: number;
  collectionCount: number;
  /** 0 until a page was read. */
  revision: number;
}

export interface JsonExport {
  /** The pages of a range, all at one revision, 0 being the newest. */
  readonly read: (range: KeyRange, revision: number) => AsyncIterable<EntryPage>;
  readonly range: KeyRange;
  readonly revision: number;
  readonly ttlForm: TtlForm;
  readonly clock: Clock;
  readonly counts: ExportCounts;
}

type Pieces = AsyncGenerator<Buffer, void, undefined>;

export async function* jsonLinesPieces(request: JsonExport): Pieces {
  const text = new GatheredText();
  for await (const entry of exported(request)) {
    yield* text.add(`${lineOf(entry, request.ttlForm, request.clock.nowMs())}\n`);
  }
  yield* text.rest();
}

/**
 * Keys that are no text come behind the others, in an object of their own: they are read in a second pass, at the same
 * revision and from the first of them on, since to keep them until then might take any amount of memory.
 */
export async function* jsonDocumentPieces(request: JsonExport): Pieces {
  const { clock, counts, ttlForm, range } = request;
  const text = new GatheredText();
  const timestamp = new Date(clock.nowMs()).toISOString();
  yield* text.add(`{"version":${DOCUMENT_VERSION},"timestamp":"${timestamp}","data":{`);
  let firstBytesKey: Uint8Array | undefined;
  let mark = '\n';
  for await (const entry of exported(request)) {
    if (typeof entry.key !== 'string') firstBytesKey ??= entry.key;
    else {
      yield* text.add(`${mark}${JSON.stringify(entry.key)}:${memberOf(entry, ttlForm, clock.nowMs())}`);
      mark = ',\n';
    }
  }
  if (firstBytesKey !== undefined) {
    yield* text.add('\n},"binaryData":{');
    mark = '\n';
    const again: JsonExport = {
      ...request,
      range: rangeFrom(range, firstBytesKey),
      revision: counts.revision,
      counts: { entryCount: 0, leasedCount: 0, collectionCount: 0, revision: 0 },
    };
    for await (const entry of exported(again)) {
      if (typeof entry.key === 'string') continue;
      yield* text.add(`${mark}"${base64Of(entry.key)}":${memberOf(entry, ttlForm, clock.nowMs())}`);
      mark = ',\n';
    }
  }
  yield* text.add('\n}}\n');
  yield* text.rest();
}

/** The part of a range that begins at one of its keys, or a greater one. */
function rangeFrom(range: KeyRange, key: Key): KeyRange {
  return 'key' in range || 'prefix' in range ? range : { ...range, start: key };
}

async function* exported({ read, range, revision, counts }: JsonExport): AsyncGenerator<TransferEntry> {
  for await (const page of read(range, revision)) {
    counts.revision = page.revision;
    for (const entry of page.entries) {
      if (isLeftOut(entry, counts)) continue;
      counts.entryCount++;
      yield toTransferEntry(entry);
    }
  }
}

function toTransferEntry(entry: Entry): TransferEntry {
  const { value, expireTimeMs } = entry;
  return { key: keyOf(entry), value, expireTimeMs, isLeased: false, isCollection: false };
}

/** Text that is handed out in pieces that are worth a write. */
class GatheredText {
  #parts: string[] = [];
  #length = 0;

  *add(part: string): Generator<Buffer, void> {
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length >= limits.pieceBytes) yield* this.rest();
  }

  *rest(): Generator<Buffer, void> {
    if (this.#length === 0) return;
    const piece = Buffer.from(this.#parts.join(''), 'utf8');
    this.#parts = [];
    this.#length = 0;
    yield piece;
  }
}

/** Whether an export leaves an entry out, which it counts then. */
export function isLeftOut({ leaseId, type }: Entry, counts: ExportCounts): boolean {
  if (type !== undefined) counts.collectionCount++;
  else if (leaseId !== 0) counts.leasedCount++;
  return type !== undefined || leaseId !== 0;
}
