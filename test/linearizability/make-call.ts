/** One call of a client: drawn from its workload, made, and taken down in the history. */
import type { CalledStore } from './called-store.ts';
import type { HistoryRecorder } from './history.ts';
import { perform } from './perform.ts';
import type { Workload } from './workload.ts';

/** Makes one call at random and takes it down. @returns whether it was answered. */
export async function makeCall(
  store: CalledStore,
  client: number,
  workload: Workload,
  recorder: HistoryRecorder,
): Promise<boolean> {
  const operation = workload.draw();
  const outcome = await recorder.record(client, operation, () => perform(store, operation));
  if (typeof outcome === 'string') return false;
  workload.notice(operation, outcome);
  return true;
}
