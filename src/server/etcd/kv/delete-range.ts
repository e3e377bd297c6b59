/** `KV.DeleteRange`: all of a range in one revision, as far as one transaction may go. */
import type {
  DeleteRangeRequestShape,
  DeleteRangeResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { KeyValueShape } from '../../../../gen/etcd/api/mvccpb/kv_codec.ts';
import { checkEngineRange } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { deleteAll } from '../../../kv/writes/writes.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import type { View } from '../../../store/views/view.ts';
import type { Call } from '../../calls/call.ts';
import { headerOf } from '../header.ts';
import { checkKeyGiven, engineRangeOf } from './key-ranges.ts';
import { wholeRangePlan } from './range-plan.ts';
import { type Charge, RangeReader } from './range-reader.ts';

/** What a deletion has done. */
type Deletion = Pick<DeleteRangeResponseShape, 'deleted' | 'prevKvs'>;

export function deleteRangeNeeds(login: Login, request: DeleteRangeRequestShape): void {
  checkKeyGiven(request);
  const range = engineRangeOf(request);
  checkEngineRange(login, 'write', range);
  if (request.prevKv) checkEngineRange(login, 'read', range);
}

export async function deleteRange(
  store: KvStore,
  request: DeleteRangeRequestShape,
  call: Call,
): Promise<DeleteRangeResponseShape> {
  const charge: Charge = (bytes) => call.chargeReply(bytes);
  const { deletion, revision } = await store.decideWith(request, (view, kept) => ({
    deletion: deleteRangeIn(view, kept, charge),
    revision: view.replyRevision,
  }));
  return { header: headerOf(store, revision), ...deletion };
}

/** @param request with a key. Throws `limitReached` for a range that is too much for one transaction. */
export function deleteRangeIn(view: View, request: DeleteRangeRequestShape, charge: Charge): Deletion {
  const range = engineRangeOf(request);
  let prevKvs: KeyValueShape[] = [];
  if (request.prevKv) {
    const reader = new RangeReader(wholeRangePlan(range), false, charge);
    if (reader.read(view)) throw budgetSpent(view.budget);
    prevKvs = reader.response(0).kvs;
  }
  return { deleted: deleteAll(view, range), prevKvs };
}
