/** `etcdserverpb.KV`: each method checks its request as etcd does, asks for access, and runs. */
import * as codec from '../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { KV } from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { type Method, unary, unaryWrite } from '../services/method.ts';
import { checkPut, put, putNeeds } from './kv/put.ts';
import { range, rangeNeeds } from './kv/range.ts';

export function kvMethods({
  valueBytesMax,
}: {
  readonly valueBytesMax: number;
}): Readonly<Record<string, Method>> {
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
    put: unaryWrite(
      KV.method.put,
      { read: codec.readPutRequest, sizeOf: codec.sizeOfPutResponse, prepend: codec.prependPutResponse },
      (login, request, store) => {
        checkPut(request, valueBytesMax);
        putNeeds(login, request, store);
      },
      put,
    ),
  };
}
