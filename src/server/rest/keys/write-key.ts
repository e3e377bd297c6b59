/** `PUT` and `DELETE` of `/v1/keys/{key}`. Their conditions are looked at where the write is decided. */
import { checkLease, checkWrite, mayReadKey } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import { StoreError } from '../../../errors.ts';
import { deleteKeyIf, putIf } from '../../../kv/writes/writes.ts';
import { type Operation, operation } from '../operation.ts';
import { timeToLiveParameter, wholeNumberParameter } from '../query.ts';
import type { RestCall } from '../rest-call.ts';
import { entityTag } from './entity-tag.ts';
import { checkForWrite, preconditionsOf } from './preconditions.ts';

/** A condition tells what is there. */
function writeNeeds(login: Login, call: RestCall): void {
  const { ifMatch, ifNoneMatch } = preconditionsOf(call);
  checkWrite(login, call.pathKey, ifMatch !== undefined || ifNoneMatch !== undefined);
}

/** @param valueBytesMax that of the store. */
export function writeKey(valueBytesMax: number): Operation {
  return operation({
    method: 'PUT',
    template: '/v1/keys/{key}',
    countsAs: 'Put',
    runsAt: 'writer',
    query: { ttl: timeToLiveParameter, lease: wholeNumberParameter },
    body: { bytesMax: valueBytesMax, limit: 'valueBytesMax' },
    needs(login, call, { lease: leaseId = 0 }) {
      writeNeeds(login, call);
      checkLease(login, call.store, leaseId);
    },
    async run(call, { ttl: ttlMs = 0, lease: leaseId = 0 }) {
      const { store, pathKey: key, body } = call;
      const preconditions = preconditionsOf(call);
      const mayRead = mayReadKey(call.call.login, key);
      const entry = await store.decide(
        (view) =>
          putIf(view, key, body, { ttlMs, leaseId }, (current) =>
            checkForWrite(preconditions, store, current),
          ),
        call.call,
      );
      const { modRevision: revision, createRevision, version } = entry;
      const headers = ['etag', entityTag(store, revision)];
      // The rest tells what was there.
      if (!mayRead) return call.sendJson(200, { revision }, headers);
      const created = version === 1;
      call.sendJson(created ? 201 : 200, { revision, createRevision, version, created }, headers);
    },
  });
}

export const deleteKey = operation({
  method: 'DELETE',
  template: '/v1/keys/{key}',
  countsAs: 'Delete',
  runsAt: 'writer',
  query: {},
  needs: writeNeeds,
  async run(call) {
    const { store, pathKey: key } = call;
    const preconditions = preconditionsOf(call);
    const revision = await store.decide((view) => {
      const deleted = deleteKeyIf(view, key, (current) => checkForWrite(preconditions, store, current));
      if (!deleted) throw new StoreError('keyNotFound', 'there is no such key');
      return view.replyRevision;
    });
    call.sendJson(200, { revision, deleted: true });
  },
});
