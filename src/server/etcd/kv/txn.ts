/**
 * `KV.Txn`. In one transaction of the store:
 *
 * 1. The way through it is found: all compares, nested ones too, see the state before it.
 * 2. What on this way can't be done is refused: puts first, then ranges of revisions that can't be read.
 * 3. The operations run in order; a range sees what those before it have written.
 */
import type {
  RangeRequestShape,
  RequestOpShape,
  ResponseHeaderShape,
  ResponseOpShape,
  TxnRequestShape,
  TxnResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { keptArguments } from '../../../kv/turns/kept-arguments.ts';
import type { View } from '../../../store/views/view.ts';
import type { Call } from '../../calls/call.ts';
import { RESULT_OBJECT_BYTES, pageCharge } from '../../services/reply-entries.ts';
import { etcdError } from '../errors.ts';
import { headerOf } from '../header.ts';
import { fromEtcd, toEtcd } from '../revisions.ts';
import { holds } from './compare.ts';
import { deleteRangeIn } from './delete-range.ts';
import { hasOldRanges, OldRanges } from './old-ranges.ts';
import { checkPutIn, putIn } from './put.ts';
import { rangeIn, type RangeResult } from './range.ts';
import type { Charge } from './range-reader.ts';

export async function txn(store: KvStore, request: TxnRequestShape, call: Call): Promise<TxnResponseShape> {
  if (!hasOldRanges(request)) {
    const run = (view: View, asked: TxnRequestShape): TxnResponseShape =>
      new TxnRun(store, view, call, undefined).run(asked);
    return await store.decideWith(request, run, call);
  }
  const kept = keptArguments(request);
  const oldRanges = new OldRanges();
  await oldRanges.read(store, kept, call);
  const oldBytes = call.chargedReplyBytes;
  const owner = { signal: call.signal, releaseReply: (): void => call.releaseReply(oldBytes) };
  return await store.decide((view) => new TxnRun(store, view, call, oldRanges).run(kept), owner);
}

/** Which branch of a transaction is taken, and the way through those within it, in their order. */
interface Way {
  readonly succeeded: boolean;
  readonly operations: readonly RequestOpShape[];
  readonly nested: readonly Way[];
}

class TxnRun {
  readonly #store: KvStore;
  readonly #view: View;
  readonly #charge: Charge;
  readonly #chargeObject: Charge;
  readonly #oldRanges: OldRanges | undefined;
  /** What ranges read that are not about the state as the transaction changes it. */
  readonly #settled = new Map<RangeRequestShape, RangeResult>();

  constructor(store: KvStore, view: View, call: Call, oldRanges: OldRanges | undefined) {
    this.#store = store;
    this.#view = view;
    this.#charge = (bytes) => call.chargeReply(bytes);
    this.#chargeObject = pageCharge(call);
    this.#oldRanges = oldRanges;
  }

  run(request: TxnRequestShape): TxnResponseShape {
    const way = this.#find(request);
    this.#checkPuts(way);
    this.#settleRanges(way);
    const { succeeded, responses } = this.#take(way);
    return { header: headerOf(this.#store, this.#view.replyRevision), succeeded, responses };
  }

  #find({ compare, success, failure }: TxnRequestShape): Way {
    const succeeded = compare.every((each) => holds(this.#view, each));
    const operations = succeeded ? success : failure;
    const nested: Way[] = [];
    for (const { request } of operations)
      if (request.case === 'requestTxn') nested.push(this.#find(request.value));
    return { succeeded, operations, nested };
  }

  #checkPuts(way: Way): void {
    let next = 0;
    for (const { request } of way.operations) {
      if (request.case === 'requestPut') checkPutIn(this.#view, request.value);
      else if (request.case === 'requestTxn') this.#checkPuts(way.nested[next++] ?? NOWHERE);
    }
  }

  #settleRanges(way: Way): void {
    let next = 0;
    for (const { request } of way.operations) {
      if (request.case === 'requestRange') this.#settleRange(request.value);
      else if (request.case === 'requestTxn') this.#settleRanges(way.nested[next++] ?? NOWHERE);
    }
  }

  #settleRange(request: RangeRequestShape): void {
    if (request.revision === 0) return;
    // As etcd has it here, where a Range by itself reads the newest state.
    if (request.revision < 0) throw etcdError('compacted');
    const revision = fromEtcd(request.revision);
    if (revision > this.#view.revision) throw etcdError('futureRevision');
    const isNewest = revision === this.#view.revision;
    const result = isNewest ? rangeIn(this.#view, request, this.#charge) : this.#oldRanges?.resultOf(request);
    if (result !== undefined) this.#settled.set(request, result);
  }

  #take({ succeeded, operations, nested }: Way): Pick<TxnResponseShape, 'succeeded' | 'responses'> {
    let next = 0;
    const responses = operations.map((operation) => {
      const way = operation.request.case === 'requestTxn' ? nested[next++] : undefined;
      return { response: this.#do(operation, way ?? NOWHERE) };
    });
    return { succeeded, responses };
  }

  #do({ request }: RequestOpShape, way: Way): ResponseOpShape['response'] {
    const view = this.#view;
    this.#chargeObject(RESULT_OBJECT_BYTES);
    switch (request.case) {
      case 'requestRange': {
        const result = this.#settled.get(request.value) ?? rangeIn(view, request.value, this.#charge);
        return { case: 'responseRange', value: { header: this.#header(), ...result } };
      }
      case 'requestPut': {
        const prevKv = putIn(view, request.value, this.#charge);
        return { case: 'responsePut', value: { header: this.#header(), prevKv } };
      }
      case 'requestDeleteRange': {
        const deletion = deleteRangeIn(view, request.value, this.#charge);
        return { case: 'responseDeleteRange', value: { header: this.#header(), ...deletion } };
      }
      case 'requestTxn':
        return { case: 'responseTxn', value: { header: NO_HEADER, ...this.#take(way) } };
      case undefined:
        return { case: undefined };
    }
  }

  /** Of an operation: it says no more than the revision so far. */
  #header(): ResponseHeaderShape {
    return { ...NO_HEADER, revision: toEtcd(this.#view.replyRevision) };
  }
}

const NOWHERE: Way = { succeeded: false, operations: [], nested: [] };
const NO_HEADER: ResponseHeaderShape = { clusterId: 0, memberId: 0, revision: 0, raftTerm: 0 };
