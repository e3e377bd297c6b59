/**
 * Runs unary calls: deadline, cancellation, and repetition of what is safe to repeat, until the deadline.
 *
 * - A call that changes nothing, or the same however often it is made, is repeated after any failure that may pass: the
 *   server can't be reached, the connection broke, the server is recovering or stopping.
 * - A call that changes something is repeated after such a failure only when that proves that nothing has changed: the
 *   request has surely not been processed (`call-failure.ts` says when), or the server said that it is recovering or
 *   stopping. A lost answer is not such a proof; the caller gets the error with `mayHaveTakenEffect` and decides.
 * - `limitReached` promises that nothing has changed. Any call that got it is repeated if the server said when that may help
 *   (`google.rpc.RetryInfo`), and not before: more calls would not help. When there is no time for that, it fails at once.
 * - Nothing else is repeated: other limits do not pass by themselves (a message that is too long, a full memory).
 * - What is refused as `unauthenticated` has changed nothing. Where a function gives the credentials it is made again, once, with
 *   others (`authorization.ts`), which is no retry: it is not counted by `retries`, and waits for nothing but the function.
 * - A wrong configuration that is certain (TLS on one side only, a certificate that is not trusted) fails at once.
 *
 * Where there are several servers, what is repeated goes to the next one at once, and there is a pause when each was tried: only those count
 * as retries. Which one is asked, and which is left alone for a while, is the transport's to know (`servers/`).
 *
 * One try at a time is under way. A call that is out of time rejects with its last failure: `unavailable`, `recovering`
 * or `shuttingDown` when that was known by then, `deadlineExceeded` when the last try was still without an answer.
 */
import { type Timer, holdProcess, systemClock } from '../../clock.ts';
import { client as limits } from '../../limits.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { KelpError } from '../errors/error.ts';
import { mayPass, toKelpError } from '../errors/kelp-error.ts';
import { type DemandDefaults, type ReadDemand, toReadDemand } from '../messages/read-demand.ts';
import type { CallOptions, ReadCallOptions } from '../messages/types.ts';
import { Authorization } from './authorization.ts';
import type { CallTrace, CallTraces } from './call-trace.ts';
import type { CallTransport, Route } from './call-transport.ts';
import type { Credentials, CredentialsSource } from './credentials.ts';
import type { Method } from './method.ts';
import type { Pace } from './pace.ts';
import { backoffUntil } from './pace.ts';

export interface CallerOptions {
  readonly transport: CallTransport;
  readonly deadlineMs: number;
  readonly retries: number;
  /** What reads ask for that have no options of their own. */
  readonly demand?: DemandDefaults;
  readonly pace: Pace;
  /** `undefined`: calls show none. */
  readonly credentials: Credentials | CredentialsSource | undefined;
  /** `undefined`: no call is ever traced. */
  readonly traces: CallTraces | undefined;
}

/** What calls take that the client makes by itself. */
export interface TryOptions extends CallOptions {
  /** The time that one try may take; left out: all that is left. */
  readonly tryMsMax?: number;
  /** Called before each try. */
  readonly onTry?: () => void;
}

/** What belongs to the tries of a call besides its options. */
interface TryParts {
  readonly route: Route | undefined;
  readonly trace?: CallTrace | undefined;
  readonly generationOf?: () => number;
}

/** One try of a call. Rejects with a `CallFailure`, and with any error once the call's signal is aborted. */
type Attempt<Reply> = (timeoutMs: number) => Promise<Reply>;

/** What a gRPC timeout can say: 8 digits of milliseconds, 27 hours. */
const TIMEOUT_MS_MAX = 99_999_999;

/** The timeout of a try as its header can say it: a whole number, since a server refuses any other. */
export function timeoutMsOf(ms: number): number {
  return Math.min(Math.ceil(ms), TIMEOUT_MS_MAX);
}

/** For calls whose work grows with the store. */
export function withLongDeadline(options: CallOptions): CallOptions {
  return { ...options, deadlineMs: options.deadlineMs ?? limits.longDeadlineMs };
}

export class Caller {
  readonly deadlineMs: number;
  readonly retries: number;
  readonly pace: Pace;
  readonly #transport: CallTransport;
  readonly #traces: CallTraces | undefined;
  readonly #demand: DemandDefaults;
  readonly #authorization: Authorization;
  readonly #closed = new AbortController();
  #isClosed = false;

  constructor({ transport, deadlineMs, retries, demand = {}, pace, credentials, traces }: CallerOptions) {
    this.#transport = transport;
    this.#authorization = new Authorization(credentials, transport);
    this.#traces = traces;
    this.#demand = demand;
    this.retries = retries;
    this.pace = pace;
    this.deadlineMs = deadlineMs;
  }

  /** Aborted when the client is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  close(): void {
    this.#isClosed = true;
    this.#closed.abort();
    this.#transport.close();
  }

  /** How new a read of such options must be, as its request says it. */
  demand(options: ReadCallOptions): ReadDemand {
    return toReadDemand(options, this.#demand);
  }

  /**
   * The options for the next part of a read whose parts so far showed a revision: a server that is only asked for what it has may not have that
   * yet.
   */
  goingOn<Options extends ReadCallOptions>(options: Options, shownAt: number): Options {
    const { consistency = this.#demand.consistency, minRevision = this.#demand.minRevision ?? 0 } = options;
    if (consistency !== 'local' || shownAt <= minRevision) return options;
    // What they inherit counts, too.
    return Object.create(options, { minRevision: { value: shownAt, enumerable: true } }) as Options;
  }

  /** A call that changes nothing, or the same however often it is made. */
  read<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    options: TryOptions,
  ): Promise<Reply> {
    return this.#run(false, method, request, options);
  }

  /** Begins the way of something longer; `undefined`: there is one server. */
  newRoute(): Route | undefined {
    return this.#transport.newRoute?.();
  }

  /**
   * A part of something longer that changes nothing: `attempt` makes one try, in so many milliseconds.
   * @param generation which credentials what it goes over was opened with, once the try has failed.
   */
  readPart<Part>(
    attempt: Attempt<Part>,
    options: CallOptions,
    route: Route | undefined,
    generation: () => number,
  ): Promise<Part> {
    return this.#try(false, attempt, options, { route, generationOf: generation });
  }

  /** A call that changes something. */
  write<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    options: TryOptions,
  ): Promise<Reply> {
    return this.#run(true, method, request, options);
  }

  /** Of the credentials that what begins now shows. */
  get generation(): number {
    return this.#authorization.generation;
  }

  /**
   * Waits until there are credentials to begin with; nearly always there is nothing to wait for, and this is `undefined`.
   * Rejects with a `KelpError`, or any error once the signal is aborted.
   */
  authorized(ms: number, signal: AbortSignal | undefined): Promise<void> | undefined {
    const { awaited } = this.#authorization;
    return awaited && this.#inTime(awaited, ms, signal);
  }

  /**
   * Gets other credentials after those of a generation were refused. Rejects as `authorized` does.
   * @returns false when there are no others: the refusal is the answer.
   */
  async reauthorized(generation: number, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (!this.#authorization.isRenewable) return false;
    return this.#inTime(this.#authorization.renew(generation), ms, signal);
  }

  /**
   * A call whose replies are a stream, to be read from at once, when it is `authorized`. It is made once; what becomes of a stream
   * that breaks is its reader's to say.
   * @param route of those that go on with one another.
   */
  stream<Request, Reply>(
    method: Method<Request, Reply>,
    request: Request,
    timeoutMs: number | undefined,
    signal: AbortSignal,
    route?: Route,
  ): AsyncIterable<Reply> {
    const trace = this.#traces?.begin(method.path);
    const replies = this.#transport.stream(method, request, timeoutMs, signal, trace?.headers, route);
    return trace === undefined ? replies : this.#tracedStream(replies, trace, signal);
  }

  /** What went wrong, as the caller shall see it. `isOpen`: whether what was sent may have changed something. */
  errorOf(reason: unknown, isOpen: boolean, signal: AbortSignal | undefined): KelpError {
    const options = { cause: signal?.reason ?? reason, mayHaveTakenEffect: isOpen };
    if (signal?.aborted) return new KelpError('canceled', 'the call was canceled', undefined, options);
    if (this.#isClosed) return new KelpError('closed', 'the client is closed', undefined, options);
    return toKelpError(reason, { isWrite: isOpen, address: this.#transport.address });
  }

  #run<Request, Reply>(
    isWrite: boolean,
    method: Method<Request, Reply>,
    request: Request,
    options: TryOptions,
  ): Promise<Reply> {
    const { signal } = options;
    const trace = this.#traces?.begin(method.path);
    const route = this.newRoute();
    const attempt = (timeoutMs: number): Promise<Reply> =>
      this.#transport.unary(method, request, timeoutMs, signal, trace?.headers, route);
    const reply = this.#try(isWrite, attempt, options, { route, trace });
    return trace === undefined ? reply : traced(reply, trace);
  }

  /** The trace ends with the stream, also when its reader does nothing but abort the signal. */
  async *#tracedStream<Reply>(
    replies: AsyncIterable<Reply>,
    trace: CallTrace,
    signal: AbortSignal,
  ): AsyncGenerator<Reply, void, undefined> {
    const onAbort = (): void => trace.left();
    signal.addEventListener('abort', onAbort);
    try {
      yield* replies;
      trace.succeeded();
    } catch (reason) {
      if (!signal.aborted) trace.failed(this.errorOf(reason, false, undefined));
      throw reason;
    } finally {
      trace.left();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Waits for credentials. */
  async #inTime<Result>(
    coming: Promise<Result>,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const ended = signal === undefined ? this.closed : AbortSignal.any([signal, this.closed]);
    const { promise: end, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(this.errorOf(undefined, false, signal));
    const timer: Timer = systemClock.setTimer(Math.max(0, ms), () =>
      reject(new KelpError('deadlineExceeded', 'the function credentials gave none in time', undefined)),
    );
    // The function may wait for what does not.
    const held = holdProcess();
    if (ended.aborted) onAbort();
    else ended.addEventListener('abort', onAbort);
    try {
      return await Promise.race([coming, end]);
    } finally {
      held.cancel();
      timer.cancel();
      ended.removeEventListener('abort', onAbort);
    }
  }

  /** Before the next try; `undefined`: there is no time for one. */
  #pauseMs(
    route: Route | undefined,
    endsAtMs: number,
    pauses: number,
    { retryAfterMs }: KelpError,
  ): number | undefined {
    const { pace } = this;
    const pauseMs = backoffUntil(endsAtMs, pauses, pace, retryAfterMs, route !== undefined);
    if (pauseMs === undefined || route === undefined) return pauseMs;
    return Math.max(pauseMs, Math.min(route.restMs, (endsAtMs - pace.monotonicMs()) / 2));
  }

  async #try<Reply>(
    isWrite: boolean,
    attempt: Attempt<Reply>,
    { signal, deadlineMs = this.deadlineMs, tryMsMax = Number.POSITIVE_INFINITY, onTry }: TryOptions,
    { route, trace, generationOf }: TryParts,
  ): Promise<Reply> {
    const { pace } = this;
    const beganAtMs = pace.monotonicMs();
    const endsAtMs = beganAtMs + deadlineMs;
    let freeTries = 0;
    let pauses = 0;
    for (let tries = 1, last: KelpError | undefined; ; tries++) {
      // Nothing has been sent yet, or the last try has proved to be without effect.
      if (signal?.aborted || this.#isClosed) throw this.errorOf(undefined, false, signal);
      const { awaited } = this.#authorization;
      if (awaited !== undefined) await this.#inTime(awaited, endsAtMs - pace.monotonicMs(), signal);
      const { generation } = this.#authorization;
      const hasPaused = tries > 1 || awaited !== undefined;
      const remainingMs = Math.ceil(hasPaused ? endsAtMs - pace.monotonicMs() : deadlineMs);
      // A pause ends late in a process that is held up.
      if (last !== undefined && remainingMs <= 0)
        throw afterTries(last, tries - 1, pace.monotonicMs() - beganAtMs);
      const timeoutMs = timeoutMsOf(Math.max(1, Math.min(remainingMs, tryMsMax)));
      onTry?.();
      let error: KelpError;
      try {
        return await attempt(timeoutMs);
      } catch (reason) {
        const isUnprocessed = reason instanceof CallFailure && reason.isUnprocessed;
        error = this.errorOf(reason, isWrite && !isUnprocessed, signal);
      }
      if (error.code === 'unauthenticated' && freeTries === 0) {
        const refused = generationOf?.() ?? generation;
        if (await this.reauthorized(refused, endsAtMs - pace.monotonicMs(), signal)) {
          freeTries++;
          last = error;
          trace?.retried(error);
          continue;
        }
      }
      const mayBeRepeated =
        !error.mayHaveTakenEffect &&
        (mayPass(error) ||
          (error.code === 'deadlineExceeded' && timeoutMs < remainingMs) ||
          // A certificate that is not trusted may be that of one server.
          (error.code === 'unavailable' && route?.goesElsewhere === true));
      const goesOn =
        mayBeRepeated &&
        error.code !== 'limitReached' &&
        route?.goesElsewhere === true &&
        endsAtMs - pace.monotonicMs() >= limits.lastTryMs;
      const mayPause = mayBeRepeated && !goesOn && pauses < this.retries;
      const pauseMs = mayPause ? this.#pauseMs(route, endsAtMs, ++pauses, error) : undefined;
      if (pauseMs === undefined && !goesOn)
        throw afterTries(error, tries, pace.monotonicMs() - beganAtMs, last);
      last = error;
      trace?.retried(error);
      if (pauseMs === undefined) continue;
      route?.paused();
      await pace.wait(pauseMs, signal ? AbortSignal.any([signal, this.closed]) : this.closed);
    }
  }
}

/** Settles as the call does, and ends its trace. */
async function traced<Reply>(call: Promise<Reply>, trace: CallTrace): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await call;
  } catch (error) {
    trace.failed(error as KelpError);
    throw error;
  }
  trace.succeeded();
  return reply;
}

/** The error that ends a call; after more than one try it says how many there were, over which time. */
export function afterTries(error: KelpError, tries: number, ms: number, before?: KelpError): KelpError {
  if (tries < 2 || error.code === 'canceled' || error.code === 'closed') return error;
  const { code, details, mayHaveTakenEffect, retryAfterMs } = error;
  // That there was no answer tells least of all.
  const why = code === 'deadlineExceeded' && before !== undefined ? `, before that: ${before.message}` : '';
  const message = `${error.message} (tried ${tries} times in ${Math.round(ms)} ms${why})`;
  return new KelpError(code, message, details, { cause: error, mayHaveTakenEffect, retryAfterMs });
}
