/**
 * What the writer of a cluster answers to calls that may change something, and have not: a condition that did not hold, a key that was
 * not there to be deleted, what a transaction has read. Nothing of that lies in the shared log, so a writer that is cut off, and was
 * overtaken meanwhile, would tell what others have changed since. So it is told once it is certain that this node was the writer after
 * the call had come:
 *
 * - a record that was committed after that is in the shared log, which takes it from the writer alone: true of each call that has changed
 *   something, and it costs nothing;
 * - or else the shared log is asked (`cluster/read-gate.ts`).
 */
import { StoreError } from '../../errors.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { notWriterError } from '../../wal/segments/overtaken.ts';
import type { Call } from '../calls/call.ts';
import type { ClusterDoors } from '../cluster/cluster-doors.ts';
import { LINEARIZABLE } from '../cluster/read-gate.ts';
import type { UnaryMethod } from './method.ts';

/** `run` of a method, whose outcome is confirmed. */
export function confirmedRun(method: UnaryMethod, doors: ClusterDoors): UnaryMethod['run'] {
  return (store, request, call) => {
    const confirm = confirmation(doors, store, call);
    const reply = method.run(store, request, call);
    return reply instanceof Promise ? confirmed(reply, confirm) : reply;
  };
}

async function confirmed<Reply>(
  reply: Promise<Reply>,
  confirm: () => Promise<void> | undefined,
): Promise<Reply> {
  let result: Reply;
  try {
    result = await reply;
  } catch (error) {
    if (tellsState(error)) await confirm();
    throw error;
  }
  const waiting = confirm();
  if (waiting !== undefined) await waiting;
  return result;
}

/** @returns what confirms an outcome of a call that has come now; it rejects when it can't be. */
function confirmation(
  { view, gate }: ClusterDoors,
  { seam }: KvStore,
  call: Call,
): () => Promise<void> | undefined {
  const node = view();
  const { committedSequence } = seam;
  return () => {
    if (node?.role === 'writer' && seam.durableSequence > committedSequence) return undefined;
    const waiting = gate.passIn(call, LINEARIZABLE, () => seam.visibleRevision);
    return waiting?.then(() => {
      // A follower that has caught up says nothing of what was decided before.
      if (node?.role !== 'writer' || view() !== node) throw notWriterError('');
    });
  };
}

/** Whether an error says what is in the store. */
function tellsState(error: unknown): boolean {
  if (!(error instanceof StoreError)) return false;
  switch (error.code) {
    case 'invalidArgument':
    case 'unauthenticated':
    case 'permissionDenied':
    case 'notWriter':
    case 'storageFailed':
    case 'readOnly':
    case 'limitReached':
    case 'closed':
      return false;
    default:
      return true;
  }
}
