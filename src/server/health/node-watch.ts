/** Looks, a few times in a second, whether a node of a cluster is too far behind to be ready, which health tells, and the log. */
import type { Logger } from 'pino';
import type { NodeStatus } from '../../cluster/node.ts';
import { type Clock, type Timer } from '../../clock.ts';
import { cluster } from '../../limits.ts';
import type { ServerState } from './server-state.ts';

export interface NodeWatchParts {
  readonly state: ServerState;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly readyLagMs: number;
  /** For how long the shared log has not answered: by then it is not known how far behind the node is. */
  readonly logSilentMs: () => number;
}

export class NodeWatch {
  readonly #parts: NodeWatchParts;
  readonly #status: () => NodeStatus;
  #timer: Timer | undefined;
  #isBehind = false;

  /** Looks at once, and then until it is stopped. */
  constructor(parts: NodeWatchParts, status: () => NodeStatus) {
    this.#parts = parts;
    this.#status = status;
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#parts.state.setBehind(false);
  }

  #look(): void {
    this.#tellLag(this.#status());
    this.#timer = this.#parts.clock.setTimer(cluster.lagCheckMs, () => this.#look());
  }

  #tellLag({ lagMs, position, logPosition }: NodeStatus): void {
    const { state, logger, readyLagMs, logSilentMs } = this.#parts;
    const isBehind = lagMs > readyLagMs || logSilentMs() > readyLagMs;
    state.setBehind(isBehind);
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    if (isBehind) {
      const fields = { lagMs: Math.round(lagMs), readyLagMs, position, logPosition };
      logger.warn(
        fields,
        'this node is behind the shared log, or does not reach it, for longer than --ready-lag: it is not ready',
      );
    } else logger.info({ position }, 'this node is ready again');
  }
}
