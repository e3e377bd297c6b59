/**
 * One stream of `KvService.Pipeline`: batches go out, and their results come back in the same order.
 *
 *     placed --> open <--> resting --> left --> over
 *        |         |          |         ^        ^
 *        |         +----------+---------+        |
 *        +--------------------+------------------+
 *
 *     placed    it waits for a connection, and its calls wait with it
 *     open      it takes calls, as its bounds and the window of HTTP/2 let it
 *     resting   nothing is unanswered: it keeps neither the connection nor the process busy, and is left after a while
 *     left      it has sent its end, since the connection takes no new requests or it has rested for long; the last answers come
 *     over      every call has its result or has failed, or goes by itself
 *
 * When it breaks, what becomes of its calls is what would become of them on streams of their own. A call whose batch the
 * socket was not given in full is surely not processed; one that still waits goes by itself.
 */
import { type PipelineRequestShape, prependPipelineRequest } from '../../../gen/kelp/v1/kv_codec.ts';
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import { systemClock } from '../../clock.ts';
import { grpcCode } from '../../grpc-code.ts';
import type { ErrorCode } from '../../http2/contract/error-code.ts';
import type { Field } from '../../http2/contract/fields.ts';
import type { BodyWriter, ClientStream, ClosedBy } from '../../http2/contract/stream.ts';
import { client as limits, fixed } from '../../limits.ts';
import { Cursor } from '../../wire/cursor.ts';
import { sizeWithLength } from '../../wire/varint.ts';
import { WireError } from '../../wire/wire-error.ts';
import { CallFailure } from '../errors/call-failure.ts';
import type { Lasting, Session } from '../connection/session.ts';
import { Exchange } from '../exchanges/exchange.ts';
import { PREFIX_BYTES, handOn, writePrefix } from '../exchanges/message-reader.ts';
import type { CallCarrier, PipelinedCall } from './pipelined-call.ts';

/** What a stream tells the one who has opened it. */
export interface PipelineOwner extends CallCarrier {
  /** How many calls the next batch may have. */
  readonly batchCallsMax: number;
  /** The results of a batch have come. */
  answered(replyBytes: number, callCount: number): void;
  /** The server will not take these batches, and has done nothing for them: their calls go by themselves. */
  turnedAway(failure: CallFailure): void;
  /** It takes no more calls. */
  left(stream: PipelineStream): void;
}

/** Calls that are not answered, as they were sent. */
interface Batch extends PipelineRequestShape {
  readonly operations: PipelinedCall[];
  /** Where in all output of the connection it ends; infinity while it waits for the window. */
  outputEnd: number;
  isSurelyUnsent: boolean;
}

/** Of `PipelineResponse`: the tag of a result. */
const RESULT_TAG = 0x0a;
/** Of an operation in a batch. */
const TAG_BYTES = 1;

const batchWriter: BodyWriter<PipelineRequestShape> = {
  write(batch, buffer, start, end) {
    writePrefix(buffer, start, end);
    prependPipelineRequest(batch, buffer, end);
  },
};

export class PipelineStream extends Exchange implements Lasting {
  override readonly keepsMessages = false;
  readonly #owner: PipelineOwner;
  #waiting: PipelinedCall[] = [];
  #waitingBytes = 0;
  /** In the order in which they were sent. */
  readonly #batches: Batch[] = [];
  /** Some of the last batch waits for the window. */
  #isHeld = false;
  #isResting = false;
  #hasLeft = false;

  constructor(owner: PipelineOwner, fields: readonly Field[]) {
    super(owner.surroundings, fields);
    this.#owner = owner;
  }

  /** Whether calls may be given to it; else it is to be left. */
  get isUsable(): boolean {
    if (this.isSettled || this.#hasLeft) return false;
    return this.session === undefined || (this.session.isOpen && this.session.isFresh);
  }

  /** Whether it has room for a call. Those that it takes in one turn may wait for each other. */
  hasRoomFor(call: PipelinedCall): boolean {
    const waitingCount = this.#waiting.length;
    if (waitingCount >= limits.pipelineWaitingCallsMax) return false;
    if (this.#waitingBytes + call.byteCount > limits.pipelineWaitingBytesMax) return false;
    const mayWait = waitingCount > 0 || this.#isHeld || this.session === undefined;
    return mayWait || this.#batches.length < limits.pipelineBatchesMax;
  }

  /** Takes a call that it has room for; `send` follows. */
  add(call: PipelinedCall): void {
    this.#waiting.push(call);
    this.#waitingBytes += call.byteCount;
  }

  /** Opens it on a connection as soon as there is one. */
  place(): void {
    this.surroundings.pool.place(this);
  }

  override begin(session: Session): void {
    if (this.#waiting.some((call) => !call.isSettled)) return super.begin(session);
    this.settle();
    this.#owner.left(this);
  }

  /** Sends what waits, as far as it may. */
  send(): void {
    const { stream, session } = this;
    if (stream === undefined || session === undefined) return;
    while (this.#waiting.length > 0 && this.#mayWrite) {
      const batch = this.#nextBatch(stream, session);
      if (batch === undefined) continue;
      this.#batches.push(batch);
    }
    if (this.#batches.length === 0) this.#rest();
  }

  /** Half closes: the connection takes no new requests, or it has rested for long. */
  leave(): void {
    if (this.isSettled || this.#hasLeft) return;
    this.#hasLeft = true;
    this.session?.letGo(this);
    this.#owner.left(this);
    // Behind what waits for the window: else it would not be known when that was sent.
    if (!this.#isHeld) this.stream?.end();
    this.#makeWaitingAlone();
  }

  /** It has rested for long. */
  expire(): void {
    this.leave();
  }

  message(buffer: Buffer, start: number, end: number): void {
    const batch = this.#batches[0];
    if (batch === undefined) throw wrongReply('a reply to no request');
    const { operations } = batch;
    const count = handOnResults(operations, buffer, start, end);
    if (count !== operations.length) throw wrongReply(`${count} results for ${operations.length} operations`);
    this.#batches.shift();
    this.#owner.answered(end - start, operations.length);
    this.send();
  }

  override drained(): void {
    this.#isHeld = false;
    const outputEnd = this.stream?.outputPosition ?? Number.POSITIVE_INFINITY;
    for (const batch of this.#batches) if (!Number.isFinite(batch.outputEnd)) batch.outputEnd = outputEnd;
    if (this.#hasLeft) this.stream?.end();
    this.send();
  }

  override closed(code: ErrorCode, by: ClosedBy): void {
    if (by === 'connection') {
      const given = this.stream?.outputGiven ?? 0;
      for (const batch of this.#batches) batch.isSurelyUnsent = batch.outputEnd > given;
    }
    this.#work();
    super.closed(code, by);
  }

  protected override opened(): void {
    this.session?.keep(this);
    this.send();
  }

  protected override taken(bytes: number): void {
    this.stream?.consumed(bytes);
  }

  /** The server has ended the stream, which it does when the client has. */
  protected override succeeded(): void {
    if (this.#batches.length > 0) return this.fail(wrongReply('no results for the last operations'));
    this.settle();
    this.stream?.end();
    this.#over();
    this.#makeWaitingAlone();
  }

  protected override failed(failure: CallFailure): void {
    this.#over();
    if (isTurnedAway(failure)) {
      this.#owner.turnedAway(failure);
      for (const { operations } of this.#batches) this.#makeAlone(operations);
    } else {
      for (const batch of this.#batches) this.#failBatch(batch, failure);
    }
    // What it waited for is a connection, and there is none for others either.
    if (this.session === undefined) for (const call of this.#takeWaiting()) call.fail(failure);
    else this.#makeWaitingAlone();
  }

  get #mayWrite(): boolean {
    return (
      !this.#isHeld && !this.#hasLeft && !this.isSettled && this.#batches.length < limits.pipelineBatchesMax
    );
  }

  /** Takes of what waits as much as a batch may have, and sends it. @returns undefined when all of it has ended. */
  #nextBatch(stream: ClientStream, session: Session): Batch | undefined {
    const waiting = this.#waiting;
    const { batchCallsMax } = this.#owner;
    const operations: PipelinedCall[] = [];
    let byteCount = 0;
    let keyCount = 0;
    let taken = 0;
    const sending = { session, sentAtMs: systemClock.monotonicMs(), heardBytes: session.bytesRead };
    for (; taken < waiting.length && operations.length < batchCallsMax; taken++) {
      const call = waiting[taken] as PipelinedCall;
      if (call.isSettled) continue;
      const callBytes = TAG_BYTES + sizeWithLength(call.byteCount);
      keyCount += call.keyCount;
      const isFull = byteCount + callBytes > limits.pipelineBatchBytesMax || keyCount > fixed.pipelineKeysMax;
      if (isFull && operations.length > 0) break;
      byteCount += callBytes;
      call.sent(sending);
      operations.push(call);
    }
    this.#dropWaiting(taken);
    if (operations.length === 0) return undefined;
    this.#work();
    const batch = { operations, outputEnd: Number.POSITIVE_INFINITY, isSurelyUnsent: false };
    this.#isHeld = !stream.writeInPlace(batch, PREFIX_BYTES + byteCount, batchWriter);
    if (!this.#isHeld) batch.outputEnd = stream.outputPosition;
    return batch;
  }

  #dropWaiting(count: number): void {
    const waiting = this.#waiting;
    if (count === waiting.length) {
      this.#waiting = [];
      this.#waitingBytes = 0;
      return;
    }
    for (let index = 0; index < count; index++) this.#waitingBytes -= waiting[index]?.byteCount ?? 0;
    this.#waiting = waiting.slice(count);
  }

  #takeWaiting(): PipelinedCall[] {
    const waiting = this.#waiting;
    this.#dropWaiting(waiting.length);
    return waiting;
  }

  #makeWaitingAlone(): void {
    this.#makeAlone(this.#takeWaiting());
  }

  #makeAlone(calls: readonly PipelinedCall[]): void {
    for (const call of calls) if (!call.isSettled) this.#owner.makeAlone(call);
  }

  #failBatch({ operations, isSurelyUnsent }: Batch, failure: CallFailure): void {
    const { code, message, isUnprocessed } = failure;
    const isKnown = isSurelyUnsent && !isUnprocessed;
    const own = isKnown ? new CallFailure(code, message, { cause: failure, isUnprocessed: true }) : failure;
    for (const call of operations) call.fail(own);
  }

  #over(): void {
    this.session?.letGo(this);
    this.#owner.left(this);
  }

  #rest(): void {
    if (this.#isResting || this.isSettled) return;
    this.#isResting = true;
    this.session?.rest();
    if (!this.#hasLeft) this.surroundings.deadlines.set(this, limits.pipelineIdleMs);
  }

  #work(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.session?.resume();
    this.surroundings.deadlines.cancel(this);
  }
}

/** Hands each result of a `PipelineResponse` on to its call, those that have ended excepted. @returns how many there are. */
function handOnResults(calls: readonly PipelinedCall[], buffer: Buffer, start: number, end: number): number {
  const cursor = new Cursor(buffer, start, end);
  let count = 0;
  try {
    while (cursor.position < end) {
      const tag = cursor.tag(end);
      if (tag !== RESULT_TAG) {
        cursor.skip(tag, end);
        continue;
      }
      const resultEnd = cursor.endOfLength(end);
      const call = calls[count++];
      if (call !== undefined && !call.isSettled) handOn(call, buffer, cursor.position, resultEnd);
      cursor.position = resultEnd;
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw wrongReply(`a ${error.message}`);
  }
  return count;
}

/** The server has ended the stream, and done nothing for what it has not answered, since it takes no such batches. */
function isTurnedAway({ code, detail }: CallFailure): boolean {
  if (code === grpcCode.Unimplemented) return true;
  return detail?.reason === ErrorReason.LIMIT_REACHED || detail?.reason === ErrorReason.INVALID_ARGUMENT;
}

function wrongReply(what: string): CallFailure {
  return new CallFailure(grpcCode.Internal, `the reply to a batch is wrong: ${what}; is it a KelpDB server?`);
}
