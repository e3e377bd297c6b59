/**
 * How a call of the store waits for memory that a checkpoint gives back (`store/commit/room-gate.ts`): it is decided again with
 * what it was called with, of which it has copies by then. What ends its caller ends the wait, and the call has changed nothing.
 *
 * A program that has the store in its process is one caller, whose calls take effect in their order: while one of them waits, those that
 * it makes wait behind it, but for reads. Doors have many callers, who do not wait for each other.
 */
import { NoRoomYetError } from '../../errors.ts';
import { fixed } from '../../limits.ts';
import { RoomWait } from '../../store/commit/room-gate.ts';
import type { DurableStore } from '../../store/durable-store.ts';

/** Whom a call is for that may have to wait: one of many callers. A call without is of the program that has opened the store. */
export interface CallOwner {
  /** Rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** The call waits, and is decided anew: what it has charged for its reply is given back. */
  releaseReply?(): void;
}

export interface WaitingCall {
  readonly owner: CallOwner | undefined;
  /** Copies what its caller may change. */
  keep(): void;
  /** @param wait what it has waited with. */
  decideAgain(store: DurableStore, wait: CallWait): void;
  /** Its owner is gone. */
  reject(reason: unknown): void;
}

/** Of a call with a promise. */
export class CallWait extends RoomWait {
  readonly #store: DurableStore;
  readonly #call: WaitingCall;

  constructor(store: DurableStore, call: WaitingCall) {
    super(() => call.decideAgain(store, this), { isOrdered: call.owner === undefined });
    this.#store = store;
    this.#call = call;
  }

  /** The call was refused. @returns whether it waits. */
  begins(error: NoRoomYetError): boolean {
    const { owner } = this.#call;
    const signal = owner?.signal;
    const isFirst = this.untilMs === 0;
    if (signal?.aborted === true || !this.#store.waitForRoom(this, error)) return false;
    owner?.releaseReply?.();
    if (isFirst) {
      this.#call.keep();
      signal?.addEventListener('abort', this);
    }
    return true;
  }

  /** The call is decided. */
  end(): void {
    this.#call.owner?.signal?.removeEventListener('abort', this);
  }

  /** Of the signal. */
  handleEvent(): void {
    this.end();
    this.#store.leaveRoom(this);
    this.#call.reject(this.#call.owner?.signal?.reason);
  }
}

/** Whether a call has to wait, whatever it needs, since one does that its caller has made before. */
export function isHeldByOrder(store: DurableStore, owner: CallOwner | undefined): boolean {
  return owner === undefined && store.isHoldingOrder;
}

/** As what such a call is refused. @param byteCount what it puts, as far as that is known. */
export function heldByOrder(byteCount: number): NoRoomYetError {
  return new NoRoomYetError(
    'calls that were made before this one wait for room in memory, until a checkpoint is written, and it waits behind them: try again in a moment',
    fixed.busyRetryMs,
    byteCount,
  );
}

/** Of calls that are decided one behind the other, and have no promise: their caller waits before it goes on with the one that was refused. */
export class GroupWait {
  readonly #store: DurableStore;
  readonly #signal: AbortSignal;
  #resolve: () => void = () => undefined;
  readonly #wait = new RoomWait(() => this.#resolve(), { decidesLater: true });

  constructor(store: DurableStore, signal: AbortSignal) {
    this.#store = store;
    this.#signal = signal;
  }

  /** @returns `undefined`: waiting does not help. Resolves when the call is to be decided again, or is not wanted any more. */
  begins(error: NoRoomYetError): Promise<void> | undefined {
    if (this.#signal.aborted || !this.#store.waitForRoom(this.#wait, error)) return undefined;
    return this.#untilWoken();
  }

  async #untilWoken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    const onAbort = (): void => {
      this.#store.leaveRoom(this.#wait);
      resolve();
    };
    this.#signal.addEventListener('abort', onAbort);
    await promise;
    this.#signal.removeEventListener('abort', onAbort);
  }
}
