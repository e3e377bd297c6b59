/**
 * The calls that a turn gathers (`turn.ts`), each an object that is its own promise, what it will do, and its place among those
 * who wait for the log: one object for the whole way.
 *
 * One of each kind is there always. When a full collection of garbage finds none, V8 forgets their shape and throws away all
 * code that was made for it; a get took 170 ns longer then for a while, of 640.
 */
import type { DeleteOptions, DeleteResult, Key, PutOptions, PutResult } from '../../api.ts';
import { isStoreError, NoRoomYetError } from '../../errors.ts';
import { Answer } from '../../store/commit/acknowledgements.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import type { View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { WorkDone } from '../../work-budget.ts';
import type { TurnCall } from './turn-call.ts';
import { deleteKey, put } from '../writes/writes.ts';
import { keptArguments, keptConditional, keptKey } from './kept-arguments.ts';
import { type CallOwner, CallWait, heldByOrder, isHeldByOrder, type WaitingCall } from './room-waits.ts';

/** A transaction: its result, or its error, goes out when what it may depend on is durable. */
export abstract class DecidedCall<Result> extends Answer<Result> implements WaitingCall {
  readonly owner: CallOwner | undefined;
  /** It was slowed down by its wait for room. */
  #hasWaited = false;

  constructor(owner: CallOwner | undefined) {
    super();
    this.owner = owner;
  }

  abstract decide(view: View): Result;

  abstract keep(): void;

  /** What it puts, as far as that is known before it is decided. */
  protected get putBytes(): number {
    return 0;
  }

  run(store: DurableStore): WorkDone {
    if (isHeldByOrder(store, this.owner)) {
      waitBehind(store, this, heldByOrder(this.putBytes));
      return NOT_DECIDED;
    }
    decideCall(store, this, undefined);
    return store.decidedWork;
  }

  /** The two waits together might be longer than its caller waits. */
  override get isHeldBack(): boolean {
    return this.hasChanged && !this.#hasWaited;
  }

  /** It has been decided: settles it when it may go out. */
  settleWith(store: DurableStore): void {
    store.settleWhenDurable(this);
  }

  decideAgain(store: DurableStore, wait: CallWait): void {
    this.#hasWaited = true;
    decideCall(store, this, wait);
  }

  reject(reason: unknown): void {
    this.error = reason;
    this.settle();
  }
}

/** The call that is being decided: one function serves for all of them. */
let running: Pick<DecidedCall<unknown>, 'decide'> = { decide: () => undefined };
const idle = running;
const decideRunning = (view: View): unknown => running.decide(view);

const NOT_DECIDED: WorkDone = { visitsSpent: 0, bytesSpent: 0 };

function waitBehind(store: DurableStore, call: DecidedCall<unknown>, error: NoRoomYetError): void {
  if (new CallWait(store, call).begins(error)) return;
  call.error = error;
  store.settleWhenDurable(call);
}

/** @param wait what it has waited with. */
function decideCall(store: DurableStore, call: DecidedCall<unknown>, wait: CallWait | undefined): void {
  running = call;
  try {
    const { result, hasChanged } = store.decide(decideRunning);
    call.result = result;
    call.hasChanged = hasChanged;
  } catch (error) {
    if (error instanceof NoRoomYetError && (wait ?? new CallWait(store, call)).begins(error)) return;
    wait?.end();
    call.error = error;
    if (isIndependent(error)) return call.settle();
  } finally {
    // What it holds may be long.
    running = idle;
  }
  wait?.end();
  call.settleWith(store);
}

export class PutCall extends DecidedCall<PutResult> implements TurnCall {
  static readonly kept = new PutCall('', NO_BYTES, {});
  key: Key;
  #value: Uint8Array;
  #options: PutOptions;

  constructor(key: Key, value: Uint8Array, options: PutOptions, owner?: CallOwner) {
    super(owner);
    this.key = key;
    this.#value = value;
    this.#options = options;
  }

  protected override get putBytes(): number {
    return this.key.length + this.#value.length;
  }

  override decide(view: View): PutResult {
    return put(view, this.key, this.#value, this.#options);
  }

  override keep(): void {
    this.key = keptKey(this.key);
    this.#value = Buffer.from(this.#value);
    this.#options = keptConditional(this.#options);
  }
}

export class DeleteCall extends DecidedCall<DeleteResult> implements TurnCall {
  static readonly kept = new DeleteCall('', {});
  key: Key;
  #options: DeleteOptions;

  constructor(key: Key, options: DeleteOptions) {
    super(undefined);
    this.key = key;
    this.#options = options;
  }

  override decide(view: View): DeleteResult {
    return deleteKey(view, this.key, this.#options);
  }

  /** It needs no room, but may wait behind what does. */
  override keep(): void {
    this.key = keptKey(this.key);
    this.#options = keptConditional(this.#options);
  }
}

/** A read of visible state that is no object of its own kind. */
export class ReadCall<Result> extends Answer<Result> implements TurnCall {
  readonly #read: () => Result;

  constructor(read: () => Result) {
    super();
    this.#read = read;
  }

  run(store: DurableStore): WorkDone {
    runRead(this, this.#read);
    return store.readWork;
  }
}

function runRead<Result>(call: Answer<Result>, read: () => Result): void {
  try {
    call.result = read();
  } catch (error) {
    call.error = error;
  }
  call.settle();
}

/** A transaction that is no object of its own kind. */
export class FunctionCall<Given, Result> extends DecidedCall<Result> implements TurnCall {
  readonly #decide: (view: View, given: Given) => Result;
  #given: Given;

  constructor(given: Given, decide: (view: View, given: Given) => Result, owner: CallOwner | undefined) {
    super(owner);
    this.#decide = decide;
    this.#given = given;
  }

  override decide(view: View): Result {
    return this.#decide(view, this.#given);
  }

  override keep(): void {
    this.#given = keptArguments(this.#given);
  }
}

/** A read of the newest state that is no object of its own kind. */
export class NewestCall<Given, Result> extends FunctionCall<Given, Result> {
  override get isConfirmed(): boolean {
    return true;
  }

  /** Notes change nothing of what it has read: so it does not wait for them, which may be on their way for long. */
  override settleWith(store: DurableStore): void {
    if (store.isAllVisible) this.settle();
    else super.settleWith(store);
  }
}

/** Whether an error tells nothing of what is not durable yet, or never will be: so it waits for nothing. */
export function isIndependent(error: unknown): boolean {
  return (
    isStoreError(error, 'invalidArgument') ||
    isStoreError(error, 'closed') ||
    isStoreError(error, 'storageFailed') ||
    isStoreError(error, 'notWriter')
  );
}
