/**
 * A stream of watches. Requests are read while replies go out: a request is answered in its turn, and the watches that have something
 * to tell take turns behind the answers, one reply each.
 *
 * - What a watch is told comes behind the answer that it is made, and nothing comes behind the one that it is canceled.
 * - An answer to a request for progress says that all events up to its revision were sent, of every watch of the stream.
 * - No watch has a queue here: the store's watches are pulled (`pulled-watch.ts`), and a reply is made when the one before is
 *   written. What waits is one mark for each watch, and a bounded number of answers.
 * - A watch that is not allowed any more is canceled; the stream ends when its login does.
 * - The id of a watch that the server has ended stays taken until it is canceled.
 */
import type {
  WatchCreateRequestShape,
  WatchRequestShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Watch } from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkEngineRange, checkUser } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import { isStoreError } from '../../../errors.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { serverFixed } from '../../../limits.ts';
import { Fifo } from '../../../store/fifo.ts';
import { untilAborted } from '../../../until-aborted.ts';
import type { Call } from '../../calls/call.ts';
import { nameOf, type UnreadRequest } from '../../services/method.ts';
import { headerOf } from '../header.ts';
import { reasonOf, refusals, refusedWatch } from './refusals.ts';
import { StreamMemory } from './stream-memory.ts';
import { StreamWatch } from './stream-watch.ts';
import { watchPlanOf } from './watch-plan.ts';
import { WatchReply } from './watch-reply.ts';

/** Of what is no watch's. */
const NO_WATCH = -1;

const name = nameOf(Watch.method.watch);

export class WatchStream {
  readonly store: KvStore;
  readonly call: Call;
  readonly memory: StreamMemory;
  readonly #signal: AbortSignal;
  readonly #watchById = new Map<number, StreamWatch>();
  #nextId = 0;
  readonly #answers = new Fifo<WatchReply>();
  /** The watches that may have something to tell. */
  readonly #ready = new Set<StreamWatch>();
  /** For each request for progress that is not answered, the newest revision when it came. */
  readonly #progress = new Fifo<number>();
  #hasMoreRequests = true;
  #failure: { readonly error: unknown } | undefined;
  /** Goes on with what waits for something to send, ... */
  #wakeSender: (() => void) | undefined;
  /** ... and with the requests, which wait for answers to be sent. */
  #wakeReader: (() => void) | undefined;

  constructor(store: KvStore, call: Call, signal: AbortSignal) {
    this.store = store;
    this.call = call;
    this.memory = new StreamMemory(call);
    this.#signal = signal;
  }

  async *replies(requests: AsyncIterable<UnreadRequest<WatchRequestShape>>): AsyncGenerator<WatchReply> {
    const { call } = this;
    const signal = this.#signal;
    const wake = (): void => this.#wake();
    call.readsMeanwhile = true;
    call.keepAllowed((login) => this.#askAgain(login));
    signal.addEventListener('abort', wake, { once: true });
    void this.#readRequests(requests);
    try {
      while (
        this.#hasMoreRequests ||
        this.#answers.length > 0 ||
        this.#progress.length > 0 ||
        this.#isWatching
      ) {
        signal.throwIfAborted();
        if (this.#failure !== undefined) throw this.#failure.error;
        const reply = this.#next();
        if (reply !== undefined) yield reply;
        else await this.#untilWoken();
      }
    } finally {
      signal.removeEventListener('abort', wake);
      for (const watch of this.#watchById.values()) watch.end();
      this.#watchById.clear();
      this.#wakeReader?.();
    }
  }

  /** Of one of its watches. */
  ready(watch: StreamWatch): void {
    this.#ready.add(watch);
    this.#wake();
  }

  get #isWatching(): boolean {
    for (const watch of this.#watchById.values()) if (!watch.isOver) return true;
    return false;
  }

  #wake(): void {
    const wake = this.#wakeSender;
    this.#wakeSender = undefined;
    wake?.();
  }

  #untilWoken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeSender = resolve;
    });
  }

  #next(): WatchReply | undefined {
    const answer = this.#answers.shift();
    if (answer !== undefined) {
      this.#wakeReader?.();
      return answer;
    }
    for (const watch of this.#ready) {
      this.#ready.delete(watch);
      const reply = watch.next();
      if (reply === undefined) continue;
      if (!watch.isOver) this.#ready.add(watch);
      return reply;
    }
    return this.#nextProgress();
  }

  /** The watches have nothing to tell now, but may be at work. */
  #nextProgress(): WatchReply | undefined {
    const wanted = this.#progress.peek();
    if (wanted === undefined) return undefined;
    let revision = this.store.visibleRevision;
    let areIdle = true;
    for (const watch of this.#watchById.values()) {
      if (watch.isOver) continue;
      revision = Math.min(revision, watch.pulledRevision);
      areIdle &&= watch.isIdle;
    }
    if (revision < wanted && !areIdle) return undefined;
    this.#progress.shift();
    this.#wakeReader?.();
    return new WatchReply(headerOf(this.store, revision), NO_WATCH, {});
  }

  async #readRequests(requests: AsyncIterable<UnreadRequest<WatchRequestShape>>): Promise<void> {
    try {
      for await (const request of untilAborted(requests, this.#signal)) {
        this.#serve(request.read().requestUnion);
        this.#wake();
        while (this.#answers.length + this.#progress.length >= serverFixed.etcdWatchAnswersMax) {
          if (this.#signal.aborted) return;
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
        }
      }
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#hasMoreRequests = false;
      this.#wake();
    }
  }

  #serve(request: WatchRequestShape['requestUnion']): void {
    switch (request.case) {
      case 'createRequest':
        return this.#create(request.value);
      case 'cancelRequest':
        return this.#cancel(request.value.watchId);
      case 'progressRequest':
        return this.#progress.push(this.store.visibleRevision);
      // etcd passes over what it does not know.
      case undefined:
    }
  }

  #create(request: WatchCreateRequestShape): void {
    const revision = this.store.visibleRevision;
    const plan = this.#tried(() => {
      const planned = watchPlanOf(request, revision);
      this.call.asked(name, () => checkEngineRange(this.call.login, 'read', planned.range));
      this.call.rate?.takeOperations(1);
      if (this.#watchById.size >= serverFixed.etcdWatchesPerStreamMax) throw refusedWatch(refusals.tooMany);
      if (this.#watchById.has(request.watchId) && request.watchId !== 0)
        throw refusedWatch(refusals.duplicateId);
      return planned;
    });
    if (plan === undefined) return;
    const id = request.watchId === 0 ? this.#freeId() : request.watchId;
    this.#answer(revision, id, { created: true });
    const watch = new StreamWatch(id, plan, this);
    this.#watchById.set(id, watch);
    this.#ready.add(watch);
  }

  /** @returns `undefined`: it is refused, and its client is told so. */
  #tried<Result>(attempt: () => Result): Result | undefined {
    try {
      return attempt();
    } catch (error) {
      if (isStoreError(error, 'unauthenticated') || isStoreError(error, 'closed')) throw error;
      const cancelReason = reasonOf(error);
      // Never by the id that was asked for: a watch of the stream may have it, and its client would take this one's end for that one's.
      this.#answer(this.store.visibleRevision, NO_WATCH, { created: true, canceled: true, cancelReason });
      return undefined;
    }
  }

  #freeId(): number {
    while (this.#watchById.has(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  /** One that is not there is not answered. */
  #cancel(id: number): void {
    const watch = this.#watchById.get(id);
    if (watch === undefined) return;
    watch.end();
    this.#watchById.delete(id);
    this.#ready.delete(watch);
    this.#answer(this.store.visibleRevision, id, { canceled: true });
  }

  #answer(revision: number, id: number, head: ConstructorParameters<typeof WatchReply>[2]): void {
    this.#answers.push(new WatchReply(headerOf(this.store, revision), id, head));
  }

  /** Throws when the login is over. */
  #askAgain(login: Login): void {
    checkUser(login);
    for (const watch of this.#watchById.values()) {
      if (watch.isOver) continue;
      try {
        checkEngineRange(login, 'read', watch.plan.range);
      } catch (error) {
        this.call.denied(name, error);
        this.#answers.push(watch.canceled(error));
      }
    }
    this.#wake();
  }
}
