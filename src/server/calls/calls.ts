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
import { ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import { checkUser } from '../../access/checks.ts';
import { type Login, noLogin } from '../../access/login/login.ts';
import { type Clock, type Timer, systemClock } from '../../clock.ts';
import { RetryLaterError, StoreError, assert, isStoreError } from '../../errors.ts';
import { type ServerLimits, fixed, limitName, serverFixed } from '../../limits.ts';
import { type GrpcCode, nameOfCode } from '../../grpc-code.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { CallMeter } from '../metrics/call-meter.ts';
import { CallMeters } from '../metrics/call-meters.ts';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import { type CallKind, CallSpan } from '../tracing/call-span.ts';
import { parentContext } from '../tracing/parent-context.ts';
import { ServerTraces } from '../tracing/server-traces.ts';
import { CallError, stoppingError } from './call-error.ts';
import { CallRate } from './call-rate.ts';
import { type LastingCall, LastingCalls } from './lasting-calls.ts';
import { OperationCounts, type OperationTally } from './operation-counts.ts';

export type CallLimits = Pick<ServerLimits, 'callsMax' | 'callBytesMax' | 'replyBytesMax'>;

/** The connection that a call came over. */
export interface Peer {
  /** `undefined` or empty: it is none of the network, but a socket of a file. */
  readonly remoteAddress?: string | undefined;
  /** It is closed. */
  readonly destroyed?: boolean;
}

export interface CallTableParts {
  readonly traces?: ServerTraces;
  /** By which logins expire. */
  readonly clock?: Clock | undefined;
  /** Left out: calls are not limited by users. */
  readonly rates?: RateLimits | undefined;
}

/** What a call is answered through. */
export interface CallChannel {
  /** The connection, if others may have calls on it: their requests are bounded together. */
  readonly peer?: Peer | undefined;
  /** Breaks the call off without a word: its client does not read. */
  cut(): void;
}

export class CallTable {
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
    assert(call.requestBytes === 0, 'what waits for memory has given back that of its request');
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

/** What ends with its call. */
export interface Stoppable {
  stop(): void;
}

interface WaitingStream {
  readonly call: Call;
  readonly bytes: number;
  readonly resolve: (isCharged: boolean) => void;
}

export class Call implements LastingCall {
  readonly isStream: boolean;
  /** Whose call it is; set by its door. */
  login: Login = noLogin;
  /** `undefined`: what users do is not limited. */
  readonly rate: CallRate | undefined;
  /** Of the table; a call's own code charges and releases by the methods. */
  heldBytes = 0;
  /** ... and of that for its request. */
  requestBytes = 0;
  /** Of the table: it is not known whose call it is. */
  isStranger = false;
  /** Of the table: when the client stopped reading the reply; `undefined` while it reads. */
  stalledSinceMs: number | undefined = undefined;
  /** Of a stream of requests: how long the message that its method was given last had lain here, whole. */
  messageWaitedMs = 0;
  /** Of a stream of batches, for the log. */
  operationTally: OperationTally | undefined = undefined;
  /** How it ended, once that is known: for the log and the metrics. */
  outcome: GrpcCode | undefined = undefined;
  /** Where the bytes of its bodies are counted, unless its door does that itself. */
  meter: CallMeter | undefined = undefined;
  /** Of its trace; `undefined`: spans are not wanted. */
  span: CallSpan | undefined = undefined;
  /** In how many forms at once a reply of it is held while it is made. */
  replyCopies = 1;
  readonly #table: CallTable;
  readonly #channel: CallChannel;
  /** Throws when it is not allowed any more. */
  #needs: ((login: Login) => void) | undefined = undefined;
  /** Made when somebody asks for the signal: most calls are over before. */
  #controller: AbortController | undefined = undefined;
  #abortReason: unknown = undefined;
  #stopped: Stoppable | undefined = undefined;
  #replyBytes = 0;
  /** What is charged for those. */
  #replyMemoryBytes = 0;
  #isClosed = false;
  #hasLeft = false;
  #isAtWork = false;
  #isEndedByServer = false;

  /** Of the table, which counts it. */
  constructor(table: CallTable, channel: CallChannel, isStream: boolean) {
    this.#table = table;
    this.#channel = channel;
    this.isStream = isStream;
    this.rate = table.rates && new CallRate(table.rates, this);
  }

  /** Aborted when the client is gone, the deadline has passed or the server ends its streams. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    return this.#controller.signal;
  }

  /** What the signal was aborted with. */
  get abortReason(): unknown {
    return this.#abortReason;
  }

  get isAborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /** Stops it when the signal is aborted: for one who has no need of a signal, which takes more memory than all of a watch. */
  stopOnAbort(stopped: Stoppable): void {
    this.#stopped = stopped;
    if (this.#abortReason !== undefined) stopped.stop();
  }

  /**
   * It is the call of whom a password is checked for; until then it is a stranger's. Rejects with why it is no user's, and with
   * `limitReached`.
   */
  async logIn(login: Promise<Login>): Promise<void> {
    // One that is refused a place waits for it no more.
    login.catch(() => undefined);
    this.#table.addStranger(this);
    this.login = await login;
    this.#table.removeStranger(this);
  }

  /** It goes on, and is for everybody. Throws `limitReached`. */
  lastsForStranger(): void {
    this.#table.addStranger(this);
  }

  /**
   * Asks whether it is allowed, now and again after each change of access for as long as it goes on: then it is aborted by what
   * `needs` throws.
   */
  keepAllowed(needs: (login: Login) => void): void {
    needs(this.login);
    // To one without a name everything is allowed or nothing, so what it was that it needed is not kept.
    this.#needs = this.login.userName === '' ? checkUser : needs;
    if (!this.#isClosed) this.#table.lasting.add(this);
  }

  /**
   * Runs what asks whether it is allowed something. Throws what that throws.
   * @param name of what it is, for the log.
   */
  asked(name: string, ask: () => void): void {
    try {
      ask();
    } catch (error) {
      this.denied(name, error);
      throw error;
    }
  }

  /** It was asked whether it is allowed something, and that threw: if it is for want of rights, it is told. */
  denied(name: string, error: unknown): void {
    if (isStoreError(error, 'permissionDenied')) this.#table.onDenied(this, name);
  }

  askAgain(): void {
    try {
      this.#needs?.(this.login);
    } catch (error) {
      this.abort(error);
    }
  }

  get traces(): ServerTraces {
    return this.#table.traces;
  }

  /** What else the line of the log says of it. */
  get logged(): object {
    const { span, operationTally } = this;
    return span === undefined ? { ...operationTally } : { ...operationTally, trace_id: span.traceId };
  }

  /** It is part of a trace from now on, if that is recorded. @param headers what its client says of that. */
  beginSpan(tracer: Tracer, headers: TraceHeaders | undefined, makeKind: () => CallKind): void {
    const { traces } = this.#table;
    const parent = parentContext(headers);
    // What a stream is asked for is part of its trace, also of one that is left out.
    const isForOthers = this.isStream && parent !== ROOT_CONTEXT;
    if (isForOthers || traces.mayRecord(parent)) this.span = new CallSpan(traces, tracer, makeKind(), parent);
  }

  /** Where the operations of its batches are counted. */
  get operationCounts(): OperationCounts {
    return this.#table.operationCounts;
  }

  /** Bytes of a body have come, for the metrics. */
  received(bytes: number): void {
    if (this.meter !== undefined) this.meter.receivedBytes += bytes;
    this.rate?.countBytes(bytes);
  }

  sent(bytes: number): void {
    if (this.meter !== undefined) this.meter.sentBytes += bytes;
    this.rate?.countBytes(bytes);
  }

  /** Takes memory until it is released or the call ends; throws `limitReached` when there is none. */
  charge(bytes: number): void {
    this.#table.charge(this, bytes);
  }

  release(bytes: number): void {
    this.#table.release(this, bytes);
  }

  /** Takes memory for what has come of the request, as `charge` does. */
  chargeRequest(bytes: number): void {
    this.#table.chargeRequest(this, bytes);
  }

  releaseRequest(bytes: number): void {
    this.#table.releaseRequest(this, bytes);
  }

  /** Of a stream: its request was read, and nothing of it is kept. */
  requestRead(): void {
    this.releaseRequest(this.requestBytes);
  }

  get peer(): Peer | undefined {
    return this.#channel.peer;
  }

  /** Takes memory for a part of the reply message that is about to be made. */
  chargeReply(bytes: number): void {
    const replyBytes = this.#replyBytes + bytes;
    this.#table.checkReply(replyBytes);
    const memoryBytes = this.replyMemoryBytes(replyBytes);
    this.#table.charge(this, memoryBytes - this.#replyMemoryBytes);
    this.#replyBytes = replyBytes;
    this.#replyMemoryBytes = memoryBytes;
  }

  /** What so many bytes of a reply take while they are made. */
  replyMemoryBytes(bytes: number): number {
    return this.#table.replyMemoryBytes(bytes, this.replyCopies);
  }

  /**
   * Sets what a stream holds for its messages, at most what a reply may hold: less is given back at once, and for more it
   * waits until there is memory.
   * @returns false when the call ended before there was any.
   */
  holdForMessages(bytes: number): boolean | Promise<boolean> {
    const held = this.#table.replyBytes(bytes);
    const memoryBytes = this.replyMemoryBytes(held);
    const more = memoryBytes - this.#replyMemoryBytes;
    if (more > 0) return this.#holdAnew(held, memoryBytes);
    if (more < 0) this.release(-more);
    this.#replyBytes = held;
    this.#replyMemoryBytes = memoryBytes;
    return true;
  }

  /**
   * What is held is of messages that were sent, and goes first: streams that kept it while they waited for more would wait for
   * each other.
   */
  #holdAnew(bytes: number, memoryBytes: number): true | Promise<boolean> {
    this.releaseReply();
    const answer = this.#table.chargeWhenFree(this, memoryBytes);
    if (answer !== true) return this.#holdLater(bytes, memoryBytes, answer);
    this.#replyBytes = bytes;
    this.#replyMemoryBytes = memoryBytes;
    return true;
  }

  async #holdLater(bytes: number, memoryBytes: number, answer: Promise<boolean>): Promise<boolean> {
    const isCharged = await answer;
    if (!isCharged) return false;
    this.#replyBytes = bytes;
    this.#replyMemoryBytes = memoryBytes;
    return true;
  }

  /** What of so many bytes may be in one message. */
  replyBytes(bytes: number): number {
    return this.#table.replyBytes(bytes);
  }

  /** Throws `limitReached` for a message that is longer than a reply may be. */
  checkMessage(bytes: number): void {
    this.#table.checkReply(bytes);
  }

  /** Gives back what was taken for the reply message, once a stream has written it. */
  releaseReply(): void {
    this.release(this.#replyMemoryBytes);
    this.#replyBytes = 0;
    this.#replyMemoryBytes = 0;
  }

  /** Of a call with one reply, which is made: nothing else of it is held any more. */
  holdOnly(bytes: number): void {
    this.requestRead();
    this.release(this.heldBytes - bytes);
  }

  /** Whether the response is finished or its client is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the signal was aborted because the server stops, not because the client is gone. */
  get isEndedByServer(): boolean {
    return this.#isEndedByServer;
  }

  /** The response is finished or its client is gone: the call leaves the table. */
  close(): void {
    if (this.#isClosed) return;
    // What waits for memory ends first: it would be given what the call gives back.
    this.#isClosed = true;
    this.abort(clientGone);
    this.#table.leave(this);
    this.#hasLeft = true;
    this.span?.end(this.outcome === undefined ? undefined : nameOfCode(this.outcome));
    if (!this.#isAtWork) this.#table.uncount();
  }

  /** Its method is at work, which may take longer than its client waits. It may have left by then. */
  beginWork(): void {
    this.#isAtWork = !this.#hasLeft;
  }

  endWork(): void {
    if (!this.#isAtWork) return;
    this.#isAtWork = false;
    // It may end as it learns that the call closes.
    if (this.#hasLeft) this.#table.uncount();
  }

  /** Whether the client reads the reply, as far as it has been written. */
  setStalled(isStalled: boolean): void {
    if (!this.#isClosed) this.#table.setStalled(this, isStalled);
  }

  /**
   * The client has not read the one reply, of so many bytes: what of them was not charged is held from now on. When there is
   * no memory for it, the call is cut.
   * @returns how much was charged.
   */
  holdUnread(bytes: number): number {
    const more = Math.max(bytes - this.heldBytes, 0);
    return more > 0 && this.#isHeldOrCut(() => this.charge(more)) ? more : 0;
  }

  /** As `holdUnread`, for what has come of the request and can't be refused. @returns whether there was memory. */
  holdCome(bytes: number): boolean {
    return this.#isHeldOrCut(() => this.chargeRequest(bytes));
  }

  #isHeldOrCut(charge: () => void): boolean {
    try {
      charge();
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.cut();
      return false;
    }
  }

  endByServer(): void {
    if (this.#isClosed) return;
    this.#isEndedByServer = true;
    this.abort(serverStops);
  }

  /** The answer is not waited for any more. */
  abort(reason: unknown): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    this.#controller?.abort(reason);
    this.#stopped?.stop();
  }

  /** Whether what it needs is asked again after each change of access. */
  get isLasting(): boolean {
    return this.#needs !== undefined;
  }

  /** Breaks the call off without a word: its client does not read. */
  cut(): void {
    this.#table.cutCount++;
    this.#table.releaseAll(this);
    this.#table.setStalled(this, false);
    this.#replyBytes = 0;
    this.#replyMemoryBytes = 0;
    this.#channel.cut();
  }
}

/** Why signals are aborted; made once, since every call ends with one. */
const clientGone = new CallError('canceled', 'the client is gone');
const serverStops = stoppingError();

function tryLater(message: string): RetryLaterError {
  return new RetryLaterError(message, fixed.busyRetryMs);
}
