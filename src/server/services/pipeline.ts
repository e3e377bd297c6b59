/**
 * `KvService.Pipeline`: batches of operations, each the function of its own method (`keys.ts`), answered in their order.
 *
 * All operations of a batch begin in one turn of the event loop, one after the other, so that they share what calls of one turn
 * share: the look for their keys, the clock, a write of the log and its flush. Several batches may be under way, and share
 * flushes too. A read goes out at once when no operation of the stream waits for the log; else it sees the newest state and
 * waits itself, so that a stream sees its own writes in their order.
 *
 * Bounded: the operations and keys of a batch, the bytes of its reply, the batches under way and what their results hold, what
 * is run in one turn. What a result holds is charged to the call before it is read, and given back when its reply is written.
 */
import type { PipelineResponseShape, PipelineResultShape } from '../../../gen/kelp/v1/kv_codec.ts';
import type { Key } from '../../api.ts';
import { StoreError } from '../../errors.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { fixed, serverFixed } from '../../limits.ts';
import { stoppingError } from '../calls/call-error.ts';
import type { Call } from '../calls/calls.ts';
import { failureOf, isUnforeseen } from '../calls/outcome.ts';
import { untilAborted } from '../calls/until-aborted.ts';
import { type ReplyAccount, deleteKey, exists, get, increment, put, touch } from './keys.ts';
import { type BatchOperation, type PipelineBatch, batchSizeError } from './pipeline-batch.ts';

export function pipeline(
  store: KvStore,
  requests: AsyncIterable<PipelineBatch>,
  call: Call,
  signal: AbortSignal,
): AsyncIterable<PipelineResponseShape> {
  const replies = new PipelineReplies(store, call);
  void replies.run(requests, signal);
  return replies;
}

/** How far the operations of a stream are. */
interface Progress {
  /** Those that wait for the log. */
  waiting: number;
}

class PipelineReplies implements AsyncIterableIterator<PipelineResponseShape> {
  readonly #store: KvStore;
  readonly #call: Call;
  readonly #progress: Progress = { waiting: 0 };
  /** Those that are not answered, in their order. */
  readonly #batches: Batch[] = [];
  /** Its reply is with who sends it. */
  #handedOut: Batch | undefined;
  #hasEnded = false;
  /** What ends the stream, behind the replies. */
  #error: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeRunner: (() => void) | undefined;

  constructor(store: KvStore, call: Call) {
    this.#store = store;
    this.#call = call;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Runs the batches as they come. Never rejects. */
  async run(requests: AsyncIterable<PipelineBatch>, signal: AbortSignal): Promise<void> {
    let ranInTurn = 0;
    try {
      for await (const { operations } of untilAborted(requests, signal)) {
        checkSize(operations);
        const batch = new Batch(this.#call, this.#progress);
        this.#batches.push(batch);
        batch.run(this.#store, operations);
        this.#wakeReader?.();
        while (this.#isFull && !signal.aborted) await this.#untilAnswered(signal);
        ranInTurn += operations.length;
        if (ranInTurn < serverFixed.pipelineTurnOperationsMax) continue;
        ranInTurn = 0;
        await this.#store.pause();
      }
      if (this.#call.isEndedByServer) this.#error = stoppingError();
    } catch (error) {
      this.#error = error as Error;
    }
    this.#hasEnded = true;
    this.#wakeReader?.();
  }

  /** Asked for more: what was handed out is written. */
  async next(): Promise<IteratorResult<PipelineResponseShape>> {
    this.#handedOut?.release();
    this.#handedOut = undefined;
    this.#wakeRunner?.();
    for (;;) {
      const batch = this.#batches[0];
      if (batch !== undefined) {
        if (!batch.isDone) await batch.done();
        this.#batches.shift();
        this.#handedOut = batch;
        return { done: false, value: { results: batch.results } };
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#hasEnded) return DONE;
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
      this.#wakeReader = undefined;
    }
  }

  get #isFull(): boolean {
    const batches = this.#batches;
    if (batches.length >= serverFixed.pipelineBatchesMax) return true;
    const heldBytes = batches.reduce((bytes, batch) => bytes + batch.heldBytes, 0);
    return heldBytes >= serverFixed.pipelineHeldBytesMax;
  }

  async #untilAnswered(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbort = (): void => resolve();
    this.#wakeRunner = resolve;
    signal.addEventListener('abort', onAbort);
    await promise;
    signal.removeEventListener('abort', onAbort);
    this.#wakeRunner = undefined;
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

type Result = PipelineResultShape['result'];

class Batch implements ReplyAccount {
  /** At the places of their operations. */
  readonly results: PipelineResultShape[] = [];
  /** Charged to the call. */
  heldBytes = 0;
  readonly #call: Call;
  readonly #progress: Progress;
  #unfinished = 0;
  /** The reply holds as much as one may: what would return an entry is refused without a look at it. */
  #fullError: Error | undefined;
  /** What was not foreseen: it ends the stream. */
  #error: Error | undefined;
  #onDone: (() => void) | undefined;

  constructor(call: Call, progress: Progress) {
    this.#call = call;
    this.#progress = progress;
  }

  /** Begins all operations. Bytes of theirs may change afterwards. */
  run(store: KvStore, operations: readonly BatchOperation[]): void {
    for (let index = 0; index < operations.length; index++) {
      const { operation } = operations[index] as BatchOperation;
      if (index % fixed.turnCallsMax === 0) fetchRead(store, operations, index);
      try {
        this.#begin(store, operation, index);
      } catch (error) {
        this.#fail(index, error);
      }
    }
  }

  get isDone(): boolean {
    return this.#unfinished === 0 && this.#error === undefined;
  }

  /** Rejects with what was not foreseen. */
  async done(): Promise<void> {
    if (this.#unfinished > 0) await new Promise<void>((resolve) => (this.#onDone = resolve));
    if (this.#error !== undefined) throw this.#error;
  }

  chargeReply(bytes: number): void {
    try {
      this.#call.checkMessage(this.heldBytes + bytes);
    } catch (error) {
      this.#fullError = error as Error;
      throw error;
    }
    this.#call.charge(bytes);
    this.heldBytes += bytes;
  }

  /** Its reply is written. */
  release(): void {
    this.#call.release(this.heldBytes);
    this.heldBytes = 0;
  }

  #begin(store: KvStore, operation: BatchOperation['operation'], index: number): void {
    const isNewest = this.#progress.waiting > 0;
    if (this.#fullError !== undefined && returnsEntry(operation)) throw this.#fullError;
    switch (operation.case) {
      case 'get': {
        const value = get(store, operation.value, this, isNewest);
        if (value instanceof Promise) return this.#await(index, 'get', value);
        this.results[index] = { result: { case: 'get', value } };
        return;
      }
      case 'put':
        return this.#await(index, 'put', put(store, operation.value, this));
      case 'delete':
        return this.#await(index, 'delete', deleteKey(store, operation.value, this));
      case 'increment':
        return this.#await(index, 'increment', increment(store, operation.value));
      case 'touch':
        return this.#await(index, 'touch', touch(store, operation.value));
      case 'exists': {
        const value = exists(store, operation.value, this, isNewest);
        if (value instanceof Promise) return this.#await(index, 'exists', value);
        this.results[index] = { result: { case: 'exists', value } };
        return;
      }
      case 'unreadable':
        throw operation.value;
      case undefined:
        throw new StoreError('invalidArgument', `operations[${index}] says nothing that this server knows`);
    }
  }

  /** @param value what a call of this kind is answered with. */
  #await(index: number, kind: Exclude<Result['case'], undefined>, value: Promise<Result['value']>): void {
    this.#unfinished++;
    this.#progress.waiting++;
    value.then(
      (reply) => {
        this.results[index] = { result: { case: kind, value: reply } as Result };
        this.#finish();
      },
      (error: unknown) => {
        this.#fail(index, error);
        this.#finish();
      },
    );
  }

  #fail(index: number, error: unknown): void {
    if (isUnforeseen(error)) this.#error = error as Error;
    this.results[index] = { result: { case: 'failure', value: failureOf(error) } };
  }

  #finish(): void {
    this.#progress.waiting--;
    if (--this.#unfinished === 0) this.#onDone?.();
  }
}

function returnsEntry(operation: BatchOperation['operation']): boolean {
  if (operation.case === 'get') return true;
  return (operation.case === 'put' || operation.case === 'delete') && operation.value.returnPrevious;
}

/** The keys of the next gets; those of puts and deletes are looked for together by the store. */
function fetchRead(store: KvStore, operations: readonly BatchOperation[], from: number): void {
  const keys: Key[] = [];
  for (const { operation } of operations.slice(from, from + fixed.turnCallsMax)) {
    if (operation.case === 'get' && operation.value.key !== '') keys.push(operation.value.key);
  }
  store.fetch(keys);
}

function checkSize(operations: readonly BatchOperation[]): void {
  const { pipelineOperationsMax, pipelineKeysMax } = fixed;
  const count = operations.length;
  if (count === 0 || count > pipelineOperationsMax) throw batchSizeError(count);
  let keyCount = 0;
  for (const { operation } of operations) {
    keyCount += operation.case === 'exists' ? operation.value.keys.length : 1;
  }
  if (keyCount > pipelineKeysMax) {
    throw new StoreError(
      'invalidArgument',
      `the operations of a batch name at most ${pipelineKeysMax} keys, not ${keyCount}; split it`,
    );
  }
}
