/**
 * Runs one call of a family's command over the view that it asks for. What it throws becomes its reply, and nothing that it has
 * written before stays: of the reply, of its events, and of the transaction.
 *
 * Alone, a call that writes has a decision of its own, which does not happen when it throws. Within EXEC all calls share one view, and
 * one that throws is taken back to where it began.
 */
import type { Seam } from '../../../store/seam.ts';
import type { ReadView, View } from '../../../store/views/view.ts';
import { INTERNAL, textOf, tooMuchForTransaction } from '../replies/errors.ts';
import type { Command, Slice, Waiting } from './command.ts';
import type { RunningCall } from './running-call.ts';

export class CommandRunner {
  readonly #seam: Seam;
  readonly #onDefect: (command: string, error: unknown) => void;
  #command: Command | undefined;
  #call: RunningCall | undefined;
  #slice: Slice | undefined;
  #waiting: Waiting | undefined;
  #hasMoreParts = false;
  /** Of the last call that had a view of the newest state: its reply waits for it. */
  sequence = 0;

  /** @param onDefect is told what is neither a `ReplyError` nor a `StoreError`. */
  constructor(seam: Seam, onDefect: (command: string, error: unknown) => void) {
    this.#seam = seam;
    this.#onDefect = onDefect;
  }

  /** What the last call goes on with. */
  get slice(): Slice | undefined {
    return this.#slice;
  }

  /** What the last call waits for. */
  get waiting(): Waiting | undefined {
    return this.#waiting;
  }

  /** Whether the last call has done a part of what it does, and is to be run again, in another turn. */
  get hasMoreParts(): boolean {
    return this.#hasMoreParts;
  }

  /**
   * @param isVisibleWanted a read is shown the visible state; else the newest.
   * @returns whether the reply is there and complete: else `slice`, `waiting` or `hasMoreParts` says how it goes on.
   */
  runAlone(command: Command, call: RunningCall, isVisibleWanted: boolean): boolean {
    this.#command = command;
    this.#call = call;
    this.#slice = this.#waiting = undefined;
    this.#hasMoreParts = false;
    const { reply } = call;
    const begun = reply.length;
    const eventCount = call.events.length;
    try {
      if (isVisibleWanted && 'read' in command) this.#seam.readVisible(this.#read);
      else this.sequence = this.#seam.decide(this.#decided).sequence;
    } catch (error) {
      reply.rollBack(begun);
      call.events.length = eventCount;
      this.#hasMoreParts = false;
      this.#answer(error);
      // What it has found may be from a decision that is not durable.
      if (!isVisibleWanted || !('read' in command)) this.sequence = this.#seam.committedSequence;
    }
    return this.#slice === undefined && this.#waiting === undefined && !this.#hasMoreParts;
  }

  /** Runs a call as one of several of a transaction. A command that blocks does not: it comes to the end of its time at once. */
  runWithin(view: View, command: Command, call: RunningCall): void {
    this.#command = command;
    this.#call = call;
    this.#slice = this.#waiting = undefined;
    this.#hasMoreParts = false;
    const { reply } = call;
    const begun = reply.length;
    const eventCount = call.events.length;
    const savepoint = view.savepoint();
    try {
      this.#decided(view);
      for (let slice = this.slice; slice !== undefined; slice = slice(view, reply) ?? undefined);
      this.waiting?.onTimeout(reply);
      if (this.#hasMoreParts) throw tooMuchForTransaction(command.name);
    } catch (error) {
      view.rollBack(savepoint);
      reply.rollBack(begun);
      call.events.length = eventCount;
      this.#answer(error);
    }
  }

  #answer(error: unknown): void {
    const { name } = this.#command ?? { name: '' };
    const text = textOf(error);
    if (text === undefined) this.#onDefect(name, error);
    this.#call?.reply.error(text ?? INTERNAL);
  }

  readonly #read = (view: ReadView): void => {
    if (this.#command !== undefined && this.#call !== undefined && 'read' in this.#command)
      this.#slice = this.#command.read(view, this.#call) ?? undefined;
  };

  readonly #decided = (view: View): void => {
    const command = this.#command;
    const call = this.#call;
    if (command === undefined || call === undefined) return;
    if ('write' in command) command.write(view, call);
    else if ('read' in command) this.#slice = command.read(view, call) ?? undefined;
    else if ('newest' in command) this.#slice = command.newest(view, call) ?? undefined;
    else if ('block' in command) this.#waiting = command.block(view, call);
    else this.#hasMoreParts = command.parts(view, call);
  };
}
