/**
 * A watch that outlives its connection.
 *
 * What the reader may rely on, over all reconnections: events come in the order of their revisions, none twice, none
 * missing, all of one revision in one message. Where that can't be kept the watch says so: with `restarted` (what
 * came so far is void), with `compacted` (the last message), or by throwing.
 *
 * The state of a watch is where it would begin if the connection broke now:
 *
 * - "anew": nothing that fixes a position has come. It begins again as the request says. If present entries have been
 *   handed out by then, `restarted` is said first, since another revision's entries will follow.
 * - "after revision R": everything up to R has been handed out (by `synced`, a complete revision or `progress`). It
 *   begins at R + 1. Fragments of a revision are held back until their last has come, and dropped with the
 *   connection.
 *
 * Revisions mean nothing in another store, which a server may come back with (a restored backup, a new data directory).
 * The watch remembers the store of its first message, and a server with another one refuses to go on. The same store may
 * come back with another history (a copy of its files that was put back): the watch remembers the incarnation that wrote
 * R, and where another one wrote it, the server refuses too.
 *
 * A watch that ends since its credentials are not valid any more, as one does whose token expires, goes on with others, where a
 * function gives them; once it has begun, also when that function fails for a while.
 *
 * Where there are several servers it goes on with the next one at once. One that follows another may not have come yet to where the watch
 * goes on: it is tried again, there and elsewhere.
 *
 * Before the first message a watch fails as a call does that changes nothing: with what does not pass at once, else with
 * its last failure when the client's deadline has passed since it was first read. After that it tries for as long as it
 * is read. A server that takes its time over the first message is waited for; a connection that is dead is noticed.
 */
import type { EventShape, WatchRequestShape, WatchResponseShape } from '../../gen/kelp/v1/watch_codec.ts';
import { grpcCode } from '../grpc-code.ts';
import { client as limits } from '../limits.ts';
import { refuse } from './errors/refuse.ts';
import { lacksCredentials } from './calls/authorization.ts';
import type { Route } from './calls/call-transport.ts';
import type { Caller } from './calls/caller.ts';
import { afterTries } from './calls/caller.ts';
import { watchMethod } from './calls/method.ts';
import { CallFailure } from './errors/call-failure.ts';
import { Entry } from './messages/entry.ts';
import type { KelpErrorCode } from './errors/error.ts';
import { KelpError, isKelpError } from './errors/error.ts';
import { mayPass } from './errors/kelp-error.ts';
import { backoffMs, backoffUntil } from './calls/pace.ts';
import { toMilliseconds } from './messages/scalar.ts';
import type { Watch, WatchEvent, WatchMessage, WatchRequest } from './messages/types.ts';
import type { WatchStart } from './messages/watch-message.ts';
import { eventBytes, toEvent, toWatchRequest } from './messages/watch-message.ts';

/** @internal @param wrong what a check has found: reading the watch tells. */
export function openWatch(caller: Caller, request: WatchRequest, wrong: string | undefined): Watch {
  const controller = new AbortController();
  const messages = messagesOf(caller, request, wrong, controller.signal);
  const end = async (): Promise<IteratorResult<WatchMessage>> => {
    controller.abort();
    await messages.return();
    return { done: true, value: undefined };
  };
  return {
    next: () => messages.next(),
    return: end,
    [Symbol.asyncIterator]() {
      return this;
    },
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}

async function* messagesOf(
  caller: Caller,
  request: WatchRequest,
  wrong: string | undefined,
  ended: AbortSignal,
): AsyncGenerator<WatchMessage, void, undefined> {
  refuse(wrong);
  const signals = [ended, caller.closed, ...(request.signal ? [request.signal] : [])];
  yield* new ResumableWatch(caller, request, AbortSignal.any(signals)).messages();
}

/** After the first message these pass by themselves, or tell on the next try what the watch can do. */
const interruptions: ReadonlySet<KelpErrorCode> = new Set([
  'unavailable',
  'recovering',
  'shuttingDown',
  'notWriter',
  'readFailed',
  'slowWatcher',
  // The server may still count the watch whose connection broke.
  'limitReached',
  'deadlineExceeded',
]);

function isInterruption(error: KelpError): boolean {
  return interruptions.has(error.code) || lacksCredentials(error);
}

/** What the watch would go on with is not there. */
const lostPlaces: ReadonlySet<KelpErrorCode> = new Set([
  'revisionCompacted',
  'revisionFuture',
  'otherStore',
  'historyDiffers',
]);

/** As a server does that has fewer revisions than what it is asked to go on behind. */
function saysItIsBehind(error: KelpError): boolean {
  if (isKelpError(error, 'revisionFuture')) return true;
  if (!isKelpError(error, 'historyDiffers')) return false;
  const { requestedRevision, newestRevision } = error.details;
  return requestedRevision > newestRevision;
}

/** A revision up to which everything has been handed out, and the incarnation that wrote it. */
interface Position {
  readonly revision: number;
  readonly incarnation: string;
}

class ResumableWatch {
  readonly #caller: Caller;
  readonly #request: WatchRequest;
  readonly #signal: AbortSignal;
  /** `undefined`: there is one server. */
  readonly #route: Route | undefined;
  /** Where to begin while there is no position. */
  #start: Omit<WatchStart, 'storeId'>;
  /** The store that the watch belongs to; empty until that is known. */
  #storeId: string;
  #position: Position | undefined;
  /** That wrote the revision of the newest message of the connection, whole or in part. */
  #incarnation = '';
  #hasHandedOut = false;
  #hasSynced = false;
  #hasHeard = false;
  /** Of the credentials that the last connection was opened with. */
  #generation = 0;
  /** Whether others were got since the last message. */
  #isReauthorized = false;
  /** When it was first read. */
  #beganAtMs = 0;
  /** Tries that failed since the last message, and the pauses between them. */
  #failures = 0;
  #pauses = 0;
  /** Since when servers have said that they have not come to where it goes on. */
  #behindSinceMs: number | undefined;
  #fragments: Fragments;

  constructor(caller: Caller, request: WatchRequest, signal: AbortSignal) {
    this.#caller = caller;
    this.#request = request;
    this.#signal = signal;
    this.#route = caller.newRoute();
    this.#fragments = this.#noFragments();
    this.#storeId = request.storeId ?? '';
    this.#start = {
      startRevision: request.startRevision ?? 0,
      incarnation: request.incarnation ?? '',
      includeCurrent: request.includeCurrent ?? false,
    };
  }

  async *messages(): AsyncGenerator<WatchMessage, void, undefined> {
    this.#beganAtMs = this.#caller.pace.monotonicMs();
    while (!this.#signal.aborted) {
      try {
        yield* this.#connect();
        throw new CallFailure(grpcCode.Unavailable, 'it ended the watch');
      } catch (reason) {
        if (this.#signal.aborted) return;
        // What was found wrong here, in the request or a message, would be wrong again.
        if (reason instanceof KelpError && !lacksCredentials(reason)) throw reason;
        const error = this.#caller.errorOf(reason, false, undefined);
        const farewell = await this.#recover(error);
        if (farewell !== undefined) yield farewell;
        if (farewell?.kind === 'compacted') return;
      }
    }
  }

  /** The messages of one connection. */
  async *#connect(): AsyncGenerator<WatchMessage, void, undefined> {
    this.#incarnation = '';
    await this.#caller.authorized(this.#caller.deadlineMs, this.#signal);
    this.#generation = this.#caller.generation;
    try {
      const position = this.#position;
      const start =
        position === undefined
          ? this.#start
          : { ...position, startRevision: position.revision + 1, includeCurrent: false };
      const request = toWatchRequest(this.#request, { ...start, storeId: this.#storeId });
      for await (const reply of this.#repliesTo(request)) {
        this.#noteReply(reply);
        const message = this.#take(reply);
        if (message === undefined) continue;
        this.#hasHandedOut = true;
        yield message;
      }
    } finally {
      this.#fragments = this.#noFragments();
    }
  }

  #repliesTo(request: WatchRequestShape): AsyncIterable<WatchResponseShape> {
    return this.#caller.stream(watchMethod, request, undefined, this.#signal, this.#route);
  }

  #noteReply({ storeId, incarnation }: WatchResponseShape): void {
    // A server that does not know the field of the request would not have looked at it.
    if (storeId !== '' && this.#storeId !== '' && storeId !== this.#storeId) {
      throw new KelpError(
        'internal',
        `the server goes on with store ${storeId}, not with ${this.#storeId} as it was asked to`,
        undefined,
      );
    }
    if (storeId !== '') this.#storeId = storeId;
    if (incarnation !== '') this.#incarnation = incarnation;
    this.#hasHeard = true;
    if (this.#failures > 0) this.#request.onResumed?.();
    this.#failures = 0;
    this.#pauses = 0;
    this.#behindSinceMs = undefined;
    this.#isReauthorized = false;
  }

  /** Moves the position on. @returns what the reader gets, if anything. */
  #take({ message }: WatchResponseShape): WatchMessage | undefined {
    const incarnation = this.#incarnation;
    if (message.case !== 'events') this.#fragments.expectNone();
    switch (message.case) {
      case 'current':
        return {
          kind: 'current',
          entries: message.value.entries.map((entry) => new Entry(entry)),
          revision: message.value.revision,
          incarnation,
        };
      case 'synced':
      case 'progress': {
        const place = this.#later({ revision: message.value.revision, incarnation });
        this.#advance(place, message.case);
        // After a reconnection the server says "synced" again; to the reader that is progress.
        if (message.case === 'progress' || this.#hasSynced) return { kind: 'progress', ...place };
        this.#hasSynced = true;
        return { kind: 'synced', ...place, storeId: this.#storeId };
      }
      case 'events': {
        const { revision, commitTime, events, moreFragments } = message.value;
        if (this.#position !== undefined && revision <= this.#position.revision) {
          throw new KelpError(
            'internal',
            `the server sent revision ${revision} after ${this.#position.revision}`,
            undefined,
          );
        }
        this.#fragments.add(revision, events);
        if (moreFragments) return undefined;
        const whole = this.#fragments.events;
        this.#fragments = this.#noFragments();
        this.#advance({ revision, incarnation }, message.case);
        return {
          kind: 'events',
          revision,
          incarnation,
          commitTimeMs: toMilliseconds(commitTime),
          events: whole,
        };
      }
      case undefined:
        // A kind of message that this client is too old to know.
        return undefined;
    }
  }

  /** Present entries count only when `synced` says that all of them have come. */
  #advance({ revision, incarnation }: Position, by: 'synced' | 'progress' | 'events'): void {
    if (this.#position === undefined && this.#start.includeCurrent && by !== 'synced') return;
    this.#position = { revision, incarnation };
  }

  /** A position never goes back. */
  #later(place: Position): Position {
    return this.#position === undefined || place.revision >= this.#position.revision ? place : this.#position;
  }

  /** Gets ready for the next connection, or throws. @returns what the reader must know. */
  async #recover(failure: KelpError): Promise<WatchMessage | undefined> {
    const error = await this.#reauthorize(failure);
    if (error === undefined) return this.#isVoid ? this.#beginAnew('interrupted') : undefined;
    const isBehind = this.#isBehind(error);
    if (lostPlaces.has(error.code) && !isBehind) {
      const isRestart =
        this.#position === undefined && this.#start.includeCurrent && error.code !== 'otherStore';
      if (this.#request.restartWhenLost && !isRestart) return this.#beginAnew('lost');
      if (isKelpError(error, 'revisionCompacted')) return { kind: 'compacted', ...error.details };
      throw error;
    }
    this.#failures++;
    const pauseMs = this.#pauseAfter(error, isBehind);
    if (pauseMs === undefined) {
      const ms = this.#caller.pace.monotonicMs() - this.#beganAtMs;
      throw this.#hasHeard ? error : afterTries(error, this.#failures, ms);
    }
    if (this.#failures === 1) this.#request.onInterrupted?.(error);
    if (pauseMs !== 'none') {
      this.#route?.paused();
      await this.#caller.pace.wait(pauseMs, this.#signal);
    }
    return this.#isVoid ? this.#beginAnew('interrupted') : undefined;
  }

  /** Gets other credentials where those that it had are refused. @returns what there is to recover from all the same. */
  async #reauthorize(error: KelpError): Promise<KelpError | undefined> {
    if (error.code !== 'unauthenticated' || this.#isReauthorized || lacksCredentials(error)) return error;
    const { deadlineMs } = this.#caller;
    try {
      this.#isReauthorized = await this.#caller.reauthorized(this.#generation, deadlineMs, this.#signal);
    } catch (reason) {
      return this.#caller.errorOf(reason, false, undefined);
    }
    return this.#isReauthorized ? undefined : error;
  }

  /** The reader has entries of one revision and will get those of another. */
  get #isVoid(): boolean {
    return this.#position === undefined && this.#hasHandedOut;
  }

  /**
   * Whether the server follows another, and has only not come yet to where the watch goes on. One that says so for as long as a call may
   * take is taken at its word.
   */
  #isBehind(error: KelpError): boolean {
    if (this.#route === undefined || !saysItIsBehind(error)) return false;
    const nowMs = this.#caller.pace.monotonicMs();
    this.#behindSinceMs ??= nowMs;
    return nowMs - this.#behindSinceMs < this.#caller.deadlineMs;
  }

  /** `none`: it goes on elsewhere; `undefined` when it is not to be tried again. */
  #pauseAfter(error: KelpError, isBehind: boolean): number | 'none' | undefined {
    const { pace, retries, deadlineMs } = this.#caller;
    const route = this.#route;
    const mayGoOn = isBehind || (this.#hasHeard ? isInterruption(error) : mayPass(error));
    if (!mayGoOn) return undefined;
    const leastMs = error.retryAfterMs ?? 0;
    if (leastMs === 0 && route?.goesElsewhere === true) return 'none';
    if (!this.#hasHeard && this.#pauses >= retries) return undefined;
    this.#pauses++;
    const restMs = route?.restMs ?? 0;
    if (this.#hasHeard) return Math.max(restMs, leastMs + backoffMs(this.#pauses, pace, route !== undefined));
    const pauseMs = backoffUntil(
      this.#beganAtMs + deadlineMs,
      this.#pauses,
      pace,
      leastMs,
      route !== undefined,
    );
    return pauseMs === undefined ? undefined : Math.max(pauseMs, restMs);
  }

  #noFragments(): Fragments {
    return new Fragments(this.#request.revisionBytesMax ?? limits.watchRevisionBytesMax);
  }

  #beginAnew(reason: 'interrupted' | 'lost'): WatchMessage {
    // Nothing of the store that was heard of before is valid any more.
    this.#storeId = reason === 'lost' ? '' : (this.#request.storeId ?? '');
    this.#start = { startRevision: 0, incarnation: '', includeCurrent: true };
    this.#position = undefined;
    this.#hasSynced = false;
    this.#hasHandedOut = false;
    return { kind: 'restarted', reason };
  }
}

/** What has come of a revision that is sent in several messages. */
class Fragments {
  readonly events: WatchEvent[] = [];
  readonly #bytesMax: number;
  #revision = 0;
  #byteCount = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(revision: number, events: readonly EventShape[]): void {
    if (this.#revision !== 0 && revision !== this.#revision) throw this.#incomplete();
    this.#revision = revision;
    for (const event of events) {
      this.#byteCount += eventBytes(event);
      this.events.push(toEvent(event));
    }
    if (this.#byteCount > this.#bytesMax) {
      throw new KelpError(
        'limitReached',
        `the events of revision ${revision} hold more than ${this.#bytesMax} bytes; raise revisionBytesMax, or ` +
          'watch fewer ranges, with keysOnly or without returnPrevious',
        undefined,
      );
    }
  }

  expectNone(): void {
    if (this.#revision !== 0) throw this.#incomplete();
  }

  #incomplete(): KelpError {
    return new KelpError('internal', `the server sent revision ${this.#revision} in part only`, undefined);
  }
}
