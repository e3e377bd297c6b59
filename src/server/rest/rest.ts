/**
 * REST: the store's calls as resources of HTTP, below `/v1/`. `docs/rest.md` is its manual.
 *
 * To add an operation, write it in a file of its own (`operation.ts` shows one: method, template, table of parameters, body, `run`)
 * and put it into the list here. `run` is given a `RestCall`: `store`, `pathKey` and `body` are there, `send`, `sendJson` or
 * `beginStream`, `write` and `endStream` answer, and what is thrown becomes a problem. Memory for a long reply is taken
 * before, by `call.call.chargeReply`; a stream ends when `call.call.stopOnAbort` says so. A new kind of error gets its code in
 * `rest-error.ts` and its status in `problem.ts`.
 *
 * Another interface of HTTP makes a `RestApi` of its own operations, with its own form of errors, and a row of
 * `listener/request-handler.ts`.
 */
import type { ServerLimits } from '../../limits.ts';
import { deleteKeys } from './keys/delete-keys.ts';
import { incrementKey } from './keys/increment-key.ts';
import { listKeys } from './keys/list-keys.ts';
import { readKey } from './keys/read-key.ts';
import { deleteKey, writeKey } from './keys/write-key.ts';
import { readOpenApi } from './openapi/read-open-api.ts';
import type { Operation } from './operation.ts';
import { RestApi, type RestApiContext } from './rest-api.ts';
import { runTxn } from './txn/run-txn.ts';
import { watchKeys } from './watch/watch-keys.ts';

export interface RestOptions extends Pick<ServerLimits, 'requestBytesMax'> {
  /** The longest value, of the store. */
  readonly valueBytesMax: number;
  /** Of the product. */
  readonly version: string;
}

export function restApi(options: RestOptions, context: RestApiContext): RestApi {
  const operations: Operation[] = [
    readKey,
    writeKey(options.valueBytesMax),
    deleteKey,
    incrementKey,
    listKeys,
    deleteKeys,
    runTxn(options),
    watchKeys,
    readOpenApi(() => operations, options.version),
  ];
  return new RestApi({ door: 'rest', operations, ownPrefix: '/v1/' }, context);
}
