/**
 * Methods that count for what their user may do in a second (`limits/rate.ts`); made when that is limited, else methods are as
 * they are.
 *
 * - A call with one request is one operation, a transaction as many as it has compares and operations in its longer branch. It is
 *   refused when its user has none left. The bytes of its request and its reply are counted as they come and go.
 * - A stream of entries (`ScanStream`) is one, and each message waits until those before it are paid for.
 * - A watch is one when it begins, and its events are not counted: others have made them, and one that is slowed would fall
 *   behind the history that is kept.
 * - Renewals of leases are counted and never refused: what a lease holds must not be lost since its holder is busy.
 * - `Pipeline` counts for itself (`pipeline.ts`): batches wait.
 */
import type { DescMethod } from '@bufbuild/protobuf';
import { KV, Lease } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { TxnRequestShape as EtcdTxnShape } from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import type { TxnRequestShape } from '../../../gen/kelp/v1/kv_codec.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import type { Call } from '../calls/call.ts';
import { mapped } from '../calls/mapped.ts';
import type {
  BidiStreamMethod,
  Method,
  PushStreamMethod,
  ServerStreamMethod,
  UnaryMethod,
} from './method.ts';

/** Streams of renewals. */
const renewals: ReadonlySet<DescMethod> = new Set([
  LeaseService.method.keepAlive,
  Lease.method.leaseKeepAlive,
]);

export function limited(method: Method): Method {
  switch (method.kind) {
    case 'unary':
      return limitedUnary(method);
    case 'serverStream':
      return limitedReplies(method);
    case 'pushStream':
      return limitedWatch(method);
    case 'bidiStream':
      return renewals.has(method.desc) ? countedRequests(method) : method;
  }
}

/** What a transaction counts as. */
export function txnOperations(compareCount: number, successCount: number, failureCount: number): number {
  return Math.max(1, compareCount + Math.max(successCount, failureCount));
}

function limitedUnary(method: UnaryMethod): UnaryMethod {
  if (method.desc === LeaseService.method.renew) {
    return {
      ...method,
      run(store, request, call) {
        call.rate?.countOperations(1);
        return method.run(store, request, call);
      },
    };
  }
  const operationsOf = operationsByMethod.get(method.desc) ?? one;
  return {
    ...method,
    run(store, request, call) {
      call.rate?.takeOperations(operationsOf(request));
      call.rate?.countItsBytes();
      return method.run(store, request, call);
    },
  };
}

function one(): number {
  return 1;
}

/** What a request of a method counts as, where that is not one. */
const operationsByMethod: ReadonlyMap<DescMethod, (request: unknown) => number> = new Map<
  DescMethod,
  (request: unknown) => number
>([
  [KvService.method.txn, operationsOfTxn],
  [KV.method.txn, (request: unknown) => operationsOfEtcdTxn(request as EtcdTxnShape)],
]);

/** Each transaction within it counts as one by itself would. */
function operationsOfEtcdTxn({ compare, success, failure }: EtcdTxnShape): number {
  const operationsOf = (branch: EtcdTxnShape['success']): number =>
    branch.reduce(
      (count, { request }) =>
        count + (request.case === 'requestTxn' ? operationsOfEtcdTxn(request.value) : 1),
      0,
    );
  return txnOperations(compare.length, operationsOf(success), operationsOf(failure));
}

function operationsOfTxn(request: unknown): number {
  const { compares, success, failure } = request as TxnRequestShape;
  return txnOperations(compares.length, success.length, failure.length);
}

function limitedReplies(method: ServerStreamMethod): ServerStreamMethod {
  return {
    ...method,
    run(store, request, call, signal) {
      call.rate?.takeOperations(1);
      call.rate?.countItsBytes();
      return new PacedReplies(method.run(store, request, call, signal), call, signal);
    },
  };
}

function limitedWatch(method: PushStreamMethod): PushStreamMethod {
  return {
    ...method,
    open(store, request, call, outlet) {
      call.rate?.takeOperations(1);
      return method.open(store, request, call, outlet);
    },
  };
}

function countedRequests(method: BidiStreamMethod): BidiStreamMethod {
  return {
    ...method,
    run(store, requests, call, signal) {
      const counted = mapped(requests, (request) => {
        call.rate?.countOperations(1);
        return request;
      });
      return method.run(store, counted, call, signal);
    },
  };
}

/** Asks for the next reply when those before are paid for. */
class PacedReplies implements AsyncIterableIterator<unknown> {
  readonly #replies: AsyncIterator<unknown>;
  readonly #call: Call;
  readonly #signal: AbortSignal;

  constructor(replies: AsyncIterable<unknown>, call: Call, signal: AbortSignal) {
    this.#replies = replies[Symbol.asyncIterator]();
    this.#call = call;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    // No operation: that was counted when the stream began.
    const free = this.#call.rate?.takeOperationsWhenFree(0, this.#signal);
    if (free !== undefined && !(await free)) this.#signal.throwIfAborted();
    return this.#replies.next();
  }

  async return(): Promise<IteratorResult<unknown>> {
    await this.#replies.return?.();
    return { done: true, value: undefined };
  }
}
