/** `kelp.v1.KvService` over the store. */
import type { ServiceImpl } from '@connectrpc/connect';
import type { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import type { Store } from '../../api.ts';
import { callOf } from '../calls.ts';
import { deleteKey, exists, get, increment, put, scan } from './kv-calls.ts';
import { entryMessage, keysBytes, optionalEntry } from './reply-entries.ts';
import { deletedRange, given, milliseconds, pageLimit } from './request-fields.ts';
import { compare, operation, operationResult, resultBytes } from './transaction.ts';

export function kvService(store: () => Store): ServiceImpl<typeof KvService> {
  return {
    async get(request, context) {
      const { entry, revision } = await get(store(), request, callOf(context));
      return { ...optionalEntry('entry', entry), revision: BigInt(revision) };
    },

    async put(request, context) {
      const { revision, previous } = await put(store(), request, callOf(context));
      return { revision: BigInt(revision), ...optionalEntry('previous', previous) };
    },

    async delete(request, context) {
      const { revision, deleted, previous } = await deleteKey(store(), request, callOf(context));
      return { revision: BigInt(revision), deleted, ...optionalEntry('previous', previous) };
    },

    async deleteRange(request) {
      const { revision, deletedCount } = await store().deleteRange(deletedRange('range', request.range));
      return { revision: BigInt(revision), deletedCount: BigInt(deletedCount) };
    },

    async exists(request) {
      const result = await exists(store(), request);
      return { exists: result.exists, revision: BigInt(result.revision) };
    },

    async scan(request, context) {
      const page = await scan(store(), request, callOf(context));
      const { entries, nextPageToken, count, revision, incarnation } = page;
      return {
        entries: entries.map(entryMessage),
        nextPageToken,
        count: BigInt(count),
        revision: BigInt(revision),
        incarnation,
      };
    },

    async keys(request, context) {
      const { pattern, pageToken } = request;
      const page = await store().keys(pattern, { limit: pageLimit(request.limit), pageToken });
      callOf(context).chargeReply(keysBytes(page.keys));
      return { ...page, revision: BigInt(page.revision) };
    },

    async increment(request) {
      const { value, revision } = await increment(store(), request);
      return { value, revision: BigInt(revision) };
    },

    async touch(request) {
      const ttlMs = milliseconds('ttl', request.ttl);
      const { revision, entry } = await store().touch(request.key, given({ ttlMs }));
      return { revision: BigInt(revision), entry: entryMessage(entry) };
    },

    async txn(request, context) {
      const { succeeded, results, revision } = await store().txn({
        compares: request.compares.map(compare),
        success: request.success.map((each, index) => operation(each, `success[${index}]`)),
        failure: request.failure.map((each, index) => operation(each, `failure[${index}]`)),
        admit: (made) => callOf(context).chargeReply(resultBytes(made)),
      });
      return {
        succeeded,
        results: results.map(operationResult),
        revision: BigInt(revision),
      };
    },
  };
}
