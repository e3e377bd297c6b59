/**
 * `KV.Range`. One that is short is read from what is visible and answered at once, in one piece of code. For a longer one the number
 * of keys comes by order statistics of the newest state, and what is returned is read piece by piece from that state, as it was.
 *
 * What is visible is durable, and at a server that is alone includes all that was acknowledged: a read is linearizable without a wait, so
 * `serializable` asks for nothing that is not so already. In a cluster the call has waited before it came here, unless it is serializable.
 */
import type {
  RangeRequestShape,
  RangeResponseShape,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import { checkEngineRange, checkKey } from '../../../access/checks.ts';
import type { Login } from '../../../access/login/login.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { serverFixed } from '../../../limits.ts';
import type { StateAt } from '../../../store/seam.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import { keyScratch } from '../../../store/views/keys.ts';
import type { ReadView, View } from '../../../store/views/view.ts';
import type { Call } from '../../calls/call.ts';
import { headerOf } from '../header.ts';
import { fromEtcd } from '../revisions.ts';
import { engineRangeOf, isOneKey, isPossibleKey } from './key-ranges.ts';
import { bytesOfKeyValue, keyValueOf } from './key-values.ts';
import { checkRange, isFilteredOut, planOf, type RangePlan } from './range-plan.ts';
import { type Charge, RangeReader } from './range-reader.ts';

const SHORT = { keysMax: serverFixed.etcdShortRangeKeysMax, bytesMax: serverFixed.etcdShortRangeBytesMax };

/** A reply but for its header. */
export type RangeResult = Omit<RangeResponseShape, 'header'>;

type Reply = RangeResponseShape | Promise<RangeResponseShape>;

export function rangeNeeds(login: Login, request: RangeRequestShape): void {
  checkRange(request);
  if (!isOneKey(request)) checkEngineRange(login, 'read', engineRangeOf(request));
  else if (isPossibleKey(request.key)) checkKey(login, 'read', request.key);
}

export function range(store: KvStore, request: RangeRequestShape, call: Call): Reply {
  if (request.revision > 0) return readPinned(store, planOf(request), request.revision, call);
  if (isOneKey(request) && !store.isResting) return readKey(store, request, call);
  const plan = planOf(request);
  const attempt = (view: ReadView): RangeResponseShape | undefined => readShort(store, view, plan, call);
  // The request's bytes are written over once this returns.
  const { serializable } = request;
  if (!store.isResting) return store.readAtOnce(attempt) ?? readLong(store, plan, serializable, call);
  const inTurn = store.readSeam(undefined, (seam) => seam.readVisible(attempt));
  return inTurn.then((reply) => reply ?? readLong(store, plan, serializable, call));
}

function readKey(store: KvStore, request: RangeRequestShape, call: Call): RangeResponseShape {
  const charge: Charge = (bytes) => call.chargeReply(bytes);
  return store.readAtOnce((view) => {
    const result = keyIn(view, request, charge);
    return { header: headerOf(store, view.revision), ...result };
  });
}

/** A range of one key. */
function keyIn(view: ReadView, request: RangeRequestShape, charge: Charge): RangeResult {
  const { key, keysOnly, countOnly } = request;
  const isShown = !keysOnly && !countOnly;
  const engineKey = isPossibleKey(key) ? keyScratch.encode(key) : undefined;
  const version = engineKey && (isShown ? view.read(engineKey) : view.readMeta(engineKey));
  if (version === undefined) return { kvs: [], more: false, count: 0 };
  // The request's bytes are written over once this returns.
  const keyValue = keyValueOf(new Uint8Array(key), version);
  const isLeftOut = countOnly || isFilteredOut(request, keyValue);
  if (!isLeftOut) charge(bytesOfKeyValue(keyValue));
  return { kvs: isLeftOut ? [] : [keyValue], more: false, count: 1 };
}

/** A range of a transaction, of the state as it is there. Throws `limitReached` for one that is too long for that. */
export function rangeIn(view: View, request: RangeRequestShape, charge: Charge): RangeResult {
  if (isOneKey(request)) return keyIn(view, request, charge);
  const plan = planOf(request);
  const count = view.count(plan.range);
  if (plan.countOnly) return { kvs: [], more: false, count };
  const reader = new RangeReader(plan, false, charge);
  if (reader.read(view)) throw budgetSpent(view.budget);
  return reader.response(count);
}

/** @returns `undefined`: it is not short. */
function readShort(
  store: KvStore,
  view: ReadView,
  plan: RangePlan,
  call: Call,
): RangeResponseShape | undefined {
  const reader = new RangeReader(plan, true, (bytes) => call.chargeReply(bytes));
  if (reader.read(view, SHORT)) {
    call.releaseReply();
    return undefined;
  }
  return { header: headerOf(store, view.revision), ...reader.response(reader.seenCount) };
}

async function readLong(
  store: KvStore,
  plan: RangePlan,
  isSerializable: boolean,
  call: Call,
): Promise<RangeResponseShape> {
  const { count, ...state } = await newestCount(store, plan, isSerializable);
  // Who goes on with a watch from the revision after it must not miss what came meanwhile.
  const header = headerOf(store, state.revision);
  if (count !== undefined && plan.countOnly) return { header, kvs: [], more: false, count };
  return { header, ...(await readState(store, plan, call, count, state)) };
}

type NewestCount = StateAt & { readonly count: number | undefined };

/**
 * The state that is the newest now, once it is durable, and how many keys of a range it has.
 * @param isSerializable it may be an older one, whose keys are to be counted.
 */
export async function newestCount(
  store: KvStore,
  { range }: RangePlan,
  isSerializable: boolean,
): Promise<NewestCount> {
  const visible = (): StateAt & { readonly count: undefined } => ({
    count: undefined,
    ...store.readVisible(({ revision, instantMs }) => ({ revision, instantMs })),
  });
  const newest = store.readNewest(range, (view, kept) => ({
    count: view.count(kept),
    revision: view.revision,
    instantMs: view.instantMs,
  }));
  if (isSerializable) return await store.newestOrVisible<NewestCount>(newest, async () => visible());
  try {
    return await newest;
  } catch (error) {
    // Ranks are those of the newest state, which a failed log never brings to disk.
    if (store.seam.failure === undefined) throw error;
    return visible();
  }
}

async function readPinned(
  store: KvStore,
  plan: RangePlan,
  etcdRevision: number,
  call: Call,
): Promise<RangeResponseShape> {
  const state = { revision: fromEtcd(etcdRevision), instantMs: 0 };
  const result = await readState(store, plan, call, undefined, state);
  return { header: headerOf(store, store.visibleRevision), ...result };
}

/** @param count `undefined`: the keys are to be counted. */
export async function readState(
  store: KvStore,
  plan: RangePlan,
  call: Call,
  count: number | undefined,
  state: StateAt,
): Promise<RangeResult> {
  const reader = new RangeReader(plan, count === undefined, (bytes) => call.chargeReply(bytes));
  await store.readInPieces((view) => reader.read(view), { state, signal: call.signal });
  return reader.response(count ?? reader.seenCount);
}
