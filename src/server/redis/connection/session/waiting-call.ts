/**
 * `WaitingCall`: a command of one connection that waits for a key. Its words are its own, and charged as what has come in. It ends
 * once: when it is served, when its time is over, by CLIENT UNBLOCK, or with the connection. Until then the connection is busy.
 */
import type { Timer } from '../../../../clock.ts';
import { type KeyText, toKeyText } from '../../../../store/views/keys.ts';
import type { Waiting } from '../../commands/command.ts';
import { RunningCall } from '../../commands/running-call.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import { ReplyWriter } from '../../protocol/reply-writer.ts';
import { unblocked } from '../../replies/errors.ts';
import type { BlockedClient } from '../blocked-clients.ts';
import { tellNoted, wantsNoted } from '../noted-events.ts';
import type { ConnectionSession } from './connection-session.ts';
import type { Wait } from './session-state.ts';

const BYTES_OF_KEY = 200;

export class WaitingCall implements BlockedClient, Wait {
  readonly command: BlockedClient['command'];
  readonly call: RunningCall;
  readonly keys: readonly KeyText[];
  readonly version: 2 | 3;
  readonly seesDeletion: boolean;
  readonly #session: ConnectionSession;
  readonly #waiting: Waiting;
  /** Bytes that are charged as input. */
  #charged: number;
  #timer: Timer | undefined;

  /** Begins to wait; where there is no room for that, this is the reply. */
  static begin(
    session: ConnectionSession,
    command: BlockedClient['command'],
    args: PlacedArguments,
    waiting: Waiting,
  ): void {
    const { context } = session;
    const charged = args.byteLength + waiting.keys.length * BYTES_OF_KEY;
    if (!context.chargeInput(charged)) {
      context.reply.error('ERR the commands that wait for keys take too much memory');
      return;
    }
    const call = new WaitingCall(session, command, args, waiting, charged);
    session.waiting = call;
    session.isBusy = true;
    context.blocked.add(call);
    call.#setTimer();
  }

  private constructor(
    session: ConnectionSession,
    command: BlockedClient['command'],
    args: PlacedArguments,
    waiting: Waiting,
    charged: number,
  ) {
    const { servedReply, cursors } = session.context;
    const ownArgs = args.ownCopy();
    ownArgs.keepsKeys = true;
    const { again, seesDeletion = false } = waiting;
    this.command =
      again === undefined
        ? command
        : { ...command, block: (view, call) => (again(view, call) ? undefined : waiting) };
    this.seesDeletion = seesDeletion;
    this.call = new RunningCall(ownArgs, servedReply, session, cursors);
    this.keys = waiting.keys.map(toKeyText);
    this.version = session.version;
    this.#session = session;
    this.#waiting = waiting;
    this.#charged = charged;
  }

  admit(): void {
    // It may be asked for since the wait began.
    this.call.keepsEvents = wantsNoted(this.#session.context);
    this.#session.transaction.admitQueued(this.command, this.call.args);
  }

  served(durationMs: number): void {
    const { context } = this.#session;
    const reply = context.servedReply.take();
    if (this.call.events.length > 0) tellNoted(context, this.call, context.seam.committedSequence, true);
    this.#ended(reply, durationMs);
  }

  unblock(withError: boolean): void {
    this.#endWait((reply) => {
      if (withError) this.#session.context.runner.answer(unblocked(), reply, this.command.name);
      else this.#waiting.onTimeout(reply);
    });
  }

  close(): void {
    const { context } = this.#session;
    context.blocked.remove(this);
    this.#timer?.cancel();
    context.chargeInput(-this.#charged);
  }

  #setTimer(): void {
    const { timeoutMs } = this.#waiting;
    if (timeoutMs <= 0) return;
    this.#timer = this.#session.context.clock.setTimer(timeoutMs, () =>
      this.#endWait((reply) => this.#waiting.onTimeout(reply)),
    );
  }

  #endWait(write: (reply: ReplyWriter) => void): void {
    if (this.#session.waiting !== this) return;
    this.#session.context.blocked.remove(this);
    const reply = new ReplyWriter();
    reply.version = this.#session.version;
    write(reply);
    this.#ended(reply.take(), 0);
  }

  /** @param durationMs that serving it has taken. */
  #ended(reply: Buffer, durationMs: number): void {
    const session = this.#session;
    const { context, outlet } = session;
    if (session.waiting === this) session.endedLater(this.command, this.call.args, durationMs);
    session.waiting = undefined;
    this.#timer?.cancel();
    if (session.isClosed) return;
    context.chargeInput(-this.#charged);
    this.#charged = 0;
    outlet.dependsOn(context.seam.committedSequence);
    // That nothing has come, too, is what was read.
    outlet.ran(false);
    outlet.answerLater(reply);
    // Others are in the middle of a decision, or of their commands.
    context.turn.later(session.goOn);
  }
}
