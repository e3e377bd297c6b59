/** Makes the call that an operation stands for, and tells what came of it. */
import { isKelpError } from '../../src/client/errors/error.ts';
import { StoreError } from '../../src/errors.ts';
import type { Compare, Condition, Operation as TxnOperation } from '../../src/api.ts';
import type { CalledStore, SeenEntry, TxnPart } from './called-store.ts';
import type { NoOutcome } from './history.ts';
import { ABSENT } from './operation.ts';
import type { Operation, Outcome, Seen, Write } from './operation.ts';

/** @returns what is known of the call. Rejects with an error that it must not have. */
export async function perform(store: CalledStore, operation: Operation): Promise<Outcome | NoOutcome> {
  try {
    return await performByMethod(store, operation);
  } catch (error) {
    return refusalIn(error, operation) ?? noOutcomeIn(error, operation);
  }
}

async function performByMethod(store: CalledStore, operation: Operation): Promise<Outcome> {
  const { method, pastRevision, reads, writes } = operation;
  const [key = ''] = reads;
  switch (method) {
    case 'get': {
      const options = pastRevision === undefined ? {} : { revision: pastRevision };
      const { entry, revision } = await store.get(key, options);
      return toOutcome(revision, [[key, toSeen(entry)]]);
    }
    case 'scan': {
      const { entries, revision } = await store.readAll(pastRevision ?? 0);
      const entryByKey = new Map(entries.map((entry) => [entry.key, entry]));
      return toOutcome(
        revision,
        reads.map((key) => [key, toSeen(entryByKey.get(key))]),
      );
    }
    case 'delete': {
      const { revision, previous } = await store.delete(key, { returnPrevious: true });
      return toOutcome(revision, [[key, toSeen(previous)]]);
    }
    case 'txn':
      return performTxn(store, operation);
    case 'put':
    case 'increment': {
      const [write] = writes;
      if (write?.kind === 'increment') {
        const { value, revision } = await store.increment(write.key, BigInt(write.delta));
        return { ...toOutcome(revision, []), sums: new Map([[write.key, String(value)]]) };
      }
      if (write?.kind !== 'put') throw new Error(`${method} has nothing to write`);
      const condition = toCondition(operation);
      const { revision } = await store.put(
        write.key,
        write.value,
        condition === undefined ? {} : { condition },
      );
      return toOutcome(revision, []);
    }
  }
}

/** Reads come first, and again when the conditions are not met. */
async function performTxn(store: CalledStore, operation: Operation): Promise<Outcome> {
  const { conditions, reads, writes } = operation;
  const gets = reads.map((key): TxnOperation => ({ kind: 'get', key }));
  const { succeeded, revision, results } = await store.txn({
    compares: conditions.map(toCompare),
    success: [...gets, ...writes.map(toTxnOperation)],
    failure: gets,
  });
  const sums = new Map<string, string>();
  for (const [index, { key }] of writes.entries()) {
    const result = results[reads.length + index];
    if (result?.kind === 'increment') sums.set(key, String(result.value));
  }
  const seen = reads.map((key, index): [string, Seen] => [key, seenIn(results[index])]);
  return { ...toOutcome(revision, seen), isMet: succeeded, sums };
}

function toOutcome(revision: number, seen: readonly (readonly [string, Seen])[]): Outcome {
  return { isMet: true, revision, seen: new Map(seen), sums: new Map() };
}

function seenIn(result: TxnPart | undefined): Seen {
  if (result?.kind !== 'get') throw new Error('a transaction has not answered what it was asked');
  return toSeen(result.entry);
}

function toSeen(entry: SeenEntry | undefined): Seen {
  if (entry === undefined) return ABSENT;
  return { value: Buffer.from(entry.value).toString(), modRevision: entry.modRevision };
}

function toCondition({ conditions: [condition] }: Operation): Condition | undefined {
  if (condition === undefined) return undefined;
  const { expected } = condition;
  if (expected === ABSENT) return { kind: 'mustNotExist' };
  const { modRevision } = expected;
  return modRevision === undefined ? { kind: 'mustExist' } : { kind: 'modRevisionEquals', modRevision };
}

function toCompare({ key, expected }: Operation['conditions'][number]): Compare {
  const subject = { key };
  const relation = 'equal';
  if (expected === ABSENT) return { subject, relation, operand: { kind: 'exists', value: false } };
  const { value, modRevision } = expected;
  if (value !== undefined)
    return { subject, relation, operand: { kind: 'value', value: Buffer.from(value) } };
  const operand =
    modRevision === undefined
      ? ({ kind: 'exists', value: true } as const)
      : ({ kind: 'modRevision', value: modRevision } as const);
  return { subject, relation, operand };
}

function toTxnOperation(write: Write): TxnOperation {
  return write.kind === 'increment' ? { ...write, delta: BigInt(write.delta) } : write;
}

/** What is told by an error: that the condition of a put was not met, or that a revision has not been reached. */
function refusalIn(
  error: unknown,
  { conditions: [condition], pastRevision }: Operation,
): Outcome | undefined {
  const refused: Outcome = { isMet: false, revision: undefined, seen: new Map(), sums: new Map() };
  if (pastRevision !== undefined && hasCode(error, 'revisionFuture')) return refused;
  if (condition === undefined || !hasCode(error, 'conditionFailed')) return undefined;
  const { currentModRevision } = error.details as { readonly currentModRevision: number };
  const seen: Seen =
    currentModRevision === 0 ? ABSENT : { value: undefined, modRevision: currentModRevision };
  return { ...refused, seen: new Map([[condition.key, seen]]) };
}

/** Everything that may happen to a call when servers come and go. */
const passingCodes = [
  'unavailable',
  'recovering',
  'shuttingDown',
  'deadlineExceeded',
  'limitReached',
  'storageFailed',
  'readOnly',
  'closed',
  'revisionCompacted',
] as const;

function noOutcomeIn(error: unknown, { writes }: Operation): NoOutcome {
  if (!passingCodes.some((code) => hasCode(error, code))) throw error;
  // What the client of a served store promises is believed: a history shows it when it is not so.
  if (isKelpError(error)) return error.mayHaveTakenEffect ? 'unknown' : 'none';
  return writes.length > 0 && hasCode(error, 'storageFailed') ? 'unknown' : 'none';
}

function hasCode(
  error: unknown,
  code: string,
): error is { readonly code: string; readonly details: unknown } {
  return (isKelpError(error) || error instanceof StoreError) && error.code === code;
}
