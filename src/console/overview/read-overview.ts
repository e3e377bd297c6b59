/** What the overview asks the server for. */
import type { ActivityResponse, StatusResponse } from '../../../gen/kelp/v1/admin_pb.ts';
import { rangeFields } from '../bytes/key-name.ts';
import { type Failure, failureOf, isPassing } from '../calls/failure.ts';
import { admin, kv } from '../calls/server.ts';
import { countKeys, scanKeys } from '../keys/read-keys.ts';
import { type Figures, figuresOf } from './figures.ts';
import { Recent } from './recent.ts';
import { type FillReads, sizeOfEntry } from './store-fill.ts';

export interface Overview {
  readonly status: StatusResponse;
  /** As `/readyz` says it: `serving`, `readOnly`, `behind`, `recovering` or `stopping`. */
  readonly readiness: string;
  /** `undefined` for those who may not have it. */
  readonly activity: ActivityResponse | undefined;
  readonly activityFailure: Failure | undefined;
  /** `undefined` until two answers came. */
  readonly figures: Figures | undefined;
}

/** Kept while the tab shows other pages: what went on meanwhile is a gap. */
export const recent = new Recent();

/** A proxy may keep the probes to itself: then the status alone tells that it serves. */
async function readReadiness(signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch('/readyz', { signal });
    const { status } = (await response.json()) as { readonly status?: unknown };
    return typeof status === 'string' ? status : 'serving';
  } catch {
    return 'serving';
  }
}

/** Reads the figures, and adds them to `recent`. Who may not have the activity is not asked about it again. */
export function overviewReader(): (signal: AbortSignal) => Promise<Overview> {
  let before: ActivityResponse | undefined;
  let activityFailure: Failure | undefined;
  const readActivity = async (signal: AbortSignal): Promise<ActivityResponse | undefined> => {
    if (activityFailure !== undefined) return undefined;
    try {
      return await admin.activity({}, { signal });
    } catch (error) {
      const failure = failureOf(error);
      if (signal.aborted || isPassing(failure)) throw error;
      activityFailure = failure;
      return undefined;
    }
  };
  return async (signal) => {
    const [status, readiness, activity] = await Promise.all([
      admin.status({}, { signal }),
      readReadiness(signal),
      readActivity(signal),
    ]);
    const figures = before === undefined || activity === undefined ? undefined : figuresOf(before, activity);
    before = activity;
    recent.add({
      timeMs: Date.now(),
      figures,
      memoryBytes: Number(status.memoryBytes),
      residentBytes: Number(status.residentBytes),
    });
    return { status, readiness, activity, activityFailure, figures };
  };
}

export const fillReads: FillReads = {
  scan: (range, limit, signal) => scanKeys(range, { limit, signal }),
  count: countKeys,
  async sizes(range, isReverse, limit, signal) {
    const { entries } = await kv.scan({ range: rangeFields(range), reverse: isReverse, limit }, { signal });
    return entries.map(sizeOfEntry);
  },
};
