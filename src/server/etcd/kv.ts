/** `etcdserverpb.KV`: each method checks its request as etcd does, asks for access, and runs. */
import * as codec from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { KV } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { checkAdmin } from '../../access/checks.ts';
import type { AccessAudit } from '../access/audit.ts';
import { type MethodsOf, nameOf, serverStream, unary, unaryWrite } from '../services/method.ts';
import { compact } from './kv/compact.ts';
import { deleteRange, deleteRangeNeeds } from './kv/delete-range.ts';
import { checkPut, put, putNeeds } from './kv/put.ts';
import { rangeStream, rangeStreamNeeds } from './kv/range-stream.ts';
import { range, rangeNeeds } from './kv/range.ts';
import { checkTxn, txnNeeds } from './kv/txn-checks.ts';
import { txn } from './kv/txn.ts';

export function kvMethods({
  valueBytesMax,
  audit,
}: {
  readonly valueBytesMax: number;
  readonly audit: AccessAudit;
}): MethodsOf<typeof KV> {
  return {
    range: unary(
      KV.method.range,
      {
        read: codec.readRangeRequest,
        sizeOf: codec.sizeOfRangeResponse,
        prepend: codec.prependRangeResponse,
      },
      rangeNeeds,
      range,
    ),
    rangeStream: serverStream(
      KV.method.rangeStream,
      {
        read: codec.readRangeRequest,
        sizeOf: codec.sizeOfRangeStreamResponse,
        prepend: codec.prependRangeStreamResponse,
      },
      'caughtUp',
      rangeStreamNeeds,
      rangeStream,
    ),
    put: unaryWrite(
      KV.method.put,
      { read: codec.readPutRequest, sizeOf: codec.sizeOfPutResponse, prepend: codec.prependPutResponse },
      (login, request, store) => {
        checkPut(request, valueBytesMax);
        putNeeds(login, request, store);
      },
      put,
    ),
    deleteRange: unaryWrite(
      KV.method.deleteRange,
      {
        read: codec.readDeleteRangeRequest,
        sizeOf: codec.sizeOfDeleteRangeResponse,
        prepend: codec.prependDeleteRangeResponse,
      },
      deleteRangeNeeds,
      deleteRange,
    ),
    txn: unaryWrite(
      KV.method.txn,
      { read: codec.readTxnRequest, sizeOf: codec.sizeOfTxnResponse, prepend: codec.prependTxnResponse },
      (login, request, store) => {
        checkTxn(request, valueBytesMax);
        txnNeeds(login, request, store);
      },
      txn,
    ),
    compact: unaryWrite(
      KV.method.compact,
      {
        read: codec.readCompactionRequest,
        sizeOf: codec.sizeOfCompactionResponse,
        prepend: codec.prependCompactionResponse,
      },
      checkAdmin,
      (store, request, call) => {
        audit.adminCalled(call, nameOf(KV.method.compact));
        return compact(store, request);
      },
    ),
  };
}
