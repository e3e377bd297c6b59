/**
 * What a history tells of revisions: which call has taken which, and what was seen of the keys as of which, by whomever
 * and whenever. Whoever sees a value sees the revision of its write too, and by that the revision of a write that was
 * never answered; what is left are revisions that nobody has claimed.
 *
 * Contradictions that show without any search are found here, each with the one or two calls that make it.
 */
import type { Call } from './history.ts';
import { ABSENT, describeSeen, hasWritten, merge, readRevisionOf } from './operation.ts';
import type { Operation, Seen, Version } from './operation.ts';

export interface Contradiction {
  readonly reason: string;
  readonly calls: readonly Call[];
}

interface Observation {
  readonly seen: Seen;
  readonly call: Call;
}

export class Evidence {
  /** The first that was found. */
  contradiction: Contradiction | undefined;
  readonly #callByRevision = new Map<number, Call>();
  readonly #revisionByOperation = new Map<Operation, number>();
  readonly #callByValue = new Map<string, Call>();
  readonly #counters = new Set<string>();
  /** By revision and key, with the call that has seen it. */
  readonly #seenByPlace = new Map<number, Map<string, Observation>>();

  constructor(calls: readonly Call[]) {
    for (const call of calls) this.#takeWrites(call);
    for (const call of calls) this.#takeOutcome(call);
    for (const call of calls) this.#takeSeen(call);
  }

  /** Of a call that was never answered, but seen. */
  revisionOf(operation: Operation): number | undefined {
    return this.#revisionByOperation.get(operation);
  }

  /**
   * Whether the revision may have been taken by a call that was neither answered nor seen. That may be one behind the newest
   * revision of which the history tells: of what a delete has done, a refusal shows no more than that the key is gone.
   */
  isUnclaimed(revision: number): boolean {
    return !this.#callByRevision.has(revision);
  }

  /** What was seen of the keys as of a revision. */
  seenAt(revision: number): Iterable<[string, Observation]> {
    return this.#seenByPlace.get(revision) ?? [];
  }

  #takeWrites(call: Call): void {
    for (const write of call.operation.writes) {
      if (write.kind === 'increment') this.#counters.add(write.key);
      if (write.kind !== 'put') continue;
      const name = nameOf(write.key, write.value);
      if (this.#callByValue.has(name))
        throw new Error(`${name} is written twice: a history must not do that`);
      this.#callByValue.set(name, call);
    }
  }

  #takeOutcome(call: Call): void {
    const { operation, outcome } = call;
    if (outcome?.revision === undefined || operation.pastRevision !== undefined) return;
    if (hasWritten(operation, outcome)) this.#claim(call, outcome.revision);
  }

  #takeSeen(call: Call): void {
    const { operation, outcome } = call;
    if (outcome === undefined) return;
    const readRevision = readRevisionOf(operation, outcome);
    for (const [key, seen] of outcome.seen) {
      if (readRevision !== undefined) this.#observe(call, readRevision, key, seen);
      if (seen === ABSENT) continue;
      const { modRevision } = seen;
      if (modRevision !== undefined) this.#observe(call, modRevision, key, seen);
      if (!this.#counters.has(key)) this.#takeVersion(call, key, seen);
    }
  }

  #observe(call: Call, revision: number, key: string, seen: Seen): void {
    const seenByKey = this.#seenByPlace.get(revision) ?? new Map<string, Observation>();
    this.#seenByPlace.set(revision, seenByKey);
    const before = seenByKey.get(key);
    const merged = before === undefined ? seen : merge(before.seen, seen);
    if (merged !== undefined) {
      seenByKey.set(key, { seen: merged, call });
    } else if (before !== undefined) {
      const both = `${describeSeen(before.seen)} and as ${describeSeen(seen)}`;
      this.#contradict(`as of revision ${revision} ${key} is seen as ${both}`, before.call, call);
    }
  }

  /** Counters come to the same number again and again, other values are written once. */
  #takeVersion(reader: Call, key: string, { value, modRevision }: Version): void {
    if (value === undefined) return;
    const name = nameOf(key, value);
    const writer = this.#callByValue.get(name);
    if (writer === undefined) {
      this.#contradict(`nobody has ever written ${name}`, reader);
    } else if (writer.outcome !== undefined && !hasWritten(writer.operation, writer.outcome)) {
      this.#contradict(`${name} was refused, and is seen`, writer, reader);
    } else if (modRevision !== undefined) {
      const written = writer.outcome?.revision ?? this.revisionOf(writer.operation);
      if (written === undefined) this.#claim(writer, modRevision);
      else if (written !== modRevision)
        this.#contradict(`${name} is of revision ${written} and of ${modRevision}`, writer, reader);
    }
  }

  #claim(call: Call, revision: number): void {
    const other = this.#callByRevision.get(revision);
    if (other !== undefined) this.#contradict(`two writes have taken revision ${revision}`, other, call);
    this.#callByRevision.set(revision, call);
    if (call.outcome === undefined) this.#revisionByOperation.set(call.operation, revision);
  }

  #contradict(reason: string, ...calls: Call[]): void {
    this.contradiction ??= { reason, calls };
  }
}

function nameOf(key: string, value: string): string {
  return `${key} = ${value}`;
}
