/**
 * A client that watches through all lives of a server, at its own pace: it reads slowly, lets go and resumes, and every
 * message is held against the truth.
 */
import type { ClientHttp2Session } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { WatchMessage, WatchRequest } from '../../src/store/store.ts';
import type { SeededRandom } from '../support/random.ts';
import { WatchValidator } from '../support/watch-validator.ts';
import type { TrueWriter } from './true-writer.ts';
import { type WatchEnd, WatchStream } from './watch-stream.ts';

/** The last key that is written, in all ways that there are; every watch wants it. */
export const LAST_KEY = 'last';

/** The longest that it rests: so many writes of others. */
export const AWAY_WRITES = 20;

export type Subject = Pick<WatchRequest, 'ranges' | 'eventTypes' | 'keysOnly' | 'returnPrevious'>;

/** What happened on the way, so that a test can see that it tested something. */
export interface FollowerCounts {
  messages: number;
  resumed: number;
  restarted: number;
  compacted: number;
}

export class Follower {
  readonly counts: FollowerCounts = { messages: 0, resumed: 0, restarted: 0, compacted: 0 };
  readonly #subject: Subject;
  readonly #writer: TrueWriter;
  readonly #random: SeededRandom;
  /** The session of the server's present life. */
  readonly #session: () => Promise<ClientHttp2Session>;
  #cursor: number | undefined;
  #validator: WatchValidator | undefined;
  /** From now on it does not rest. */
  #isHurried = false;

  constructor(
    subject: Subject,
    writer: TrueWriter,
    random: SeededRandom,
    session: () => Promise<ClientHttp2Session>,
  ) {
    this.#subject = subject;
    this.#writer = writer;
    this.#random = random;
    this.#session = session;
  }

  hurry(): void {
    this.#isHurried = true;
  }

  /** Watches until the last change was seen, or the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#watchOnce())) {
      // A session that has just broken refuses streams at once: it must get round to saying so.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** @returns whether the last change was seen. */
  async #watchOnce(): Promise<boolean> {
    const request = this.#request();
    const knownRevision = this.#writer.history.revision;
    const stream = new WatchStream(await this.#session(), request);
    this.#validator = undefined;
    for (;;) {
      const message = await stream.next();
      if (message === undefined) {
        await this.#ended(await stream.end());
        return false;
      }
      await this.#accept(message, request, knownRevision);
      if (isLast(message)) {
        await stream.cancel();
        return true;
      }
      if (!this.#isHurried && (await this.#letsGo(stream))) return false;
    }
  }

  async #accept(message: WatchMessage, request: WatchRequest, knownRevision: number): Promise<void> {
    this.counts.messages++;
    await this.#writer.reached(message.revision);
    const { history } = this.#writer;
    if (this.#validator === undefined) {
      // What had been acknowledged before a watch was opened is in its present state.
      if (request.startRevision === undefined && message.revision < knownRevision)
        throw new Error(`a watch opened after revision ${knownRevision} begins at ${message.revision}`);
      this.#validator = new WatchValidator(request, history, { revision: message.revision, nowMs: 0 });
    }
    this.#validator.accept(message);
    if (this.#validator.isSynced || request.startRevision !== undefined)
      this.#cursor = this.#validator.cursor;
  }

  /** Rests until the writer has gone on, or leaves the watch, now and then. */
  async #letsGo(stream: WatchStream): Promise<boolean> {
    const random = this.#random;
    if (random.chance(0.1)) await this.#writer.reached(this.#writer.history.revision + random.between(1, 8));
    if (!random.chance(0.05)) return false;
    await stream.cancel();
    // Away for long, it may find that where it was is dropped.
    if (random.chance(0.3)) await this.#writer.reached(this.#writer.history.revision + AWAY_WRITES);
    this.#resumeOrRestart(random.chance(0.7));
    return true;
  }

  #resumeOrRestart(isResumed: boolean): void {
    if (isResumed && this.#cursor !== undefined) this.counts.resumed++;
    else this.#restart();
  }

  #restart(): void {
    this.counts.restarted++;
    this.#cursor = undefined;
  }

  /** A stream ends with its server, with an orderly stop that says where to go on, or since history was dropped. */
  async #ended({ status: code, detail }: WatchEnd): Promise<void> {
    if (detail?.info.case === 'watchEnded') {
      const resumeRevision = Number(detail.info.value.resumeRevision);
      if (this.#validator !== undefined && resumeRevision > 0)
        this.#validator.expectResumable(resumeRevision);
    }
    switch (code) {
      case undefined:
      case status.UNAVAILABLE:
        return this.#resumeOrRestart(true);
      case status.OUT_OF_RANGE:
      case status.RESOURCE_EXHAUSTED:
        this.counts.compacted++;
        return this.#restart();
      default:
        throw new Error(`a watch ended with ${code}, reason ${detail?.reason}`);
    }
  }

  #request(): WatchRequest {
    if (this.#cursor !== undefined) return { ...this.#subject, startRevision: this.#cursor + 1 };
    return { ...this.#subject, includeCurrent: true };
  }
}

/** One that is wanted only: the last change of a subject is the last of its types. */
function isLast(message: WatchMessage): boolean {
  if (message.kind === 'current') return message.entries.some(({ key }) => key === LAST_KEY);
  return message.kind === 'events' && message.events.some((event) => keyOf(event) === LAST_KEY);
}

function keyOf(event: Extract<WatchMessage, { kind: 'events' }>['events'][number]): string {
  return event.type === 'delete' ? event.key : event.entry.key;
}
