/**
 * The transactions by which a shared log lies in etcd. Each is one step of etcd's Raft, or, where it only reads, one linearizable
 * read of one revision.
 *
 * Requests are written by the generated codec, which copies a batch once. Replies are those of protobuf-es: the ids in their
 * headers use all bits.
 */
import {
  type CompareShape,
  type RangeRequestShape,
  type RequestOpShape,
  type TxnRequestShape,
  emptyCompare,
  emptyDeleteRangeRequest,
  emptyPutRequest,
  emptyRangeRequest,
  sizeOfTxnRequest,
  writeTxnRequest,
} from '../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { Compare_CompareResult, Compare_CompareTarget } from '../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import type { Advance } from '../shared-log/log-storage.ts';
import type { LogKeys } from './keys.ts';

export function createRequest(keys: LogKeys, head: Uint8Array): Uint8Array {
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
    success: [put(keys.head, head)],
    failure: [get(keys.head)],
  });
}

export function advanceRequest(keys: LogKeys, { expected, head, position, record }: Advance): Uint8Array {
  const key = keys.record(position);
  return encoded({
    compare: [isValue(keys.head, expected)],
    success: [put(keys.head, head), put(key, record)],
    failure: [get(keys.head), get(key)],
  });
}

/** It puts nothing: an etcd that has used up its quota takes no transaction that does, not even one that deletes as well. */
export function trimRequest(keys: LogKeys, before: number): Uint8Array {
  const key = keys.record(before);
  const value = { ...emptyDeleteRangeRequest(), key: keys.records, rangeEnd: key };
  return encoded({
    compare: [
      {
        ...emptyCompare(),
        key,
        target: Compare_CompareTarget.CREATE,
        result: Compare_CompareResult.GREATER,
        targetUnion: { case: 'createRevision', value: 0 },
      },
    ],
    success: [{ request: { case: 'requestDeleteRange', value } }],
    failure: [get(keys.head)],
  });
}

export function headRequest(keys: LogKeys): Uint8Array {
  return encoded({ compare: [], success: [get(keys.head)], failure: [] });
}

export function oldestRequest(keys: LogKeys): Uint8Array {
  const range = { key: keys.records, rangeEnd: keys.recordsEnd, limit: 1, keysOnly: true };
  return encoded({ compare: [], success: [get(keys.head), list(range)], failure: [] });
}

/** Of so many keys and no more: etcd looks at all keys of a range, whatever its limit is. */
export function listRequest(keys: LogKeys, from: number, count: number): Uint8Array {
  const range = { key: keys.record(from), rangeEnd: keys.record(from + count) };
  return encoded({ compare: [], success: [get(keys.head), list(range)], failure: [] });
}

function list(range: Partial<RangeRequestShape>): RequestOpShape {
  return { request: { case: 'requestRange', value: { ...emptyRangeRequest(), ...range } } };
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
