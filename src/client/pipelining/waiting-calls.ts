/**
 * The calls that wait for a stream of batches, in their order. One that ends meanwhile stays among them for a while, so that its
 * end costs no search; they are fewer than those that go on.
 */
import { client as limits, fixed } from '../../limits.ts';
import { sizeWithLength } from '../../wire/varint.ts';
import type { PipelinedCall } from './pipelined-call.ts';

/** Of an operation in a batch. */
const TAG_BYTES = 1;

/** What of those that wait makes the next batch. */
export interface NextCalls {
  readonly calls: PipelinedCall[];
  /** Of the batch. */
  readonly byteCount: number;
}

export class WaitingCalls {
  #calls: PipelinedCall[] = [];
  #byteCount = 0;
  #endedCount = 0;

  /** Whether there is anything, ended or not. */
  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** Whether any of them goes on. */
  get isWanted(): boolean {
    return this.#calls.length > this.#endedCount;
  }

  hasRoomFor({ byteCount }: PipelinedCall): boolean {
    return (
      this.#calls.length < limits.pipelineWaitingCallsMax &&
      this.#byteCount + byteCount <= limits.pipelineWaitingBytesMax
    );
  }

  add(call: PipelinedCall): void {
    this.#calls.push(call);
    this.#byteCount += call.byteCount;
  }

  /** One of them has ended. */
  ended(): void {
    if (++this.#endedCount * 2 < this.#calls.length) return;
    this.#calls = this.#calls.filter(({ isOver }) => !isOver);
    this.#byteCount = this.#calls.reduce((bytes, { byteCount }) => bytes + byteCount, 0);
    this.#endedCount = 0;
  }

  /** Takes as many as a batch may have: none when all of them have ended. */
  takeBatch(callsMax: number): NextCalls {
    const waiting = this.#calls;
    const calls: PipelinedCall[] = [];
    let byteCount = 0;
    let keyCount = 0;
    let taken = 0;
    for (; taken < waiting.length && calls.length < callsMax; taken++) {
      const call = waiting[taken] as PipelinedCall;
      if (call.isOver) {
        this.#endedCount--;
        continue;
      }
      const callBytes = TAG_BYTES + sizeWithLength(call.byteCount);
      keyCount += call.keyCount;
      const isFull = byteCount + callBytes > limits.pipelineBatchBytesMax || keyCount > fixed.pipelineKeysMax;
      if (isFull && calls.length > 0) break;
      byteCount += callBytes;
      calls.push(call);
    }
    this.#drop(taken);
    return { calls, byteCount };
  }

  takeAll(): PipelinedCall[] {
    const calls = this.#calls;
    this.#drop(calls.length);
    this.#endedCount = 0;
    return calls;
  }

  #drop(count: number): void {
    const waiting = this.#calls;
    if (count === waiting.length) {
      this.#calls = [];
      this.#byteCount = 0;
      return;
    }
    for (let index = 0; index < count; index++) this.#byteCount -= waiting[index]?.byteCount ?? 0;
    this.#calls = waiting.slice(count);
  }
}
