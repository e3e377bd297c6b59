/**
 * Whether a call that does not fit a state can still come to fit it, by what is under way. This looks at each key by
 * itself and forgets that one write is in the way of another: it says no only where no order at all leads there, and
 * takes a time that grows with the number of calls under way and not with that of their orders.
 */
import type { Call } from './history.ts';
import { ABSENT, readRevisionOf } from './operation.ts';
import type { Seen } from './operation.ts';
import { cellOf, learn } from './store-model.ts';
import type { State } from './store-model.ts';

/** Whether a call must come before the next write, by the revision that its answer tells. */
export function isLastChance({ revision }: State, { operation, outcome }: Call): boolean {
  if (revision === undefined || outcome === undefined) return false;
  const { pastRevision } = operation;
  if (pastRevision !== undefined) return !outcome.isMet && revision >= pastRevision - 1;
  return revision >= (readRevisionOf(operation, outcome) ?? Infinity);
}

/** @param others the calls that may have their effect before. */
export function mayComeToFit(state: State, call: Call, others: readonly Call[]): boolean {
  const prospects = new Prospects(state);
  let left = others;
  let countBefore = Infinity;
  while (!prospects.mayRun(call) && left.length < countBefore) {
    countBefore = left.length;
    left = left.filter((other) => {
      const mayRun = prospects.mayRun(other);
      if (mayRun) prospects.run(other);
      return !mayRun;
    });
  }
  return prospects.mayRun(call);
}

/** What may become of the keys of a state. */
class Prospects {
  readonly #state: State;
  readonly #mayBeDeleted = new Set<string>();
  readonly #mayBeWritten = new Set<string>();

  constructor(state: State) {
    this.#state = state;
  }

  mayRun({ operation, outcome }: Call): boolean {
    const conditions = outcome?.isMet === false ? [] : operation.conditions;
    return (
      conditions.every(({ key, expected }) => this.#mayBe(key, expected)) &&
      [...(outcome?.seen ?? [])].every(([key, seen]) => this.#mayBe(key, seen))
    );
  }

  run({ operation }: Call): void {
    for (const { kind, key } of operation.writes)
      (kind === 'delete' ? this.#mayBeDeleted : this.#mayBeWritten).add(key);
  }

  #mayBe(key: string, seen: Seen): boolean {
    if (learn(cellOf(this.#state, key), seen) !== undefined) return true;
    if (seen === ABSENT) return this.#mayBeDeleted.has(key);
    // A version that is not there any more never comes back.
    const { revision = 0 } = this.#state;
    return (seen.modRevision ?? Infinity) > revision && this.#mayBeWritten.has(key);
  }
}
