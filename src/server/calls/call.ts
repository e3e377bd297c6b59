/**
 * One call under way: whose it is, what it holds, what ends it, and what is told of it. It counts in a table (`call-table.ts`), which
 * bounds all of them together.
 */
import { ROOT_CONTEXT, type Tracer } from '@opentelemetry/api';
import { checkUser } from '../../access/checks.ts';
import { type Login, noLogin } from '../../access/login/login.ts';
import { StoreError, isStoreError } from '../../errors.ts';
import { type GrpcCode, nameOfCode } from '../../grpc-code.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { CallMeter } from '../metrics/calls/call-meter.ts';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import { type CallKind, CallSpan } from '../tracing/call-span.ts';
import { parentContext } from '../tracing/parent-context.ts';
import type { ServerTraces } from '../tracing/server-traces.ts';
import { BrokenWatchError, CallError, stoppingError } from './call-error.ts';
import { CallRate } from './call-rate.ts';
import type { LastingCall, LastingCalls } from './lasting-calls.ts';
import type { OperationCounts, OperationTally } from './operation-counts.ts';

/** The connection that a call came over. */
export interface Peer {
  /** `undefined` or empty: it is none of the network, but a socket of a file. */
  readonly remoteAddress?: string | undefined;
  /** It is closed. */
  readonly destroyed?: boolean;
}

/** What a call is answered through. */
export interface CallChannel {
  /** The connection, if others may have calls on it: their requests are bounded together. */
  readonly peer?: Peer | undefined;
  /** Breaks the call off without a word: its client does not read. */
  cut(): void;
  /** The call is not allowed any more, and was aborted; one whose client does not read would not come to its end by itself. */
  refuse?(error: unknown): void;
}

/** What a client has shown of itself, as it is passed on to the writer of a cluster. */
export interface ShownCredentials {
  /** In the form of the header; `undefined`: there are none. */
  readonly authorization: string | undefined;
  /** Who it is says the certificate of its connection. */
  readonly isByConnection: boolean;
}

export const NOTHING_SHOWN: ShownCredentials = { authorization: undefined, isByConnection: false };

/** What ends with its call. */
export interface Stoppable {
  stop(): void;
}

/** What a call needs of the table that it counts in. */
export interface CallLedger {
  cutCount: number;
  readonly traces: ServerTraces;
  readonly operationCounts: OperationCounts;
  readonly lasting: LastingCalls;
  /** `undefined`: what users do is not limited. */
  readonly rates: RateLimits | undefined;
  onDenied(call: Call, name: string): void;
  addStranger(call: Call): void;
  removeStranger(call: Call): void;
  charge(call: Call, bytes: number): void;
  chargeRequest(call: Call, bytes: number): void;
  chargeWhenFree(call: Call, bytes: number): true | Promise<boolean>;
  release(call: Call, bytes: number): void;
  releaseRequest(call: Call, bytes: number): void;
  releaseAll(call: Call): void;
  replyBytes(bytes: number): number;
  replyMemoryBytes(bytes: number, copies: number): number;
  checkReply(bytes: number): void;
  setStalled(call: Call, isStalled: boolean): void;
  leave(call: Call): void;
  uncount(): void;
}

export class Call implements LastingCall {
  readonly isStream: boolean;
  /** Of a stream: whether it goes on while a node of a cluster closes its store and opens it again. */
  isWithoutStore = false;
  /** Whose call it is; set by its door. */
  login: Login = noLogin;
  /** In a cluster alone; set by its door. */
  shown: ShownCredentials | undefined = undefined;
  /** Of a call that another node of the cluster has passed on: its client, if that is known; set by its door. */
  passedOnFor: Peer | undefined = undefined;
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
  /** Of a stream of requests: they are read on while it waits for memory, so that nothing that waits for it holds them. */
  readsMeanwhile = false;
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
  readonly #table: CallLedger;
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
  /** Of a call that the server has ended. */
  #serverEnd: CallError | undefined = undefined;

  /** Of the table, which counts it. */
  constructor(table: CallLedger, channel: CallChannel, isStream: boolean) {
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

  /** It is for everybody. Throws `limitReached`. */
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
      this.#channel.refuse?.(error);
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

  /** The connection that it came over. */
  get peer(): Peer | undefined {
    return this.#channel.peer;
  }

  /** Where it comes from in the first place. */
  get client(): Peer | undefined {
    return this.passedOnFor ?? this.#channel.peer;
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

  /**
   * Gives back what was taken for the reply message: once a stream has written it, or since it is made anew.
   * @param keptBytes of the reply, for which it was taken as well.
   */
  releaseReply(keptBytes = 0): void {
    const memoryBytes = keptBytes === 0 ? 0 : this.replyMemoryBytes(keptBytes);
    this.release(this.#replyMemoryBytes - memoryBytes);
    this.#replyBytes = keptBytes;
    this.#replyMemoryBytes = memoryBytes;
  }

  /** The bytes of the reply for which memory is taken. */
  get chargedReplyBytes(): number {
    return this.#replyBytes;
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

  /** Whether the signal was aborted because the server stops, or opens its store again, not because the client is gone. */
  get isEndedByServer(): boolean {
    return this.#serverEnd !== undefined;
  }

  /** What the client of a stream that the server has ended is told. @param resumeRevision of a watch: where to go on. */
  serverEnd(resumeRevision: number): CallError {
    const { code, message } = this.#serverEnd ?? serverStops;
    return new CallError(code, message, resumeRevision);
  }

  /** How a watch that the store has ended tells it to its client: with the revision to go on from, where the client can. */
  watchEnd(error: unknown, resumeRevision: number): unknown {
    // A store that closes ends its watches; when it is not the server that stops it, the call tells nothing.
    if (isStoreError(error, 'closed')) return this.serverEnd(resumeRevision);
    return isStoreError(error, 'readFailed') ? new BrokenWatchError(error, resumeRevision) : error;
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

  endByServer(reason = serverStops): void {
    if (this.#isClosed) return;
    this.#serverEnd = reason;
    this.abort(reason);
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
