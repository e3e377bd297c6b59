/** Requests to KelpDB as bytes. */
import {
  emptyGetRequest,
  emptyPutRequest,
  sizeOfGetRequest,
  sizeOfPutRequest,
  writeGetRequest,
  writePutRequest,
} from '../../gen/kelp/v1/kv_codec.ts';
import { Consistency, emptyKeyRange } from '../../gen/kelp/v1/types_codec.ts';
import { emptyWatchRequest, sizeOfWatchRequest, writeWatchRequest } from '../../gen/kelp/v1/watch_codec.ts';

export const GET_PATH = '/kelp.v1.KvService/Get';
export const PUT_PATH = '/kelp.v1.KvService/Put';
export const WATCH_PATH = '/kelp.v1.WatchService/Watch';

export function getRequest(key: string): Buffer {
  const request = { ...emptyGetRequest(), key };
  const bytes = Buffer.alloc(sizeOfGetRequest(request));
  writeGetRequest(request, bytes, 0);
  return bytes;
}

/** Of what the node has that is asked. */
export function localGetRequest(key: string): Buffer {
  const request = { ...emptyGetRequest(), key, consistency: Consistency.LOCAL };
  const bytes = Buffer.alloc(sizeOfGetRequest(request));
  writeGetRequest(request, bytes, 0);
  return bytes;
}

export function putRequest(key: string, value: Uint8Array): Buffer {
  const request = { ...emptyPutRequest(), key, value };
  const bytes = Buffer.alloc(sizeOfPutRequest(request));
  writePutRequest(request, bytes, 0);
  return bytes;
}

export function watchRequest(key: string): Buffer {
  const request = { ...emptyWatchRequest(), ranges: [{ ...emptyKeyRange(), key }] };
  const bytes = Buffer.alloc(sizeOfWatchRequest(request));
  writeWatchRequest(request, bytes, 0);
  return bytes;
}
