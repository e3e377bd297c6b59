/**
 * A watch through the client over all lives of a server, at its own pace; it is left now and then and goes on from where it was.
 * What it was told is held against the truth at the end, which nobody knows before.
 */
import type { WatchMessage as ClientMessage, WatchRequest } from '../../src/client/messages/types.ts';
import type { KelpClient } from '../../src/client/client.ts';
import { KelpError } from '../../src/client/errors/error.ts';
import type { KeyRange, WatchMessage } from '../../src/api.ts';
import type { Scheduler } from '../simulation/scheduler.ts';
import type { SeededRandom } from '../support/random.ts';
import { WatchValidator, type WatchTruth } from '../support/watch-validator.ts';

export interface WatchSubject {
  readonly ranges?: readonly KeyRange[];
  readonly includeCurrent?: boolean;
}

/** What was told between one opening, or one `restarted`, and the next. */
interface Part {
  readonly request: WatchRequest;
  readonly messages: WatchMessage[];
}

export class FollowedWatch {
  /** Up to here everything was told. */
  revision = 0;
  resumptions = 0;
  /** What broke its connections. */
  interruptions = 0;
  readonly #client: KelpClient;
  readonly #random: SeededRandom;
  readonly #scheduler: Scheduler;
  readonly #subject: WatchSubject;
  readonly #slowness: number;
  readonly #parts: Part[] = [];
  #place: { readonly revision: number; readonly incarnation: string } | undefined;
  #isHurried = false;

  constructor(client: KelpClient, subject: WatchSubject, scheduler: Scheduler, random: SeededRandom) {
    this.#client = client;
    this.#subject = subject;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#slowness = random.pick([0, 0, 0.1, 0.5]);
  }

  /** Whether it was told of everything up to a revision, and, since it was opened last, that it is at the present. */
  isCaughtUp(revision: number): boolean {
    const isSynced = this.#parts.at(-1)?.messages.some(({ kind }) => kind === 'synced') === true;
    return isSynced && this.revision >= revision;
  }

  /** From now on it takes no rest, and goes on where it is. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** Watches until the client is closed. */
  async follow(): Promise<void> {
    while (!(await this.#watchOnce()));
  }

  /** Checks all that it was told. Throws a `WatchViolation`. */
  check(truth: WatchTruth): void {
    const parts = this.#parts.filter(({ messages }) => messages.length > 0);
    for (const { request, messages } of parts) {
      const [first] = messages;
      const revision = first?.revision ?? 0;
      const validator = new WatchValidator(request, truth, { revision, nowMs: 0 });
      for (const message of messages) validator.accept(message);
      if (messages === parts.at(-1)?.messages) validator.expectCaughtUp(truth.revision);
    }
  }

  /** @returns whether the client is closed. */
  async #watchOnce(): Promise<boolean> {
    const random = this.#random;
    const request = this.#request();
    let part = this.#begin(request);
    const watch = this.#client.watch({ ...request, onInterrupted: () => void this.interruptions++ });
    try {
      for await (const message of watch) {
        if (message.kind === 'restarted') {
          this.#place = undefined;
          part = this.#begin({ ...this.#subject, includeCurrent: true });
          continue;
        }
        this.#take(message, part);
        if (this.#isHurried) continue;
        if (random.chance(this.#slowness)) await this.#scheduler.sleep(random.pick([1, 50, 500]));
        // Leaving the loop ends the watch.
        if (this.#place !== undefined && random.chance(0.05)) {
          this.resumptions++;
          if (random.chance(0.3)) this.#place = undefined;
          return false;
        }
      }
      return true;
    } catch (error) {
      // It has heard nothing within the deadline: as any call it fails then.
      const isUnheard = part.messages.length === 0 && error instanceof KelpError;
      if (isUnheard && (error.code === 'unavailable' || error.code === 'deadlineExceeded')) return false;
      throw error;
    }
  }

  #begin(request: WatchRequest): Part {
    const part: Part = { request, messages: [] };
    this.#parts.push(part);
    return part;
  }

  #take(message: Exclude<ClientMessage, { readonly kind: 'restarted' }>, part: Part): void {
    if (message.kind === 'compacted') throw new Error('a watch was told that its place is gone');
    part.messages.push(message.kind === 'events' ? { ...message, moreFragments: false } : message);
    const isWhole = message.kind !== 'current';
    if (!isWhole) return;
    this.revision = message.revision;
    this.#place = { revision: message.revision, incarnation: message.incarnation };
  }

  #request(): WatchRequest {
    const { ranges = [] } = this.#subject;
    const progressIntervalMs = this.#random.pick([100, 1000]);
    if (this.#place === undefined) {
      const start = this.#subject.includeCurrent === true ? { includeCurrent: true } : { startRevision: 1 };
      return { ranges, ...start, progressIntervalMs };
    }
    const { revision, incarnation } = this.#place;
    return { ranges, startRevision: revision + 1, incarnation, progressIntervalMs };
  }
}
