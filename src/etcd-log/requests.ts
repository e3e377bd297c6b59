/**
 * The transactions by which a shared log lies in etcd. Each is one step of etcd's Raft, or, where it only reads, one linearizable
 * read of one revision.
 *
 * Requests are written by the generated codec, which copies a batch once. Replies are those of protobuf-es: the ids in their
 * headers use all bits.
 */
import {
  type CompareShape,
  type RequestOpShape,
  type TxnRequestShape,
  emptyCompare,
  emptyDeleteRangeRequest,
  emptyPutRequest,
  emptyRangeRequest,
  sizeOfTxnRequest,
  writeTxnRequest,
} from '../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Compare_CompareTarget } from '../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { Advance, Trim } from '../shared-log/log-storage.ts';
import type { LogKeys } from './keys.ts';

export function createRequest(keys: LogKeys, head: Uint8Array, mark: Uint8Array): Uint8Array {
  return encoded({
    // Of a range of keys each must hold; where there are none it is that of a key that was never made.
    compare: [
      {
        ...emptyCompare(),
        key: keys.first,
        rangeEnd: keys.end,
        target: Compare_CompareTarget.CREATE,
        targetUnion: { case: 'createRevision', value: 0 },
      },
    ],
    success: [put(keys.head, head), put(keys.mark, mark)],
    failure: [get(keys.head), get(keys.mark)],
  });
}

export function advanceRequest(keys: LogKeys, { expected, head, position, record }: Advance): Uint8Array {
  const key = keys.record(position);
  return encoded({
    compare: [isValue(keys.head, expected)],
    success: [put(keys.head, head), put(key, record)],
    failure: [get(keys.head), get(keys.mark), get(key)],
  });
}

export function trimRequest(keys: LogKeys, { expected, mark, before }: Trim): Uint8Array {
  const value = { ...emptyDeleteRangeRequest(), key: keys.records, rangeEnd: keys.record(before) };
  return encoded({
    compare: [isValue(keys.mark, expected)],
    success: [put(keys.mark, mark), { request: { case: 'requestDeleteRange', value } }],
    failure: [get(keys.head), get(keys.mark)],
  });
}

export function stateRequest(keys: LogKeys): Uint8Array {
  return encoded({ compare: [], success: [get(keys.head), get(keys.mark)], failure: [] });
}

export function listRequest(keys: LogKeys, from: number, limit: number): Uint8Array {
  const value = { ...emptyRangeRequest(), key: keys.record(from), rangeEnd: keys.recordsEnd, limit };
  const list: RequestOpShape = { request: { case: 'requestRange', value } };
  return encoded({ compare: [], success: [get(keys.head), get(keys.mark), list], failure: [] });
}

function isValue(key: Uint8Array, value: Uint8Array): CompareShape {
  return {
    ...emptyCompare(),
    key,
    target: Compare_CompareTarget.VALUE,
    targetUnion: { case: 'value', value },
  };
}

function put(key: Uint8Array, value: Uint8Array): RequestOpShape {
  return { request: { case: 'requestPut', value: { ...emptyPutRequest(), key, value } } };
}

function get(key: Uint8Array): RequestOpShape {
  return { request: { case: 'requestRange', value: { ...emptyRangeRequest(), key } } };
}

function encoded(request: TxnRequestShape): Uint8Array {
  const buffer = Buffer.allocUnsafe(sizeOfTxnRequest(request));
  writeTxnRequest(request, buffer, 0);
  return buffer;
}
