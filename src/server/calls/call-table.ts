/**
 * The calls under way. One table counts them and the memory they hold, so that neither grows without bound however many
 * clients send half a request, ask for large replies or do not read what they asked for.
 *
 * A call that is answered at once costs its object and two counters: only streams, and replies that are not read, are listed.
 *
 * When the table is full, or its memory, replies that have not been read for long are cut for what comes, the oldest first.
 *
 * What may wait for memory holds none of its request meanwhile, or calls would wait for each other; and the requests of one
 * connection fill no more than a part of it, so that others have theirs.
 *
 * Calls of strangers, whose user is not known since a password is being checked, or since they are for everybody, have a part of the
 * places and of the memory for requests: who has no right to anything can't keep those out who have.
 *
 * Invariants: `heldBytes` of the table is the sum of that of its calls and never above `callBytesMax`; a call gives back all
 * that it holds when its response is closed, and not before, and counts until its method has done too: who cancels calls can't
 * have more of them at work than others; `requestBytes` of a call is a part of what it holds, and their sums by connection stand
 * in `#requestBytesByPeer`, unless they are 0; stalled calls stand in the order in which they stalled.
 */
import { type Clock, type Timer, systemClock } from '../../clock.ts';
import { RetryLaterError, StoreError, assert } from '../../errors.ts';
import { type ServerLimits, fixed, limitName, serverFixed } from '../../limits.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import { CallMeters } from '../metrics/calls/call-meters.ts';
import { ServerTraces } from '../tracing/server-traces.ts';
import { Call, type CallChannel, type CallLedger } from './call.ts';
import { LastingCalls } from './lasting-calls.ts';
import type { CallError } from './call-error.ts';
import { OperationCounts } from './operation-counts.ts';

export type CallLimits = Pick<ServerLimits, 'callsMax' | 'callBytesMax' | 'replyBytesMax'>;

export interface CallTableParts {
  readonly traces?: ServerTraces;
  /** By which logins expire. */
  readonly clock?: Clock | undefined;
  /** Left out: calls are not limited by users. */
  readonly rates?: RateLimits | undefined;
}

export class CallTable implements CallLedger {
  /** What is counted of calls, by door and method, ... */
  readonly meters = new CallMeters();
  /** ... and of what they have done in batches. */
  readonly operationCounts = new OperationCounts(this.meters);
  /** Replies that were broken off since their client did not read them. */
  cutCount = 0;
  /** Told of each call that asks for more than it is allowed, by the name of what it asks for. */
  onDenied: (call: Call, name: string) => void = () => undefined;
  readonly traces: ServerTraces;
  /** `undefined`: that is not limited. */
  readonly rates: RateLimits | undefined;
  /** Those that go on. */
  readonly lasting: LastingCalls;
  readonly #limits: CallLimits;
  readonly #streams = new Set<Call>();
  /** In the order in which they stalled. */
  readonly #stalled = new Set<Call>();
  readonly #onEmpty = new Set<() => void>();
  /** Streams whose next message waits for memory, in the order in which they came. */
  readonly #waiting = new Set<WaitingStream>();
  readonly #requestBytesByPeer = new Map<object, number>();
  #strangerCount = 0;
  /** ... and what has come of their requests. */
  #strangerBytes = 0;
  #isServingWaiting = false;
  /** Runs while streams wait: a reply becomes old enough to be cut without anything happening. */
  #retryTimer: Timer | undefined;
  #size = 0;
  #refusedCount = 0;
  #heldBytes = 0;

  constructor(
    limits: CallLimits,
    { traces = new ServerTraces(), clock = systemClock, rates }: CallTableParts = {},
  ) {
    this.#limits = limits;
    this.lasting = new LastingCalls(clock);
    this.traces = traces;
    this.rates = rates;
  }

  get size(): number {
    return this.#size;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Those of the calls that are streams. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /**
   * Whether a call that is opened now is not one too many. When it would be, the reply that has not been read for longest is cut
   * for it, if that is long.
   */
  makeRoom(): boolean {
    if (this.#hasRoom) return true;
    // One that counts on until its method has done makes room for a later call.
    this.#longestStalled()?.cut();
    return this.#hasRoom;
  }

  /** What a call too many is answered with. */
  fullError(): StoreError {
    const { callsMax } = this.#limits;
    return tryLater(`${callsMax} calls are under way (${limitName('callsMax')}); try again later`);
  }

  /**
   * A call is refused, and is to be told so when its request has ended; `refusalTold` ends that.
   * @returns false: there are so many of those that it is to be told at once.
   */
  mayRefuseLater(): boolean {
    if (this.#refusedCount >= serverFixed.refusedCallsMax) return false;
    this.#refusedCount++;
    return true;
  }

  refusalTold(): void {
    this.#refusedCount--;
  }

  /** Takes a call in until it is closed; one too many as well, which is answered by `fullError`. */
  open(channel: CallChannel, isStream: boolean): Call {
    const call = new Call(this, channel, isStream);
    this.#size++;
    if (isStream) this.#streams.add(call);
    return call;
  }

  /** Of a call: its response is finished, or its client is gone. */
  leave(call: Call): void {
    this.releaseAll(call);
    this.removeStranger(call);
    if (call.isStream) this.#streams.delete(call);
    if (call.isLasting) this.lasting.delete(call);
    this.setStalled(call, false);
  }

  /** It is not known whose call it is, until `removeStranger` or its end. Throws `limitReached`. */
  addStranger(call: Call): void {
    if (call.isStranger || call.isClosed) return;
    if (this.#strangerCount >= this.#limits.callsMax * serverFixed.strangerCallsShareMax) {
      throw tryLater(
        `calls of those who have not logged in fill their part of all calls (${limitName('callsMax')}); try again later`,
      );
    }
    call.isStranger = true;
    this.#strangerCount++;
    this.#strangerBytes += call.requestBytes;
  }

  removeStranger(call: Call): void {
    if (!call.isStranger) return;
    call.isStranger = false;
    this.#strangerCount--;
    this.#strangerBytes -= call.requestBytes;
  }

  /** Of a call that has left, and whose method has done. */
  uncount(): void {
    this.#size--;
    if (this.#size === 0 && this.#onEmpty.size > 0) this.#tellEmpty();
  }

  setStalled(call: Call, isStalled: boolean): void {
    if (isStalled === (call.stalledSinceMs !== undefined)) return;
    call.stalledSinceMs = isStalled ? performance.now() : undefined;
    if (isStalled) this.#stalled.add(call);
    else this.#stalled.delete(call);
  }

  /** Takes memory for a call. When there is none left, replies that are not being read are cut for it, the oldest first. */
  charge(call: Call, bytes: number): void {
    if (!this.#tryCharge(call, bytes)) {
      throw tryLater(
        `requests and replies fill the memory that is set aside for them (${limitName('callBytesMax')}); try again later`,
      );
    }
  }

  /** Takes memory for what has come of a request. A request that is alone on its connection may have all of it. */
  chargeRequest(call: Call, bytes: number): void {
    if (call.isClosed) return;
    const { peer } = call;
    const peerBytes = this.#requestBytesOf(peer);
    const bytesMax = this.#limits.callBytesMax * serverFixed.requestsOfConnectionShareMax;
    if (peerBytes > call.requestBytes && peerBytes + bytes > bytesMax) {
      throw tryLater(
        `the requests of this connection fill its part of the memory that is set aside for all (half of ${limitName('callBytesMax')}); try again later`,
      );
    }
    if (call.isStranger) this.#checkStrangerBytes(bytes);
    this.charge(call, bytes);
    call.requestBytes += bytes;
    if (call.isStranger) this.#strangerBytes += bytes;
    this.#addRequestBytes(peer, bytes);
  }

  /** Gives back what a call has charged for its request. */
  releaseRequest(call: Call, bytes: number): void {
    const released = Math.max(0, Math.min(bytes, call.requestBytes));
    call.requestBytes -= released;
    if (call.isStranger) this.#strangerBytes -= released;
    this.#addRequestBytes(call.peer, -released);
    this.release(call, released);
  }

  /** Gives back all that a call holds. */
  releaseAll(call: Call): void {
    this.releaseRequest(call, call.requestBytes);
    this.release(call, call.heldBytes);
  }

  /**
   * Takes memory for the next message of a stream, which may wait: the store holds it back without cost. The stream must hold
   * nothing that others may wait for, such as its request, or they wait for each other.
   * @returns true when there was some at once, else a promise: false when the call ended before there was any.
   */
  chargeWhenFree(call: Call, bytes: number): true | Promise<boolean> {
    assert(
      call.requestBytes === 0 || call.readsMeanwhile,
      'what waits for memory has given back that of its request',
    );
    if (this.#waiting.size === 0 && this.#tryCharge(call, bytes)) return true;
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

  /** The memory of so many bytes of a reply that is held in several forms: never so much that no reply of its kind could be made. */
  replyMemoryBytes(bytes: number, copies: number): number {
    return Math.max(bytes, Math.min(bytes * copies, Math.floor(this.#limits.callBytesMax / 2)));
  }

  /** Throws when the reply message that a call is about to make is over the limit. */
  checkReply(bytes: number): void {
    const { replyBytesMax } = this.#limits;
    if (bytes > replyBytesMax) {
      throw new StoreError(
        'limitReached',
        `the reply would hold more than ${replyBytesMax} bytes (${limitName('replyBytesMax')}); ask for less at once`,
      );
    }
  }

  /** Gives back what a call has charged; a call that was cut has given back all already. */
  release(call: Call, bytes: number): void {
    const released = Math.max(0, Math.min(bytes, call.heldBytes));
    this.#heldBytes -= released;
    call.heldBytes -= released;
    if (released > 0 && this.#waiting.size > 0) this.#serveWaiting();
  }

  /** Asks every stream to end. */
  endStreams(): void {
    for (const call of this.#streams) call.endByServer();
  }

  /** Asks the streams to end that stand on the store. @param reason what their clients are told. */
  endStreamsOfStore(reason: CallError): void {
    for (const call of this.#streams) if (!call.isWithoutStore) call.endByServer(reason);
  }

  /** Cuts the streams that wait for their client to read. */
  cutStalledStreams(): void {
    for (const call of this.#stalled) if (call.isStream) call.cut();
  }

  /** Resolves when there is no call. */
  async empty(): Promise<void> {
    if (this.#size > 0) await new Promise<void>((resolve) => this.#onEmpty.add(resolve));
  }

  /** Those that wait to be refused come on top. */
  get #hasRoom(): boolean {
    return this.#size - this.#refusedCount < this.#limits.callsMax;
  }

  #tryCharge(call: Call, bytes: number): boolean {
    // A service may still be at work for a client that is gone; nothing would give back what it takes now.
    if (call.isClosed) return true;
    while (this.#heldBytes + bytes > this.#limits.callBytesMax) {
      const stalled = this.#longestStalled((each) => each.heldBytes > 0);
      if (stalled === undefined) return false;
      stalled.cut();
    }
    this.#heldBytes += bytes;
    call.heldBytes += bytes;
    return true;
  }

  #checkStrangerBytes(bytes: number): void {
    if (this.#strangerBytes + bytes <= this.#limits.callBytesMax * serverFixed.strangerBytesShareMax) return;
    throw tryLater(
      `the requests of those who have not logged in fill their part of the memory that is set aside for all (${limitName('callBytesMax')}); try again later`,
    );
  }

  #requestBytesOf(peer: object | undefined): number {
    return peer === undefined ? 0 : (this.#requestBytesByPeer.get(peer) ?? 0);
  }

  #addRequestBytes(peer: object | undefined, bytes: number): void {
    if (peer === undefined || bytes === 0) return;
    const sum = this.#requestBytesOf(peer) + bytes;
    if (sum > 0) this.#requestBytesByPeer.set(peer, sum);
    else this.#requestBytesByPeer.delete(peer);
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

  /** That stalled long enough ago. */
  #longestStalled(isWanted: (call: Call) => boolean = () => true): Call | undefined {
    const untilMs = performance.now() - serverFixed.stalledReplyMs;
    for (const call of this.#stalled) {
      if (call.stalledSinceMs === undefined || call.stalledSinceMs > untilMs) return undefined;
      if (isWanted(call)) return call;
    }
    return undefined;
  }
}

interface WaitingStream {
  readonly call: Call;
  readonly bytes: number;
  readonly resolve: (isCharged: boolean) => void;
}

function tryLater(message: string): RetryLaterError {
  return new RetryLaterError(message, fixed.busyRetryMs);
}
