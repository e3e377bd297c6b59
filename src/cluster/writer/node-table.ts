/** The nodes that a writer knows: what each has reported last, and which of those that once did are silent. */
import type { Clock } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { NodeReport } from '../node.ts';

interface Known {
  readonly report: NodeReport;
  /** When it came, by the monotonic clock. */
  readonly atMs: number;
}

/** More nodes than this are no cluster: those that have been silent for longest are forgotten. */
const NODES_MAX = 64;

export class NodeTable {
  readonly #clock: Clock;
  readonly #knownByAddress = new Map<string, Known>();
  /** When a node was heard of for the first time, or again after it had been forgotten. */
  #newcomerAtMs = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(report: NodeReport): void {
    // The newest is the last.
    if (!this.#knownByAddress.delete(report.address)) this.#newcomerAtMs = this.#clock.monotonicMs();
    this.#knownByAddress.set(report.address, { report, atMs: this.#clock.monotonicMs() });
    const [oldest] = this.#knownByAddress.keys();
    if (this.#knownByAddress.size > NODES_MAX && oldest !== undefined) this.#knownByAddress.delete(oldest);
  }

  /** Of the nodes that were heard of of late, in the order of their addresses. */
  get live(): NodeReport[] {
    return this.#reports((known) => this.#isLive(known));
  }

  /**
   * Of the nodes whose snapshots are on their disks now, each on another one. A node that was heard of a while ago may have lost its
   * own, or have begun anew at another address: a new one counts, and has the others count again, when the old reports are over.
   */
  get covering(): NodeReport[] {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#newcomerAtMs < limits.newcomerMs) return [];
    return this.#reports(({ atMs }) => nowMs - atMs < limits.coverageMs);
  }

  /** The last of each that has fallen silent. */
  get silent(): NodeReport[] {
    return this.#reports((known) => !this.#isLive(known));
  }

  #reports(isWanted: (known: Known) => boolean): NodeReport[] {
    const reports = [...this.#knownByAddress.values()].filter(isWanted).map(({ report }) => report);
    return reports.sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  #isLive({ atMs }: Known): boolean {
    return this.#clock.monotonicMs() - atMs < limits.reportSilenceMs;
  }
}
