/**
 * The calls that a turn gathers (`turn.ts`), each an object that is its own promise, what it will do, and its place among those
 * who wait for the log: one object for the whole way.
 *
 * One of each kind is there always. When a full collection of garbage finds none, V8 forgets their shape and throws away all
 * code that was made for it; a get took 170 ns longer then for a while, of 640.
 */
import type { DeleteOptions, DeleteResult, Key, PutOptions, PutResult } from '../../api.ts';
import { isStoreError } from '../../errors.ts';
import { Answer } from '../../store/commit/acknowledgements.ts';
import type { DurableStore } from '../../store/durable-store.ts';
import type { View } from '../../store/views/view.ts';
import { NO_BYTES } from '../../wire/bytes.ts';
import type { WorkDone } from '../../work-budget.ts';
import type { TurnCall } from './turn-call.ts';
import { deleteKey, put } from '../writes/writes.ts';

/** A transaction: its result, or its error, goes out when what it may depend on is durable. */
export abstract class DecidedCall<Result> extends Answer<Result> {
  abstract decide(view: View): Result;

  run(store: DurableStore): WorkDone {
    decideCall(store, this);
    return store.decidedWork;
  }
}

/** The call that is being decided: one function serves for all of them. */
let running: Pick<DecidedCall<unknown>, 'decide'> = { decide: () => undefined };
const idle = running;
const decideRunning = (view: View): unknown => running.decide(view);

function decideCall(store: DurableStore, call: DecidedCall<unknown>): void {
  running = call;
  try {
    const { result, hasChanged } = store.decide(decideRunning);
    call.result = result;
    call.hasChanged = hasChanged;
  } catch (error) {
    call.error = error;
    if (isIndependent(error)) return call.settle();
  } finally {
    // What it holds may be long.
    running = idle;
  }
  store.settleWhenDurable(call);
}

export class PutCall extends DecidedCall<PutResult> implements TurnCall {
  static readonly kept = new PutCall('', NO_BYTES, {});
  readonly key: Key;
  readonly #value: Uint8Array;
  readonly #options: PutOptions;

  constructor(key: Key, value: Uint8Array, options: PutOptions) {
    super();
    this.key = key;
    this.#value = value;
    this.#options = options;
  }

  override decide(view: View): PutResult {
    return put(view, this.key, this.#value, this.#options);
  }
}

export class DeleteCall extends DecidedCall<DeleteResult> implements TurnCall {
  static readonly kept = new DeleteCall('', {});
  readonly key: Key;
  readonly #options: DeleteOptions;

  constructor(key: Key, options: DeleteOptions) {
    super();
    this.key = key;
    this.#options = options;
  }

  override decide(view: View): DeleteResult {
    return deleteKey(view, this.key, this.#options);
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
export class FunctionCall<Result> extends DecidedCall<Result> implements TurnCall {
  readonly #decide: (view: View) => Result;

  constructor(decide: (view: View) => Result) {
    super();
    this.#decide = decide;
  }

  override decide(view: View): Result {
    return this.#decide(view);
  }
}

/** Whether an error tells nothing of what is not durable yet, or never will be: so it waits for nothing. */
export function isIndependent(error: unknown): boolean {
  return (
    isStoreError(error, 'invalidArgument') ||
    isStoreError(error, 'closed') ||
    isStoreError(error, 'storageFailed')
  );
}
