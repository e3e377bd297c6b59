/** What clients saw of a store: every call with the instants at which it was made and answered. */
import { describeOperation, describeOutcome, hasWritten } from './operation.ts';
import type { Operation, Outcome } from './operation.ts';

export interface Call {
  readonly client: number;
  readonly operation: Operation;
  /** Instants are the numbers 1, 2, 3, ... in the order in which things happened. */
  readonly calledAt: number;
  /**
   * `undefined`: never, as when the server was killed. Then the call has taken effect, or will at any time, or never.
   */
  readonly answeredAt: number | undefined;
  /** Of a call that was answered. */
  readonly outcome: Outcome | undefined;
}

/** How a call ended without an outcome: `unknown` if it may have had an effect, `none` if it surely had not. */
export type NoOutcome = 'unknown' | 'none';

/** Takes a history down while clients run. */
export class HistoryRecorder {
  readonly #calls = new Set<Call>();
  #instant = 0;

  /** In the order in which they were made. */
  get calls(): Call[] {
    return [...this.#calls].sort((a, b) => a.calledAt - b.calledAt);
  }

  /** @returns what `run` gives. While it has not, the call stands there as one without an answer. */
  async record(
    client: number,
    operation: Operation,
    run: () => Promise<Outcome | NoOutcome>,
  ): Promise<Outcome | NoOutcome> {
    const open: Call = {
      client,
      operation,
      calledAt: ++this.#instant,
      answeredAt: undefined,
      outcome: undefined,
    };
    this.#calls.add(open);
    const outcome = await run();
    if (outcome === 'unknown') return outcome;
    this.#calls.delete(open);
    if (outcome !== 'none') this.#calls.add({ ...open, answeredAt: ++this.#instant, outcome });
    return outcome;
  }
}

/** Whether a call had no effect, whenever it ran. */
export function isRead({ operation, outcome }: Call): boolean {
  return outcome === undefined ? operation.writes.length === 0 : !hasWritten(operation, outcome);
}

export function describeCall({ client, operation, calledAt, answeredAt, outcome }: Call): string {
  const span = `[${calledAt}, ${answeredAt ?? 'never'}]`;
  const answer = outcome === undefined ? 'no answer' : describeOutcome(outcome);
  return `client ${client}  ${span.padEnd(14)}  ${describeOperation(operation)}  ->  ${answer}`;
}
