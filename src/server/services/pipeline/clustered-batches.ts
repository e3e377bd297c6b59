/**
 * What becomes of the batches of a stream of `Pipeline` in a cluster.
 *
 * - At the writer all run; one that reads waits first until it is certain that no other node has written since.
 * - At a follower those that only read run, once the node has caught up. All others are passed on whole, over one stream to the writer
 *   for each stream of a client.
 *
 * What follows a batch that was passed on waits for the writer's answer to that, if it runs here: a stream sees what it has changed.
 */
import { type PipelineResultShape, readPipelineResponse } from '../../../../gen/kelp/v1/kv_codec.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { untilSettled } from '../../../until-aborted.ts';
import type { Call } from '../../calls/call.ts';
import { type ClusterDoors, isFollower } from '../../cluster/cluster-doors.ts';
import { type Freshness, LINEARIZABLE } from '../../cluster/read-gate.ts';
import { WriterStream } from '../../cluster/writer-stream.ts';
import { freshnessOf } from '../freshness.ts';
import type { UnreadRequest } from '../method.ts';
import type { BatchOperation, PipelineBatch } from './batch.ts';

const PATH = '/kelp.v1.KvService/Pipeline';

export class ClusteredBatches {
  readonly #doors: ClusterDoors;
  readonly #store: KvStore;
  readonly #call: Call;
  readonly #signal: AbortSignal;
  #writer: WriterStream | undefined;
  /** The writer's last answer. */
  #answered: Promise<unknown> | undefined;

  constructor(doors: ClusterDoors, store: KvStore, call: Call, signal: AbortSignal) {
    this.#doors = doors;
    this.#store = store;
    this.#call = call;
    this.#signal = signal;
  }

  /** @returns the batch as it is answered by the writer; `undefined`: it is to run here, now. Rejects with what ends the stream. */
  async pass(
    request: UnreadRequest<PipelineBatch>,
    operations: readonly BatchOperation[],
  ): Promise<ForwardedBatch | undefined> {
    if (isFollower(this.#doors) && operations.some(changes)) return this.#forward(request.bytes);
    if (this.#answered !== undefined) await untilSettled(this.#answered, this.#signal);
    const freshness = freshnessOfBatch(operations);
    const waiting =
      freshness &&
      this.#doors.gate.pass(
        freshness,
        () => this.#store.visibleRevision,
        () => this.#signal,
      );
    if (waiting !== undefined) await untilSettled(waiting, this.#signal);
    return undefined;
  }

  /** The client sends no more. */
  end(): void {
    this.#writer?.endRequests();
  }

  #forward(bytes: Buffer): ForwardedBatch {
    this.#writer ??= this.#open();
    this.#call.charge(bytes.length);
    const reply = this.#writer.request(Buffer.from(bytes));
    const batch = new ForwardedBatch(this.#call, bytes.length, reply);
    this.#answered = batch.answered;
    return batch;
  }

  #open(): WriterStream {
    const writer = new WriterStream(this.#doors, this.#call, PATH);
    writer.endWith(this.#call);
    return writer;
  }
}

/** One that the writer answers. */
export class ForwardedBatch {
  /** Charged to the call: first for the request, then for its reply. */
  heldBytes: number;
  results: PipelineResultShape[] = [];
  readonly answered: Promise<void>;
  readonly #call: Call;

  constructor(call: Call, requestBytes: number, reply: Promise<Buffer>) {
    this.#call = call;
    this.heldBytes = requestBytes;
    this.answered = reply.then((bytes) => this.#take(bytes));
    // Told by `done`, in its turn.
    this.answered.catch(() => undefined);
  }

  done(): Promise<void> {
    return this.answered;
  }

  release(): void {
    this.#call.release(this.heldBytes);
    this.heldBytes = 0;
  }

  #take(bytes: Buffer): void {
    this.release();
    this.#call.charge(bytes.length);
    this.heldBytes = bytes.length;
    this.results = readPipelineResponse(bytes, 0, bytes.length).results;
  }
}

/** One that can't be run changes nothing. */
function changes({ operation }: BatchOperation): boolean {
  switch (operation.case) {
    case 'get':
      return operation.value.refreshTtl;
    case 'exists':
    case 'refused':
    case undefined:
      return false;
    default:
      return true;
  }
}

/** What all reads of a batch need together; `undefined`: there is none. Those that say what can't be are refused as they run. */
function freshnessOfBatch(operations: readonly BatchOperation[]): Freshness | undefined {
  let isLocal = true;
  let minRevision = 0;
  let hasReads = false;
  for (const { operation } of operations) {
    if (!tellsState(operation)) continue;
    hasReads = true;
    const isRead = operation.case === 'get' || operation.case === 'exists';
    const freshness = isRead ? freshnessOf(operation.value) : LINEARIZABLE;
    isLocal &&= freshness.isLocal;
    minRevision = Math.max(minRevision, freshness.minRevision);
  }
  return hasReads ? { isLocal, minRevision } : undefined;
}

/**
 * Whether its result may say what was there without having changed anything. The results of a batch go out together, with no look at the
 * log where none of it has changed anything.
 */
function tellsState(operation: BatchOperation['operation']): boolean {
  switch (operation.case) {
    case 'put':
      return operation.value.condition !== undefined;
    case 'refused':
    case undefined:
      return false;
    default:
      return true;
  }
}
