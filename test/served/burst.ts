/** Writes of one client that are made at once, so many that they travel together where the client has them do so. */
import type { CalledStore } from '../linearizability/called-store.ts';
import type { HistoryRecorder } from '../linearizability/history.ts';
import { makeCall } from '../linearizability/make-call.ts';
import type { Workload } from '../linearizability/workload.ts';

const BURST_CALLS = 18;

export async function makeBurst(
  store: CalledStore,
  client: number,
  workload: Workload,
  recorder: HistoryRecorder,
): Promise<void> {
  const singleWrites: Pick<Workload, 'draw' | 'notice'> = {
    draw: () => {
      for (;;) {
        const operation = workload.draw();
        if (operation.method !== 'txn' && operation.writes.length > 0) return operation;
      }
    },
    notice: (operation, outcome) => workload.notice(operation, outcome),
  };
  const calls = Array.from({ length: BURST_CALLS }, () => makeCall(store, client, singleWrites, recorder));
  await Promise.all(calls);
}
