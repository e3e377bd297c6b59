/**
 * The entries of a range by one stream (`KvService.ScanStream`): the server makes the next chunk as those before are taken, and
 * sends ahead what the stream's window holds. A stream that breaks, or from which the next chunk does not come in time, is
 * opened again with the token of the last chunk.
 */
import type { ScanStreamRequestShape, ScanStreamResponseShape } from '../../gen/kelp/v1/kv_codec.ts';
import { type Timer, systemClock } from '../clock.ts';
import { grpcCode } from '../grpc-code.ts';
import type { Caller } from './calls/caller.ts';
import { kvMethods } from './calls/method.ts';
import { CallFailure } from './errors/call-failure.ts';
import { incompleteReply } from './errors/error.ts';
import { Entry } from './messages/entry.ts';
import type { CallOptions } from './messages/types.ts';
import type { ReadPages } from './paging.ts';

/** What all streams of a scan ask for alike. */
export type ScannedRange = Pick<ScanStreamRequestShape, 'range' | 'revision' | 'reverse' | 'keysOnly'>;

export function streamOfPages(caller: Caller, range: ScannedRange, options: CallOptions): ReadPages<Entry> {
  return async function* (limit, chunkLimit) {
    const chunks = new Chunks(caller, range, options, limit, chunkLimit);
    try {
      while (!chunks.areComplete) {
        const { entries, revision, incarnation } = await chunks.next();
        yield { items: entries.map((entry) => new Entry(entry)), revision, incarnation };
      }
      await chunks.finish();
    } finally {
      chunks.close();
    }
  };
}

/** The chunks of a range, over as many streams as it takes, one at a time. */
class Chunks {
  readonly #caller: Caller;
  readonly #range: ScannedRange;
  readonly #options: CallOptions;
  readonly #chunkLimit: number;
  #remaining: number;
  #pageToken = '';
  #isBehindLast = false;
  #stream: ChunkStream | undefined;

  constructor(caller: Caller, range: ScannedRange, options: CallOptions, limit: number, chunkLimit: number) {
    this.#caller = caller;
    this.#range = range;
    this.#options = options;
    this.#remaining = limit;
    this.#chunkLimit = chunkLimit;
  }

  get areComplete(): boolean {
    return this.#isBehindLast || this.#remaining <= 0;
  }

  async next(): Promise<ScanStreamResponseShape> {
    const chunk = await this.#caller.readPart((timeoutMs) => this.#try(timeoutMs), this.#options);
    if (chunk === undefined) throw incompleteReply('the rest of the range');
    this.#remaining -= chunk.entries.length;
    this.#pageToken = chunk.nextPageToken;
    this.#isBehindLast = chunk.nextPageToken === '';
    return chunk;
  }

  /** Lets the stream come to its end, which is on its way: to reset it would be more work for both sides. */
  async finish(): Promise<void> {
    // All has come, whatever becomes of the stream.
    await this.#stream?.next(this.#options.deadlineMs ?? this.#caller.deadlineMs).catch(() => undefined);
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  async #try(timeoutMs: number): Promise<ScanStreamResponseShape | undefined> {
    this.#stream ??= this.#open();
    try {
      return await this.#stream.next(timeoutMs);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(): ChunkStream {
    const request = {
      ...this.#range,
      // Without one the server knows no limit either.
      limit: Number.isSafeInteger(this.#remaining) ? this.#remaining : 0,
      pageToken: this.#pageToken,
      chunkLimit: this.#chunkLimit,
    };
    return new ChunkStream(this.#caller, request, this.#options.signal);
  }
}

class ChunkStream {
  readonly #closed = new AbortController();
  readonly #replies: AsyncIterator<ScanStreamResponseShape>;

  constructor(caller: Caller, request: ScanStreamRequestShape, signal: AbortSignal | undefined) {
    const signals = [caller.closed, this.#closed.signal, ...(signal === undefined ? [] : [signal])];
    const ended = AbortSignal.any(signals);
    const replies = caller.stream(kvMethods.scanStream, request, undefined, ended);
    this.#replies = replies[Symbol.asyncIterator]();
  }

  /** @returns `undefined` at the end. Rejects with a `CallFailure`. */
  async next(timeoutMs: number): Promise<ScanStreamResponseShape | undefined> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = systemClock.setTimer(timeoutMs, () =>
        reject(new CallFailure(grpcCode.DeadlineExceeded, 'no answer in time')),
      );
    });
    try {
      const { done, value } = await Promise.race([this.#replies.next(), late]);
      return done === true ? undefined : value;
    } finally {
      timer?.cancel();
    }
  }

  close(): void {
    this.#closed.abort();
  }
}
