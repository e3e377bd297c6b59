/**
 * The plainest judge of a short history: a store that keeps every state it was in runs the calls in every order. It
 * shares nothing with the checker but the form of a call, so that a mistake of one shows beside the other.
 */
import { isRead } from './history.ts';
import type { Call } from './history.ts';
import { ABSENT } from './operation.ts';
import type { Seen } from './operation.ts';

interface Entry {
  readonly value: string;
  readonly modRevision: number;
}

type Entries = ReadonlyMap<string, Entry>;

/** @param states of the store by revision, the newest last. */
export function hasOrder(calls: readonly Call[], states: readonly Entries[] = [new Map()]): boolean {
  if (calls.every(({ answeredAt }) => answeredAt === undefined)) return true;
  const firstAnswer = Math.min(...calls.map(({ answeredAt = Infinity }) => answeredAt));
  return calls.some((call) => {
    if (call.calledAt > firstAnswer || (call.outcome === undefined && isRead(call))) return false;
    const after = run(call, states);
    return (
      after !== undefined &&
      hasOrder(
        calls.filter((other) => other !== call),
        after,
      )
    );
  });
}

/** @returns the states afterwards; `undefined` when the answer is another, or there is none and nothing has changed. */
function run({ operation, outcome }: Call, states: readonly Entries[]): readonly Entries[] | undefined {
  const { pastRevision, conditions, writes } = operation;
  const newest = states.length - 1;
  const readRevision = pastRevision ?? newest;
  const entries = states[readRevision];
  const isMet =
    entries !== undefined && conditions.every(({ key, expected }) => isSo(entries.get(key), expected));
  if (outcome !== undefined && outcome.isMet !== isMet) return undefined;
  for (const [key, seen] of outcome?.seen ?? []) if (!isSo(entries?.get(key), seen)) return undefined;

  const revision = newest + 1;
  const after = new Map(entries);
  const sums = new Map<string, string>();
  for (const write of isMet ? writes : []) {
    const { key } = write;
    if (write.kind === 'delete') {
      after.delete(key);
      continue;
    }
    const value =
      write.kind === 'put' ? write.value : String(Number(after.get(key)?.value ?? 0) + write.delta);
    if (write.kind === 'increment') sums.set(key, value);
    after.set(key, { value, modRevision: revision });
  }
  for (const [key, sum] of outcome?.sums ?? []) if ((sums.get(key) ?? sum) !== sum) return undefined;
  const hasChanged = isMet && writes.some(({ key }) => after.get(key) !== entries.get(key));
  const told = outcome?.revision;
  if (told !== undefined && told !== (hasChanged ? revision : readRevision)) return undefined;
  if (hasChanged) return [...states, after];
  return outcome === undefined ? undefined : states;
}

function isSo(entry: Entry | undefined, seen: Seen): boolean {
  if (seen === ABSENT || entry === undefined) return seen === ABSENT && entry === undefined;
  return (
    (seen.value ?? entry.value) === entry.value &&
    (seen.modRevision ?? entry.modRevision) === entry.modRevision
  );
}
