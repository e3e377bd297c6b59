/**
 * One try of a call that travels with others, as an operation of a batch of `KvService.Pipeline`. It ends once, as one on a
 * stream of its own does: with its result, a failure of its batch's stream, its deadline or its signal. Only the server is not
 * told that it ended early: its result comes and is passed over.
 *
 * - "gathered": its turn of the event loop goes on. It is in no list yet: it may go by itself in the end.
 * - "waiting": for a connection, or for room on its stream. When it ends nothing was sent.
 * - "sent": it has a batch. When it ends early, what it was to change may be changed.
 * - "over": its user knows how it went, or it goes by itself.
 */
import {
  type OperationFailureShape,
  type PipelineOperationShape,
  readPipelineResult,
  sizeOfPipelineOperation,
} from '../../../gen/kelp/v1/kv_codec.ts';
import { ErrorReason } from '../../../gen/kelp/v1/errors_codec.ts';
import { systemClock } from '../../clock.ts';
import { type Deadlines, Timed } from '../../deadlines.ts';
import { grpcCode } from '../../grpc-code.ts';
import { client as limits } from '../../limits.ts';
import type { TraceHeaders } from '../../tracing/trace-context.ts';
import { WireError } from '../../wire/wire-error.ts';
import { CallFailure, canceled, outOfTime } from '../errors/call-failure.ts';
import type { MessageTaker } from '../exchanges/message-reader.ts';
import type { Method, Piped } from '../calls/method.ts';
import { knownCode } from '../exchanges/status.ts';

/** What sees to the calls that go together: the stream that they are given to. */
export interface CallCarrier {
  readonly deadlines: Deadlines;
  /** Makes a call by itself, in the time that is left to it. */
  makeAlone(call: PipelinedCall): void;
  /** A call has ended by its deadline (`isLate`) or its signal; when it was sent, with this batch. */
  endedEarly(batch: BatchOfCall | undefined, isLate: boolean): void;
}

/** What a call was sent with. */
export interface BatchOfCall {
  callEnded(): void;
  readonly sentAtMs: number;
  readonly heardBytes: number;
}

export class PipelinedCall extends Timed implements PipelineOperationShape, MessageTaker {
  /** What the codec writes. */
  readonly operation: PipelineOperationShape['operation'];
  readonly timeoutMs: number;
  /** As an operation. */
  readonly byteCount: number;
  readonly method: Method<unknown, unknown>;
  readonly #piped: Piped<unknown>;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (failure: CallFailure) => void;
  readonly trace: TraceHeaders | undefined;
  readonly keepsMessages = true;
  isOver = false;
  #carrier: CallCarrier | undefined;
  #batch: BatchOfCall | undefined;

  constructor(
    method: Method<unknown, unknown>,
    piped: Piped<unknown>,
    request: unknown,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    resolve: (reply: unknown) => void,
    reject: (failure: CallFailure) => void,
    trace?: TraceHeaders,
  ) {
    super();
    // The method's request is that of its kind.
    this.operation = { case: piped.kind, value: request } as PipelineOperationShape['operation'];
    this.timeoutMs = timeoutMs;
    this.trace = trace;
    this.method = method;
    this.#piped = piped;
    this.signal = signal;
    this.resolve = resolve;
    this.reject = reject;
    this.byteCount = sizeOfPipelineOperation(this);
  }

  get traceparent(): string {
    return this.trace?.traceparent ?? '';
  }

  get tracestate(): string {
    return this.trace?.tracestate ?? '';
  }

  /** The keys that it names. */
  get keyCount(): number {
    return this.operation.case === 'exists' ? this.operation.value.keys.length : 1;
  }

  /** It waits, or goes on waiting for another stream. @returns false when it has ended: its signal was aborted. */
  begin(carrier: CallCarrier): boolean {
    const hasBegun = this.#carrier !== undefined;
    this.#carrier = carrier;
    if (hasBegun) return !this.isOver;
    const { signal } = this;
    if (signal !== undefined) {
      if (signal.aborted) {
        this.fail(canceled(true));
        return false;
      }
      signal.addEventListener('abort', this);
    }
    carrier.deadlines.set(this, this.timeoutMs);
    return true;
  }

  sent(batch: BatchOfCall): void {
    this.#batch = batch;
  }

  /** The server will not act on what it was sent of it. */
  unsent(): void {
    this.#batch = undefined;
  }

  /** Its result has come, and lies in `buffer` from `start` to `end`. */
  message(buffer: Buffer, start: number, end: number): void {
    const result = this.#read(buffer, start, end);
    if (result === undefined) return;
    if (result.case === this.operation.case) {
      this.#finish();
      this.resolve(result.value);
    } else if (result.case === 'failure') {
      this.#refused(toCallFailure(result.value));
    } else {
      this.fail(new CallFailure(grpcCode.Internal, 'the reply has a result of another kind'));
    }
  }

  fail(failure: CallFailure): void {
    if (this.isOver) return;
    this.#finish();
    this.reject(failure);
  }

  /** Whether so little of its time is left that it is not worth sending any more. */
  get isAsGoodAsLate(): boolean {
    return this.#leftMs < Math.min(limits.lastTryMs, this.timeoutMs / 2);
  }

  /** It is to be made by itself. @returns how much of its time is left. */
  leave(): number {
    const leftMs = this.#leftMs;
    this.#finish();
    return Math.max(1, Math.ceil(leftMs));
  }

  expire(): void {
    this.fail(outOfTime(this.#batch === undefined));
    this.#carrier?.endedEarly(this.#batch, true);
  }

  /** Of the signal. */
  handleEvent(): void {
    this.fail(canceled(this.#batch === undefined));
    this.#carrier?.endedEarly(this.#batch, false);
  }

  /**
   * The entries of a batch's results may be too long for one reply together: then it has changed nothing, and is served by
   * itself.
   */
  #refused(failure: CallFailure): void {
    const { operation } = this;
    if (isLimitReached(failure) && this.#piped.returnsEntry(operation.value)) this.#carrier?.makeAlone(this);
    else this.fail(failure);
  }

  get #leftMs(): number {
    const { list } = this;
    return list === undefined ? this.timeoutMs : list.dueMs - systemClock.monotonicMs();
  }

  #read(
    buffer: Buffer,
    start: number,
    end: number,
  ): ReturnType<typeof readPipelineResult>['result'] | undefined {
    try {
      return readPipelineResult(buffer, start, end).result;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const message = `the reply to ${this.method.path} is a ${error.message}; is it a KelpDB server?`;
      this.fail(new CallFailure(grpcCode.Internal, message));
      return undefined;
    }
  }

  /** Leaves nothing behind: no timer, no listener. */
  #finish(): void {
    this.isOver = true;
    if (this.list !== undefined) this.#carrier?.deadlines.cancel(this);
    this.signal?.removeEventListener('abort', this);
  }
}

/** Whether the server has refused something since a message was too long, or memory too short for it. */
export function isLimitReached({ detail }: CallFailure): boolean {
  return detail?.reason === ErrorReason.LIMIT_REACHED;
}

function toCallFailure({ code, message, detail }: OperationFailureShape): CallFailure {
  const known = knownCode(code);
  if (known !== undefined && known !== grpcCode.Ok) return new CallFailure(known, message, { detail });
  return new CallFailure(grpcCode.Unknown, `the reply has the status ${code}, which is none`);
}
