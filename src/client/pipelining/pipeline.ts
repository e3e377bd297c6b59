/**
 * Makes calls of one turn of the event loop travel together, over streams of `KvService.Pipeline`: reads over one, writes over
 * another, since a read must not stand behind a flush.
 *
 * A turn is what runs between two looks at sockets and timers, with all promises that settle in it. Calls are gathered until
 * it ends. They go by themselves, as if there were no pipeline, when
 * - there are few of them, or one is long;
 * - the stream has as much under way as it may: nothing waits for the answers to others but the calls of one burst;
 * - the replies before were long, or the server takes no batches, or does not answer them as it answers single calls
 *   (`trust.ts`).
 *
 * What a caller sees is the same in all cases: results, errors, what may be repeated. Calls that do not wait for each other
 * have no order, as ever.
 */
import { grpcCode } from '../../grpc-code.ts';
import type { Field } from '../../http2/contract/fields.ts';
import { systemClock } from '../../clock.ts';
import { client as limits, fixed } from '../../limits.ts';
import type { CallFailure } from '../errors/call-failure.ts';
import type { Surroundings } from '../exchanges/exchange.ts';
import { type PipelineOwner, PipelineStream } from './pipeline-stream.ts';
import type { PipelinedCall } from './pipelined-call.ts';
import { Trust } from './trust.ts';

/** Makes a call on a stream of its own. */
export type MakeAlone = (call: PipelinedCall, timeoutMs: number) => void;

/** All calls of one kind: reads or writes. */
export class Pipeline implements PipelineOwner {
  readonly surroundings: Surroundings;
  #fields: readonly Field[];
  readonly #makeAlone: MakeAlone;
  /** Of this turn. */
  #gathered: PipelinedCall[] = [];
  #stream: PipelineStream | undefined;
  readonly #trust = new Trust();
  #trial: PipelineStream | undefined;
  /** So many calls go by themselves before a batch is tried again. */
  #aloneCalls = 0;
  batchCallsMax: number = limits.pipelineFirstCallsMax;

  /** @param fields the head of a stream of batches. */
  constructor(surroundings: Surroundings, fields: readonly Field[], makeAlone: MakeAlone) {
    this.surroundings = surroundings;
    this.#fields = fields;
    this.#makeAlone = makeAlone;
  }

  /** Takes a call, which goes out at the end of the turn. */
  add(call: PipelinedCall): void {
    if (this.#gathered.push(call) === 1) queueMicrotask(this.#waitForTurn);
  }

  /** Calls go on over a stream with another head; those that the present one was given end there. */
  goOnWith(fields: readonly Field[]): void {
    this.#fields = fields;
    this.#stream?.leave();
  }

  makeAlone(call: PipelinedCall): void {
    this.#makeAlone(call, call.leave());
  }

  answered(replyBytes: number, callCount: number): void {
    const bytes = replyBytes / callCount;
    if (bytes > limits.pipelineCallBytesMax) this.#aloneCalls = limits.pipelineAloneCalls;
    this.batchCallsMax = Math.min(fixed.pipelineOperationsMax, Math.ceil(limits.pipelineReplyBytes / bytes));
  }

  turnedAway({ code }: CallFailure): void {
    this.#aloneCalls = code === grpcCode.Unimplemented ? Number.POSITIVE_INFINITY : limits.pipelineAloneCalls;
  }

  distrusted(): void {
    this.#trust.failed(systemClock.monotonicMs());
  }

  proved(stream: PipelineStream): void {
    this.#trial = undefined;
    this.#trust.proved();
    const before = this.#stream;
    this.#stream = stream;
    before?.leave();
  }

  goOn(calls: readonly PipelinedCall[]): void {
    this.#send(calls.filter(({ isOver }) => !isOver));
  }

  left(stream: PipelineStream): void {
    if (this.#stream === stream) this.#stream = undefined;
    if (this.#trial === stream) this.#trial = undefined;
  }

  /** Behind all promises of the turn, also of one that began with code that is no promise's. */
  readonly #waitForTurn = (): void => process.nextTick(this.#endTurn);

  readonly #endTurn = (): void => {
    const calls = this.#gathered;
    this.#gathered = [];
    this.#send(calls);
  };

  #send(calls: readonly PipelinedCall[]): void {
    if (calls.length < limits.pipelineCallsMin || this.#aloneCalls > 0) return this.#sendAlone(calls);
    if (this.#trust.isGiven) return this.#sendTogether(calls);
    this.#try();
    this.#sendAlone(calls);
  }

  #try(): void {
    if (this.#trial !== undefined || !this.#trust.mayBeTried(systemClock.monotonicMs())) return;
    this.#trial = new PipelineStream(this, this.#fields);
    this.#trial.placeOnTrial();
  }

  #sendAlone(calls: readonly PipelinedCall[]): void {
    if (this.#aloneCalls > 0) this.#aloneCalls = Math.max(0, this.#aloneCalls - calls.length);
    for (const call of calls) this.makeAlone(call);
  }

  #sendTogether(calls: readonly PipelinedCall[]): void {
    // What waits for one that is left comes back here, and is given to the next.
    if (this.#stream?.isUsable === false) this.#stream.leave();
    const before = this.#stream;
    const stream = (this.#stream ??= new PipelineStream(this, this.#fields));
    for (const call of calls) {
      if (!stream.hasRoomFor(call)) this.makeAlone(call);
      else if (call.begin(stream)) stream.add(call);
    }
    if (before === stream) stream.send();
    else stream.place();
  }
}
