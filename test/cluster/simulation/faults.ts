/** Faults put into nodes by hand: each breaks what a node must hold to, and the simulation must notice. */
import type { Role } from '../../../src/cluster/cluster-view.ts';
import type { ClusterNode, NodeReport, NodeStatus } from '../../../src/cluster/node.ts';
import type {
  LogBeginning,
  LogCall,
  LogHead,
  LogRecord,
  SharedLog,
} from '../../../src/shared-log/shared-log.ts';
import { cluster } from '../../../src/limits.ts';
import { recordBehind } from '../../../src/shared-log/record-format.ts';
import { SharedLogError } from '../../../src/shared-log/shared-log-error.ts';
import type { SimulatedNodeOptions } from './simulated-node.ts';

/** A shared log that hands all on, for one that does not. */
class PassingLog implements SharedLog {
  protected readonly log: SharedLog;

  constructor(log: SharedLog) {
    this.log = log;
  }

  init(storeId: Uint8Array, call?: LogCall): Promise<LogHead | 'exists'> {
    return this.log.init(storeId, call);
  }

  head(call?: LogCall): Promise<LogHead> {
    return this.log.head(call);
  }

  append(after: LogHead, bytes: Uint8Array, call?: LogCall): Promise<LogHead | 'fenced'> {
    return this.log.append(after, bytes, call);
  }

  takeOver(seen: LogHead, address: string, call?: LogCall): Promise<LogHead | 'lost'> {
    return this.log.takeOver(seen, address, call);
  }

  read(from: number, signal: AbortSignal): AsyncIterable<LogRecord> {
    return this.log.read(from, signal);
  }

  trim(before: number, call?: LogCall): Promise<void> {
    return this.log.trim(before, call);
  }

  beginning(call?: LogCall): Promise<LogBeginning> {
    return this.log.beginning(call);
  }

  close(): void {
    this.log.close();
  }
}

/** As if the batch were stored. */
function headBehind(after: LogHead, bytes: Uint8Array): LogHead {
  return recordBehind(after, { kind: 'batch', epoch: after.epoch, bytes }, after.nonce).head;
}

/** A batch counts as stored while it is still on its way, so that it comes into the cache and is acknowledged too early. */
class EarlyLog extends PassingLog {
  #before: Promise<unknown> = Promise.resolve();

  override append(after: LogHead, bytes: Uint8Array, call?: LogCall): Promise<LogHead | 'fenced'> {
    const copy = Uint8Array.from(bytes);
    this.#before = this.#before.then(() => this.log.append(after, copy, call)).catch(() => undefined);
    return Promise.resolve(headBehind(after, copy));
  }
}

/** A writer that was overtaken goes on as if it were not. */
class DeafLog extends PassingLog {
  override async append(after: LogHead, bytes: Uint8Array, call?: LogCall): Promise<LogHead | 'fenced'> {
    const stored = await this.log.append(after, bytes, call);
    return stored === 'fenced' ? headBehind(after, bytes) : stored;
  }
}

/** A batch of which the answer was not heard is put once more, at the next place. */
class ForgetfulLog extends PassingLog {
  override async append(after: LogHead, bytes: Uint8Array, call?: LogCall): Promise<LogHead | 'fenced'> {
    for (let place = after; ;) {
      try {
        return await this.log.append(place, bytes, { ...call, timeoutMs: 100 });
      } catch (error) {
        call?.signal?.throwIfAborted();
        if (!(error instanceof SharedLogError) || !error.mayHaveLanded) throw error;
        const head = await this.log.head(call);
        if (head.nonce !== after.nonce) return 'fenced';
        place = head;
      }
    }
  }
}

/** That the log does not answer is taken for the silence of the writer. */
class HopefulLog extends PassingLog {
  #seen: LogHead | undefined;

  override async head(call?: LogCall): Promise<LogHead> {
    // Reads ask as they should.
    if (call?.timeoutMs !== cluster.headMsMax) return this.log.head(call);
    try {
      this.#seen = await this.log.head({ ...call, timeoutMs: 100 });
    } catch (error) {
      if (this.#seen === undefined || call?.signal?.aborted === true) throw error;
    }
    return this.#seen;
  }
}

/** Trims what it has itself in a snapshot, whatever the others have. */
class HastyLog extends PassingLog {
  override async append(after: LogHead, bytes: Uint8Array, call?: LogCall): Promise<LogHead | 'fenced'> {
    const stored = await this.log.append(after, bytes, call);
    if (stored !== 'fenced' && stored.position % 20 === 0)
      void this.log.trim(stored.position - 1).catch(() => undefined);
    return stored;
  }
}

/** Reads see what the node has, without asking the log. */
class HastyNode implements ClusterNode {
  readonly isReadOnly = false;
  readonly #node: ClusterNode;

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  get role(): Role {
    return this.#node.role;
  }

  get writerAddress(): string {
    return this.#node.writerAddress;
  }

  get writerRedisAddress(): string {
    return this.#node.writerRedisAddress;
  }

  get ended(): Promise<Error> {
    return this.#node.ended;
  }

  readBarrier(): Promise<void> {
    return Promise.resolve();
  }

  reached(revision: number, signal?: AbortSignal): Promise<void> {
    return this.#node.reached(revision, signal);
  }

  status(): NodeStatus {
    return this.#node.status();
  }

  takeReport(report: NodeReport, nonce: string): void {
    this.#node.takeReport(report, nonce);
  }

  handOver(successorAddress?: string): Promise<void> {
    return this.#node.handOver(successorAddress);
  }

  close(): Promise<void> {
    return this.#node.close();
  }
}

/** Each breaks one rule. */
export const faults: Readonly<Record<string, Partial<SimulatedNodeOptions>>> = {
  'a read does not ask the log': {
    wrapNode: ({ store, node }) => ({ store, node: new HastyNode(node) }),
  },
  'a batch enters the cache before it is stored': { wrapLog: (log) => new EarlyLog(log) },
  'a writer does not look at its epoch': { wrapLog: (log) => new DeafLog(log) },
  'a batch is tried again at the next place': { wrapLog: (log) => new ForgetfulLog(log) },
  'the log is trimmed without two snapshots': { wrapLog: (log) => new HastyLog(log) },
};

/** For a run in which nothing happens but that the log stands still. */
export const countsSilence: Partial<SimulatedNodeOptions> = { wrapLog: (log) => new HopefulLog(log) };
