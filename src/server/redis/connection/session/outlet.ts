/**
 * `Outlet`: what goes out of one connection, in its order: replies, messages, and long replies piece by piece.
 *
 * - What is given goes out at once when all that it may depend on is durable and nothing waits before it, else by the queue of
 *   replies, with the newest sequence that the connection has seen.
 * - Messages come behind what is written already; those that come while a long reply is made are held until its end.
 * - What the client has not taken is counted, for the client and for the door. Beyond the limits, or after too long, it is cut.
 * - Reading stops while the connection is busy or has much to send, and goes on when that is over.
 */
import { serverFixed } from '../../../../limits.ts';
import type { TableRow } from '../../commands/table.ts';
import { ReplyWriter } from '../../protocol/reply-writer.ts';
import type { CommandPace } from '../command-pace.ts';
import type { ConnectionContext, Wire } from '../connection-context.ts';
import { LongReply } from '../long-reply.ts';
import type { ReplyTarget } from '../reply-queue.ts';
import { UnconfirmedReplies } from '../../cluster/unconfirmed-replies.ts';
import { notConfirmed, tooMuchHeld } from '../../replies/errors.ts';
import type { SessionState } from './session-state.ts';

export class Outlet implements ReplyTarget {
  /** The newest that a reply may depend on. */
  sequence = 0;
  /** What is to run next waits until more of the replies before it is gone. */
  waitsForReader = false;
  isReadPaused = false;
  readonly #session: SessionState;
  readonly #context: ConnectionContext;
  readonly #wire: Wire;
  readonly #pace: CommandPace | undefined;
  /** Replies of it in the queue, and their bytes. */
  #queuedReplies = 0;
  #queuedBytes = 0;
  /** What of its replies the client has not taken. */
  #unreadBytes = 0;
  #unreadSinceMs = 0;
  #longReply: LongReply | undefined;
  /** Messages that have come while a long reply is made. */
  readonly #heldPushes: Uint8Array[] = [];
  #heldBytes = 0;
  /** In a cluster: replies that wait for the shared log. */
  readonly #unconfirmed: UnconfirmedReplies | undefined;
  #unconfirmedBytes = 0;

  constructor(session: SessionState) {
    this.#session = session;
    this.#context = session.context;
    this.#wire = session.wire;
    this.#pace = session.pace;
    const { cluster } = session.context;
    this.#unconfirmed =
      cluster &&
      new UnconfirmedReplies((waiter) => cluster.wait(waiter), {
        confirmed: (bytes) => {
          this.#charge(-bytes.length);
          if (this.#session.isClosed) return;
          this.#deliverConfirmed(bytes);
          if (this.#session.isClosing) this.endWhenSent();
          else this.steerReading();
        },
        refused: () => this.#endWith(notConfirmed().message),
      });
  }

  /** Whether nothing waits to go out, and all that a reply may depend on is durable. */
  get isDurable(): boolean {
    return this.#queuedReplies === 0 && this.sequence <= this.#context.seam.durableSequence;
  }

  get hasMuchToSend(): boolean {
    return (
      this.#unreadBytes > serverFixed.redisUnreadBytesPaused ||
      this.#queuedBytes > serverFixed.redisWaitingBytesPaused
    );
  }

  /** Bytes that are written and not sent. */
  get waitingBytes(): number {
    return this.#queuedBytes + this.#unreadBytes + this.#heldBytes;
  }

  /** Whether the client has something to take before more is to come. */
  get hasUnread(): boolean {
    return this.#unreadBytes > serverFixed.redisRelayedBytesPaused;
  }

  /** In a cluster: a call has run. @param hasChanged whether its reply waits for a record of its own. */
  ran(hasChanged: boolean): void {
    if (this.#context.cluster?.isFollower === false) this.#unconfirmed?.ran(hasChanged);
  }

  /** A reply may depend on this too. */
  dependsOn(sequence: number): void {
    this.sequence = Math.max(this.sequence, sequence);
  }

  // Replies and messages.

  flush(): void {
    const { reply } = this.#context;
    if (reply.length > 0) this.#deliver(reply.take());
  }

  /** What a call that has taken its time is answered with. */
  answerLater(reply: Buffer): void {
    if (this.#session.replyMode === 'on') this.#deliver(reply);
    else if (this.#session.replyMode === 'skip') this.#session.replyMode = 'on';
  }

  /** What comes of the writer of a cluster. */
  relay(bytes: Buffer): void {
    this.#deliver(bytes);
  }

  push(bytes: Uint8Array): void {
    if (this.#session.isClosed || this.#session.isClosing || this.#session.relay !== undefined) return;
    if (this.#unreadBytes + this.#heldBytes > serverFixed.redisUnreadPushedBytesMax) {
      this.#session.close();
      return;
    }
    if (this.#longReply === undefined) this.#pace?.pushed(bytes.length);
    if (this.#longReply !== undefined) {
      this.#heldPushes.push(bytes);
      this.#heldBytes += bytes.length;
    } else if (this.#session.isRunning) this.#context.reply.raw(bytes);
    else this.#deliver(Buffer.from(bytes));
  }

  send(bytes: Buffer): void {
    this.#queuedReplies--;
    this.#queuedBytes -= bytes.length;
    if (this.#session.isClosed) return;
    this.#write(bytes);
    if (this.#session.isClosing) this.endWhenSent();
    else this.steerReading();
  }

  fail(): void {
    this.#queuedReplies--;
    this.#session.close();
  }

  endWhenSent(): void {
    if (this.#queuedReplies === 0 && this.#unconfirmed?.isEmpty !== false && !this.#session.isClosed)
      this.#wire.end();
  }

  #deliver(bytes: Buffer): void {
    if (this.#unconfirmed?.hold(bytes) === true) this.#charge(bytes.length);
    else this.#deliverConfirmed(bytes);
  }

  /** Counts replies that wait for the shared log. */
  #charge(bytes: number): void {
    this.#unconfirmedBytes += bytes;
    this.#queuedBytes += bytes;
    this.#context.queue.charge(bytes);
  }

  #deliverConfirmed(bytes: Buffer): void {
    const { seam, queue } = this.#context;
    if (this.isDurable) {
      this.#write(bytes);
      return;
    }
    if (seam.failure !== undefined) {
      // What it may depend on will never be durable.
      this.#endWith('MISCONF the log has failed: whether the last changes are kept is not known');
      return;
    }
    this.#queuedReplies++;
    this.#queuedBytes += bytes.length;
    queue.add(this.sequence, this, bytes);
  }

  /** What waits is never told; the first of it gets an error. */
  #endWith(text: string): void {
    if (this.#session.isClosed) return;
    this.#wire.write(Buffer.from(`-${text}\r\n`));
    this.#session.isClosing = true;
    this.#wire.end();
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pace?.sent(this.#session.login, bytes.length);
    if (!this.#wire.write(bytes) || this.#unreadBytes > 0) this.#noteUnread();
  }

  // What the client takes.

  /** The client has taken what waited. */
  drained(): void {
    this.#noteUnread();
    this.#longReply?.goOn();
    this.steerReading();
  }

  /** Cuts a client that has not read for too long. */
  checkUnread(nowMs: number): void {
    this.#noteUnread();
    if (this.#unreadBytes > 0 && nowMs - this.#unreadSinceMs > serverFixed.redisUnreadMs)
      this.#session.close();
  }

  /** Reads on while there is room for what comes. */
  steerReading(): void {
    const { relay } = this.#session;
    const isPaused = relay === undefined ? this.#session.isBusy || this.hasMuchToSend : relay.isFull;
    if (this.waitsForReader && !this.hasMuchToSend) {
      this.waitsForReader = false;
      this.#context.turn.later(this.#session.goOn);
    }
    if (isPaused === this.isReadPaused || this.#session.isClosed) return;
    this.isReadPaused = isPaused;
    if (isPaused) this.#wire.pause();
    else this.#wire.resume();
  }

  /** The connection is closed. */
  close(): void {
    this.#longReply?.stop();
    this.#unconfirmed?.close();
    if (this.#unconfirmedBytes > 0) this.#charge(-this.#unconfirmedBytes);
    this.#heldPushes.length = this.#heldBytes = 0;
    this.#context.chargeUnread(-this.#unreadBytes);
  }

  #noteUnread(): void {
    const unread = this.#session.isClosed ? 0 : this.#wire.writableLength;
    if (unread === this.#unreadBytes) return;
    if (this.#unreadBytes === 0 || unread < this.#unreadBytes)
      this.#unreadSinceMs = this.#context.clock.monotonicMs();
    const hasRoom = this.#context.chargeUnread(unread - this.#unreadBytes);
    const isMore = unread > this.#unreadBytes;
    this.#unreadBytes = unread;
    if (unread > serverFixed.redisUnreadBytesMax || (isMore && !hasRoom)) this.#session.close();
  }

  // Replies that take more than one turn.

  /** @param begun where in the buffer it begins. */
  beginLongReply(row: TableRow, isVisible: boolean, begun: number): void {
    const context = this.#context;
    const { runner, seam, clock, queue, hooks } = context;
    const { slice, state } = runner;
    if (slice === undefined) return;
    const heldBytes = slice.heldBytes?.() ?? 0;
    if (!context.chargeHeld(heldBytes)) {
      context.reply.rollBack(begun);
      runner.answer(tooMuchHeld(), context.reply, row.name);
      return;
    }
    const ownArgs = hooks.ended === undefined ? undefined : this.#session.call.args.ownCopy();
    this.#session.isBusy = true;
    // What is written so far, of this reply and of those before it, goes on in the same buffer.
    const reply = context.reply;
    context.reply = new ReplyWriter();
    const longReply = new LongReply({
      slice,
      reply,
      begun,
      heldBytes,
      clock,
      pin: () => seam.pin(state),
      isTakingTime: () =>
        this.#unreadBytes > serverFixed.redisUnreadBytesPaused ||
        this.#pace?.holdsReply(this.#session.login, () => this.#longReply?.goOn()) === true,
      charge: (bytes) => context.chargeHeld(bytes),
      send: (bytes) => this.#deliver(bytes),
      fail: (error) => {
        if (error === undefined) this.#session.close();
        else runner.answer(error, reply, row.name);
      },
      done: (durationMs) => {
        this.#longReply = undefined;
        if (ownArgs !== undefined) this.#session.endedLater(row, ownArgs, durationMs);
        this.#heldBytes = 0;
        for (const bytes of this.#heldPushes.splice(0)) this.push(bytes);
        this.#session.goOn();
      },
    });
    this.#longReply = longReply;
    const begin = (): void => {
      // What it is of may be durable already: then nothing would tell the queue to send it on its way.
      if (isVisible || this.isDurable) longReply.begin();
      else
        queue.add(
          this.sequence,
          { send: () => longReply.begin(), fail: () => this.#session.close() },
          Buffer.alloc(0),
        );
    };
    if (this.#unconfirmed?.holdLong(begin) !== true) begin();
  }
}
