/**
 * The state of a stream (RFC 9113, section 5.1). Each side ends its half by END_STREAM, a reset ends both.
 *
 *                 head received or sent (its END_STREAM follows as an end of that side)
 *                                        |
 *                                      open
 *                  peer ends  /                    \  this side ends
 *           half-closed (remote)                  half-closed (local)
 *                  this side ends  \             /  peer ends
 *                                      closed
 *                          a reset leads there from everywhere
 *
 * - open: both may send.
 * - half-closed (remote): the peer has ended; a DATA or HEADERS frame of it is an error. This side may send.
 * - half-closed (local): this side has ended and sends nothing but RST_STREAM and WINDOW_UPDATE. The peer may send.
 * - closed: neither sends; the stream is in no table any more.
 *
 * "Idle" is a stream without an object: its id is above the last one. "Reserved" does not occur: nothing is pushed.
 */
import { assert } from '../../errors.ts';

const LOCAL_ENDED = 1;
const REMOTE_ENDED = 2;
const CLOSED = 4;

export class StreamState {
  #bits = 0;

  /** Whether this side may send. */
  get isLocalOpen(): boolean {
    return (this.#bits & (LOCAL_ENDED | CLOSED)) === 0;
  }

  /** Whether the peer may send. */
  get isRemoteOpen(): boolean {
    return (this.#bits & (REMOTE_ENDED | CLOSED)) === 0;
  }

  get isClosed(): boolean {
    return (this.#bits & CLOSED) !== 0;
  }

  /** Whether both sides have come to their end, so that the stream is to be closed. */
  get isDone(): boolean {
    return (this.#bits & (LOCAL_ENDED | REMOTE_ENDED)) === (LOCAL_ENDED | REMOTE_ENDED);
  }

  endLocal(): void {
    assert(this.isLocalOpen, 'this side of a stream ends once');
    this.#bits |= LOCAL_ENDED;
  }

  endRemote(): void {
    assert(this.isRemoteOpen, 'the side of the peer ends once');
    this.#bits |= REMOTE_ENDED;
  }

  close(): void {
    assert(!this.isClosed, 'a stream is closed once');
    this.#bits |= CLOSED;
  }
}
