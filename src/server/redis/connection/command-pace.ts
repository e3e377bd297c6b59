/**
 * What the commands of one connection count for what their user may do in a second, where that is limited (`limits/rate.ts`). A client
 * that is only fast is not refused: its commands wait, in their order, and so does what it sends behind them, in the socket.
 *
 * A command is one operation, or as many as it names keys; each of a transaction counts as it is queued. What only operators may run
 * is free, so that they get in. Bytes are those that come in and those of replies; messages of pub/sub are not counted: others
 * have made them.
 */
import type { Login } from '../../../access/login/login.ts';
import type { RateLimits } from '../../limits/rate-limits.ts';
import type { Arguments, CommandFacts } from '../commands/command.ts';
import { eachKey } from './key-access.ts';
import type { TurnBudget } from './turn-budget.ts';

export class CommandPace {
  readonly #rates: RateLimits;
  readonly #wire: object;
  readonly #turn: TurnBudget;
  readonly #closed = new AbortController();
  /** The next command has counted already. */
  #isPaid = false;
  #isReplyHeld = false;
  /** What has come in since a command began. */
  #receivedBytes = 0;
  /** Of what goes out next. */
  #pushedBytes = 0;
  /** A command waits to begin: nothing of it has happened. */
  isHolding = false;

  /** @param wire stands for the connection, where there is no user. */
  constructor(rates: RateLimits, wire: object, turn: TurnBudget) {
    this.#rates = rates;
    this.#wire = wire;
    this.#turn = turn;
  }

  /** @returns whether a call waits; then it is paid for, and `run` is called when it may come again. */
  holds(login: Login, facts: CommandFacts, args: Arguments, run: () => void): boolean {
    if (this.#isPaid) {
      this.#isPaid = false;
      return false;
    }
    if (facts.flags.includes('admin')) return false;
    this.isHolding = this.#waits(login, operationsOf(facts, args), () => {
      this.isHolding = false;
      this.#countReceived(login);
      run();
    });
    if (!this.isHolding) this.#countReceived(login);
    return this.isHolding;
  }

  /** The command that was taken last comes again, and has counted. */
  comesAgain(): void {
    this.#isPaid = true;
  }

  /** @returns whether the next piece of a long reply waits until those before are paid for; then `run` is called. */
  holdsReply(login: Login, run: () => void): boolean {
    if (this.#isReplyHeld) return true;
    this.#isReplyHeld = this.#waits(login, 0, () => {
      this.#isReplyHeld = false;
      run();
    });
    return this.#isReplyHeld;
  }

  /** Counted when the next command has begun: a long one need not wait for itself. */
  received(bytes: number): void {
    this.#receivedBytes += bytes;
  }

  sent(login: Login, bytes: number): void {
    const pushed = Math.min(bytes, this.#pushedBytes);
    this.#pushedBytes -= pushed;
    if (bytes > pushed) this.#rates.of(login.userName, this.#wire).countBytes(bytes - pushed);
  }

  /** So much of what goes out next is no reply. */
  pushed(bytes: number): void {
    this.#pushedBytes += bytes;
  }

  close(): void {
    this.#closed.abort();
  }

  #countReceived(login: Login): void {
    if (this.#receivedBytes === 0) return;
    this.#rates.of(login.userName, this.#wire).countBytes(this.#receivedBytes);
    this.#receivedBytes = 0;
  }

  #waits(login: Login, operations: number, run: () => void): boolean {
    const rate = this.#rates.of(login.userName, this.#wire);
    const free = rate.beginWhenFree(operations, this.#closed.signal);
    void free?.then((isFree) => {
      if (isFree) this.#turn.later(run);
    });
    return free !== undefined;
  }
}

function operationsOf(facts: CommandFacts, args: Arguments): number {
  let count = 0;
  try {
    eachKey(facts, args, () => count++);
  } catch {
    // What is wrong with it the command itself says.
  }
  return Math.max(1, count);
}
