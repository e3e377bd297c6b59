/**
 * The entries of a range by one stream (`KvService.ScanStream`): the server makes the next chunk as those before are taken, and
 * sends ahead what the stream's window holds. A stream that breaks, as all do whose connection gives no sign of life, is opened
 * again with the token of the last chunk. So is one that the server cuts, as it does when its memory for calls is short and the
 * reader pauses; it may be short still, and refuse the next stream, which is tried until the deadline too. One that ends since its credentials are not valid any more goes on
 * with others, where a function gives them. A chunk that does not
 * come by the deadline, over a connection that is alive, ends the scan.
 */
import type { ScanStreamRequestShape, ScanStreamResponseShape } from '../../../gen/kelp/v1/kv_codec.ts';
import { type Timer, systemClock } from '../../clock.ts';
import { grpcCode } from '../../grpc-code.ts';
import { client as limits } from '../../limits.ts';
import type { Route } from '../calls/call-transport.ts';
import type { Caller } from '../calls/caller.ts';
import { kvMethods } from '../calls/method.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { incompleteReply } from '../errors/error.ts';
import { Entry } from '../messages/entry.ts';
import type { ReadCallOptions } from '../messages/types.ts';
import type { ReadPages } from '../../paged-list.ts';

/** What all streams of a scan ask for alike. */
export type ScannedRange = Pick<ScanStreamRequestShape, 'range' | 'revision' | 'reverse' | 'keysOnly'>;

export function streamOfPages(
  caller: Caller,
  range: ScannedRange,
  options: ReadCallOptions,
): ReadPages<Entry> {
  return async function* (limit, chunkLimit) {
    const chunks = new Chunks(caller, range, options, limit, chunkLimit);
    try {
      while (!chunks.areComplete) {
        const { entries, revision, incarnation } = await chunks.next();
        yield { items: entries.map((entry) => new Entry(entry)), revision, incarnation };
      }
      chunks.finish();
    } finally {
      chunks.close();
    }
  };
}

/** The chunks of a range, over as many streams as it takes, one at a time. */
class Chunks {
  readonly #caller: Caller;
  readonly #route: Route | undefined;
  readonly #range: ScannedRange;
  readonly #options: ReadCallOptions;
  readonly #chunkLimit: number;
  #remaining: number;
  #pageToken = '';
  /** The revision of the chunks so far. */
  #shownAt = 0;
  #isBehindLast = false;
  #stream: ChunkStream | undefined;
  /** Whether the last stream was cut for want of memory, and nothing has come since. */
  #isCut = false;
  /** Of the credentials that the last stream was opened with. */
  #generation = 0;

  constructor(
    caller: Caller,
    range: ScannedRange,
    options: ReadCallOptions,
    limit: number,
    chunkLimit: number,
  ) {
    this.#caller = caller;
    this.#route = caller.newRoute();
    this.#range = range;
    this.#options = options;
    this.#remaining = limit;
    this.#chunkLimit = chunkLimit;
  }

  get areComplete(): boolean {
    return this.#isBehindLast || this.#remaining <= 0;
  }

  async next(): Promise<ScanStreamResponseShape> {
    const chunk = await this.#caller.readPart(
      (timeoutMs) => this.#try(timeoutMs),
      this.#options,
      this.#route,
      () => this.#generation,
    );
    if (chunk === undefined) throw incompleteReply('the rest of the range');
    this.#remaining -= chunk.entries.length;
    this.#pageToken = chunk.nextPageToken;
    this.#shownAt = chunk.revision;
    this.#isBehindLast = chunk.nextPageToken === '';
    return chunk;
  }

  /** Lets the stream come to its end, which is on its way: to reset it would be more work for both sides. */
  finish(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    // All has come, whatever becomes of the stream: the reader does not wait for it, and it not for ever.
    void stream
      ?.next(limits.pingTimeoutMs)
      .catch(() => undefined)
      .finally(() => stream.close());
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  async #try(timeoutMs: number): Promise<ScanStreamResponseShape | undefined> {
    this.#stream ??= this.#open();
    const stream = this.#stream;
    try {
      const chunk = await stream.next(timeoutMs);
      this.#isCut = false;
      return chunk;
    } catch (error) {
      this.close();
      if (!isExhausted(error)) throw error;
      // It gives a reason for what it refuses, and none when it resets a stream whose reader has taken nothing for a while.
      if (stream.hasBegun && error.detail === undefined) this.#isCut = true;
      throw this.#isCut ? shortOfMemory(error) : error;
    }
  }

  #open(): ChunkStream {
    const request = {
      ...this.#range,
      // Without one the server knows no limit either.
      limit: Number.isSafeInteger(this.#remaining) ? this.#remaining : 0,
      pageToken: this.#pageToken,
      chunkLimit: this.#chunkLimit,
      ...this.#caller.demand(this.#caller.goingOn(this.#options, this.#shownAt)),
    };
    this.#generation = this.#caller.generation;
    return new ChunkStream(this.#caller, request, this.#options.signal, this.#route);
  }
}

function isExhausted(error: unknown): error is CallFailure {
  return error instanceof CallFailure && error.code === grpcCode.ResourceExhausted;
}

/** Passes by itself, other than what is too much for the server whenever it is asked for. */
function shortOfMemory(cause: CallFailure): CallFailure {
  const message = `it is short of memory, and ended the scan meanwhile: ${cause.message}`;
  return new CallFailure(grpcCode.Unavailable, message, { cause });
}

class ChunkStream {
  readonly #closed = new AbortController();
  readonly #replies: AsyncIterator<ScanStreamResponseShape>;
  #hasBegun = false;

  constructor(
    caller: Caller,
    request: ScanStreamRequestShape,
    signal: AbortSignal | undefined,
    route: Route | undefined,
  ) {
    const signals = [caller.closed, this.#closed.signal, ...(signal === undefined ? [] : [signal])];
    const ended = AbortSignal.any(signals);
    const replies = caller.stream(kvMethods.scanStream, request, undefined, ended, route);
    this.#replies = replies[Symbol.asyncIterator]();
  }

  /** Whether a chunk has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
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
      if (done === true) return undefined;
      this.#hasBegun = true;
      return value;
    } finally {
      timer?.cancel();
    }
  }

  close(): void {
    this.#closed.abort();
  }
}
