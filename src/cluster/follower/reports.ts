/** A follower tells its writer how far it is, again and again. */
import type { Clock } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { ClusterEvent } from '../cluster-event.ts';
import type { Peers, SentReport } from '../node.ts';
import { pause } from '../waits/pause.ts';

export interface ReportsParts {
  readonly peers: Peers;
  readonly clock: Clock;
  /** Where the writer is reached; '': there is none to report to. */
  readonly writer: () => string;
  readonly report: () => SentReport;
  readonly onEvent: (event: ClusterEvent) => void;
}

/** Never resolves; rejects with the signal's reason. */
export async function sendReports(parts: ReportsParts, signal: AbortSignal): Promise<never> {
  const { peers, clock, onEvent } = parts;
  let hasFailed = false;
  for (;;) {
    await pause(clock, limits.reportMs, signal);
    const address = parts.writer();
    const report = parts.report();
    if (address === '' || address === report.address) continue;
    const late = new AbortController();
    const timer = clock.setTimer(limits.reportMsMax, () =>
      late.abort(new Error('the writer did not answer in time')),
    );
    try {
      await peers.report(address, report, AbortSignal.any([signal, late.signal]));
      hasFailed = false;
    } catch (error) {
      signal.throwIfAborted();
      if (!hasFailed) onEvent({ kind: 'reportFailed', address, error: error as Error });
      hasFailed = true;
    } finally {
      timer.cancel();
    }
  }
}
