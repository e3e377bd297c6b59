/**
 * What became of the request of one try: whether the server can have acted on it, as far as that can be known.
 *
 * It surely has not when
 * - no connection was made, so that the request was not handed to one;
 * - the server refused it unseen: its stream was reset with REFUSED_STREAM, or is above the last one that a GOAWAY names
 *   (RFC 9113, sections 8.7 and 6.8);
 * - the connection was lost before another byte was written to it.
 *
 * Anything else leaves it open: bytes that were handed to the system may have arrived.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClientHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { client as limits } from '../../limits.ts';
import type { Session } from '../connection/session.ts';

interface HandOver {
  readonly stream: ClientHttp2Stream;
  readonly session: Session;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly atMs: number;
}

/** Connect asks for a stream without telling for which call. */
const current = new AsyncLocalStorage<Sending>();

export class Sending {
  /** Whether it goes over a connection of ours; of others nothing is known. */
  #isOurs = false;
  #isOver = false;
  #handOver: HandOver | undefined;

  /** That of the try whose code runs; none for streams, which change nothing. */
  static current(): Sending | undefined {
    return current.getStore();
  }

  run<Result>(attempt: () => Result): Result {
    return current.run(this, attempt);
  }

  /** A connection is about to be looked for. */
  begin(): void {
    this.#isOurs = true;
  }

  /** The try has ended; if it still waits for a connection it is not to be sent any more. */
  end(): void {
    this.#isOver = true;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From here on the request may be on its way. */
  handOver(stream: ClientHttp2Stream, session: Session, bytesWritten: number): void {
    const { bytesRead } = session;
    this.#handOver = { stream, session, bytesRead, bytesWritten, atMs: performance.now() };
  }

  /** Whether the server has surely not acted on it, and will not. */
  get isUnprocessed(): boolean {
    if (!this.#isOurs) return false;
    if (this.#handOver === undefined) return true;
    const { stream, session, bytesWritten } = this.#handOver;
    if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || session.hasRefused(stream)) return true;
    return session.isClosed && session.bytesWritten === bytesWritten;
  }

  /** The connection from which not one byte has come since, if it was long enough. */
  get silentSession(): Session | undefined {
    if (this.#handOver === undefined) return undefined;
    const { session, bytesRead, atMs } = this.#handOver;
    const isSilent = session.bytesRead === bytesRead && performance.now() - atMs >= limits.silenceMsMin;
    return isSilent ? session : undefined;
  }
}
