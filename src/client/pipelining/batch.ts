/**
 * Calls that went out together, as one message of a stream of `KvService.Pipeline`, until its reply comes: so many results, in
 * the order of the calls.
 */
import { grpcCode } from '../../grpc-code.ts';
import { Cursor } from '../../wire/cursor.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { Session } from '../connection/session.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { handOn } from '../exchanges/message-reader.ts';
import type { BatchOfCall, PipelinedCall } from './pipelined-call.ts';

/** Of `PipelineResponse`: the tag of a result. */
const RESULT_TAG = 0x0a;

export class Batch implements BatchOfCall {
  /** What the codec writes. */
  readonly operations: PipelinedCall[];
  readonly sentAtMs: number;
  /** What had come over the connection by then. */
  readonly heardBytes: number;
  /** Where in all output of the connection it ends; infinity while it waits for the window. */
  outputEnd = Number.POSITIVE_INFINITY;
  isSurelyUnsent = false;
  #endedEarly = 0;

  constructor(operations: PipelinedCall[], session: Session, sentAtMs: number) {
    this.operations = operations;
    this.sentAtMs = sentAtMs;
    this.heardBytes = session.bytesRead;
  }

  /** Whether no call waits for its reply any more. */
  get isInVain(): boolean {
    return this.#endedEarly === this.operations.length;
  }

  /** A call of it has ended without its result. */
  callEnded(): void {
    this.#endedEarly++;
  }

  fail(failure: CallFailure): void {
    for (const call of this.operations) call.fail(failure);
  }

  /** Hands each result of its reply on to its call, those that have ended excepted. Throws a `CallFailure`. */
  answer(buffer: Buffer, start: number, end: number): void {
    const { length } = this.operations;
    const count = this.#handOnResults(buffer, start, end);
    if (count !== length) throw wrongReply(`${count} results for ${length} operations`);
  }

  #handOnResults(buffer: Buffer, start: number, end: number): number {
    const calls = this.operations;
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
        if (call !== undefined && !call.isOver) handOn(call, buffer, cursor.position, resultEnd);
        cursor.position = resultEnd;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw wrongReply(`a ${error.message}`);
    }
    return count;
  }
}

export function wrongReply(what: string): CallFailure {
  return new CallFailure(grpcCode.Internal, `the reply to a batch is wrong: ${what}; is it a KelpDB server?`);
}
