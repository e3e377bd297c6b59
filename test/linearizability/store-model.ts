/**
 * The store as a sequential object, one call at a time. It knows as much of itself as it was told: from an empty store
 * on, everything; from a moment in the midst of a history, what the answers since then have shown. What is not known
 * agrees with every answer and is known from then on.
 *
 * Whatever was seen as of a revision, be it later or by a read of the past, must be so when that revision is reached.
 * So a state need not remember those before it.
 */
import type { Evidence } from './evidence.ts';
import { ABSENT, describeSeen, lastWrites, merge } from './operation.ts';
import type { Operation, Outcome, Seen } from './operation.ts';

const UNKNOWN = 'unknown';

type Cell = typeof UNKNOWN | Seen;

/** Made by the model only: equal states are the same object. */
export interface State {
  readonly id: number;
  /** `undefined`: not known. */
  readonly revision: number | undefined;
  readonly cellByKey: ReadonlyMap<string, Cell>;
  /** What holds for keys without a cell. */
  readonly otherwise: Cell;
}

export class StoreModel {
  readonly #evidence: Evidence;
  readonly #stateByText = new Map<string, State>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  /** A new store. */
  empty(): State {
    return this.#state(0, new Map(), ABSENT);
  }

  /** A new store, for answers from which the revisions were taken. */
  emptyWithoutRevision(): State {
    return this.#state(undefined, new Map(), ABSENT);
  }

  /** Any store at all. */
  unknown(): State {
    return this.#state(undefined, new Map(), UNKNOWN);
  }

  /** Whether a call that was never answered may have taken the revision that follows. */
  mayComeNext({ revision }: State, operation: Operation): boolean {
    if (revision === undefined) return true;
    const taken = this.#evidence.revisionOf(operation);
    return taken === undefined ? this.#evidence.isUnclaimed(revision + 1) : taken === revision + 1;
  }

  /**
   * @param outcome `undefined` when there was no answer; then `mayComeNext` must be true.
   * @returns the state afterwards; `undefined` when the call can't have this outcome in this state, or when there was no
   * answer and it would have had no effect.
   */
  step(state: State, operation: Operation, outcome: Outcome | undefined): State | undefined {
    if (operation.pastRevision !== undefined) return hasPast(state, operation, outcome) ? state : undefined;
    const isMet = outcome?.isMet ?? true;
    const { conditions } = operation;
    if (!isMet && conditions.every(({ key, expected }) => isKnownToHold(cellOf(state, key), expected))) {
      return undefined;
    }
    let learned: State | undefined = state;
    if (isMet) for (const { key, expected } of conditions) learned = this.#learn(learned, key, expected);
    for (const [key, seen] of outcome?.seen ?? []) learned = this.#learn(learned, key, seen);
    if (learned === undefined) return undefined;
    const hasWritten = isMet && isWriting(learned, operation);
    const revision = outcome === undefined ? this.#evidence.revisionOf(operation) : outcome.revision;
    learned = this.#learnRevision(learned, revision === undefined || !hasWritten ? revision : revision - 1);
    if (learned === undefined) return undefined;
    const nextRevision = learned.revision === undefined ? undefined : learned.revision + 1;
    // Also of writes that undo each other: what their increments have told must be right.
    const cellByKey = cellsAfter(learned, operation, outcome, nextRevision);
    if (cellByKey === undefined) return undefined;
    if (!hasWritten) return outcome === undefined ? undefined : learned;
    return this.#reach(this.#state(nextRevision, cellByKey, learned.otherwise));
  }

  #learn(state: State | undefined, key: string, seen: Seen): State | undefined {
    if (state === undefined) return undefined;
    const cell = cellOf(state, key);
    const learned = learn(cell, seen);
    if (learned === undefined || learned === cell) return learned && state;
    return this.#state(state.revision, new Map(state.cellByKey).set(key, learned), state.otherwise);
  }

  #learnRevision(state: State, revision: number | undefined): State | undefined {
    if (revision === undefined || revision === state.revision) return state;
    if (state.revision !== undefined) return undefined;
    return this.#reach(this.#state(revision, state.cellByKey, state.otherwise));
  }

  /** @returns the state with what anybody has seen of this revision. */
  #reach(state: State): State | undefined {
    if (state.revision === undefined) return state;
    let reached: State | undefined = state;
    for (const [key, { seen }] of this.#evidence.seenAt(state.revision))
      reached = this.#learn(reached, key, seen);
    return reached;
  }

  #state(revision: number | undefined, cellByKey: ReadonlyMap<string, Cell>, otherwise: Cell): State {
    const cells = [...cellByKey].map(([key, cell]) => `${key} ${describeCell(cell)}`).sort();
    const text = `${revision} ${describeCell(otherwise)} ${cells.join()}`;
    let state = this.#stateByText.get(text);
    if (state === undefined) {
      state = { id: this.#stateByText.size, revision, cellByKey, otherwise };
      this.#stateByText.set(text, state);
    }
    return state;
  }
}

export function describeState({ revision, cellByKey, otherwise }: State): string {
  const cells = [...cellByKey].sort(([a], [b]) => (a < b ? -1 : 1));
  const keys = cells.map(([key, cell]) => `${key} ${describeCell(cell)}`);
  return [`revision ${revision ?? UNKNOWN}`, ...keys, `all else ${describeCell(otherwise)}`].join(', ');
}

function describeCell(cell: Cell): string {
  return cell === UNKNOWN ? UNKNOWN : describeSeen(cell);
}

export function cellOf(state: State, key: string): Cell {
  return state.cellByKey.get(key) ?? state.otherwise;
}

/** @returns the cells that its writes leave; `undefined` when an increment can't have come to what the outcome tells. */
function cellsAfter(
  state: State,
  { writes }: Operation,
  outcome: Outcome | undefined,
  revision: number | undefined,
): Map<string, Cell> | undefined {
  const cellByKey = new Map(state.cellByKey);
  if (outcome?.isMet === false) return cellByKey;
  const lastIncrements = lastWrites(writes.filter(({ kind }) => kind === 'increment'));
  for (const write of writes) {
    const { key } = write;
    if (write.kind === 'delete') cellByKey.set(key, ABSENT);
    else if (write.kind === 'put') cellByKey.set(key, { value: write.value, modRevision: revision });
    else {
      const sum = add(cellByKey.get(key) ?? state.otherwise, write.delta);
      const told = lastIncrements.includes(write) ? outcome?.sums.get(key) : undefined;
      if (sum !== undefined && told !== undefined && sum !== told) return undefined;
      cellByKey.set(key, { value: sum ?? told, modRevision: revision });
    }
  }
  return cellByKey;
}

/** Whether it would take a revision. */
function isWriting(state: State, { writes }: Operation): boolean {
  return lastWrites(writes).some(({ kind, key }) => kind !== 'delete' || cellOf(state, key) !== ABSENT);
}

/** Whether the revision that the call reads is there, if the call says so; what it shows is known when it is reached. */
function hasPast(
  { revision }: State,
  { pastRevision = 0 }: Operation,
  outcome: Outcome | undefined,
): boolean {
  if (outcome?.isMet === false) return revision === undefined || revision < pastRevision;
  return outcome?.revision === pastRevision && (revision === undefined || revision >= pastRevision);
}

/** What is known of a key once this was seen of it, the same object if that is no more; `undefined`: not both hold. */
export function learn(cell: Cell, seen: Seen): Cell | undefined {
  return cell === UNKNOWN ? seen : merge(cell, seen);
}

function isKnownToHold(cell: Cell, expected: Seen): boolean {
  return cell !== UNKNOWN && learn(cell, expected) === cell;
}

/** As text; `undefined` when the number is not known. */
function add(cell: Cell, delta: number): string | undefined {
  if (cell === ABSENT) return String(delta);
  if (cell === UNKNOWN || cell.value === undefined) return undefined;
  return String(Number(cell.value) + delta);
}
