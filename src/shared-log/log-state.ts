/** What was found in the storage, checked: is it the log of this store, and no older than it has been? */
import { decodeHead, hexOf } from './head-format.ts';
import type { LogHead } from './shared-log.ts';
import { SharedLogError } from './shared-log-error.ts';

/** How far the log is known to be. */
export interface Reached {
  readonly epoch: number;
  readonly position: number;
  /** Of the record at that position. */
  readonly checksum: number;
}

export class LogState {
  #storeId: Uint8Array | undefined;
  #reached: Reached = { epoch: 0, position: 0, checksum: 0 };
  /** It stays so: a log that was set back grows, and would be where it has been before. */
  #wentBack: SharedLogError | undefined;

  /** @param storeId that the log must have; left out: that of the head that is seen first. */
  constructor(storeId: Uint8Array | undefined) {
    this.#storeId = storeId;
  }

  /** To be asked before a call and given back with its answer: calls that go on together are answered in any order. */
  get reached(): Reached {
    return this.#reached;
  }

  /** @throws SharedLogError `notInitialized`, `otherStore`, `wentBack`, `damaged` */
  headOf(bytes: Uint8Array | undefined, reached: Reached): LogHead {
    if (bytes === undefined) {
      const { epoch, position } = this.#reached;
      const was =
        position === 0 ? '' : `; it was at position ${position} of epoch ${epoch}, so it has been wiped`;
      throw new SharedLogError('notInitialized', `there is no shared log at this place${was}`);
    }
    const head = decodeHead(bytes);
    this.#checkStore(head);
    if (isBehind(head, reached)) this.#wentBack ??= wentBack(head, reached);
    if (this.#wentBack !== undefined) throw this.#wentBack;
    this.learn(head);
    return head;
  }

  /**
   * The log has had this head, as it said itself.
   * @throws SharedLogError `otherStore`
   */
  learn(head: LogHead): void {
    this.#checkStore(head);
    const { epoch, position, checksum } = this.#reached;
    this.#reached = {
      epoch: Math.max(epoch, head.epoch),
      position: Math.max(position, head.position),
      checksum: head.position > position ? head.checksum : checksum,
    };
  }

  #checkStore({ storeId }: LogHead): void {
    this.#storeId ??= storeId;
    if (Buffer.compare(storeId, this.#storeId) === 0) return;
    throw new SharedLogError(
      'otherStore',
      `the shared log is that of the store ${hexOf(storeId)}, not of ${hexOf(this.#storeId)}`,
    );
  }
}

type Placed = Omit<Reached, 'checksum'>;

export function wentBack(head: Placed, reached: Placed): SharedLogError {
  return new SharedLogError(
    'wentBack',
    `the shared log is at position ${head.position} of epoch ${head.epoch}, but has been at ${reached.position} of ` +
      `${reached.epoch}${head.position === reached.position ? ', with another record there' : ''}: was an older copy of it brought back?`,
  );
}

/** Neither ever falls, a higher epoch is at a higher position, and a record never changes. */
function isBehind(one: Reached, other: Reached): boolean {
  const isOther = one.position === other.position && one.checksum !== other.checksum;
  return isOther || one.epoch < other.epoch || one.position < other.position;
}
