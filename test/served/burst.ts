/**
 * Puts of one client that are made at once, so many that they travel together where the client has them do so. Each has a key of
 * its own, so that it shows in the end which were done, however many were not answered.
 */
import type { CalledStore } from '../linearizability/called-store.ts';
import type { HistoryRecorder } from '../linearizability/history.ts';
import { perform } from '../linearizability/perform.ts';

const BURST_CALLS = 18;

/** Of a client by its number. */
export function burstKeys(client: number): string[] {
  return Array.from({ length: BURST_CALLS }, (_, index) => `burst/${client}/${index}`);
}

/** Once for each client. */
export async function makeBurst(
  store: CalledStore,
  client: number,
  recorder: HistoryRecorder,
): Promise<void> {
  const calls = burstKeys(client).map((key) => {
    const put = {
      method: 'put',
      pastRevision: undefined,
      conditions: [],
      reads: [],
      writes: [{ kind: 'put', key, value: key }],
    } as const;
    return recorder.record(client, put, () => perform(store, put));
  });
  await Promise.all(calls);
}
