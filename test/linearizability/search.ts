/**
 * Is there an order of all calls, each at one instant between its call and its answer, in which a store that runs one
 * call after the other gives these answers?
 *
 * The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with what Lowe added ("Testing
 * for Linearizability", 2017): it goes through the history from its beginning, puts a call in its place no earlier than
 * an answer asks for it, follows the first way that opens, turns back where an answer has no explanation, and goes on
 * from each configuration (the state and the calls that have had their effect) once. A read that agrees with the state
 * is put in its place at once: as it changes nothing, it can't be in anybody's way.
 *
 * Calls that were never answered are what makes histories long to judge: each may stand anywhere behind its call, or
 * nowhere. They are tried only where a later answer asks for more than the state shows, and only as long as anything
 * under way may still lead there.
 */
import { Configurations } from './configurations.ts';
import type { Configuration } from './configurations.ts';
import { isRead } from './history.ts';
import type { Call } from './history.ts';
import { describeOperation } from './operation.ts';
import { isLastChance, mayComeToFit } from './prospects.ts';
import type { State, StoreModel } from './store-model.ts';

/** The calls that are tried in some state before the search gives up, which takes it some seconds. */
const STEPS_MAX = 500_000;

export type Verdict = { readonly kind: 'linearizable' } | Rejected;

export interface Rejected {
  /** Every way was tried; or there are too many. */
  readonly kind: 'impossible' | 'undecided';
  /** When the call was answered that no way has come past. Of what is impossible, the first that no order explains. */
  readonly answeredAt: number;
  /** In what states the store may have been just before. */
  readonly states: ReadonlySet<State>;
  /** Calls that had a place in some order that was tried. */
  readonly fitting: ReadonlySet<Call>;
}

/**
 * @param calls in the order in which they were made.
 * @param root the state at the instant `startsAt`; calls that were made before may have had their effect before too.
 */
export function searchOrder(
  model: StoreModel,
  calls: readonly Call[],
  root: State,
  { startsAt = 0, endsAt = Infinity, stepsMax = STEPS_MAX } = {},
): Verdict {
  return new Search(model, calls, startsAt, endsAt, stepsMax).run(root);
}

interface Event {
  readonly instant: number;
  readonly number: number;
  readonly call: Call;
  readonly isAnswer: boolean;
  /** The numbers of the calls under way, this one included. */
  readonly open: readonly number[];
}

/** A configuration in which the events before the index are over. */
interface Way {
  readonly index: number;
  readonly configuration: Configuration;
}

class Search {
  readonly #model: StoreModel;
  readonly #calls: readonly Call[];
  readonly #events: readonly Event[];
  readonly #startsAt: number;
  readonly #fitting = new Set<Call>();
  /** Of a call that is never answered: an earlier one that does the same. It is tried first; the other order gives nothing new. */
  readonly #precursors: ReadonlyMap<number, number>;
  #stepsLeft: number;

  constructor(model: StoreModel, calls: readonly Call[], startsAt: number, endsAt: number, stepsMax: number) {
    this.#model = model;
    this.#calls = calls;
    this.#events = eventsOf(calls, endsAt);
    this.#startsAt = startsAt;
    this.#precursors = precursorsOf(calls);
    this.#stepsLeft = stepsMax;
  }

  run(root: State): Verdict {
    /** By event: the states in which it came, and all configurations from which a way past it was looked for. */
    const states = this.#events.map(() => new Set<State>());
    const reached = this.#events.map(() => new Configurations());
    const ways: Way[] = [{ index: 0, configuration: { state: root, done: [], doneUnanswered: [] } }];
    let farthest = 0;
    for (let way = ways.pop(); way !== undefined && this.#stepsLeft >= 0; way = ways.pop()) {
      const event = this.#events[way.index];
      if (event === undefined) return { kind: 'linearizable' };
      farthest = Math.max(farthest, way.index);
      for (const next of this.#goOn(event, way).sort(byPreference)) {
        if (next.index > way.index) states[next.index]?.add(next.configuration.state);
        if (reached[next.index]?.add(next.configuration) !== false) ways.push(next);
      }
    }
    return {
      kind: this.#stepsLeft < 0 ? 'undecided' : 'impossible',
      answeredAt: this.#events[farthest]?.instant ?? 0,
      states: states[farthest] ?? new Set(),
      fitting: this.#fitting,
    };
  }

  /** @returns the ways past the event, or one call nearer to that. */
  #goOn(event: Event, { index, configuration }: Way): Way[] {
    const { number, call, open } = event;
    if (!event.isAnswer) {
      const after = isRead(call) ? this.#placeReads(configuration, open) : configuration;
      return [{ index: index + 1, configuration: after }];
    }
    const past = (configuration: Configuration): Way => ({
      index: index + 1,
      configuration: { ...configuration, done: configuration.done.filter((other) => other !== number) },
    });
    // By now the call must have had its effect.
    if (configuration.done.includes(number)) return [past(configuration)];
    const ways = call.calledAt < this.#startsAt ? [past(configuration)] : [];
    for (const next of this.#worthPlacing(event, configuration)) {
      const after = this.#place(configuration, next);
      if (after === undefined) continue;
      const placed = this.#placeReads(after, open);
      ways.push(placed.done.includes(number) ? past(placed) : { index, configuration: placed });
    }
    return ways;
  }

  /** The calls of which one may come next when this one has to have its effect; none where nothing leads there. */
  #worthPlacing(
    { number, call, open }: Event,
    { state, done, doneUnanswered }: Configuration,
  ): readonly number[] {
    const others = open.filter(
      (other) => other !== number && !done.includes(other) && !doneUnanswered.includes(other),
    );
    // Of a state that is not wholly known the others may still read what the call overwrites.
    if (isLastChance(state, call)) return [number, ...others.filter((other) => this.#isRead(other))];
    const otherCalls = others.flatMap((other) => this.#calls[other] ?? []);
    return mayComeToFit(state, call, otherCalls) ? [number, ...others] : [];
  }

  /** @returns `undefined` when the call has been placed before or has no place here. */
  #place({ state, done, doneUnanswered }: Configuration, number: number): Configuration | undefined {
    const call = this.#calls[number];
    if (call === undefined || done.includes(number) || doneUnanswered.includes(number)) return undefined;
    const precursor = this.#precursors.get(number);
    if (precursor !== undefined && !doneUnanswered.includes(precursor)) return undefined;
    const { operation, outcome } = call;
    if (outcome === undefined && !this.#model.mayComeNext(state, operation)) return undefined;
    this.#stepsLeft--;
    const after = this.#model.step(state, operation, outcome);
    if (after === undefined) return undefined;
    this.#fitting.add(call);
    return outcome === undefined
      ? { state: after, done, doneUnanswered: insert(doneUnanswered, number) }
      : { state: after, done: insert(done, number), doneUnanswered };
  }

  #placeReads(configuration: Configuration, open: readonly number[]): Configuration {
    let placed = configuration;
    for (const number of open) {
      if (!this.#isRead(number)) continue;
      const after = this.#place(placed, number);
      // In a state that is not wholly known a read may teach something; then it matters where it stands.
      if (after?.state === placed.state) placed = after;
    }
    return placed;
  }

  #isRead(number: number): boolean {
    const call = this.#calls[number];
    return call !== undefined && isRead(call);
  }
}

/** What comes past the event stands last, and of that what needs the fewest of the calls that may not have happened. */
function byPreference(a: Way, b: Way): number {
  return a.index - b.index || b.configuration.doneUnanswered.length - a.configuration.doneUnanswered.length;
}

/** Reads that were never answered say nothing. */
function eventsOf(calls: readonly Call[], endsAt: number): Event[] {
  const instants: Omit<Event, 'open'>[] = [];
  for (const [number, call] of calls.entries()) {
    const { calledAt, answeredAt } = call;
    if (answeredAt === undefined && isRead(call)) continue;
    instants.push({ instant: calledAt, number, call, isAnswer: false });
    if (answeredAt !== undefined) instants.push({ instant: answeredAt, number, call, isAnswer: true });
  }
  instants.sort((a, b) => a.instant - b.instant);
  const events: Event[] = [];
  const open = new Set<number>();
  for (const event of instants) {
    if (event.instant > endsAt) break;
    open.add(event.number);
    events.push({ ...event, open: [...open] });
    if (event.isAnswer) open.delete(event.number);
  }
  return events;
}

function precursorsOf(calls: readonly Call[]): Map<number, number> {
  const precursors = new Map<number, number>();
  const newestByEffect = new Map<string, number>();
  for (const [number, { operation, answeredAt }] of calls.entries()) {
    if (answeredAt !== undefined) continue;
    const effect = describeOperation(operation);
    const precursor = newestByEffect.get(effect);
    if (precursor !== undefined) precursors.set(number, precursor);
    newestByEffect.set(effect, number);
  }
  return precursors;
}

/** Into numbers in ascending order. */
function insert(numbers: readonly number[], number: number): number[] {
  const index = numbers.findIndex((other) => other > number);
  return numbers.toSpliced(index < 0 ? numbers.length : index, 0, number);
}
