/**
 * The calls under way. One table counts them and the memory they hold, so that neither grows without bound however many
 * clients send half a request, ask for large replies or do not read what they asked for.
 *
 * Invariants: `heldBytes` of the table is the sum of that of its calls and never above `callBytesMax`; a call leaves
 * the table, with all it holds, when its response is closed, and not before.
 */
import { type ServerHttp2Stream, constants } from 'node:http2';
import { Code, ConnectError, type HandlerContext, createContextKey } from '@connectrpc/connect';
import { type Timer, systemClock } from '../../clock.ts';
import { assert } from '../../errors.ts';
import { type ServerLimits, limitName, serverFixed } from '../../limits.ts';
import { limitReachedError, shuttingDownError } from './errors.ts';

export type CallLimits = Pick<ServerLimits, 'callsMax' | 'callBytesMax' | 'replyBytesMax'>;

/** What a call is answered through: a response of either HTTP version, or a bare stream. */
export interface CallChannel {
  /** Only with HTTP/2. */
  readonly stream?: ServerHttp2Stream;
  destroy(): unknown;
  once(event: 'close', listener: () => void): unknown;
}

export class CallTable {
  readonly #limits: CallLimits;
  readonly #calls = new Set<Call>();
  readonly #onEmpty = new Set<() => void>();
  /** Streams whose next message waits for memory, in the order in which they came. */
  readonly #waiting = new Set<WaitingStream>();
  #isServingWaiting = false;
  /** Runs while streams wait: a reply becomes old enough to be cut without anything happening. */
  #retryTimer: Timer | undefined;
  #heldBytes = 0;

  constructor(limits: CallLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#calls.size;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether a call that is opened now would be one too many. */
  get isFull(): boolean {
    return this.#calls.size >= this.#limits.callsMax;
  }

  /** Takes a call in until its response is closed. A call too many is taken too, with a `refusal` to answer it with. */
  open(channel: CallChannel, isStream: boolean): Call {
    const { callsMax } = this.#limits;
    const refusal = this.isFull
      ? limitReachedError(`${callsMax} calls are under way (${limitName('callsMax')}); try again later`)
      : undefined;
    const call = new Call(this, channel, isStream, refusal);
    this.#calls.add(call);
    // Node closes a stream that its client reset, unless the reset carries no error code and a write waits.
    channel.stream?.once('aborted', () => channel.destroy());
    channel.once('close', () => {
      this.release(call, call.heldBytes);
      this.#calls.delete(call);
      call.close();
      if (this.#calls.size === 0) this.#tellEmpty();
    });
    return call;
  }

  /** Takes memory for a call. When there is none left, replies that are not being read are cut for it, the oldest first. */
  charge(call: Call, bytes: number): void {
    if (!this.#tryCharge(call, bytes)) {
      throw limitReachedError(
        `requests and replies fill the memory that is set aside for them (${limitName('callBytesMax')}); try again later`,
      );
    }
  }

  /**
   * Takes memory for the next message of a stream, which may wait: the store holds it back without cost.
   * @returns false when the call ended before there was any.
   */
  chargeWhenFree(call: Call, bytes: number): Promise<boolean> {
    if (this.#waiting.size === 0 && this.#tryCharge(call, bytes)) return Promise.resolve(true);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting: WaitingStream = { call, bytes, resolve };
    const onAbort = (): void => {
      this.#waiting.delete(waiting);
      resolve(false);
    };
    this.#waiting.add(waiting);
    call.signal.addEventListener('abort', onAbort);
    if (call.signal.aborted) onAbort();
    this.#setRetryTimer();
    return promise.finally(() => call.signal.removeEventListener('abort', onAbort));
  }

  /** What of so many bytes may be in one reply message. */
  replyBytes(bytes: number): number {
    return Math.min(bytes, this.#limits.replyBytesMax);
  }

  /** Throws when the reply message that a call is about to make is over the limit. */
  checkReply(bytes: number): void {
    const { replyBytesMax } = this.#limits;
    if (bytes > replyBytesMax) {
      throw limitReachedError(
        `the reply would hold more than ${replyBytesMax} bytes (${limitName('replyBytesMax')}); ask for less at once`,
      );
    }
  }

  /** Gives back what a call has charged; a call that was cut has given back all already. */
  release(call: Call, bytes: number): void {
    const released = Math.min(bytes, call.heldBytes);
    this.#heldBytes -= released;
    call.heldBytes -= released;
    if (released > 0 && this.#waiting.size > 0) this.#serveWaiting();
  }

  /** Asks every stream to end. */
  endStreams(): void {
    for (const call of this.#calls) if (call.isStream) call.endByServer();
  }

  /** Cuts the streams that wait for their client to read. */
  cutStalledStreams(): void {
    for (const call of this.#calls) if (call.isStream && call.stalledSinceMs !== undefined) call.cut();
  }

  /** Resolves when there is no call. */
  async empty(): Promise<void> {
    if (this.#calls.size > 0) await new Promise<void>((resolve) => this.#onEmpty.add(resolve));
  }

  #tryCharge(call: Call, bytes: number): boolean {
    // A service may still be at work for a client that is gone; nothing would give back what it takes now.
    if (call.isClosed) return true;
    while (this.#heldBytes + bytes > this.#limits.callBytesMax) {
      const stalled = this.#longestStalled();
      if (stalled === undefined) return false;
      stalled.cut();
    }
    this.#heldBytes += bytes;
    call.heldBytes += bytes;
    return true;
  }

  #serveWaiting(): void {
    // Cutting a stalled reply gives memory back, which leads here again.
    if (this.#isServingWaiting) return;
    this.#isServingWaiting = true;
    for (const waiting of this.#waiting) {
      if (!this.#tryCharge(waiting.call, waiting.bytes)) break;
      this.#waiting.delete(waiting);
      waiting.resolve(true);
    }
    this.#isServingWaiting = false;
    if (this.#waiting.size === 0) {
      this.#retryTimer?.cancel();
      this.#retryTimer = undefined;
    }
  }

  #setRetryTimer(): void {
    this.#retryTimer ??= systemClock.setTimer(serverFixed.stalledReplyMs / 5, () => {
      this.#retryTimer = undefined;
      this.#serveWaiting();
      if (this.#waiting.size > 0) this.#setRetryTimer();
    });
  }

  #tellEmpty(): void {
    for (const resolve of this.#onEmpty) resolve();
    this.#onEmpty.clear();
  }

  #longestStalled(): Call | undefined {
    let longest: Call | undefined;
    let sinceMs = performance.now() - serverFixed.stalledReplyMs;
    for (const call of this.#calls) {
      if (call.heldBytes === 0 || call.stalledSinceMs === undefined || call.stalledSinceMs > sinceMs)
        continue;
      longest = call;
      sinceMs = call.stalledSinceMs;
    }
    return longest;
  }
}

interface WaitingStream {
  readonly call: Call;
  readonly bytes: number;
  readonly resolve: (isCharged: boolean) => void;
}

export class Call {
  readonly isStream: boolean;
  /** What to answer the call with instead of serving it. */
  readonly refusal: ConnectError | undefined;
  /** Of the table; a call's own code charges and releases by the methods. */
  heldBytes = 0;
  /** When the client stopped reading the reply; `undefined` while it reads. */
  stalledSinceMs: number | undefined;
  /** The outcome for the log, once a service was reached. */
  outcome: string | undefined;
  readonly #table: CallTable;
  readonly #channel: CallChannel;
  /** Made when somebody asks for the signal: most calls are over before. */
  #controller: AbortController | undefined;
  #abortReason: unknown;
  #replyBytes = 0;
  #isClosed = false;
  #isEndedByServer = false;

  constructor(table: CallTable, channel: CallChannel, isStream: boolean, refusal: ConnectError | undefined) {
    this.#table = table;
    this.#channel = channel;
    this.isStream = isStream;
    this.refusal = refusal;
  }

  /** Aborted when the client is gone, the deadline has passed or the server ends its streams. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  /** Takes memory until it is released or the call ends; throws RESOURCE_EXHAUSTED when there is none. */
  charge(bytes: number): void {
    this.#table.charge(this, bytes);
  }

  release(bytes: number): void {
    this.#table.release(this, bytes);
  }

  /** Takes memory for a part of the reply message that is being made. */
  chargeReply(bytes: number): void {
    this.#table.checkReply(this.#replyBytes + bytes);
    this.#table.charge(this, bytes);
    this.#replyBytes += bytes;
  }

  /**
   * Sets what a stream holds for its messages, at most what a reply may hold: less is given back at once, and for more it
   * waits until there is memory.
   * @returns false when the call ended before there was any.
   */
  holdForMessages(bytes: number): boolean | Promise<boolean> {
    const held = this.#table.replyBytes(bytes);
    const more = held - this.#replyBytes;
    if (more > 0) return this.#holdMore(more);
    this.release(-more);
    this.#replyBytes = held;
    return true;
  }

  async #holdMore(bytes: number): Promise<boolean> {
    const isCharged = await this.#table.chargeWhenFree(this, bytes);
    if (isCharged) this.#replyBytes += bytes;
    return isCharged;
  }

  /** Throws RESOURCE_EXHAUSTED for a message that is longer than a reply may be. */
  checkMessage(bytes: number): void {
    this.#table.checkReply(bytes);
  }

  /** Gives back what was taken for the reply message, once a stream has written it. */
  releaseReply(): void {
    this.release(this.#replyBytes);
    this.#replyBytes = 0;
  }

  /** Whether the response is finished or its client is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the signal was aborted because the server stops, not because the client is gone. */
  get isEndedByServer(): boolean {
    return this.#isEndedByServer;
  }

  close(): void {
    this.#isClosed = true;
    this.abort(clientGone);
  }

  endByServer(): void {
    if (this.#isClosed) return;
    this.#isEndedByServer = true;
    this.abort(serverStops);
  }

  /** The answer is not waited for any more. */
  abort(reason: unknown): void {
    this.#abortReason ??= reason;
    this.#controller?.abort(this.#abortReason);
  }

  /** Breaks the call off without a word: its client does not read. */
  cut(): void {
    this.#table.release(this, this.heldBytes);
    this.#replyBytes = 0;
    // gRPC maps this code of HTTP/2 to RESOURCE_EXHAUSTED.
    const { stream } = this.#channel;
    if (stream === undefined) this.#channel.destroy();
    else stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

/** Why signals are aborted; made once, since every call ends with one. */
const clientGone = new ConnectError('the client is gone', Code.Canceled);
const serverStops = shuttingDownError();

/** The call that a service's context belongs to. */
export const callKey = createContextKey<Call | undefined>(undefined, { description: 'the call' });

export function callOf(context: HandlerContext): Call {
  const call = context.values.get(callKey);
  assert(call !== undefined, 'a service is reached by a call');
  return call;
}
