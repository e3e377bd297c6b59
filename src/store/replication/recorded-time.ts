/**
 * The time that durable records of a writer tell: a lower bound of what every other store shows that has all of them.
 *
 * Reads of the writer of a cluster hide what is overdue by this time, not by its clock. So a key that one of them leaves out is left out at
 * each follower, too, once that has come as far as the shared log had then: no client that goes from node to node sees a key come back.
 * A key is shown for a moment longer by that: until its removal, which is committed at its deadline, is durable.
 *
 *   committed         1 at 12:00:00.000   2 at 12:00:00.300   3 at 12:00:00.500
 *   durable           1                                       the time is 12:00:00.000
 *   durable           1, 2, 3                                 the time is 12:00:00.500
 */
export class RecordedTime {
  #ms: number;
  /** The time that is told by what lies up to a sequence of the log, once all of that is durable. */
  #mark = { sequence: 0, ms: 0 };

  /** @param ms that of the newest record, which is durable. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  get ms(): number {
    return this.#ms;
  }

  /** All up to `sequence` is durable. @param committed the newest record, and the time that it tells. */
  durable(sequence: number, committed: { readonly sequence: number; readonly ms: number }): void {
    if (committed.sequence <= sequence) this.#ms = committed.ms;
    else if (this.#mark.sequence > sequence) return;
    else this.#ms = Math.max(this.#ms, this.#mark.ms);
    this.#mark = committed;
  }
}
