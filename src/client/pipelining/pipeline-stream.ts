/**
 * One stream of `KvService.Pipeline`: batches go out, and their results come back in the same order.
 *
 *     placed --> open <--> resting
 *        |                    ^
 *        +----> on trial -----+        each of them --> left --> over
 *
 *     placed    it waits for a connection, and its calls wait with it
 *     on trial  it has no calls, and has sent an operation that is none: its answer shows that batches are answered
 *     open      it takes calls, as its bounds and the window of HTTP/2 let it
 *     resting   nothing is unanswered: it keeps neither the connection nor the process busy, and is left after a while
 *     left      it has sent its end, since the connection takes no new requests, or it is old, or has rested for long, or is not
 *               answered; the last answers come. It is cancelled once no call waits for them
 *     over      every call has its result or has failed, or goes by itself
 *
 * When it breaks, what becomes of its calls is what would become of them on streams of their own. A call whose batch the
 * socket was not given in full is surely not processed; one that still waits goes by itself.
 */
import {
  type PipelineRequestShape,
  emptyPipelineOperation,
  prependPipelineRequest,
  sizeOfPipelineRequest,
} from '../../../gen/kelp/v1/kv_codec.ts';
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import { systemClock } from '../../clock.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { ErrorCode } from '../../http2/contract/error-code.ts';
import type { Deadlines } from '../../deadlines.ts';
import type { Field } from '../../http2/contract/fields.ts';
import type { BodyWriter, ClientStream, ClosedBy } from '../../http2/contract/stream.ts';
import { client as limits } from '../../limits.ts';
import { CallFailure } from '../errors/call-failure.ts';
import type { Lasting, Session } from '../connection/session.ts';
import { Exchange, type Surroundings } from '../exchanges/exchange.ts';
import { PREFIX_BYTES, writePrefix } from '../exchanges/message-reader.ts';
import { Batch, wrongReply } from './batch.ts';
import type { BatchOfCall, CallCarrier, PipelinedCall } from './pipelined-call.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** What a stream tells the one who has opened it. */
export interface PipelineOwner {
  readonly surroundings: Surroundings;
  /** How many calls the next batch may have. */
  readonly batchCallsMax: number;
  /** Makes a call by itself, in the time that is left to it. */
  makeAlone(call: PipelinedCall): void;
  /** Sends calls on that have waited here, and still do: this stream takes no more. */
  goOn(calls: readonly PipelinedCall[]): void;
  /** The results of a batch have come. */
  answered(replyBytes: number, callCount: number): void;
  /** The server will not take these batches, and has done nothing for them: their calls go by themselves. */
  turnedAway(failure: CallFailure): void;
  /** It was not answered in time, or has broken: others may do the same. */
  distrusted(): void;
  /** Its trial has been answered: it may be given calls. */
  proved(stream: PipelineStream): void;
  /** It takes no more calls. */
  left(stream: PipelineStream): void;
}

const batchWriter: BodyWriter<PipelineRequestShape> = {
  write(batch, buffer, start, end) {
    writePrefix(buffer, start, end);
    prependPipelineRequest(batch, buffer, end);
  },
};

/** An operation that is none is refused by itself, and changes nothing. */
const trial: PipelineRequestShape = { operations: [emptyPipelineOperation()] };

export class PipelineStream extends Exchange implements CallCarrier, Lasting {
  override readonly keepsMessages = false;
  readonly #owner: PipelineOwner;
  readonly #waiting = new WaitingCalls();
  /** In the order in which they were sent. */
  readonly #batches: Batch[] = [];
  /** Some of the last batch waits for the window. */
  #isHeld = false;
  #isOnTrial = false;
  #isResting = false;
  #hasLeft = false;
  /** Its connection has ended. */
  #isLost = false;
  readonly #openedAtMs = systemClock.monotonicMs();
  /** When it gave a sign of life last: an answer, or room for what waited. */
  #heardAtMs = Number.NEGATIVE_INFINITY;

  constructor(owner: PipelineOwner, fields: readonly Field[]) {
    super(owner.surroundings, fields);
    this.#owner = owner;
  }

  get deadlines(): Deadlines {
    return this.surroundings.deadlines;
  }

  /** Whether calls may be given to it; else it is to be left. */
  get isUsable(): boolean {
    if (this.isOver || this.#hasLeft) return false;
    if (systemClock.monotonicMs() - this.#openedAtMs > limits.pipelineAgeMsMax) return false;
    return this.session === undefined || (this.session.isOpen && this.session.isFresh);
  }

  /** Whether it has room for a call. Those that it takes in one turn may wait for each other. */
  hasRoomFor(call: PipelinedCall): boolean {
    if (!this.#waiting.hasRoomFor(call)) return false;
    const mayWait = !this.#waiting.isEmpty || this.#isHeld || this.session === undefined;
    return mayWait || this.#batches.length < limits.pipelineBatchesMax;
  }

  /** Takes a call that it has room for; `send` follows. */
  add(call: PipelinedCall): void {
    this.#waiting.add(call);
  }

  /** Opens it on a connection as soon as there is one. */
  place(): void {
    this.surroundings.pool.place(this);
  }

  /** Opens it to show, before calls are given to it, that it is answered. */
  placeOnTrial(): void {
    this.#isOnTrial = true;
    this.place();
  }

  override begin(session: Session): void {
    if (this.#isOnTrial || this.#waiting.isWanted) return super.begin(session);
    this.finish();
    this.#owner.left(this);
  }

  /** Sends what waits, as far as it may. */
  send(): void {
    const { stream, session } = this;
    if (stream === undefined || session === undefined) return;
    while (!this.#waiting.isEmpty && this.#mayWrite) this.#sendBatch(stream, session);
    if (this.#batches.length === 0) this.#rest();
  }

  /** It takes no more calls; those that wait go on over another one. */
  leave(): void {
    this.#halfClose();
    this.#owner.goOn(this.#waiting.takeAll());
  }

  makeAlone(call: PipelinedCall): void {
    this.#owner.makeAlone(call);
  }

  /**
   * Whether the stream is worth anything shows when its calls end without an answer. Their neighbours keep it until they end, too:
   * each has its own time.
   */
  endedEarly(batch: BatchOfCall | undefined, isLate: boolean): void {
    if (batch === undefined) this.#waiting.ended();
    else batch.callEnded();
    const { session } = this;
    if (this.isOver || session === undefined) return;
    const isSilent = this.#isSilent;
    const isUnwanted = !this.#waiting.isWanted && this.#batches.every(({ isInVain }) => isInVain);
    if (!this.#hasLeft && (isSilent || (isUnwanted && isLate))) this.#owner.distrusted();
    if (isSilent || isUnwanted) {
      this.#halfClose();
      this.#makeAllAlone(this.#waiting.takeAll());
    }
    if (this.#hasLeft && this.#isInVain) this.#cancel();
    if (batch !== undefined && isLate) {
      this.surroundings.pool.doubt(session, batch.heardBytes, batch.sentAtMs);
    }
  }

  /** It has rested for long, or the server does not end what has been left, or does not answer a trial. */
  expire(): void {
    if (this.#isOnTrial) this.#owner.distrusted();
    if (this.#isOnTrial || this.#hasLeft) this.#cancel();
    else this.leave();
  }

  message(buffer: Buffer, start: number, end: number): void {
    this.#heardAtMs = systemClock.monotonicMs();
    if (this.#isOnTrial) return this.#prove();
    const batch = this.#batches[0];
    if (batch === undefined) throw wrongReply('a reply to no request');
    batch.answer(buffer, start, end);
    this.#batches.shift();
    this.#owner.answered(end - start, batch.operations.length);
    this.send();
  }

  override drained(): void {
    this.#isHeld = false;
    this.#heardAtMs = systemClock.monotonicMs();
    const outputEnd = this.stream?.outputPosition ?? Number.POSITIVE_INFINITY;
    for (const batch of this.#batches) if (!Number.isFinite(batch.outputEnd)) batch.outputEnd = outputEnd;
    if (this.#hasLeft) this.stream?.end();
    this.send();
  }

  override closed(code: ErrorCode, by: ClosedBy): void {
    this.#isLost = by === 'connection';
    // A server that has reset the stream, or ended it, may have had all that was handed over.
    const given = this.#isLost ? (this.stream?.outputGiven ?? 0) : Number.MAX_VALUE;
    for (const batch of this.#batches) batch.isSurelyUnsent = batch.outputEnd > given;
    this.#work();
    super.closed(code, by);
  }

  protected override opened(stream: ClientStream): void {
    this.session?.keep(this);
    if (!this.#isOnTrial) return this.send();
    stream.writeInPlace(trial, PREFIX_BYTES + sizeOfPipelineRequest(trial), batchWriter);
    // Nothing waits for its answer.
    this.#rest(limits.pipelineTrialMs);
  }

  protected override taken(bytes: number): void {
    this.stream?.consumed(bytes);
  }

  /** The server has ended the stream, which it does when the client has. */
  protected override succeeded(): void {
    if (this.#isOnTrial || this.#batches.length > 0) {
      return this.fail(wrongReply('no results for the last operations'));
    }
    this.finish();
    this.stream?.end();
    this.#over();
    this.#makeAllAlone(this.#waiting.takeAll());
  }

  protected override failed(failure: CallFailure): void {
    this.#over();
    const isTurnedAway = isTurningAway(failure);
    if (isTurnedAway) this.#owner.turnedAway(failure);
    else if (this.#isItsOwnFault(failure)) this.#owner.distrusted();
    const own = ofItsCalls(failure, false);
    for (const batch of this.#batches) {
      if (isTurnedAway || (batch.isSurelyUnsent && !this.#isLost)) this.#makeAllAlone(batch.operations);
      else batch.fail(batch.isSurelyUnsent ? ofItsCalls(failure, true) : own);
    }
    // What it waited for is a connection, and there is none for others either.
    if (this.session === undefined) for (const call of this.#waiting.takeAll()) call.fail(failure);
    else this.#makeAllAlone(this.#waiting.takeAll());
  }

  /** Whether it broke for a reason that streams of batches may have alone, unlike their connection. */
  #isItsOwnFault({ isUnprocessed, detail }: CallFailure): boolean {
    if (this.session === undefined || isUnprocessed || detail !== undefined) return false;
    // A connection that breaks with the first thing that such a stream is sent may break for that.
    if (this.#isLost && this.#heardAtMs >= 0) return false;
    return this.#isOnTrial || this.#batches.length > 0;
  }

  /** Whether its answers are out, and nothing has come for so long that they may never come. */
  get #isSilent(): boolean {
    const [first] = this.#batches;
    if (first === undefined) return false;
    const sinceMs = Math.max(first.sentAtMs, this.#heardAtMs);
    return systemClock.monotonicMs() - sinceMs >= limits.silenceMsMin;
  }

  /** Whether no call waits for what the server was sent in full. */
  get #isInVain(): boolean {
    const sentCount = this.#batches.length - (this.#isHeld ? 1 : 0);
    return this.#batches.every(({ isInVain }, index) => isInVain || index >= sentCount);
  }

  get #mayWrite(): boolean {
    return (
      !this.#isHeld && !this.#hasLeft && !this.isOver && this.#batches.length < limits.pipelineBatchesMax
    );
  }

  #sendBatch(stream: ClientStream, session: Session): void {
    const { calls, byteCount } = this.#waiting.takeBatch(this.#owner.batchCallsMax);
    if (calls.length === 0) return;
    this.#work();
    const batch = new Batch(calls, session, systemClock.monotonicMs());
    for (const call of calls) call.sent(batch);
    this.#batches.push(batch);
    this.#isHeld = !stream.writeInPlace(batch, PREFIX_BYTES + byteCount, batchWriter);
    if (!this.#isHeld) batch.outputEnd = stream.outputPosition;
  }

  /** Of calls that the server does not act on here. Those that are as good as late end by their deadlines: they may be thousands. */
  #makeAllAlone(calls: readonly PipelinedCall[]): void {
    for (const call of calls) {
      call.unsent();
      if (!call.isOver && !call.isAsGoodAsLate) this.#owner.makeAlone(call);
    }
  }

  #prove(): void {
    this.#isOnTrial = false;
    if (this.#hasLeft) return;
    this.deadlines.set(this, limits.pipelineIdleMs);
    this.#owner.proved(this);
  }

  /** Nothing of it is wanted any more, but what was not sent in full: the server will not have that now. */
  #cancel(): void {
    const held = this.#isHeld ? this.#batches.at(-1) : undefined;
    this.abandon();
    this.#over();
    if (held !== undefined) this.#makeAllAlone(held.operations);
  }

  #halfClose(): void {
    if (this.isOver || this.#hasLeft) return;
    this.#hasLeft = true;
    if (this.#isResting) this.deadlines.set(this, limits.pipelineIdleMs);
    this.#over();
    // Behind what waits for the window: else it would not be known when that was sent.
    if (!this.#isHeld) this.stream?.end();
  }

  #over(): void {
    this.session?.letGo(this);
    this.#owner.left(this);
  }

  #rest(forMs: number = limits.pipelineIdleMs): void {
    if (this.#isResting || this.isOver) return;
    this.#isResting = true;
    this.session?.rest();
    this.deadlines.set(this, forMs);
  }

  #work(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.session?.resume();
    this.deadlines.cancel(this);
  }
}

/** The server has ended the stream, and done nothing for what it has not answered, since it takes no such batches. */
function isTurningAway({ code, detail }: CallFailure): boolean {
  if (code === grpcCode.Unimplemented) return true;
  return detail?.reason === ErrorReason.LIMIT_REACHED || detail?.reason === ErrorReason.INVALID_ARGUMENT;
}

/** What the end of the stream is to its calls: that it took too long tells nothing of how long they did. */
function ofItsCalls(failure: CallFailure, isSurelyUnsent: boolean): CallFailure {
  const { message, detail } = failure;
  const isUnprocessed = failure.isUnprocessed || isSurelyUnsent;
  const code = failure.code === grpcCode.DeadlineExceeded ? grpcCode.Unavailable : failure.code;
  if (code === failure.code && isUnprocessed === failure.isUnprocessed) return failure;
  return new CallFailure(code, message, { cause: failure, detail, isUnprocessed });
}
