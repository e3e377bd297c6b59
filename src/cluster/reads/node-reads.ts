/** What reads of a node may wait for: that they see all that was acknowledged, or a certain revision. */
import { StoreError } from '../../errors.ts';
import { cluster as limits } from '../../limits.ts';
import type { LogHead, SharedLog } from '../../shared-log/shared-log.ts';
import { SharedLogError } from '../../shared-log/shared-log-error.ts';
import type { JournalPlace } from '../../wal/journal.ts';
import { checkHasPlace } from '../journal/other-history.ts';
import { RisingNumber } from '../waits/rising-number.ts';
import { ReadBarrier } from './read-barrier.ts';
import { notWriterError, OvertakenError } from '../../wal/segments/overtaken.ts';

export interface NodeReadsParts {
  readonly sharedLog: SharedLog;
  /** Of the node's end. */
  readonly signal: AbortSignal;
  readonly place: JournalPlace;
  readonly visibleRevision: () => number;
  /** The newest head of this node as the writer; `undefined`: it is not. */
  readonly writerHead: () => LogHead | undefined;
  readonly onHead: (head: LogHead) => void;
  /** The log says that another node writes. */
  readonly onOvertaken: () => void;
}

export class NodeReads {
  readonly #parts: NodeReadsParts;
  readonly #position: RisingNumber;
  readonly #revision: RisingNumber;
  readonly #barrier: ReadBarrier<LogHead>;
  #place: JournalPlace;

  constructor(parts: NodeReadsParts) {
    this.#parts = parts;
    this.#place = parts.place;
    this.#position = new RisingNumber(parts.place.position);
    this.#revision = new RisingNumber(parts.visibleRevision());
    this.#barrier = new ReadBarrier(
      () => this.#ask(),
      (head) => this.#confirm(head),
    );
  }

  barrier(signal: AbortSignal | undefined): Promise<void> {
    return this.#barrier.wait(signal);
  }

  reached(revision: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#revision.reached(revision, signal);
  }

  /** Up to this place all is visible. */
  placed(place: JournalPlace): void {
    this.#place = place;
    this.#revision.riseTo(this.#parts.visibleRevision());
    this.#position.riseTo(place.position);
  }

  /** The node has ended. */
  fail(error: Error): void {
    const told = error instanceof StoreError ? error : endedError(error);
    this.#position.fail(told);
    this.#revision.fail(told);
  }

  async #ask(): Promise<LogHead> {
    const { sharedLog, signal, onHead } = this.#parts;
    try {
      const head = await sharedLog.head({ signal, timeoutMs: limits.barrierMsMax });
      onHead(head);
      return head;
    } catch (error) {
      if (signal.aborted) throw endedError(signal.reason as Error);
      if (!(error instanceof SharedLogError)) throw error;
      throw new StoreError(
        'notWriter',
        `whether this node has all that was written is not known, since the shared log does not say so (${error.message}); try again, or read what this node has, with consistency LOCAL (kelp get --consistency local)`,
        { writerAddress: '' },
        { cause: error },
      );
    }
  }

  /**
   * All that was acknowledged or shown by any node before the question lies up to the position of the answer. That holds for the writer too:
   * of a batch whose answer it has not heard yet, followers may have shown what is in it.
   */
  async #confirm(head: LogHead): Promise<void> {
    const { writerHead, onOvertaken } = this.#parts;
    const own = writerHead();
    if (own !== undefined && own.epoch <= head.epoch && own.nonce !== head.nonce) {
      onOvertaken();
      throw notWriterError('');
    }
    if (head.position === this.#place.position) checkHasPlace(head, this.#place);
    await this.#position.reached(head.position);
  }
}

function endedError(error: Error): StoreError {
  if (error instanceof OvertakenError) return notWriterError(error.writerAddress);
  return error instanceof StoreError ? error : notWriterError('');
}
