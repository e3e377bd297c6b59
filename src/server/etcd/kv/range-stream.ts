/**
 * `KV.RangeStream` of etcd 3.7: a range at one revision in pieces, at the pace of who reads them. The first has the header, the last
 * says `more` and `count`; merged they are what `Range` answers. Memory for a piece is taken before it is made, and given back when
 * the next one is asked for, which is when it is written.
 */
import type {
  RangeRequestShape,
  RangeStreamResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import {
  RangeRequest_SortOrder as SortOrder,
  RangeRequest_SortTarget as SortTarget,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkEngineRange } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import { grpcCode } from '../../../grpc-code.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { fixed } from '../../../limits.ts';
import type { StateAt } from '../../../store/seam.ts';
import { StatusError } from '../../calls/call-error.ts';
import type { Call } from '../../calls/call.ts';
import { headerOf } from '../header.ts';
import { fromEtcd } from '../revisions.ts';
import { engineRangeOf } from './key-ranges.ts';
import { checkRange, planOf, type RangePlan } from './range-plan.ts';
import { RangeReader } from './range-reader.ts';
import { newestCount } from './range.ts';

/** Found once, and asked again after each change of access. */
export function rangeStreamNeeds(request: RangeRequestShape): (login: Login) => void {
  checkRangeStream(request);
  const range = engineRangeOf(request);
  return (login) => checkEngineRange(login, 'read', range);
}

/** What is sorted or filtered afterwards can't be streamed, and is refused as etcd refuses it. */
function checkRangeStream(request: RangeRequestShape): void {
  checkRange(request);
  const { sortOrder, sortTarget } = request;
  const isInKeyOrder =
    sortOrder === SortOrder.NONE || (sortOrder === SortOrder.ASCEND && sortTarget === SortTarget.KEY);
  if (!isInKeyOrder) throw unsupported('custom sort orders');
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if ([minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some((each) => each !== 0))
    throw unsupported('revision filters');
}

function unsupported(what: string): StatusError {
  return new StatusError(grpcCode.Unimplemented, `RangeStream does not support ${what}`);
}

export function rangeStream(
  store: KvStore,
  request: RangeRequestShape,
  call: Call,
  signal: AbortSignal,
): AsyncIterable<RangeStreamResponseShape> {
  // Of the request's bytes nothing is kept.
  const plan = planOf({ ...request, sortTarget: SortTarget.KEY });
  const { revision, serializable } = request;
  return pieces(store, plan, { revision, serializable }, call, signal);
}

async function* pieces(
  store: KvStore,
  plan: RangePlan,
  { revision, serializable }: Pick<RangeRequestShape, 'revision' | 'serializable'>,
  call: Call,
  signal: AbortSignal,
): AsyncGenerator<RangeStreamResponseShape> {
  const isOld = revision > 0;
  const { count, ...state } = isOld ? oldState(revision) : await newestCount(store, plan, serializable);
  const memory = new PieceMemory(call);
  const reader = new RangeReader(plan, count === undefined, (bytes) => memory.charge(bytes));
  let header: RangeHeader = headerOf(store, isOld ? store.visibleRevision : state.revision);
  const pin = store.seam.pin(state);
  try {
    for (let isLast = false; !isLast;) {
      signal.throwIfAborted();
      if (!(await memory.hold())) return signal.throwIfAborted();
      isLast = pin.read((view) => {
        view.budget.begin(fixed.pageVisitsMax);
        return !reader.read(view, { keysMax: fixed.pageLimitMax, bytesMax: memory.bytesMax });
      });
      const kvs = reader.take();
      // What is only counted is no piece.
      if (kvs.length > 0 || isLast) {
        const last = isLast ? { more: reader.hasMore, count: count ?? reader.seenCount } : NOT_LAST;
        yield { rangeResponse: { header, kvs, ...last } };
        header = undefined;
      }
      await store.pause();
    }
  } finally {
    pin.release();
  }
}

type RangeHeader = NonNullable<RangeStreamResponseShape['rangeResponse']>['header'];

const NOT_LAST = { more: false, count: 0 };

function oldState(etcdRevision: number): StateAt & { readonly count: undefined } {
  return { count: undefined, revision: fromEtcd(etcdRevision), instantMs: 0 };
}

/** What a piece takes: as much as was held for it, and what its last entry takes beyond that. */
class PieceMemory {
  readonly bytesMax: number;
  readonly #call: Call;
  #takenBytes = 0;
  #extraBytes = 0;

  constructor(call: Call) {
    this.#call = call;
    this.bytesMax = call.replyBytes(fixed.scanChunkBytesMax);
  }

  /** Begins the next piece. @returns false when the call ended before there was memory. */
  hold(): boolean | Promise<boolean> {
    this.#call.release(this.#extraBytes);
    this.#takenBytes = 0;
    this.#extraBytes = 0;
    return this.#call.holdForMessages(this.bytesMax);
  }

  /** Throws `limitReached`. */
  charge(bytes: number): void {
    this.#takenBytes += bytes;
    this.#call.checkMessage(this.#takenBytes);
    const more = this.#takenBytes - this.bytesMax - this.#extraBytes;
    if (more <= 0) return;
    this.#call.charge(more);
    this.#extraBytes += more;
  }
}
