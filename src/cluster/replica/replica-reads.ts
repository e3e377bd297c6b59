/**
 * What reads of a read replica may wait for: that they see all that its server had acknowledged, or a certain revision.
 *
 * How far the server is, it tells by revision and sequence. Notes have no revision, so at the same one it is the sequence that counts;
 * behind a later one all notes of an earlier one are there. Another life of the server may have another history: what was asked in one
 * life waits until the stream is of that life too, and is refused, to be tried again, when the stream is of another one since. So the
 * address that is followed has to be that of one server, not of several behind a balancer.
 */
import { StoreError } from '../../errors.ts';
import { cluster as limits } from '../../limits.ts';
import type { StoreHead } from '../../store/replication/record-feed.ts';
import { ReadBarrier } from '../reads/read-barrier.ts';
import { RisingNumber } from '../waits/rising-number.ts';
import { type FollowedServer, FollowError } from './followed-server.ts';

export interface ReplicaReadsParts {
  readonly server: FollowedServer;
  /** Of the replica's end. */
  readonly signal: AbortSignal;
  readonly visibleRevision: () => number;
  /** Of a head that was asked for when a revision was visible here; throws a `FollowError` when it is none to follow. */
  readonly onHead: (head: StoreHead, revisionBefore: number) => void;
  /** Time has come so far: all that the head tells of is visible. */
  readonly onReached: (head: StoreHead) => void;
}

interface Waiting {
  readonly head: StoreHead;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class ReplicaReads {
  readonly #parts: ReplicaReadsParts;
  readonly #revision: RisingNumber;
  readonly #barrier: ReadBarrier<StoreHead>;
  readonly #waiting = new Set<Waiting>();
  /** All that it tells of is visible here. */
  #told: StoreHead | undefined;
  /** The server is not to be followed, as of now. */
  #refusal: StoreError | undefined;
  #failure: Error | undefined;

  constructor(parts: ReplicaReadsParts) {
    this.#parts = parts;
    this.#revision = new RisingNumber(parts.visibleRevision());
    this.#barrier = new ReadBarrier(
      () => this.#ask(),
      (head) => this.#confirm(head),
    );
  }

  barrier(signal: AbortSignal | undefined): Promise<void> {
    return this.#barrier.wait(signal);
  }

  reached(revision: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#revision.reached(revision, signal);
  }

  /** More is visible. */
  moved(): void {
    this.#revision.riseTo(this.#parts.visibleRevision());
    this.#settle();
  }

  /** All that the head of the stream tells of is visible. */
  told(head: StoreHead): void {
    this.#refusal = undefined;
    this.#told = head;
    this.#settle();
    for (const waiting of this.#waiting) {
      if (waiting.head.life === head.life) continue;
      this.#waiting.delete(waiting);
      waiting.reject(this.#unreachable(new Error('it has been restarted meanwhile')));
    }
  }

  /** The server is not to be followed, until it tells of what is visible here. */
  refuse(error: Error): void {
    this.#refusal = this.#unreachable(error);
    for (const { reject } of this.#waiting) reject(this.#refusal);
    this.#waiting.clear();
  }

  fail(error: Error): void {
    const told = error instanceof StoreError ? error : this.#unreachable(error);
    this.#failure = told;
    this.#revision.fail(told);
    for (const { reject } of this.#waiting) reject(told);
    this.#waiting.clear();
  }

  async #ask(): Promise<StoreHead> {
    const { server, signal, onHead, visibleRevision } = this.#parts;
    const revisionBefore = visibleRevision();
    try {
      const head = await server.head({ signal, timeoutMs: limits.barrierMsMax });
      onHead(head, revisionBefore);
      return head;
    } catch (error) {
      if (this.#failure !== undefined) throw this.#failure;
      throw error instanceof FollowError ? this.#unreachable(error) : error;
    }
  }

  async #confirm(head: StoreHead): Promise<void> {
    const error = this.#failure ?? this.#refusal;
    if (error !== undefined) throw error;
    if (!this.#has(head)) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.add({ head, resolve, reject });
      });
    }
    this.#parts.onReached(head);
  }

  #settle(): void {
    for (const waiting of this.#waiting) {
      if (!this.#has(waiting.head)) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  #has({ revision, sequence, life }: StoreHead): boolean {
    const told = this.#told;
    if (told?.life !== life) return false;
    const visible = this.#parts.visibleRevision();
    return visible === revision ? told.sequence >= sequence : visible > revision;
  }

  #unreachable(error: Error): StoreError {
    const { address } = this.#parts.server;
    return new StoreError(
      'notWriter',
      `whether this server has all that was written is not known, since the one that it follows, ${address}, does not say so (${error.message}); try again, or read what this one has, with consistency LOCAL (kelp get --consistency local)`,
      { writerAddress: '' },
      { cause: error },
    );
  }
}
