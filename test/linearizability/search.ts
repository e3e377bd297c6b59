/**
 * Is there an order of all calls, each at one instant between its call and its answer, in which a store that runs one
 * call after the other gives these answers?
 *
 * The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with what Lowe added ("Testing
 * for Linearizability", 2017): it goes through the history from its beginning, puts a call in its place no earlier than
 * an answer asks for it, follows the first way that opens, turns back where an answer has no explanation, and goes on
 * from each configuration (the state and the calls that have had their effect) once. A read that agrees with the state
 * is put in its place at once: as it changes nothing, it can't be in anybody's way.
 */
import { Configurations } from './configurations.ts';
import type { Configuration } from './configurations.ts';
import { isRead } from './history.ts';
import type { Call } from './history.ts';
import { describeOperation } from './operation.ts';
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
    /** At each event: the configurations that were there. */
    const reached = this.#events.map(() => new Configurations());
    const ways: { readonly index: number; readonly configuration: Configuration }[] = [
      { index: 0, configuration: { state: root, done: [], doneUnanswered: [] } },
    ];
    let farthest = 0;
    for (let way = ways.pop(); way !== undefined && this.#stepsLeft >= 0; way = ways.pop()) {
      const { index } = way;
      const event = this.#events[index];
      if (event === undefined) return { kind: 'linearizable' };
      farthest = Math.max(farthest, index);
      const next = this.#pass(event, way.configuration).filter(
        (configuration) => reached[index + 1]?.add(configuration) !== false,
      );
      // The way that needs the fewest of the calls that may not have happened is the first to be followed.
      next.sort((a, b) => b.doneUnanswered.length - a.doneUnanswered.length);
      for (const configuration of next) ways.push({ index: index + 1, configuration });
    }
    return {
      kind: this.#stepsLeft < 0 ? 'undecided' : 'impossible',
      answeredAt: this.#events[farthest]?.instant ?? 0,
      states: new Set(reached[farthest]?.all().map(({ state }) => state)),
      fitting: this.#fitting,
    };
  }

  /** @returns the ways to go on. */
  #pass(event: Event, configuration: Configuration): Configuration[] {
    if (event.isAnswer) return this.#answer(event, configuration);
    return [isRead(event.call) ? this.#placeReads(configuration, event.open) : configuration];
  }

  /** The configurations in which the call has had its effect, which it must have by now. */
  #answer({ number, call, open }: Event, configuration: Configuration): Configuration[] {
    const answered = new Configurations();
    const tried = new Configurations();
    const left: Configuration[] = [];
    const reach = (configuration: Configuration): void => {
      if (configuration.done.includes(number)) {
        answered.add({ ...configuration, done: configuration.done.filter((other) => other !== number) });
      } else if (tried.add(configuration)) {
        left.push(configuration);
        if (call.calledAt < this.#startsAt) answered.add(configuration);
      }
    };
    reach(configuration);
    for (let next = left.pop(); next !== undefined && this.#stepsLeft >= 0; next = left.pop()) {
      for (const other of open) {
        const after = this.#place(next, other);
        if (after !== undefined) reach(this.#placeReads(after, open));
      }
    }
    return answered.all();
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
      const call = this.#calls[number];
      if (call === undefined || !isRead(call)) continue;
      const after = this.#place(placed, number);
      // In a state that is not wholly known a read may teach something; then it matters where it stands.
      if (after?.state === placed.state) placed = after;
    }
    return placed;
  }
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
