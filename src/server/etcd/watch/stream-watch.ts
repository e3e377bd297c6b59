/** One watch of a stream: pulls messages of the store's watch and makes replies of them. */
import { isStoreError } from '../../../errors.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import type { PulledWatch, WatchReader } from '../../../store/watch/messages/pulled-watch.ts';
import type { Call } from '../../calls/call.ts';
import { headerOf } from '../header.ts';
import { toEtcd } from '../revisions.ts';
import { encodedEvents, type WatchItem } from './event-form.ts';
import { reasonOf } from './refusals.ts';
import type { StreamMemory } from './stream-memory.ts';
import type { WatchPlan } from './watch-plan.ts';
import { WatchReply } from './watch-reply.ts';

/** What a watch knows of its stream. */
interface WatchOwner {
  readonly store: KvStore;
  readonly call: Call;
  readonly memory: StreamMemory;
  /** There may be something to pull. */
  ready(watch: StreamWatch): void;
}

export class StreamWatch implements WatchReader {
  readonly id: number;
  readonly plan: WatchPlan;
  readonly #owner: WatchOwner;
  /** What the store refuses it for, which is told behind the answer that it is made. */
  #refusal: { readonly error: unknown } | undefined;
  /** `undefined`: it is over, or was refused. */
  #pulled: PulledWatch<WatchItem> | undefined;
  /** It has told what there was when it began. */
  #isLive = false;
  /** Events of a revision that is told in one reply, as far as they are made: they are charged to the call. */
  #parts: Buffer[] = [];
  #partBytes = 0;

  constructor(id: number, plan: WatchPlan, owner: WatchOwner) {
    this.id = id;
    this.plan = plan;
    this.#owner = owner;
    try {
      this.#pulled = owner.store.openWatch(plan.request, encodedEvents, this);
    } catch (error) {
      if (isStoreError(error, 'closed')) throw error;
      this.#refusal = { error };
    }
  }

  get isOver(): boolean {
    return this.#pulled === undefined && this.#refusal === undefined;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return this.#pulled === undefined || this.#pulled.isIdle;
  }

  /** All that it is to tell up to this revision was pulled. */
  get pulledRevision(): number {
    return this.#pulled?.pulledRevision ?? Infinity;
  }

  ready(): void {
    if (this.#pulled !== undefined) this.#owner.ready(this);
  }

  admit(bytes: number): boolean | Promise<boolean> {
    return this.#pulled === undefined ? false : this.#owner.memory.hold(this, bytes);
  }

  /** @returns `undefined`: there is none now. Throws what ends the stream. */
  next(): WatchReply | undefined {
    if (this.#refusal !== undefined) return this.canceled(this.#refusal.error);
    // What was gathered is sent by now.
    if (this.#partBytes > 0 && this.#parts.length === 0) this.#forgetParts();
    try {
      for (let item = this.#pulled?.take(); item !== undefined; item = this.#pulled?.take()) {
        const reply = this.#replyTo(item);
        if (reply !== undefined) return reply;
      }
      return undefined;
    } catch (error) {
      // Clients of etcd open a stream that is unavailable anew, and go on with its watches where they were.
      if (isStoreError(error, 'closed') || isStoreError(error, 'readFailed')) throw error;
      return this.canceled(error);
    }
  }

  /** Ends it for a reason. */
  canceled(error: unknown): WatchReply {
    this.end();
    const { store } = this.#owner;
    const compactRevision = compactRevisionOf(store, this.plan, error);
    if (compactRevision === 0) {
      return this.#reply(store.visibleRevision, { canceled: true, cancelReason: reasonOf(error) });
    }
    // As in etcd there is no revision in the header, and no text.
    const header = { ...headerOf(store, 0), revision: 0 };
    return new WatchReply(header, this.id, { canceled: true, compactRevision });
  }

  end(): void {
    this.#pulled?.end();
    this.#pulled = this.#refusal = undefined;
    this.#owner.memory.drop(this);
    this.#forgetParts();
  }

  #replyTo({ kind, revision, hasMore, events }: WatchItem): WatchReply | undefined {
    const { firstRevision, isSilent, wantsProgress, wantsFragments } = this.plan;
    if (kind === 'progress') return wantsProgress ? this.#reply(revision, {}) : undefined;
    if (kind === 'synced') this.#isLive = true;
    if (kind !== 'events' || isSilent || revision < firstRevision) return undefined;
    const headerRevision = this.#isLive ? revision : this.#owner.store.visibleRevision;
    if (wantsFragments) return this.#reply(headerRevision, { fragment: hasMore }, [events]);
    if (hasMore || this.#parts.length > 0) this.#gather(events);
    if (hasMore) return undefined;
    const parts = this.#parts;
    this.#parts = [];
    return this.#reply(headerRevision, {}, parts.length > 0 ? parts : [events]);
  }

  #gather(events: Buffer): void {
    const { call } = this.#owner;
    call.checkMessage(this.#partBytes + events.length);
    call.charge(events.length);
    this.#partBytes += events.length;
    this.#parts.push(events);
  }

  #forgetParts(): void {
    this.#owner.call.release(this.#partBytes);
    this.#partBytes = 0;
    this.#parts = [];
  }

  #reply(revision: number, ...rest: OmitTwo<ConstructorParameters<typeof WatchReply>>): WatchReply {
    return new WatchReply(headerOf(this.#owner.store, revision), this.id, ...rest);
  }
}

type OmitTwo<Row extends readonly unknown[]> = Row extends [unknown, unknown, ...infer Rest] ? Rest : never;

/** From where a watch can start that ends for want of history; 0: it does not. */
function compactRevisionOf(store: KvStore, plan: WatchPlan, error: unknown): number {
  if (isStoreError(error, 'revisionCompacted')) return toEtcd(error.details.oldestRevision + 1);
  if (!isStoreError(error, 'slowWatcher')) return 0;
  const { resumeRevision } = error.details;
  try {
    const request = { ...plan.request, startRevision: resumeRevision };
    store.openWatch(request, encodedEvents, { ready: () => undefined }).end();
  } catch (refused) {
    if (isStoreError(refused, 'revisionCompacted')) return toEtcd(refused.details.oldestRevision + 1);
  }
  return toEtcd(resumeRevision);
}
