/**
 * Cuts a history that no order explains down to what a person can read. What is left is at fault by itself: no state at
 * all that the store might have had when it begins would explain it.
 */
import { Evidence } from './evidence.ts';
import { isRead } from './history.ts';
import type { Call } from './history.ts';
import { searchOrder } from './search.ts';
import type { Rejected } from './search.ts';
import { describeState, StoreModel } from './store-model.ts';

export interface Part {
  readonly calls: readonly Call[];
  /** Up to this instant everything could be explained. */
  readonly endsAt: number;
  /** In what states the store may have been just before, in words. */
  readonly states: readonly string[];
}

/** There are many searches, of parts that are short or soon found to be at fault. */
const STEPS_MAX = 50_000;

type Root = 'empty' | 'emptyWithoutRevision';

/**
 * @param root the state in which the whole history began.
 * @returns `undefined` when it can't be shown where the fault is, since there are too many orders.
 */
export function shortestPart(
  calls: readonly Call[],
  root: Root,
  { answeredAt: endsAt }: Rejected,
): Part | undefined {
  /** What lies before the start is left out; whoever was under way then may be over or not. */
  const search = (part: readonly Call[], startsAt: number): Rejected | undefined => {
    const model = new StoreModel(new Evidence(part));
    const state = model[startsAt === 0 ? root : 'unknown']();
    const verdict = searchOrder(model, part, state, { startsAt, endsAt, stepsMax: STEPS_MAX });
    return verdict.kind === 'impossible' ? verdict : undefined;
  };
  const isAtFault = (part: readonly Call[], startsAt: number): boolean =>
    search(part, startsAt) !== undefined;
  const begun = calls.filter(({ calledAt }) => calledAt < endsAt);
  const startsAt = latestStart(begun, (startsAt) => isAtFault(since(calls, startsAt), startsAt));
  const isNeeded = ({ calledAt, answeredAt }: Call): boolean => calledAt < endsAt && answeredAt === endsAt;
  // A write that is left out might be what explains the rest, but for one that comes later and only was seen.
  const mayGo = (call: Call): boolean => !isNeeded(call) && (call.calledAt > endsAt || isRead(call));
  const all = since(calls, startsAt);
  const part = without(all, all.filter(mayGo), (rest) => isAtFault(rest, startsAt));
  const last = search(part, startsAt);
  if (last === undefined) return undefined;
  const mustHappen = ({ calledAt, answeredAt = Infinity }: Call): boolean =>
    calledAt >= startsAt && answeredAt <= endsAt;
  return {
    calls: part.filter((call) => call.calledAt > endsAt || mustHappen(call) || last.fitting.has(call)),
    endsAt,
    states: [...new Set([...last.states].map(describeState))],
  };
}

/** Of a later start a part is at fault only if it is of an earlier one. */
function latestStart(calls: readonly Call[], isAtFault: (startsAt: number) => boolean): number {
  let low = 0;
  let high = calls.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAtFault(calls[middle]?.calledAt ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? 0 : (calls[low - 1]?.calledAt ?? 0);
}

function since(calls: readonly Call[], startsAt: number): Call[] {
  return calls.filter(({ answeredAt = Infinity }) => answeredAt > startsAt);
}

/** Leaves out as many candidates as it can, half by half, while what remains is at fault. */
function without(
  calls: readonly Call[],
  candidates: readonly Call[],
  isAtFault: (rest: readonly Call[]) => boolean,
): readonly Call[] {
  if (candidates.length === 0) return calls;
  const rest = calls.filter((call) => !candidates.includes(call));
  if (isAtFault(rest)) return rest;
  if (candidates.length === 1) return calls;
  const middle = candidates.length >>> 1;
  const shorter = without(calls, candidates.slice(middle), isAtFault);
  return without(shorter, candidates.slice(0, middle), isAtFault);
}
