/**
 * Calls of an engine that a test has made, to be made again of another one, which does what it does in promises in between. What they
 * answer is not kept: `MirrorEngine` holds it against a model.
 */
import { assert } from '../../../../src/errors.ts';
import type { Engine, Walk } from '../../../../src/engine/engine.ts';

/** What a call was made again of. */
export interface CalledAgain {
  readonly engine: Engine;
  /** Those that are open, by their numbers; a walk that has come to its end shows nothing more. */
  readonly walks: Map<number, WalkAgain>;
}

export interface WalkAgain {
  readonly walk: Walk;
  isAtEnd: boolean;
}

export interface RecordedCall {
  readonly name: string;
  /** The first revision that it applies; 0: it applies nothing. */
  readonly appliedRevision: number;
  /** The revision that it reads; Infinity: none but the newest. */
  readonly readRevision: number;
  /** What was shown, and what the visitor did then. */
  readonly visits: RecordedVisit[];
  /** Whether it was refused, for a broken invariant. */
  isRefused: boolean;
  again(called: CalledAgain): void;
}

export interface RecordedVisit {
  readonly calls: readonly RecordedCall[];
  /** Whether the visitor wanted more. */
  readonly goesOn: boolean;
}

export function callAgain(call: RecordedCall, called: CalledAgain): void {
  if (!call.isRefused) {
    call.again(called);
    return;
  }
  let refusal: Error | undefined;
  try {
    call.again(called);
  } catch (error) {
    refusal = errorOf(error);
  }
  if (refusal === undefined) throw new Error(`${call.name} is not refused`);
  if (!refusal.message.includes('broken invariant')) throw refusal;
}

export function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The lowest revision that a call reads, those of its visitor among them; what is refused reads nothing. */
export function lowestRead(call: RecordedCall): number {
  if (call.isRefused) return Infinity;
  const ofVisits = call.visits.flatMap(({ calls }) => calls.map(lowestRead));
  return Math.min(call.readRevision, ...ofVisits);
}

/** A visitor that does again what the recorded one did, and does not let itself be called once it has had enough. */
export class VisitorAgain {
  readonly #visits: readonly RecordedVisit[];
  readonly #called: CalledAgain;
  #count = 0;
  #isStopped = false;

  constructor(visits: readonly RecordedVisit[], called: CalledAgain) {
    this.#visits = visits;
    this.#called = called;
  }

  /** Whether the recorded one was shown more. */
  get lacks(): boolean {
    return !this.#isStopped && this.#count < this.#visits.length;
  }

  /** @returns whether it wants more. */
  visit(): boolean {
    assert(!this.#isStopped, 'a visitor that has had enough is shown nothing more');
    const visit = this.#visits[this.#count++];
    for (const call of visit?.calls ?? []) callAgain(call, this.#called);
    this.#isStopped = visit?.goesOn === false;
    return !this.#isStopped;
  }

  /** For the rest of what the recorded one was shown. */
  visitRest(): boolean {
    return this.visit() && this.lacks;
  }
}
