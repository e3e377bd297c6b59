/**
 * What the server can do now, as health checks, probes and calls see it.
 *
 *     recovering --> serving --> readOnly
 *      ^   |            |           |  |
 *      |   +------------+-----------+--|-> stopping
 *      +---------- reopen -------------+
 *
 * A node of a cluster comes back to `recovering` when its store is opened again. Beside the phase stands whether a node is too far
 * behind: it serves, but is not ready for more clients.
 */
import { type CallError, recoveringError, stoppingError } from '../calls/call-error.ts';
import type { RecoveryProgress } from '../../store/recovery/recovery-context.ts';

export type ServerPhase =
  /** The listener is open, the store is not yet: data calls are UNAVAILABLE. */
  | 'recovering'
  /** All calls are served. */
  | 'serving'
  /** A write or flush failed: reads are served, writes are UNAVAILABLE until the server is started again. */
  | 'readOnly'
  /** No new data call is taken; those under way finish. */
  | 'stopping';

export class ServerState {
  #phase: ServerPhase = 'recovering';
  #recovery: RecoveryProgress | undefined;
  #isBehind = false;
  readonly #listeners = new Set<() => void>();

  get phase(): ServerPhase {
    return this.#phase;
  }

  /** Whether reads and writes are served. */
  get isServing(): boolean {
    return this.#phase === 'serving';
  }

  /** Whether clients should come here: for probes. */
  get isReady(): boolean {
    return this.readiness === 'serving';
  }

  /** The phase, or `behind`: the server is a node of a cluster, and further behind than it may be. */
  get readiness(): ServerPhase | 'behind' {
    return this.isServing && this.#isBehind ? 'behind' : this.#phase;
  }

  /** `undefined` before the first report and once recovered. */
  get recovery(): RecoveryProgress | undefined {
    return this.#recovery;
  }

  reportRecovery(progress: RecoveryProgress): void {
    if (this.#phase === 'recovering') this.#recovery = progress;
  }

  /** Moves on to a later phase; a step back, as when a store fails while the server stops, changes nothing. */
  enter(phase: ServerPhase): void {
    if (rank[phase] <= rank[this.#phase]) return;
    this.#set(phase);
  }

  /** The store is closed, to be opened again. Changes nothing once the server stops. */
  reopen(): void {
    if (this.#phase !== 'stopping') this.#set('recovering');
  }

  setBehind(isBehind: boolean): void {
    if (this.#isBehind === isBehind) return;
    this.#isBehind = isBehind;
    for (const listener of this.#listeners) listener();
  }

  #set(phase: ServerPhase): void {
    this.#phase = phase;
    this.#recovery = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

const rank: Readonly<Record<ServerPhase, number>> = { recovering: 0, serving: 1, readOnly: 2, stopping: 3 };

/** What a call that needs the store is refused with in this phase; `undefined`: it is served. */
export function refusalIn({ phase }: ServerState): CallError | undefined {
  if (phase === 'recovering') return recoveringError();
  if (phase === 'stopping') return stoppingError();
  return undefined;
}
