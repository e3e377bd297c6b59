/**
 * A whole range at one state, in chunks, at the pace of who reads them.
 *
 * Each chunk is read when it is asked for, in one piece of bounded work, in its turn in the line of all long calls. Memory for
 * it is asked for before it is made (`admit`). The state is pinned from the first chunk to the last, for `fixed.pinMsMax`, or
 * `fixed.fullPinMs` once writes need the memory that it keeps (`store/history/pins.ts`): then the stream ends `revisionCompacted`.
 *
 * Every chunk says by a token where it ends: a page, or another stream, goes on from there.
 */
import type { Entry, KeyRange, ScanPage, ScanPageOptions } from '../../api.ts';
import type { EngineRange } from '../../engine/engine.ts';
import { fixed } from '../../limits.ts';
import type { PinnedState, Seam } from '../../store/seam.ts';
import { copyEntry } from '../../store/views/entries.ts';
import type { TurnLine } from '../../store/turn-line.ts';
import { toEngineRange } from '../../store/views/range.ts';
import type { ReadView } from '../../store/views/view.ts';
import { bytesOfEntry } from '../../store/watch/messages/event-maker.ts';
import { pageLimitOf } from './page-limit.ts';
import { decodePageToken, encodePageToken } from './page-token.ts';
import { restFrom, scanFingerprint } from './reads.ts';

/** `limit` is of all entries; 0 or left out: there is none. */
export interface RangeStreamOptions extends ScanPageOptions {
  /** The entries of one chunk, as the limit of a page. */
  readonly chunkLimit: number;
  /** The bytes of entries in one chunk, unless one alone is longer. */
  readonly chunkBytesMax: number;
  /** Takes memory for the next chunk; false: the stream is to end. */
  readonly admit: (bytes: number) => boolean | Promise<boolean>;
  /** Ends the stream with its reason. */
  readonly signal: AbortSignal;
}

export class RangeStream implements AsyncIterableIterator<ScanPage> {
  readonly #seam: Seam;
  readonly #options: RangeStreamOptions;
  readonly #line: TurnLine;
  readonly #reverse: boolean;
  readonly #keysOnly: boolean;
  readonly #chunkLimit: number;
  /** What is left of `limit`. */
  #remaining: number;
  /** All that must be the same where it goes on by token. */
  #fingerprint = '';
  #rest: EngineRange | undefined;
  #pin: PinnedState | undefined;
  #isOver = false;

  /**
   * Keeps nothing of `range`. Throws `invalidArgument` for one that is none.
   */
  constructor(seam: Seam, range: KeyRange, options: RangeStreamOptions, line: TurnLine) {
    this.#seam = seam;
    this.#rest = toEngineRange(range);
    this.#options = options;
    this.#line = line;
    this.#reverse = options.reverse === true;
    this.#keysOnly = options.keysOnly === true;
    this.#chunkLimit = pageLimitOf({ limit: options.chunkLimit });
    this.#remaining = options.limit || Infinity;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<ScanPage>> {
    if (this.#isOver) return DONE;
    try {
      const { signal } = this.#options;
      signal.throwIfAborted();
      const turn = this.#pin === undefined ? this.#line.begin(signal) : this.#line.next(signal);
      if (turn !== undefined) await turn;
      if (this.#isOver) return DONE;
      this.#pin ??= this.#begin();
      const value = await this.#chunk(this.#pin);
      if (value !== undefined) return { done: false, value };
      this.#end();
      return DONE;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<ScanPage>> {
    this.#end();
    return DONE;
  }

  #begin(): PinnedState {
    const seam = this.#seam;
    const { revision = 0, pageToken = '' } = this.#options;
    const whole = this.#rest ?? NOTHING;
    const wanted = { revision, reverse: this.#reverse, keysOnly: this.#keysOnly };
    this.#fingerprint = scanFingerprint(seam, whole, wanted);
    if (pageToken === '') return seam.pin(revision === 0 ? undefined : { revision, instantMs: 0 });
    const token = decodePageToken(pageToken, this.#fingerprint);
    seam.checkPlace('the stream', token);
    this.#rest = restFrom(token.nextKey, whole, this.#reverse);
    return seam.pin(token);
  }

  /** @returns `undefined` when there is no memory for it and never will be. */
  async #chunk(pin: PinnedState): Promise<ScanPage | undefined> {
    const { chunkBytesMax, admit, signal } = this.#options;
    for (let bytesMax = chunkBytesMax; ;) {
      const isAdmitted = admit(bytesMax);
      if (isAdmitted !== true) {
        if (!(await isAdmitted)) {
          signal.throwIfAborted();
          return undefined;
        }
        // Memory may have come for many at once.
        const turn = this.#line.begin(signal);
        if (turn !== undefined) await turn;
      }
      const { page, bytesWanted } = pin.read((view) => this.#read(view, bytesMax));
      if (page !== undefined) {
        if (this.#rest === undefined || this.#remaining === 0) this.#end();
        return page;
      }
      bytesMax = bytesWanted;
    }
  }

  /** @returns a chunk of at most so many bytes, or what its first entry takes. */
  #read(view: ReadView, bytesMax: number): Chunk {
    view.budget.visitsLeft = fixed.pageVisitsMax;
    const limit = Math.min(this.#remaining, this.#chunkLimit);
    const entries: Entry[] = [];
    let bytes = 0;
    let bytesWanted = 0;
    let nextKey: Uint8Array | undefined;
    const scannedTo = view.scan(this.#rest ?? NOTHING, this.#reverse, (shown) => {
      bytesWanted = bytes + bytesOfEntry(shown, !this.#keysOnly);
      if (bytesWanted > bytesMax) {
        nextKey = shown.copyKey();
        return false;
      }
      bytes = bytesWanted;
      return entries.push(copyEntry(shown, !this.#keysOnly)) < limit;
    });
    nextKey ??= scannedTo;
    this.#rest = nextKey && restFrom(nextKey, this.#rest ?? NOTHING, this.#reverse);
    if (entries.length === 0 && bytesWanted > bytesMax) return { page: undefined, bytesWanted };
    this.#remaining -= entries.length;
    return { page: { entries, ...this.#place(view, nextKey) }, bytesWanted };
  }

  #place(view: ReadView, nextKey: Uint8Array | undefined): Omit<ScanPage, 'entries'> {
    const { revision } = view;
    const incarnation = this.#seam.incarnationOf(revision);
    if (nextKey === undefined) return { nextPageToken: '', revision, incarnation };
    const instantMs = (this.#options.revision ?? 0) === 0 ? view.instantMs : 0;
    const token = { revision, instantMs, incarnation, nextKey };
    return { nextPageToken: encodePageToken(token, this.#fingerprint), revision, incarnation };
  }

  #end(): void {
    this.#isOver = true;
    this.#pin?.release();
  }
}

type Chunk =
  | { readonly page: ScanPage; readonly bytesWanted: number }
  | { readonly page: undefined; readonly bytesWanted: number };

const NOTHING: EngineRange = { start: new Uint8Array(0), end: new Uint8Array(0) };
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
