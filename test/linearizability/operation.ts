/**
 * The calls whose answers are checked, all of one shape: under conditions, read some keys and then write some, at one
 * revision. A get, a conditional put or an increment is a small transaction.
 *
 * No value may be put twice: a value then tells which call it is from, also when that call was never answered.
 */

export const ABSENT = 'absent';

/** What is known of a key that exists; `undefined`: that part is not known, or not asked for. */
export interface Version {
  readonly value: string | undefined;
  readonly modRevision: number | undefined;
}

/** What somebody saw of a key, or asks of it. */
export type Seen = typeof ABSENT | Version;

export const PRESENT: Seen = { value: undefined, modRevision: undefined };

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'increment'; readonly key: string; readonly delta: number };

export interface Operation {
  /** The call by which it is made. */
  readonly method: 'get' | 'scan' | 'put' | 'delete' | 'increment' | 'txn';
  /** The revision to read at, for a call that only reads; `undefined`: the newest. */
  readonly pastRevision: number | undefined;
  /** The writes are made only when all of these are so; none when it is empty. */
  readonly conditions: readonly { readonly key: string; readonly expected: Seen }[];
  /** The keys that are read before the writes. Those that are deleted must be among them. */
  readonly reads: readonly string[];
  /** In their order; of several of one key the last one counts, and increments add to what those before have left. */
  readonly writes: readonly Write[];
}

export interface Outcome {
  /** Whether all conditions were met; of a read of the past, whether there was such a revision yet. */
  readonly isMet: boolean;
  /** Taken by the writes, or read at when nothing was written; `undefined` when the answer does not tell. */
  readonly revision: number | undefined;
  /** By key. */
  readonly seen: ReadonlyMap<string, Seen>;
  /** What the last increment of a key came to, by key. */
  readonly sums: ReadonlyMap<string, string>;
}

/** Whether the call took a revision: it wrote something, or deleted what was there before it. */
export function hasWritten({ writes }: Operation, { isMet, seen }: Outcome): boolean {
  return isMet && lastWrites(writes).some(({ kind, key }) => kind !== 'delete' || seen.get(key) !== ABSENT);
}

/** The write of each key that counts. */
export function lastWrites(writes: readonly Write[]): Write[] {
  return [...new Map(writes.map((write) => [write.key, write])).values()];
}

/** The revision of the state in which a call that was answered ran; `undefined` when the answer does not tell. */
export function readRevisionOf(operation: Operation, outcome: Outcome): number | undefined {
  const { revision } = outcome;
  return revision !== undefined && hasWritten(operation, outcome) ? revision - 1 : revision;
}

/** What is known of a key when both were seen of it, the first itself if that is no more; `undefined`: not both hold. */
export function merge(first: Seen, second: Seen): Seen | undefined {
  if (first === ABSENT || second === ABSENT) return first === second ? first : undefined;
  const value = first.value ?? second.value;
  const modRevision = first.modRevision ?? second.modRevision;
  if (value !== (second.value ?? value) || modRevision !== (second.modRevision ?? modRevision))
    return undefined;
  return value === first.value && modRevision === first.modRevision ? first : { value, modRevision };
}

export function describeOperation({ method, pastRevision, conditions, reads, writes }: Operation): string {
  const parts = [
    ...(conditions.length === 0 ? [] : [`if ${conditions.map(describeCondition).join(' and ')}`]),
    ...(method === 'get' || method === 'scan' || method === 'txn' ? reads : []),
    ...(pastRevision === undefined ? [] : [`at ${pastRevision}`]),
    ...writes.map(describeWrite),
  ];
  return [method, ...parts].join(' ');
}

export function describeOutcome({ isMet, revision, seen, sums }: Outcome): string {
  const facts = [
    ...(isMet ? [] : ['refused']),
    ...(revision === undefined ? [] : [`revision ${revision}`]),
    ...[...seen].map(([key, seen]) => `${key} ${describeSeen(seen)}`),
    ...[...sums].map(([key, sum]) => `${key} now ${sum}`),
  ];
  return facts.length === 0 ? 'done' : facts.join(', ');
}

export function describeSeen(seen: Seen): string {
  if (seen === ABSENT) return ABSENT;
  const { value, modRevision } = seen;
  if (value === undefined && modRevision === undefined) return 'present';
  return `${value === undefined ? '' : `= ${value} `}${modRevision === undefined ? '' : `of ${modRevision}`}`.trim();
}

function describeCondition({ key, expected }: Operation['conditions'][number]): string {
  return `${key} ${describeSeen(expected)}`;
}

function describeWrite(write: Write): string {
  if (write.kind === 'put') return `${write.key}:=${write.value}`;
  return write.kind === 'delete' ? `${write.key}:=${ABSENT}` : `${write.key}+=${write.delta}`;
}
