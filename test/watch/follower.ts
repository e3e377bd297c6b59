/**
 * A client that watches through all lives of a server, at its own pace: it reads slowly, lets go and resumes, and every
 * message is held against the truth.
 */
import type { ClientHttp2Session } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { WatchMessage, WatchRequest } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import { WatchValidator } from '../support/watch-validator.ts';
import type { TrueWriter } from './true-writer.ts';
import { type WatchEnd, WatchStream } from './watch-stream.ts';

/** The writes that it is away for, when it is away for long. */
const AWAY_WRITES = 20;

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
  /** The incarnation that wrote it. */
  #incarnation = '';
  #validator: WatchValidator | undefined;
  /** It is done when everything up to here is dealt with. */
  #finalRevision = Infinity;
  readonly #hurry = Promise.withResolvers<void>();
  #waitsFor = 'its turn';

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

  /**
   * From now on it does not rest, and it ends once it has dealt with everything up to `revision`. Something that it wants
   * must happen there or later: a watch that wants nothing is told nothing for long.
   */
  finishAt(revision: number): void {
    this.#finalRevision = revision;
    this.#hurry.resolve();
  }

  /** For a test that would wait for ever. */
  toString(): string {
    const dealtWith = this.#cursor === undefined ? 'nothing' : `everything up to revision ${this.#cursor}`;
    return `${JSON.stringify(this.#subject)} has dealt with ${dealtWith} and waits for ${this.#waitsFor}`;
  }

  /** Watches until it has finished, or the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#watchOnce())) {
      // A session that has just broken refuses streams at once: it must get round to saying so.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#waitsFor = 'nothing more';
  }

  /** @returns whether it has finished. */
  async #watchOnce(): Promise<boolean> {
    const request = this.#request();
    const knownRevision = this.#writer.history.revision;
    const session = await this.#waitFor('a server', this.#session());
    const stream = new WatchStream(session, request);
    this.#validator = undefined;
    for (;;) {
      const message = await this.#waitFor('a message', stream.next());
      if (message === undefined) {
        await this.#ended(await this.#waitFor('the end of its stream', stream.end()));
        return false;
      }
      await this.#accept(message, request, knownRevision);
      if (this.#cursor !== undefined && this.#cursor >= this.#finalRevision) {
        await this.#cancel(stream);
        return true;
      }
      if (this.#finalRevision === Infinity && (await this.#letsGo(stream))) return false;
    }
  }

  async #accept(message: WatchMessage, request: WatchRequest, knownRevision: number): Promise<void> {
    this.counts.messages++;
    const { revision } = message;
    await this.#waitFor(`the write of revision ${revision}`, this.#writer.reached(revision));
    const { history } = this.#writer;
    if (this.#validator === undefined) {
      // What had been acknowledged before a watch was opened is in its present state.
      if (request.startRevision === undefined && revision < knownRevision)
        throw new Error(`a watch opened after revision ${knownRevision} begins at ${revision}`);
      this.#validator = new WatchValidator(request, history, { revision, nowMs: 0 });
    }
    this.#validator.accept(message);
    if (!this.#validator.isSynced && request.startRevision === undefined) return;
    this.#cursor = this.#validator.cursor;
    // A revision of which a part has come is not dealt with.
    if (this.#cursor === revision) this.#incarnation = message.incarnation;
  }

  /** Rests until the writer has gone on, or leaves the watch, now and then. */
  async #letsGo(stream: WatchStream): Promise<boolean> {
    const random = this.#random;
    if (random.chance(0.1)) await this.#rest(random.between(1, 8));
    if (!random.chance(0.05)) return false;
    await this.#cancel(stream);
    // Away for long, it may find that where it was is dropped.
    if (random.chance(0.3)) await this.#rest(AWAY_WRITES);
    this.#resumeOrRestart(random.chance(0.7));
    return true;
  }

  /** Waits for so many writes, unless it has to finish. */
  async #rest(writeCount: number): Promise<void> {
    const revision = this.#writer.history.revision + writeCount;
    const isOver = Promise.race([this.#writer.reached(revision), this.#hurry.promise]);
    await this.#waitFor(`revision ${revision} to be written while it rests`, isOver);
  }

  #cancel(stream: WatchStream): Promise<void> {
    return this.#waitFor('its cancelled stream to close', stream.cancel());
  }

  #waitFor<Result>(what: string, result: Promise<Result>): Promise<Result> {
    this.#waitsFor = what;
    return result;
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
    if (this.#cursor !== undefined) {
      return { ...this.#subject, startRevision: this.#cursor + 1, incarnation: this.#incarnation };
    }
    return { ...this.#subject, includeCurrent: true };
  }
}
