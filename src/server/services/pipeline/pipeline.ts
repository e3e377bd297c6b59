/**
 * `KvService.Pipeline`: batches of operations, each the function of its own method (`keys.ts`), answered in their order.
 *
 * All operations of a batch are decided in one piece of code, one after the other, so they share the look for their keys, the
 * clock, a write of the log and its flush; and one promise tells that they are on disk (`kv/turns/call-group.ts`). Several batches may
 * be under way, and share flushes too. A read goes out at once when no operation of the stream waits for the log; else it sees
 * the newest state and waits itself, so that a stream sees its own writes in their order.
 *
 * Bounded: the operations and keys of a batch, the bytes of its reply, the batches under way and what their results hold, what
 * all streams read and run in one turn (`pipeline-turns.ts`). What a result takes is charged to the call before it is made, and
 * given back when its reply is written. Nothing waits for memory, since a batch holds that of its request: streams that waited so
 * would wait for each other. When there is none for the results themselves the stream ends, as it does when there is none for a
 * request; what an entry takes beyond that fails its operation. An operation that finds no room in the store's memory, which a
 * checkpoint gives back, waits for that, and those behind it with it.
 */
import type { PipelineResponseShape, PipelineResultShape } from '../../../../gen/kelp/v1/kv_codec.ts';
import type { Key } from '../../../api.ts';
import { NoRoomYetError, StoreError } from '../../../errors.ts';
import { type GrpcCode, grpcCode } from '../../../grpc-code.ts';
import type { CallGroup } from '../../../kv/turns/call-group.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import { deadlineError } from '../../calls/call-error.ts';
import type { Call } from '../../calls/call.ts';
import type { CountedKind, OperationTally } from '../../calls/operation-counts.ts';
import { failureOf, isUnforeseen } from '../../calls/outcome.ts';
import type { GroupWait } from '../../../kv/turns/room-waits.ts';
import { untilAborted } from '../../../until-aborted.ts';
import {
  type ReplyAccount,
  deleteKeyIn,
  exists,
  existsIn,
  getIn,
  getVisible,
  incrementIn,
  putIn,
  touchIn,
} from '../kv/keys.ts';
import { operationNeeds } from '../kv/needs.ts';
import { checkReadDemand } from '../read-demand.ts';
import { RESULT_OBJECT_BYTES } from '../reply-entries.ts';
import type { UnreadRequest } from '../method.ts';
import { type BatchOperation, type PipelineBatch, batchSizeError } from './batch.ts';
import type { ClusteredBatches, ForwardedBatch } from './clustered-batches.ts';
import { traceBatch } from './spans.ts';
import { type PipelineTurns, turnsOf } from './turns.ts';

export function pipeline(
  store: KvStore,
  requests: AsyncIterable<UnreadRequest<PipelineBatch>>,
  call: Call,
  signal: AbortSignal,
  cluster?: ClusteredBatches,
): AsyncIterable<PipelineResponseShape> {
  const replies = new PipelineReplies(store, call, cluster);
  void replies.run(requests, signal);
  return replies;
}

class PipelineReplies implements AsyncIterableIterator<PipelineResponseShape> {
  readonly #store: KvStore;
  readonly #call: Call;
  readonly #cluster: ClusteredBatches | undefined;
  readonly #tally: OperationTally = { operations: 0, failedOperations: 0 };
  /** The newest record of the log that results depend on. */
  #sequence = 0;
  /** Those that are not answered, in their order. */
  readonly #batches: (Batch | ForwardedBatch)[] = [];
  /** Its reply is with who sends it. */
  #handedOut: Batch | ForwardedBatch | undefined;
  #hasEnded = false;
  /** What ends the stream, behind the replies. */
  #error: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeRunner: (() => void) | undefined;

  /** @param cluster `undefined`: the store is alone. */
  constructor(store: KvStore, call: Call, cluster: ClusteredBatches | undefined) {
    this.#store = store;
    this.#call = call;
    this.#cluster = cluster;
    call.operationTally = this.#tally;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Runs the batches as they come. Never rejects. */
  async run(requests: AsyncIterable<UnreadRequest<PipelineBatch>>, signal: AbortSignal): Promise<void> {
    const turns = turnsOf(this.#store);
    const { budget } = turns;
    try {
      for await (const request of untilAborted(requests, signal)) {
        const cameAtMs = performance.now() - this.#call.messageWaitedMs;
        while (budget.isSpent) await turns.next();
        signal.throwIfAborted();
        budget.spendBytes(request.length);
        const { operations } = request.read();
        checkSize(operations);
        const forwarded = this.#cluster && (await this.#cluster.pass(request, operations));
        if (forwarded !== undefined) {
          this.#add(forwarded);
          while (this.#isFull && !signal.aborted) await this.#untilAnswered(signal);
          continue;
        }
        const free = this.#call.rate?.takeOperationsWhenFree(operations.length, signal);
        if (free !== undefined) await free;
        const batch = new Batch(this.#call, operations, turns, cameAtMs);
        const runSome = (): void => {
          // While it waited others may have used up the turn, and its client may have gone.
          if (budget.isSpent || this.#isUnwanted(signal)) return;
          this.#sequence = batch.run(this.#store, this.#sequence, performance.now() - cameAtMs);
        };
        while (!batch.isDone && !this.#isUnwanted(signal)) {
          const waiting =
            this.#untilRoom(batch, signal) ?? (budget.isSpent ? turns.next() : this.#store.inTurn(runSome));
          if (waiting !== undefined) await waiting;
        }
        batch.count(this.#tally, cameAtMs);
        if (!batch.isDone) throw signal.reason;
        this.#add(batch);
        while (this.#isFull && !signal.aborted) await this.#untilAnswered(signal);
      }
      this.#cluster?.end();
    } catch (error) {
      this.#error = error as Error;
    }
    this.#hasEnded = true;
    this.#wakeReader?.();
  }

  #add(batch: Batch | ForwardedBatch): void {
    this.#batches.push(batch);
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
        await batch.done();
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

  /** @returns `undefined`: the batch does not wait for room in the store's memory, or does so no more. */
  #untilRoom(batch: Batch, signal: AbortSignal): Promise<void> | undefined {
    const { refusal } = batch;
    if (refusal === undefined) return undefined;
    const waiting = (batch.roomWait ??= this.#store.groupWait(signal)).begins(refusal);
    batch.refusal = undefined;
    if (waiting === undefined) batch.isPatient = false;
    else batch.hasWaited = true;
    return waiting;
  }

  /** Whether what is begun is for no client any more. A server that stops answers it first. */
  #isUnwanted(signal: AbortSignal): boolean {
    return this.#call.isClosed || (signal.aborted && !this.#call.isEndedByServer);
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

/** Operations that run before the clock is read again. */
const OPERATIONS_PER_LOOK = 16;
const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

type Result = PipelineResultShape['result'];

class Batch implements ReplyAccount {
  /** At the places of their operations. */
  readonly results: PipelineResultShape[] = [];
  /** Charged to the call. */
  heldBytes = 0;
  /** Why the operation that comes next waits; it has changed nothing. */
  refusal: NoRoomYetError | undefined;
  /** How that one has waited. */
  roomWait: GroupWait | undefined;
  hasWaited = false;
  /** Else what finds no room fails. */
  isPatient = true;
  /** Of the entries in its reply. */
  #entryBytes = 0;
  readonly #call: Call;
  readonly #operations: readonly BatchOperation[];
  /** They pay for what it does. */
  readonly #turns: PipelineTurns;
  readonly #cameAtMs: number;
  /** Resolves when the results may go out; `undefined`: now. */
  #durable: Promise<unknown> | undefined;
  /** The reply holds as much as one may, or as there is memory for: what would return an entry is refused without a look at it. */
  #fullError: Error | undefined;
  /** What was not foreseen: it ends the stream. */
  #error: Error | undefined;

  /** Takes memory for the results. Throws `limitReached` when there is none. */
  constructor(call: Call, operations: readonly BatchOperation[], turns: PipelineTurns, cameAtMs: number) {
    this.#call = call;
    this.#operations = operations;
    this.#turns = turns;
    this.#cameAtMs = cameAtMs;
    const bytes = call.replyMemoryBytes(operations.length * RESULT_OBJECT_BYTES);
    call.charge(bytes);
    this.heldBytes = bytes;
  }

  /** Whether all operations have run. */
  get isDone(): boolean {
    return this.results.length === this.#operations.length;
  }

  /**
   * Runs the operations that come next, until the budget is spent; nearly always all. Bytes of theirs may change once all have run.
   * @param sequence the newest record of the log that earlier results of the stream depend on.
   * @param waitedMs how long they have lain here.
   * @returns the newest record that these depend on, and those before.
   */
  run(store: KvStore, sequence: number, waitedMs: number): number {
    const operations = this.#operations;
    const turns = this.#turns;
    const { budget } = turns;
    turns.begin();
    const group = store.together(sequence, budget, (calls) => {
      for (let index = this.results.length; index < operations.length && !budget.isSpent; index++) {
        const { operation, timeoutMs } = operations[index] as BatchOperation;
        if (index % fixed.turnCallsMax === 0) fetchKeys(store, operations, index);
        try {
          if (timeoutMs !== 0 && timeoutMs <= waitedMs) throw deadlineError();
          this.results[index] = { result: this.#resultOf(store, calls, operation, index) };
          this.roomWait = undefined;
        } catch (error) {
          if (this.isPatient && error instanceof NoRoomYetError) {
            this.refusal = error;
            break;
          }
          budget.spendVisits(serverFixed.pipelineFailureVisits);
          this.#fail(index, error);
        }
        budget.spendVisits(operation.case === 'exists' ? operation.value.keys.length : 1);
        if (index % OPERATIONS_PER_LOOK === 0) turns.look();
      }
    });
    turns.look();
    const durable = group.untilDurable(this.hasWaited)?.then(() => this.#noteLosses(group));
    if (durable !== undefined)
      this.#durable = this.#durable === undefined ? durable : Promise.all([this.#durable, durable]);
    return group.sequence;
  }

  /** Counts what has run, and how it ended once that is known, for the metrics and for traces. Nothing is run afterwards. */
  count(tally: OperationTally, cameAtMs: number): void {
    tally.operations += this.results.length;
    const { tracer } = this.#call.traces;
    const ranAtMs = tracer === undefined ? 0 : performance.now();
    const ended = (): void => {
      this.#countOutcomes(tally);
      if (tracer !== undefined)
        traceBatch(tracer, this.#call, this.#operations, this.results, { cameAtMs, ranAtMs });
    };
    if (this.#durable === undefined) ended();
    else this.#durable = this.#durable.then(ended);
  }

  #countOutcomes(tally: OperationTally): void {
    const { operationCounts } = this.#call;
    const { results } = this;
    const tookMs = performance.now() - this.#cameAtMs;
    let kind: OperationKind = undefined;
    let okCount = 0;
    for (let index = 0; index < results.length; index++) {
      const next = (this.#operations[index] as BatchOperation).operation.case;
      // Those of a batch are mostly alike.
      if (next !== kind) {
        if (okCount > 0) operationCounts.add(countedAs(kind), grpcCode.Ok, tookMs, okCount);
        kind = next;
        okCount = 0;
      }
      const { result } = results[index] as PipelineResultShape;
      if (result.case !== 'failure') {
        okCount++;
      } else {
        operationCounts.add(countedAs(kind), result.value.code as GrpcCode, tookMs);
        tally.failedOperations++;
      }
    }
    if (okCount > 0) operationCounts.add(countedAs(kind), grpcCode.Ok, tookMs, okCount);
  }

  /** Resolves when the results may go out. Rejects with what was not foreseen. */
  async done(): Promise<void> {
    if (this.#durable !== undefined) await this.#durable;
    if (this.#error !== undefined) throw this.#error;
  }

  chargeReply(bytes: number): void {
    const memoryBytes = this.#call.replyMemoryBytes(bytes);
    try {
      this.#call.checkMessage(this.#entryBytes + bytes);
      this.#call.charge(memoryBytes);
    } catch (error) {
      this.#fullError = error as Error;
      throw error;
    }
    this.#entryBytes += bytes;
    this.heldBytes += memoryBytes;
    this.#turns.budget.spendBytes(bytes);
  }

  /** Its reply is written. */
  release(): void {
    this.#call.release(this.heldBytes);
    this.heldBytes = 0;
  }

  /** Throws what the operation fails with. */
  #resultOf(store: KvStore, calls: CallGroup, operation: BatchOperation['operation'], index: number): Result {
    try {
      operationNeeds(this.#call.login, operation, store);
    } catch (error) {
      this.#call.denied(`KvService/Pipeline ${operation.case ?? ''}`, error);
      throw error;
    }
    if (this.#fullError !== undefined && returnsEntry(operation)) throw this.#fullError;
    switch (operation.case) {
      case 'get': {
        const request = operation.value;
        checkReadDemand(store, request);
        const isDecided = request.refreshTtl || (request.revision === 0 && calls.isPending);
        const value = isDecided
          ? calls.decide(index, (view) => getIn(view, request, this))
          : getVisible(store, request, this);
        return { case: 'get', value };
      }
      case 'put':
        return { case: 'put', value: calls.decide(index, (view) => putIn(view, operation.value, this)) };
      case 'delete':
        return {
          case: 'delete',
          value: calls.decide(index, (view) => deleteKeyIn(view, operation.value, this)),
        };
      case 'increment':
        return {
          case: 'increment',
          value: calls.decide(index, (view) => incrementIn(view, operation.value)),
        };
      case 'touch':
        return { case: 'touch', value: calls.decide(index, (view) => touchIn(view, operation.value)) };
      case 'exists': {
        const request = operation.value;
        checkReadDemand(store, request);
        const value = calls.isPending
          ? calls.decide(index, (view) => existsIn(view, request, this))
          : exists(store, request, this);
        return { case: 'exists', value };
      }
      case 'refused':
        throw operation.value;
      case undefined:
        throw new StoreError('invalidArgument', `operations[${index}] says nothing that this server knows`);
    }
  }

  /** The log has said what became of the writes. */
  #noteLosses(calls: CallGroup): void {
    if (!calls.isLost) return;
    for (let index = 0; index < this.results.length; index++) {
      const failure = calls.failureOf(index);
      if (failure !== undefined) this.#fail(index, failure);
    }
  }

  #fail(index: number, error: unknown): void {
    if (isUnforeseen(error)) this.#error = error as Error;
    this.results[index] = { result: { case: 'failure', value: failureOf(error) } };
  }
}

type OperationKind = BatchOperation['operation']['case'];

/** One that says nothing that this server knows is as one that it can't read. */
function countedAs(kind: OperationKind): CountedKind {
  return kind === undefined || kind === 'refused' ? 'unreadable' : kind;
}

function returnsEntry(operation: BatchOperation['operation']): boolean {
  if (operation.case === 'get') return true;
  return (operation.case === 'put' || operation.case === 'delete') && operation.value.returnPrevious;
}

/** The keys of the next operations that have one. */
function fetchKeys(store: KvStore, operations: readonly BatchOperation[], from: number): void {
  const keys: Key[] = [];
  for (const { operation } of operations.slice(from, from + fixed.turnCallsMax)) {
    const { case: kind, value } = operation;
    if (kind === undefined || kind === 'exists' || kind === 'refused') continue;
    if (value.key !== '') keys.push(value.key);
  }
  store.fetch(keys);
}

function checkSize(operations: readonly BatchOperation[]): void {
  const { pipelineOperationsMax, pipelineKeysMax } = fixed;
  const count = operations.length;
  if (count === 0 || count > pipelineOperationsMax) throw batchSizeError(`${count}`);
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
