/** `kelp.v1.KvService` over the store. */
import type { ServiceImpl } from '@connectrpc/connect';
import type { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { StoreError } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import { callOf } from '../calls.ts';
import { entriesBytes, entryBytes, entryMessage, keysBytes, optionalEntry } from './reply-entries.ts';
import {
  condition,
  given,
  keyRange,
  milliseconds,
  pageLimit,
  requiredRange,
  timeToLiveMs,
  wholeNumber,
} from './request-fields.ts';
import { compare, operation, operationResult, resultsBytes } from './transaction.ts';

export function kvService(store: () => Store): ServiceImpl<typeof KvService> {
  return {
    async get(request, context) {
      const { key, refreshTtl } = request;
      const { entry, revision } = await store().get(key, {
        revision: wholeNumber('revision', request.revision),
        refreshTtl,
      });
      callOf(context).chargeReply(entryBytes(entry));
      return { ...optionalEntry('entry', entry), revision: BigInt(revision) };
    },

    async put(request, context) {
      const { key, value, returnPrevious } = request;
      const { revision, previous } = await store().put(key, value, {
        leaseId: wholeNumber('lease_id', request.leaseId),
        returnPrevious,
        ...given({ ttlMs: timeToLiveMs('ttl', request.ttl), condition: condition(request.condition) }),
      });
      callOf(context).chargeReply(entryBytes(previous));
      return { revision: BigInt(revision), ...optionalEntry('previous', previous) };
    },

    async delete(request, context) {
      const { key, returnPrevious } = request;
      const { revision, deleted, previous } = await store().delete(key, {
        returnPrevious,
        ...given({ condition: condition(request.condition) }),
      });
      callOf(context).chargeReply(entryBytes(previous));
      return { revision: BigInt(revision), deleted, ...optionalEntry('previous', previous) };
    },

    async deleteRange(request) {
      const { revision, deletedCount } = await store().deleteRange(requiredRange('range', request.range));
      return { revision: BigInt(revision), deletedCount: BigInt(deletedCount) };
    },

    async exists(request) {
      const { exists, revision } = await store().exists(request.keys);
      return { exists, revision: BigInt(revision) };
    },

    async scan(request, context) {
      const range = keyRange(request.range);
      const revision = wholeNumber('revision', request.revision);
      const limit = pageLimit(request.limit);
      const { pageToken, reverse, keysOnly } = request;
      if (request.countOnly) {
        if (limit !== 0 || pageToken !== '') {
          throw new StoreError(
            'invalidArgument',
            'count_only counts all keys: it has no limit and no page_token',
          );
        }
        const counted = await store().count(range, { revision });
        return { count: BigInt(counted.count), revision: BigInt(counted.revision) };
      }
      const page = await store().scan(range, { limit, pageToken, revision, reverse, keysOnly });
      callOf(context).chargeReply(entriesBytes(page.entries));
      return {
        entries: page.entries.map(entryMessage),
        nextPageToken: page.nextPageToken,
        revision: BigInt(page.revision),
      };
    },

    async keys(request, context) {
      const { pattern, pageToken } = request;
      const page = await store().keys(pattern, { limit: pageLimit(request.limit), pageToken });
      callOf(context).chargeReply(keysBytes(page.keys));
      return { keys: page.keys, nextPageToken: page.nextPageToken, revision: BigInt(page.revision) };
    },

    async increment(request) {
      const { key, delta } = request;
      const ttlMs = timeToLiveMs('ttl', request.ttl);
      const { value, revision } = await store().increment(key, delta, given({ ttlMs }));
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
      });
      callOf(context).chargeReply(resultsBytes(results));
      return {
        succeeded,
        results: results.map(operationResult),
        revision: BigInt(revision),
      };
    },
  };
}
