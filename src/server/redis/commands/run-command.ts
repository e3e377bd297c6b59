/**
 * Runs one call of a family's command over the view that it asks for. What it throws becomes its reply, and nothing that it has
 * written before stays: of the reply, of its events, and of the transaction.
 *
 * Alone, a call that writes has a decision of its own, which does not happen when it throws. Within EXEC all calls share one view, and
 * one that throws is taken back to where it began.
 */
import { isStoreError, NoRoomYetError } from '../../../errors.ts';
import type { Seam, StateAt } from '../../../store/seam.ts';
import { budgetSpent } from '../../../store/views/draft.ts';
import type { ReadView, View } from '../../../store/views/view.ts';
import { INTERNAL, textOf, tooMuchForTransaction } from '../replies/errors.ts';
import type { Command, CommandCall, Reply, Slice, Waiting } from './command.ts';
import type { RunningCall, RunningReply } from './running-call.ts';

/** How a call has gone on. */
export type CallState =
  /** Its reply is there. */
  | 'done'
  /** It goes on: `slice` says how, or `waiting` what for, or `hasMoreParts` that it is to be run again, in another turn. */
  | 'goesOn'
  /** The log has no room for it now: nothing has happened, and it is to be tried again. */
  | 'noRoom'
  /** As that, of memory: the connection waits for it already. */
  | 'waitsForRoom';

export interface RunObserver {
  /** Something was thrown that is neither a `ReplyError` nor a `StoreError`. */
  defect(command: string, error: unknown): void;
  /** A call has run and failed. @param text of the error that is the reply. */
  failed(text: string, command: string): void;
  /** A call did not run. @param command `undefined`: none of the table. */
  refused(text: string, command: string | undefined): void;
}

export class CommandRunner {
  readonly #seam: Seam;
  readonly #observer: RunObserver;
  #command: Command | undefined;
  #call: RunningCall<RunningReply> | undefined;
  /** What the last call goes on with, and on which state. */
  slice: Slice | undefined;
  state: StateAt = { revision: 0, instantMs: 0 };
  /** What the last call waits for. */
  waiting: Waiting | undefined;
  hasMoreParts = false;
  /** What the reply of the last call waits for; 0: nothing. */
  sequence = 0;
  /** The revision of the state that the last call, run alone, has begun on. */
  revision = 0;
  /** Whether the last call, run alone, has changed anything. */
  hasChanged = false;
  /** What calls have done since this was set to 0. */
  visitsSpent = 0;
  bytesSpent = 0;
  /** Whether a transaction that finds no room in memory waits as a whole; else that is the reply to the call. */
  isPatient = true;

  constructor(seam: Seam, observer: RunObserver) {
    this.#seam = seam;
    this.#observer = observer;
  }

  /**
   * @param isVisibleWanted a read is shown the visible state; else the newest.
   * @param waitsForRoom whether a call that was refused waits now until it is tried again.
   */
  runAlone(
    command: Command,
    call: RunningCall,
    isVisibleWanted: boolean,
    waitsForRoom: (error: NoRoomYetError) => boolean,
  ): CallState {
    this.#command = command;
    this.#call = call;
    this.slice = this.waiting = undefined;
    this.hasMoreParts = false;
    const { reply, counted } = call;
    const begun = reply.length;
    const eventCount = call.events.length;
    const isVisible = isVisibleWanted && 'read' in command;
    this.sequence = this.revision = 0;
    this.hasChanged = false;
    call.undo = undefined;
    try {
      if (isVisible) this.#seam.readVisible(this.#read);
      else {
        const { sequence, hasChanged } = this.#seam.decide(this.#decided);
        this.sequence = sequence;
        this.#refuseLost();
        this.hasChanged = hasChanged;
      }
    } catch (error) {
      reply.rollBack(begun);
      call.events.length = eventCount;
      call.takeBack();
      call.counted = counted;
      this.hasMoreParts = false;
      if (isLogFull(error)) return 'noRoom';
      if (error instanceof NoRoomYetError && waitsForRoom(error)) return 'waitsForRoom';
      this.answer(error, reply, command.name);
      // What it has found may be from a decision that is not durable.
      if (!isVisible) this.sequence = this.#seam.failure === undefined ? this.#seam.committedSequence : 0;
    }
    if (this.hasMoreParts) return 'goesOn';
    call.counted = 0;
    return this.slice === undefined && this.waiting === undefined ? 'done' : 'goesOn';
  }

  /** Once the log has failed, the newest state may have what is lost: only what is visible may be told of. */
  #refuseLost(): void {
    const { failure, durableSequence } = this.#seam;
    if (failure === undefined || this.sequence <= durableSequence) return;
    this.slice = this.waiting = undefined;
    throw failure.whenUnchanged;
  }

  /** Runs a call as one of several of a transaction; what it throws is its reply. */
  runWithin(view: View, command: Command, call: RunningCall): void {
    try {
      this.completeWithin(view, command, call);
    } catch (error) {
      this.answerWithin(error, call.reply, command.name);
    }
  }

  /**
   * Runs a call over a view that its caller has, to its end: a command that blocks does not wait, since its time is over at once, and a
   * long reply is made as a whole. Throws what the call throws, of which nothing stays.
   */
  completeWithin(view: View, command: Command, call: RunningCall<RunningReply>): void {
    const { reply } = call;
    const begun = reply.length;
    const eventCount = call.events.length;
    const savepoint = view.savepoint();
    call.undo = undefined;
    try {
      const waiting = this.tryWithin(view, command, call);
      waiting?.onTimeout(reply);
      if (this.hasMoreParts) throw tooMuchForTransaction(command.name);
      for (let slice = this.slice; slice !== undefined;) {
        if (view.budget.isSpent) throw budgetSpent(view.budget);
        slice = slice(view, reply) ?? undefined;
      }
    } catch (error) {
      view.rollBack(savepoint);
      reply.rollBack(begun);
      call.events.length = eventCount;
      call.takeBack();
      throw error;
    }
  }

  /** As `answer`, of a call within a transaction, which may have to wait: then it throws. */
  answerWithin(error: unknown, reply: Reply, command: string): void {
    if (this.isPatient && error instanceof NoRoomYetError) throw error;
    this.answer(error, reply, command);
  }

  /** Runs a call over a view that its caller has. @returns what it waits for. Throws what the call throws. */
  tryWithin(view: View, command: Command, call: RunningCall<RunningReply>): Waiting | undefined {
    this.#command = command;
    this.#call = call;
    this.slice = this.waiting = undefined;
    this.hasMoreParts = false;
    try {
      this.#decided(view);
    } finally {
      call.counted = 0;
    }
    return this.waiting;
  }

  /** Writes what something is told as that a command has thrown. */
  answer(error: unknown, reply: Reply, command: string): void {
    const text = textOf(error);
    if (text === undefined) this.#observer.defect(command, error);
    this.#observer.failed(text ?? INTERNAL, command);
    reply.error(text ?? INTERNAL);
  }

  /** As `answer`, for a call that does not run. @param command `undefined`: none of the table. */
  refuse(error: unknown, reply: Reply, command: string | undefined): void {
    const text = textOf(error);
    if (text === undefined) this.#observer.defect(command ?? '', error);
    this.#observer.refused(text ?? INTERNAL, command);
    reply.error(text ?? INTERNAL);
  }

  readonly #read = (view: ReadView): void => {
    const command = this.#command;
    const call = this.#call;
    if (command === undefined || call === undefined || !('read' in command)) return;
    const { budget } = view;
    this.revision = view.revision;
    try {
      const slice = command.read(view, call) ?? undefined;
      if (slice !== undefined) this.#goOn(view, slice);
    } finally {
      this.visitsSpent += 1 + budget.visitsSpent;
      this.bytesSpent += budget.bytesSpent;
    }
  };

  readonly #decided = (view: View): void => {
    const command = this.#command;
    const call = this.#call;
    if (command === undefined || call === undefined) return;
    const { budget } = view;
    const { visitsSpent, bytesSpent } = budget;
    this.revision = view.revision;
    try {
      if ('block' in command) {
        const outcome = command.block(view, call);
        if (typeof outcome === 'function') this.#goOn(view, outcome);
        else this.waiting = outcome;
      } else if ('parts' in command) this.hasMoreParts = command.parts(view, call);
      else {
        const slice = runWith(view, command, call) ?? undefined;
        if (slice !== undefined) this.#goOn(view, slice);
      }
    } finally {
      this.visitsSpent += 1 + budget.visitsSpent - visitsSpent;
      this.bytesSpent += budget.bytesSpent - bytesSpent;
    }
  };

  #goOn({ revision, instantMs }: ReadView, slice: Slice): void {
    this.slice = slice;
    this.state = { revision, instantMs };
  }
}

function runWith(
  view: View,
  command: Exclude<Command, { block: unknown } | { parts: unknown }>,
  call: CommandCall,
): Slice | undefined | void {
  if ('write' in command) return command.write(view, call);
  return 'read' in command ? command.read(view, call) : command.newest(view, call);
}

/** What passes as soon as the log has written what it holds. */
export function isLogFull(error: unknown): boolean {
  return isStoreError(error, 'limitReached') && error.room === 'log';
}
